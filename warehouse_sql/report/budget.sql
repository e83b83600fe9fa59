-- DX budget of the year by agency, in đồng.
select
    m.agency_code,
    m.agency_name,
    m.allocated_vnd,
    m.adjusted_vnd,
    m.disbursed_vnd,
    m.tasks_led,
    m.tasks_without_funding,
    m.implausible_lines,
    m.lines_of_unknown_tasks
from mart.dx_budget_by_agency_year as m
where m.year = :year
order by
    m.adjusted_vnd desc,
    m.agency_code asc
