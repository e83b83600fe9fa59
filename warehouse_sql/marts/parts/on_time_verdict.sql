-- Verdicts of both on-time rules: the temporary view on_time_verdict over on_time_in_period, which the including file
-- has made. on_time_in_period is on_time_numbered, single or counted in groups (column dossiers), joined with
-- periods: ends_in is the last month of the period, by whose end everything is judged, starts_in the first one.
--
-- Cause of a difference, the first that holds: more than one supplement; no due date; withdrawn; supplement time
-- taken off; open at the end of the period; time of day.

create temporary view on_time_verdict as
with at_period_end as (
    select
        g.*,
        coalesce(g.ended_in <= g.ends_in, false) as is_ended,
        coalesce(g.asked_again_in <= g.ends_in, false) as is_asked_again,
        coalesce(g.answered_in <= g.ends_in, false) as is_extended,
        -- Which request the dossier waits for at the end of the period, if it does.
        case
            when g.last_asked_in <= g.ends_in
                then case when coalesce(g.last_answered_in > g.ends_in, true) then 'last' end
            when g.asked_in <= g.ends_in and coalesce(g.answered_in > g.ends_in, true) then 'first'
        end as waiting_for
    from on_time_in_period as g
),

judged as materialized (
    select
        g.*,
        g.received_in >= g.starts_in as is_received,
        coalesce(g.ended_status = 8 and g.ended_in < g.starts_in, false) as is_stopped_local_only,
        case
            when g.is_ended and g.ended_status = 9 then 'finished'
            when g.is_ended and g.ended_status in (3, 7) then 'returned'
            when g.is_ended or g.waiting_for is not null or g.paused_in <= g.ends_in then 'paused'
            else 'in_progress'
        end as bucket,
        case
            when g.is_asked_again then false
            when g.is_ended and g.is_extended then g.ended_in_extended_time
            when g.is_ended then g.ended_in_time
            when g.waiting_for is not null then g.asked_in_time
            when g.is_extended then g.extended_overdue_in > g.ends_in
            else g.overdue_in > g.ends_in
        end as is_on_time_766,
        case
            when not g.has_due then 'on_time'
            when g.is_ended and g.ended_status = 7 then 'on_time'
            when g.is_ended and g.ended_after_due_day then 'overdue'
            when g.is_ended and g.ended_before_due_day and g.ended_status <> 8 then 'early'
            when g.is_ended then 'on_time'
            when g.waiting_for = 'last' then case when g.last_asked_after_due_day then 'overdue' else 'on_time' end
            when g.waiting_for = 'first' then case when g.asked_after_due_day then 'overdue' else 'on_time' end
            when g.paused_in <= g.ends_in then case when g.paused_after_due_day then 'overdue' else 'on_time' end
            when g.local_overdue_in <= g.ends_in then 'overdue'
            else 'on_time'
        end as local_verdict
    from at_period_end as g
)

select
    j.*,
    case
        when j.is_stopped_local_only or j.is_on_time_766 = (j.local_verdict <> 'overdue') then null
        when j.is_on_time_766 is null then null
        when j.is_asked_again then 'second_supplement'
        when not j.has_due then 'missing_due'
        when j.is_ended and j.ended_status = 7 then 'withdrawn'
        when j.is_on_time_766 and j.is_extended then 'supplement_pause'
        when not j.is_ended and j.waiting_for is null then 'open_at_period_end'
        else 'clock_time'
    end as cause
from judged as j;
