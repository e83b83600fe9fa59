-- Grain: one row per agency and month (local time) in which the agency had an accepted dossier still open, or
-- accepted or ended one. Two rules side by side, and why they differ. A dossier known under two codes counts once
-- (core.duplicate_dossier); deleted ones and those never accepted do not count.
--
-- The end of a period is the end of the month, or for the present month the latest moment the data knows of.
-- End of a dossier: status 9 or 10 the end of processing, else the hand-over; 3 the refusal; 7 and 8 the end of
-- processing; when the date is missing at the source, its last update. Other statuses have not ended.
--
-- Decision 766/QĐ-TTg, indicator 2.1: on time when end - supplement time <= due time, to the second, where
--   1  end is the end above, for an accepted dossier;
--   2  asked for one supplement and still waiting: end is the request; asked more than once: overdue in any case;
--   3  not ended: end is the end of the period;
--   4  a supplement that came back: the time between request and answer is taken off;
--   5  no due date: working days from acceptance to end, less those of the supplement, against the time limit of the
--      procedure; no limit either: not applicable, in neither part of the rate.
--   Counted: accepted or handled in the period, carried over ones included.
-- Local practice: compared by DAY. Finished: early before, on time on, overdue after the due day; no due day is on
--   time. Withdrawn: on time. Stopped (8): paused, judged by the day it stopped, and carried on in later months.
--   Paused for a supplement or a fee: judged by the day the pause began. Open: overdue when due before the last day
--   of the period. Balance: carried over + received = finished + returned + in progress + paused.
--   Of the start of a fee pause (6) only the last update of the dossier is known, and so for a supplement (5) that
--   nothing else tells of: the months before that update count the dossier as in progress.
--
-- Cause of a difference, the first that holds: more than one supplement; no due date; withdrawn; supplement time
-- taken off; open at the end of the period; time of day.
-- dx:mart name=dossier_on_time depends=one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.thu_tuc,one_stop.ngay_nghi,one_stop.groups

-- Periods, numbered from 1. "The period in which something has happened" is one more than the number of periods that
-- ended before it, which width_bucket finds.
create temporary table on_time_period on commit drop as
with clock as (
    select least(max(d.source_updated_at), now()) as as_of
    from core.fact_dossier as d
)

select
    row_number() over (order by m.month)::integer as period,
    m.month::date as month,
    least(
        (m.month + interval '1 month' - interval '1 day')::date,
        (c.as_of at time zone 'Asia/Ho_Chi_Minh')::date
    ) as last_day,
    least((m.month + interval '1 month') at time zone 'Asia/Ho_Chi_Minh', c.as_of + interval '1 microsecond')
        as ends_before
from clock as c
cross join lateral generate_series(
    timestamp '1990-01-01',
    c.as_of at time zone 'Asia/Ho_Chi_Minh',
    interval '1 month'
) as m (month);

-- Stored plain: a compressed array would be unpacked at every look-up.
create temporary table on_time_clock (
    months date[],
    last_days date[],
    ends_before timestamptz[]
)
on commit drop;

alter table on_time_clock alter column months set storage plain;
alter table on_time_clock alter column last_days set storage plain;
alter table on_time_clock alter column ends_before set storage plain;

insert into on_time_clock (months, last_days, ends_before)
select
    array_agg(p.month order by p.period) as months,
    array_agg(p.last_day order by p.period) as last_days,
    array_agg(p.ends_before order by p.period) as ends_before
from on_time_period as p;

-- One pass over the dossiers. What decides a verdict in any period is reduced to a few small numbers, and dossiers
-- alike in all of them are counted together: a million dossiers become some ten thousand groups.
-- The planner cannot guess how few, and would sort instead of hash.
set local enable_sort = off;

create temporary table on_time_group on commit drop as
with supplement as (
    select
        e.dossier_code,
        e.registered_on,
        (array_agg(e.occurred_at order by e.occurred_at, e.event_id))[1] as first_asked_at,
        (array_agg(e.ended_at order by e.occurred_at, e.event_id))[1] as first_answered_at,
        (array_agg(e.occurred_at order by e.occurred_at, e.event_id))[2] as second_asked_at,
        (array_agg(e.occurred_at order by e.occurred_at, e.event_id))[count(*)] as last_asked_at,
        (array_agg(e.ended_at order by e.occurred_at, e.event_id))[count(*)] as last_answered_at
    from core.fact_dossier_event as e
    where e.event_kind_sk = 2 and e.occurred_at is not null
    group by
        e.dossier_code,
        e.registered_on
),

