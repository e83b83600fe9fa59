-- Tasks of Decision 1982 by group at the end of the period.
select
    m.group_code,
    sum(m.assigned) as assigned,
    sum(m.carried_out) as carried_out,
    sum(m.under_way) as under_way,
    sum(m.not_begun) as not_begun,
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
group by m.group_code
order by m.group_code
