-- Lead agencies with tasks of Decision 1982 past their due day.
select
    m.agency_code,
    m.agency_name,
    sum(m.assigned) as assigned,
    sum(m.carried_out) as carried_out,
    sum(m.late) as late,
    sum(m.late_without_progress) as late_without_progress
from mart.task_by_lead_agency_month as m
where
    m.document_no = '1982/QĐ-UBND'
    and m.month = (
        select max(x.month)
        from mart.task_by_lead_agency_month as x
        where x.month <= cast(:month as date)
    )
group by
    m.agency_code,
    m.agency_name
having sum(m.late) > 0
order by
    late desc,
    m.agency_code asc
