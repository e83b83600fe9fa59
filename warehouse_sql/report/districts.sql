-- Twelve months of each district's shares, its communes included.
select
    s.unit_code,
    s.unit_name,
    s.period,
    max(s.percent / 100) filter (where s.component_code = '*') as score,
    max(s.rate) filter (where s.component_code = 'PROCESSING_ON_TIME') as on_time,
    max(s.rate) filter (where s.component_code = 'FILED_ONLINE') as filed_online
from mart.indicator_score as s
where
    s.set_code = :set
    and s.scope = 'district'
    and s.period_kind = 'month'
    and s.starts_on > cast(:month as date) - interval '12 months'
    and s.starts_on <= cast(:month as date)
group by
    s.unit_code,
    s.unit_name,
    s.period
order by
    s.unit_code,
    s.period