dossier as (
    select
        d.agency_sk,
        d.procedure_sk,
        d.received_on,
        d.due_at,
        case when d.status_sk in (5, 6) then d.source_updated_at end as paused_at,
        case when d.status_sk in (3, 7, 8) then d.status_sk when d.status_sk in (9, 10) then 9 end as ended_status,
        case
            when d.status_sk in (9, 10) then coalesce(d.finished_at, d.returned_at, d.source_updated_at)
            when d.status_sk = 3 then coalesce(d.refused_at, d.finished_at, d.source_updated_at)
            when d.status_sk in (7, 8) then coalesce(d.finished_at, d.source_updated_at)
        end as end_at,
        -- The log of supplements tells more than the two columns of the dossier, which stand in when it is silent.
        case when s.dossier_code is null then d.supplement_requested_at else s.first_asked_at end as first_asked_at,
        case
            when s.dossier_code is null then d.supplement_received_at else s.first_answered_at
        end as first_answered_at,
        s.second_asked_at,
        case when s.dossier_code is null then d.supplement_requested_at else s.last_asked_at end as last_asked_at,
        case when s.dossier_code is null then d.supplement_received_at else s.last_answered_at end as last_answered_at
    from core.fact_dossier as d
    left join supplement as s on d.dossier_code = s.dossier_code and d.registered_on = s.registered_on
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    where
        d.received_on <= (select max(t.last_day) from on_time_period as t)
        and d.deleted_at is null
        and x.dossier_code is null
),

