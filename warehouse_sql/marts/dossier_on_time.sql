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
--   Of the start of a fee pause (6) only the last update is known: earlier months count the dossier as in progress.
--
-- Cause of a difference, the first that holds: more than one supplement; no due date; withdrawn; supplement time
-- taken off; open at the end of the period; time of day.
-- dx:mart name=dossier_on_time depends=one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.thu_tuc,one_stop.ngay_nghi,one_stop.groups

-- The settings reach the workers of a parallel scan; a table of one row could not be read there.
select set_config('dx.as_of', least(max(d.source_updated_at), now())::text, true) as as_of
from core.fact_dossier as d;

create temporary table on_time_count on commit drop as
with clock as (
    select
        u.as_of,
        (u.as_of at time zone 'Asia/Ho_Chi_Minh')::date as as_of_day
    from (select nullif(current_setting('dx.as_of'), '')::timestamptz as as_of) as u
),

calendar as (
    select
        min(t.full_date) as first_day,
        array_agg(t.working_day_number order by t.full_date) as working_day_number
    from core.dim_date as t
    where t.full_date is not null
),

period as (
    select
        (extract(year from m.month) * 12 + extract(month from m.month))::integer as month_index,
        m.month::date as month,
        least((m.month + interval '1 month' - interval '1 day')::date, c.as_of_day) as period_end,
        -- First instant after the period.
        least(
            (m.month + interval '1 month') at time zone 'Asia/Ho_Chi_Minh',
            c.as_of + interval '1 microsecond'
        ) as ends_before
    from clock as c
    cross join lateral generate_series(
        timestamp '1990-01-01',
        date_trunc('month', c.as_of_day::timestamp),
        interval '1 month'
    ) as m (month)
),

supplement as (
    select
        e.dossier_code,
        e.registered_on,
        (array_agg(e.occurred_at order by e.occurred_at, e.event_id))[1] as first_asked_at,
        (array_agg(e.ended_at order by e.occurred_at, e.event_id))[1] as first_answered_at,
        (array_agg(e.occurred_at order by e.occurred_at, e.event_id))[2] as second_asked_at,
        (array_agg(e.occurred_at order by e.occurred_at desc, e.event_id desc))[1] as last_asked_at,
        (array_agg(e.ended_at order by e.occurred_at desc, e.event_id desc))[1] as last_answered_at
    from core.fact_dossier_event as e
    where e.event_kind_sk = 2 and e.occurred_at is not null
    group by
        e.dossier_code,
        e.registered_on
),

dossier as (
    select
        d.agency_sk,
        d.status_sk,
        d.received_on,
        d.due_at,
        d.source_updated_at,
        p.time_limit_working_days,
        case
            when d.status_sk in (9, 10) then coalesce(d.finished_at, d.returned_at, d.source_updated_at)
            when d.status_sk = 3 then coalesce(d.refused_at, d.finished_at, d.source_updated_at)
            when d.status_sk in (7, 8) then coalesce(d.finished_at, d.source_updated_at)
        end as end_at,
        -- The log of supplements tells more than the two columns of the dossier, which stand in when it is silent.
        coalesce(s.first_asked_at, d.supplement_requested_at) as first_asked_at,
        case
            when s.dossier_code is null then d.supplement_received_at else s.first_answered_at
        end as first_answered_at,
        s.second_asked_at,
        coalesce(s.last_asked_at, d.supplement_requested_at) as last_asked_at,
        case when s.dossier_code is null then d.supplement_received_at else s.last_answered_at end as last_answered_at
    from core.fact_dossier as d
    left join supplement as s on s.dossier_code = d.dossier_code and s.registered_on = d.registered_on
    left join core.duplicate_dossier as x on x.dossier_code = d.dossier_code and x.registered_on = d.registered_on
    left join core.dim_procedure as p on p.procedure_sk = d.procedure_sk
    where
        d.received_on is not null
        and d.deleted_at is null
        and x.dossier_code is null
),

dossier_day as (
    select
        d.*,
        (d.end_at at time zone 'Asia/Ho_Chi_Minh')::date as end_on,
        (d.due_at at time zone 'Asia/Ho_Chi_Minh')::date as due_on
    from dossier as d
),

dossier_month as (
    select
        d.*,
        q.month,
        q.period_end,
        q.ends_before,
        q.month <= d.received_on as is_received,
        coalesce(d.end_at < q.ends_before, false) as is_ended,
        -- A stopped dossier is over under 766 but is carried on as paused by the local reports.
        coalesce(d.status_sk = 8 and d.end_on < q.month, false) as is_stopped_local_only,
        coalesce(d.second_asked_at < q.ends_before, false) as is_asked_again,
        case when d.last_asked_at < q.ends_before then d.last_asked_at else d.first_asked_at end as asked_at,
        case when d.last_asked_at < q.ends_before then d.last_answered_at else d.first_answered_at end as answered_at
    from dossier_day as d
    cross join clock as c
    cross join lateral generate_series(
        (extract(year from d.received_on) * 12 + extract(month from d.received_on))::integer,
        case
            when d.end_on is null or d.status_sk = 8
                then (extract(year from c.as_of_day) * 12 + extract(month from c.as_of_day))::integer
            -- Never before the first month, should the source have swapped the two dates.
            else (
                extract(year from greatest(d.end_on, d.received_on)) * 12
                + extract(month from greatest(d.end_on, d.received_on))
            )::integer
        end
    ) as g (month_index)
    inner join period as q on q.month_index = g.month_index
),

