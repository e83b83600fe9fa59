-- Grain: one row per agency and year that has a budget line or leads a task; -1 stands for lines whose unit is not
-- known, -2 for lines of units that are no agency of the province. Lines flagged so_tien_bat_thuong (wrong unit?) are
-- counted beside the totals and not in them. A task is without funding when no unit has a line with money for it that
-- year. Years are those that have a budget line; they are not cumulative.
-- dx:mart name=dx_budget_by_agency_year depends=dx_budget.kinh_phi,task_tracking.nhiem_vu,one_stop.groups

delete from mart.dx_budget_by_agency_year;

insert into mart.dx_budget_by_agency_year (
    year,
    agency_sk,
    agency_code,
    agency_name,
    lines,
    allocated_vnd,
    adjusted_vnd,
    disbursed_vnd,
    execution_rate,
    central_vnd,
    local_vnd,
    private_vnd,
    implausible_lines,
    implausible_vnd,
    lines_of_unknown_tasks,
    tasks_led,
    tasks_without_funding,
    refreshed_at
)
with line as (
    select
        f.year,
        f.agency_sk,
        f.task_code,
        f.source_code,
        f.allocated_vnd,
        f.allocated_vnd + f.adjustment_vnd as adjusted_vnd,
        coalesce(f.disbursed_vnd, 0) as disbursed_vnd,
        coalesce('so_tien_bat_thuong' = any(f.quality_flags), false) as is_implausible,
        t.task_code is null as is_of_unknown_task
    from core.fact_budget as f
    left join core.dim_task as t on f.task_code = t.task_code
    where f.closed_on is null
),

funded as (
    select
        l.year,
        l.agency_sk,
        count(*) as lines,
        coalesce(sum(l.allocated_vnd) filter (where not l.is_implausible), 0) as allocated_vnd,
        coalesce(sum(l.adjusted_vnd) filter (where not l.is_implausible), 0) as adjusted_vnd,
        coalesce(sum(l.disbursed_vnd) filter (where not l.is_implausible), 0) as disbursed_vnd,
        coalesce(sum(l.adjusted_vnd) filter (where not l.is_implausible and l.source_code = 'TW'), 0) as central_vnd,
        coalesce(sum(l.adjusted_vnd) filter (where not l.is_implausible and l.source_code = 'DP'), 0) as local_vnd,
        coalesce(sum(l.adjusted_vnd) filter (where not l.is_implausible and l.source_code = 'XHH'), 0) as private_vnd,
        count(*) filter (where l.is_implausible) as implausible_lines,
        coalesce(sum(l.adjusted_vnd) filter (where l.is_implausible), 0) as implausible_vnd,
        count(*) filter (where l.is_of_unknown_task) as lines_of_unknown_tasks
    from line as l
    group by
        l.year,
        l.agency_sk
),

led as (
    select
        y.year,
        t.lead_agency_sk as agency_sk,
        count(*) as tasks_led,
        count(*) filter (
            where not exists (
                select
                from line as l
                where l.year = y.year and l.task_code = t.task_code and l.adjusted_vnd > 0
            )
        ) as tasks_without_funding
    from (select distinct l.year from line as l) as y
    inner join core.dim_task as t on t.closed_on is null and t.assigned_on <= make_date(y.year::integer, 12, 31)
    group by
        y.year,
        t.lead_agency_sk
)

select
    coalesce(f.year, d.year) as year,
    coalesce(f.agency_sk, d.agency_sk) as agency_sk,
    a.agency_code,
    a.name as agency_name,
    coalesce(f.lines, 0) as lines,
    coalesce(f.allocated_vnd, 0) as allocated_vnd,
    coalesce(f.adjusted_vnd, 0) as adjusted_vnd,
    coalesce(f.disbursed_vnd, 0) as disbursed_vnd,
    round(100.0 * f.disbursed_vnd / nullif(f.adjusted_vnd, 0), 3) as execution_rate,
    coalesce(f.central_vnd, 0) as central_vnd,
    coalesce(f.local_vnd, 0) as local_vnd,
    coalesce(f.private_vnd, 0) as private_vnd,
    coalesce(f.implausible_lines, 0) as implausible_lines,
    coalesce(f.implausible_vnd, 0) as implausible_vnd,
    coalesce(f.lines_of_unknown_tasks, 0) as lines_of_unknown_tasks,
    coalesce(d.tasks_led, 0) as tasks_led,
    coalesce(d.tasks_without_funding, 0) as tasks_without_funding,
    now() as refreshed_at
from funded as f
full join led as d on f.year = d.year and f.agency_sk = d.agency_sk
inner join core.dim_agency as a on coalesce(f.agency_sk, d.agency_sk) = a.agency_sk;
