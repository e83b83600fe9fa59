-- VI: Kinh phí chuyển đổi số cấp, giải ngân theo nhiệm vụ và cơ quan; nhiệm vụ không có kinh phí; chi phí mỗi nhiệm vụ xong.
-- EN: DX budget allocated and disbursed per task and agency; tasks with no funding; cost per completed task.
-- Role: dx_analyst
-- All years together; lines whose amount is likely in a wrong unit are left out. By agency and year: mart.dx_budget_by_agency_year.
with status_now as (
    select distinct on (f.task_code)
        f.task_code,
        f.status_code
    from core.fact_task_status as f
    order by
        f.task_code asc,
        f.status_on desc
),

spent as (
    select
        b.task_code,
        sum(b.allocated_vnd + b.adjustment_vnd) as adjusted_vnd,
        sum(b.disbursed_vnd) as disbursed_vnd
    from core.fact_budget as b
    where b.closed_on is null and not ('so_tien_bat_thuong' = any(coalesce(b.quality_flags, '{}')))
    group by b.task_code
)

select
    t.group_code,
    t.task_code,
    a.name as lead_agency,
    v.name_en as status,
    s.adjusted_vnd,
    s.disbursed_vnd,
    round(100.0 * s.disbursed_vnd / nullif(s.adjusted_vnd, 0), 1) as percent_disbursed,
    s.task_code is null as without_funding,
    round(
        sum(s.disbursed_vnd) filter (where v.stage in (3, 4)) over (partition by t.group_code)
        / nullif(count(*) filter (where v.stage in (3, 4)) over (partition by t.group_code), 0)
    ) as cost_per_completed_task_of_group
from core.dim_task as t
inner join core.dim_agency as a on t.lead_agency_sk = a.agency_sk
left join status_now as n on t.task_code = n.task_code
left join core.dim_task_status as v on n.status_code = v.status_code
left join spent as s on t.task_code = s.task_code
where t.document_no = '1982/QĐ-UBND' and t.closed_on is null
order by
    t.group_code asc,
    without_funding desc,
    t.task_code asc
