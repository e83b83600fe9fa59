-- Agencies with dossiers past their due time, at the latest moment the data knows.
select
    m.agency_code,
    m.agency_name,
    to_char(max(m.as_of) at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI') as as_of,
    sum(m.open) as open,
    sum(m.overdue) as overdue,
    sum(m.overdue_over_30_days) as overdue_over_30_days,
    sum(m.due_in_3_working_days) as due_in_3_working_days,
    max(m.overdue_days_max) as most_days,
    (array_agg(m.oldest_dossier_code order by m.oldest_due_on, m.oldest_dossier_code))[1] as oldest_dossier_code
from mart.dossier_late_now as m
group by
    m.agency_code,
    m.agency_name
having sum(m.overdue) > 0
order by
    overdue desc,
    most_days desc,
    m.agency_code asc
limit 20
