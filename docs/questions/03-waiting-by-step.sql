-- VI: Hồ sơ chờ ở đâu? Số ngày trung bình, trung vị và phân vị 90 của từng bước và từng cơ quan, trừ thời gian của công dân.
-- EN: Where do dossiers wait? Mean, median and p90 days per step and per unit, time in the citizen's hands excluded.
-- Role: dx_bi
-- Steps that ended in 2024: the whole province, then the steps of agencies with 50 or more of which one in ten took 5 days or more.
select
    m.scope,
    m.agency_code,
    m.agency_name,
    m.unit_name,
    m.step_status_name,
    m.steps,
    m.mean_days,
    m.median_days,
    m.p90_days,
    round(m.paused_days_total / m.steps, 2) as mean_citizen_days_taken_off
from mart.waiting_by_step as m
where
    m.period_kind = 'year'
    and m.period = date '2024-01-01'
    and (m.scope = 'province' or (m.steps >= 50 and m.p90_days >= 5))
order by
    m.scope desc,
    m.p90_days desc,
    m.agency_code asc,
    m.unit_name asc,
    m.step_status asc
