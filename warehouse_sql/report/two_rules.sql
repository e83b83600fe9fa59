-- The rule of Decision 766 and the local rule over the months of the period, and why they differ.
select
    sum(m.received_or_handled) as received_or_handled,
    sum(m.on_time_766) as on_time_766,
    sum(m.overdue_766) as overdue_766,
    sum(m.early_local + m.on_time_local) as on_time_local,
    sum(m.overdue_local) as overdue_local,
    sum(m.differing) as differing,
    sum(m.differing_second_supplement) as second_supplement,
    sum(m.differing_missing_due) as missing_due,
    sum(m.differing_withdrawn) as withdrawn,
    sum(m.differing_supplement_pause) as supplement_pause,
    sum(m.differing_open_at_period_end) as open_at_period_end,
    sum(m.differing_clock_time) as clock_time
from mart.dossier_on_time as m
where m.month between cast(:starts_on as date) and cast(:month as date)
having count(*) > 0
