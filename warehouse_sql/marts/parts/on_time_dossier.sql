-- Dossiers reduced to what decides both on-time rules in any month: the temporary view on_time_numbered, one row per
-- dossier. Included by the marts that judge dossiers, so that there is one definition.
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

-- Needs parts/on_time_period.sql.

-- What decides a verdict in any period is reduced to a few small numbers: in which month it happened, and which of
-- two moments came first. Aggregated, a million dossiers become some ten thousand groups.
create temporary view on_time_numbered as
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
    where e.event_kind_sk = 2 and e.closed_on is null and e.occurred_at is not null
    group by
        e.dossier_code,
        e.registered_on
),

dossier as (
    select
        d.dossier_code,
        d.registered_on,
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
    where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
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
        d.*,
        width_bucket(d.end_at, (select c.ends_before from on_time_clock as c)) + 1 as ended_in,
        width_bucket(d.due_766, (select c.ends_before from on_time_clock as c)) + 1 as due_in,
        width_bucket(d.extended_due_766, (select c.ends_before from on_time_clock as c)) + 1 as extended_due_in,
        width_bucket(d.due_on, (select c.last_days from on_time_clock as c)) + 1 as local_due_in
    from local_day as d
)

select
    d.dossier_code,
    d.registered_on,
    d.received_on,
    d.due_at,
    d.due_766,
    d.extended_due_766,
    d.end_at,
    d.first_asked_at,
    d.first_answered_at,
    d.second_asked_at,
    d.agency_sk,
    d.ended_status,
    d.due_at is not null as has_due,
    -- Not yet, for a day after the latest moment the data knows of.
    case
        when d.received_on <= (select c.last_days[cardinality(c.last_days)] from on_time_clock as c)
            then greatest(width_bucket(d.received_on, (select c.months from on_time_clock as c)), 1)
        else (select cardinality(c.last_days) + 1 from on_time_clock as c)
    end as received_in,
    d.ended_in,
    -- What is due after the end is never overdue: how long after does not matter.
    case when d.due_in > d.ended_in then d.ended_in else d.due_in end as overdue_in,
    case when d.extended_due_in > d.ended_in then d.ended_in else d.extended_due_in end as extended_overdue_in,
    case when d.local_due_in > d.ended_in then d.ended_in else d.local_due_in end as local_overdue_in,
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
from numbered as d;
