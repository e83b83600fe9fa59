-- VI: Cơ quan nào đang trễ? 10 cơ quan nhiều hồ sơ quá hạn nhất hiện nay, số ngày quá hạn và hồ sơ lâu nhất.
-- EN: Which agencies are late? Top 10 by overdue dossiers now, with days overdue and the oldest case.
-- Role: dx_bi
-- Now is the latest moment the data knows of (as_of). A dossier that waits for the citizen is not overdue.
select
    m.agency_code,
    m.agency_name,
    sum(m.overdue) as overdue,
    sum(m.open) as open,
    round(sum(m.overdue_days) / nullif(sum(m.overdue), 0), 1) as mean_days_overdue,
    max(m.overdue_days_max) as most_days_overdue,
    min(m.oldest_due_on) as oldest_due_on,
    (array_agg(m.oldest_dossier_code order by m.oldest_due_on, m.oldest_dossier_code))[1] as oldest_dossier_code
from mart.dossier_late_now as m
group by
    m.agency_code,
    m.agency_name
having sum(m.overdue) > 0
order by
    overdue desc,
    most_days_overdue desc,
    m.agency_code asc
limit 10
