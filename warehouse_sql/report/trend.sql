-- Fourteen months of the province's shares up to the end of the period.
select
    s.period,
    coalesce(s.component_number, s.component_code) as series,
    s.component_code,
    case when s.component_code = '*' then s.percent / 100 else s.rate end as share
from mart.indicator_score as s
where
    s.period_kind = 'month'
    and s.scope = 'province'
    and s.starts_on > cast(:month as date) - interval '14 months'
    and s.starts_on <= cast(:month as date)
    and (
        s.set_code = :set
        and s.component_code in ('*', 'PROCESSING_ON_TIME', 'FILED_ONLINE', 'PAID_ONLINE', 'ORIGINAL_RESULT_AVAILABLE')
        or s.set_code = '06-project' and s.component_code = 'EID_ACTIVATION'
    )
order by
    s.component_code,
    s.period