position as (
    select
        m.*,
        coalesce(m.asked_at < m.ends_before and coalesce(m.answered_at >= m.ends_before, true), false) as is_waiting
    from dossier_month as m
),

timed as (
    select
        o.*,
        case
            when o.is_ended then o.end_at
            when o.is_waiting then o.asked_at
            else o.ends_before
        end as end_766,
        case
            when
                o.answered_at > o.asked_at
                and o.answered_at < o.ends_before
                and (not o.is_ended or o.answered_at <= o.end_at)
                then o.answered_at - o.asked_at
            else interval '0'
        end as pause,
        case
            when o.is_ended and o.status_sk in (9, 10) then 'finished'
            when o.is_ended and o.status_sk in (3, 7) then 'returned'
            when
                o.is_ended
                or o.is_waiting
                or (o.status_sk = 6 and o.source_updated_at < o.ends_before)
                or (o.status_sk = 5 and o.source_updated_at < o.ends_before)
                then 'paused'
            else 'in_progress'
        end as bucket
    from position as o
),

judged as (
    select
        t.*,
        case
            when t.is_asked_again then false
            when t.due_at is not null then t.end_766 - t.pause <= t.due_at
            when t.time_limit_working_days is not null
                then
                    k.working_day_number[
                        ((t.end_766 - interval '1 microsecond') at time zone 'Asia/Ho_Chi_Minh')::date - k.first_day + 1
                    ]
                    - k.working_day_number[t.received_on - k.first_day + 1]
                    - case
                        when t.pause > interval '0'
                            then
                                k.working_day_number[
                                    (t.answered_at at time zone 'Asia/Ho_Chi_Minh')::date - k.first_day + 1
                                ]
                                - k.working_day_number[
                                    (t.asked_at at time zone 'Asia/Ho_Chi_Minh')::date - k.first_day + 1
                                ]
                        else 0
                    end
                    <= t.time_limit_working_days
        end as is_on_time_766,
        case
            when t.due_on is null or (t.is_ended and t.status_sk = 7) then 'on_time'
            when t.bucket in ('finished', 'returned')
                then
                    case
                        when t.end_on < t.due_on then 'early'
                        when t.end_on = t.due_on then 'on_time'
                        else 'overdue'
                    end
            when t.bucket = 'in_progress' then case when t.due_on < t.period_end then 'overdue' else 'on_time' end
            when
                t.due_on < (
                    case
                        when t.is_ended then t.end_at
                        when t.is_waiting then t.asked_at
                        else t.source_updated_at
                    end at time zone 'Asia/Ho_Chi_Minh'
                )::date
                then 'overdue'
            else 'on_time'
        end as local_verdict
    from timed as t
    cross join calendar as k
),

explained as (
    select
        j.agency_sk,
        j.month,
        j.period_end,
        j.is_received,
        j.bucket,
        j.local_verdict,
        j.is_stopped_local_only,
        j.is_on_time_766,
        case
            when j.is_stopped_local_only or j.is_on_time_766 is null then null
            when j.is_on_time_766 = (j.local_verdict <> 'overdue') then null
            when j.is_asked_again then 'second_supplement'
            when j.due_at is null then 'missing_due'
            when j.is_ended and j.status_sk = 7 then 'withdrawn'
            when (j.end_766 <= j.due_at) <> (j.end_766 - j.pause <= j.due_at) then 'supplement_pause'
            when not j.is_ended and not j.is_waiting then 'open_at_period_end'
            else 'clock_time'
        end as cause
    from judged as j
)

select
    e.agency_sk,
    e.month,
    e.period_end,
    e.is_received,
    e.bucket,
    e.local_verdict,
    e.is_stopped_local_only,
    e.is_on_time_766,
    e.cause,
    count(*) as dossiers
from explained as e
group by
    e.agency_sk,
    e.month,
    e.period_end,
    e.is_received,
    e.bucket,
    e.local_verdict,
    e.is_stopped_local_only,
    e.is_on_time_766,
    e.cause;

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
        a.agency_code,
        a.valid_from desc
),

summed as (
    select
        a.agency_code,
        c.month,
        max(c.period_end) as period_end,
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
    inner join core.dim_agency as a on a.agency_sk = c.agency_sk
    group by
        a.agency_code,
        c.month
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
inner join latest_agency as a on a.agency_code = s.agency_code;
