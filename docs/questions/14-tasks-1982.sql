-- VI: Quyết định 1982: nhiệm vụ đã thực hiện, trễ hạn theo nhóm và cơ quan chủ trì; quá hạn mà không ghi tiến độ.
-- EN: Decision 1982: tasks done, deployed, late by group and lead agency (11/11, 11/21, 5/9, 1/6); overdue without a note of progress.
-- Role: dx_bi
-- Row * is the group as a whole.
select
    m.group_code,
    coalesce(m.agency_name, '*') as lead_agency,
    sum(m.carried_out) as carried_out,
    sum(m.assigned) as assigned,
    sum(m.completed) as completed,
    sum(m.deployed) as deployed,
    sum(m.late) as late,
    sum(m.late_without_progress) as late_without_progress
from mart.task_by_lead_agency_month as m
where m.document_no = '1982/QĐ-UBND' and m.month = date '2024-06-01'
group by grouping sets (
    (m.group_code),
    (m.group_code, m.agency_name)
)
order by
    m.group_code asc,
    assigned desc,
    lead_agency asc