-- The last moment that still has a given number of working days behind it: Friday's number lasts to Sunday night.
deadline as (
    select
        t.working_day_number,
        (max(t.full_date) + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh' - interval '1 microsecond' as ends_at
    from core.dim_date as t
    where t.full_date is not null
    group by t.working_day_number
),

-- Due under 766, and due once the first supplement was answered. Without a due date both come from the time limit of
-- the procedure in working days; the joins on "case when due_at is null" find something for those few dossiers only.
due as (
    select
        d.*,
        coalesce(d.due_at, l.ends_at) as due_766,
        coalesce(
            d.due_at + greatest(d.first_answered_at - d.first_asked_at, interval '0'),
            e.ends_at
        ) as extended_due_766
    from dossier as d
    left join core.dim_procedure as p
        on p.procedure_sk = case when d.due_at is null then d.procedure_sk end
    left join core.dim_date as r
        on r.full_date = case when d.due_at is null then d.received_on end
    left join core.dim_date as q
        on q.full_date = case when d.due_at is null then (d.first_asked_at at time zone 'Asia/Ho_Chi_Minh')::date end
    left join core.dim_date as w
        on w.full_date = case when d.due_at is null then (d.first_answered_at at time zone 'Asia/Ho_Chi_Minh')::date end
    left join deadline as l
        on l.working_day_number = r.working_day_number + p.time_limit_working_days
    left join deadline as e
        on
            e.working_day_number
            = r.working_day_number
            + p.time_limit_working_days
            + greatest(w.working_day_number - q.working_day_number, 0)
),

-- offset 0 keeps the planner from working the local days out again wherever they are compared.
local_day as (
    select
        d.*,
        (d.end_at at time zone 'Asia/Ho_Chi_Minh')::date as end_on,
        (d.due_at at time zone 'Asia/Ho_Chi_Minh')::date as due_on
    from due as d
    offset 0 -- noqa: AM09
),

numbered as (
    select
        d.agency_sk,
        d.ended_status,
        d.due_at is not null as has_due,
        greatest(width_bucket(d.received_on, (select c.months from on_time_clock as c)), 1) as received_in,
        width_bucket(d.end_at, (select c.ends_before from on_time_clock as c)) + 1 as ended_in,
        width_bucket(d.due_766, (select c.ends_before from on_time_clock as c)) + 1 as overdue_in,
        width_bucket(d.extended_due_766, (select c.ends_before from on_time_clock as c)) + 1 as extended_overdue_in,
        width_bucket(d.due_on, (select c.last_days from on_time_clock as c)) + 1 as local_overdue_in,
        width_bucket(d.first_asked_at, (select c.ends_before from on_time_clock as c)) + 1 as asked_in,
        width_bucket(d.first_answered_at, (select c.ends_before from on_time_clock as c)) + 1 as answered_in,
        width_bucket(d.second_asked_at, (select c.ends_before from on_time_clock as c)) + 1 as asked_again_in,
        width_bucket(d.last_asked_at, (select c.ends_before from on_time_clock as c)) + 1 as last_asked_in,
        width_bucket(d.last_answered_at, (select c.ends_before from on_time_clock as c)) + 1 as last_answered_in,
        width_bucket(d.paused_at, (select c.ends_before from on_time_clock as c)) + 1 as paused_in,
        d.end_at <= d.due_766 as ended_in_time,
        -- An answer after the end gives nothing: the clock had stopped.
        d.end_at <= case when d.first_answered_at <= d.end_at then d.extended_due_766 else d.due_766 end
            as ended_in_extended_time,
        d.first_asked_at <= d.due_766 as asked_in_time,
        d.end_on < d.due_on as ended_before_due_day,
        d.end_on > d.due_on as ended_after_due_day,
        (d.first_asked_at at time zone 'Asia/Ho_Chi_Minh')::date > d.due_on as asked_after_due_day,
        (d.last_asked_at at time zone 'Asia/Ho_Chi_Minh')::date > d.due_on as last_asked_after_due_day,
        (d.paused_at at time zone 'Asia/Ho_Chi_Minh')::date > d.due_on as paused_after_due_day
    from local_day as d
)

select
    n.*,
    count(*) as dossiers
from numbered as n
group by
    n.agency_sk,
    n.ended_status,
    n.has_due,
    n.received_in,
    n.ended_in,
    n.overdue_in,
    n.extended_overdue_in,
    n.local_overdue_in,
    n.asked_in,
    n.answered_in,
    n.asked_again_in,
    n.last_asked_in,
    n.last_answered_in,
    n.paused_in,
    n.ended_in_time,
    n.ended_in_extended_time,
    n.asked_in_time,
    n.ended_before_due_day,
    n.ended_after_due_day,
    n.asked_after_due_day,
    n.last_asked_after_due_day,
    n.paused_after_due_day;

set local enable_sort = on;

-- Each group in each period from its acceptance to its end (a stopped one to the present: local reports carry it on).
create temporary table on_time_count on commit drop as
with group_period as (
    select
        g.*,
        p.period,
        coalesce(g.ended_in <= p.period, false) as is_ended,
        coalesce(g.asked_again_in <= p.period, false) as is_asked_again,
        coalesce(g.answered_in <= p.period, false) as is_extended,
        -- Which request the dossier waits for at the end of the period, if it does.
        case
            when g.last_asked_in <= p.period
                then case when coalesce(g.last_answered_in > p.period, true) then 'last' end
            when g.asked_in <= p.period and coalesce(g.answered_in > p.period, true) then 'first'
        end as waiting_for
    from on_time_group as g
    cross join lateral generate_series(
        g.received_in,
        case
            when g.ended_status <> 8
                then least(greatest(g.ended_in, g.received_in), (select max(t.period) from on_time_period as t))
            else (select max(t.period) from on_time_period as t)
        end
    ) as p (period)
),

judged as materialized (
    select
        g.agency_sk,
        g.period,
        g.has_due,
        g.ended_status,
        g.is_ended,
        g.is_asked_again,
        g.is_extended,
        g.waiting_for,
        g.dossiers,
        g.received_in = g.period as is_received,
        coalesce(g.ended_status = 8 and g.ended_in < g.period, false) as is_stopped_local_only,
        case
            when g.is_ended and g.ended_status = 9 then 'finished'
            when g.is_ended and g.ended_status in (3, 7) then 'returned'
            when g.is_ended or g.waiting_for is not null or g.paused_in <= g.period then 'paused'
            else 'in_progress'
        end as bucket,
        case
            when g.is_asked_again then false
            when g.is_ended and g.is_extended then g.ended_in_extended_time
            when g.is_ended then g.ended_in_time
            when g.waiting_for is not null then g.asked_in_time
            when g.is_extended then g.extended_overdue_in > g.period
            else g.overdue_in > g.period
        end as is_on_time_766,
        case
            when not g.has_due then 'on_time'
            when g.is_ended and g.ended_status = 7 then 'on_time'
            when g.is_ended and g.ended_after_due_day then 'overdue'
            when g.is_ended and g.ended_before_due_day and g.ended_status <> 8 then 'early'
            when g.is_ended then 'on_time'
            when g.waiting_for = 'last' then case when g.last_asked_after_due_day then 'overdue' else 'on_time' end
            when g.waiting_for = 'first' then case when g.asked_after_due_day then 'overdue' else 'on_time' end
            when g.paused_in <= g.period then case when g.paused_after_due_day then 'overdue' else 'on_time' end
            when g.local_overdue_in <= g.period then 'overdue'
            else 'on_time'
        end as local_verdict
    from group_period as g
)

select
    j.agency_sk,
    j.period,
    j.is_received,
    j.bucket,
    j.local_verdict,
    j.is_stopped_local_only,
    j.is_on_time_766,
    case
        when j.is_stopped_local_only or j.is_on_time_766 = (j.local_verdict <> 'overdue') then null
        when j.is_on_time_766 is null then null
        when j.is_asked_again then 'second_supplement'
        when not j.has_due then 'missing_due'
        when j.is_ended and j.ended_status = 7 then 'withdrawn'
        when j.is_on_time_766 and j.is_extended then 'supplement_pause'
        when not j.is_ended and j.waiting_for is null then 'open_at_period_end'
        else 'clock_time'
    end as cause,
    j.dossiers
from judged as j;

delete from mart.dossier_on_time;

insert into mart.dossier_on_time (
    agency_code,
    month,
    agency_sk,
    agency_name,
    agency_level,
    agency_kind,
    period_end,
    received,
    carried_over,
    finished,
    returned,
    in_progress,
    paused,
    early_local,
    on_time_local,
    overdue_local,
    rate_local,
    received_or_handled,
    on_time_766,
    overdue_766,
    not_applicable,
    rate_766,
    stopped_local_only,
    overdue_766_only,
    overdue_local_only,
    differing,
    differing_second_supplement,
    differing_missing_due,
    differing_withdrawn,
    differing_supplement_pause,
    differing_open_at_period_end,
    differing_clock_time,
    refreshed_at
)
with latest_agency as (
    select distinct on (a.agency_code)
        a.agency_sk,
        a.agency_code,
        a.name,
        a.level,
        a.kind
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
),

summed as (
    select
        a.agency_code,
        p.month,
        max(p.last_day) as period_end,
        sum(c.dossiers) as total,
        coalesce(sum(c.dossiers) filter (where c.is_received), 0) as received,
        coalesce(sum(c.dossiers) filter (where not c.is_received), 0) as carried_over,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'finished'), 0) as finished,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'returned'), 0) as returned,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'in_progress'), 0) as in_progress,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'paused'), 0) as paused,
        coalesce(sum(c.dossiers) filter (where c.local_verdict = 'early'), 0) as early_local,
        coalesce(sum(c.dossiers) filter (where c.local_verdict = 'on_time'), 0) as on_time_local,
        coalesce(sum(c.dossiers) filter (where c.local_verdict = 'overdue'), 0) as overdue_local,
        coalesce(sum(c.dossiers) filter (where c.is_stopped_local_only), 0) as stopped_local_only,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only), 0) as received_or_handled,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only and c.is_on_time_766), 0) as on_time_766,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only and not c.is_on_time_766), 0)
            as overdue_766,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only and c.is_on_time_766 is null), 0)
            as not_applicable,
        coalesce(sum(c.dossiers) filter (where c.cause is not null and not c.is_on_time_766), 0) as overdue_766_only,
        coalesce(sum(c.dossiers) filter (where c.cause is not null and c.is_on_time_766), 0) as overdue_local_only,
        coalesce(sum(c.dossiers) filter (where c.cause is not null), 0) as differing,
        coalesce(sum(c.dossiers) filter (where c.cause = 'second_supplement'), 0) as differing_second_supplement,
        coalesce(sum(c.dossiers) filter (where c.cause = 'missing_due'), 0) as differing_missing_due,
        coalesce(sum(c.dossiers) filter (where c.cause = 'withdrawn'), 0) as differing_withdrawn,
        coalesce(sum(c.dossiers) filter (where c.cause = 'supplement_pause'), 0) as differing_supplement_pause,
        coalesce(sum(c.dossiers) filter (where c.cause = 'open_at_period_end'), 0) as differing_open_at_period_end,
        coalesce(sum(c.dossiers) filter (where c.cause = 'clock_time'), 0) as differing_clock_time
    from on_time_count as c
    inner join on_time_period as p on c.period = p.period
    inner join core.dim_agency as a on c.agency_sk = a.agency_sk
    group by
        a.agency_code,
        p.month
)

select
    s.agency_code,
    s.month,
    a.agency_sk,
    a.name as agency_name,
    a.level as agency_level,
    a.kind as agency_kind,
    s.period_end,
    s.received,
    s.carried_over,
    s.finished,
    s.returned,
    s.in_progress,
    s.paused,
    s.early_local,
    s.on_time_local,
    s.overdue_local,
    (s.early_local + s.on_time_local) / nullif(s.total, 0) as rate_local,
    s.received_or_handled,
    s.on_time_766,
    s.overdue_766,
    s.not_applicable,
    s.on_time_766 / nullif(s.on_time_766 + s.overdue_766, 0) as rate_766,
    s.stopped_local_only,
    s.overdue_766_only,
    s.overdue_local_only,
    s.differing,
    s.differing_second_supplement,
    s.differing_missing_due,
    s.differing_withdrawn,
    s.differing_supplement_pause,
    s.differing_open_at_period_end,
    s.differing_clock_time,
    now() as refreshed_at
from summed as s
inner join latest_agency as a on s.agency_code = a.agency_code;
