-- VI: Hồ sơ đến hạn trong 3 ngày làm việc tới, theo đơn vị.
-- EN: Dossiers falling due in the next 3 working days, by unit.
-- Role: dx_bi
select
    m.agency_code,
    m.agency_name,
    m.agency_level,
    sum(m.due_in_3_working_days) as due_in_3_working_days,
    sum(m.overdue) as overdue,
    sum(m.open) as open
from mart.dossier_late_now as m
group by
    m.agency_code,
    m.agency_name,
    m.agency_level
having sum(m.due_in_3_working_days) > 0
order by
    due_in_3_working_days desc,
    m.agency_code asc
