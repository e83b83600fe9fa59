-- The province's score, component by component, also those the warehouse does not measure.
select
    c.component_code,
    c.component_number,
    c.group_code,
    c.group_name_vi,
    c.group_name_en,
    c.name_vi,
    c.name_en,
    c.max_points as full_points,
    c.target,
    s.numerator,
    s.denominator,
    s.factor,
    s.rate,
    s.score,
    s.points_lost,
    coalesce(s.status, case when c.indicator is null then 'no_source' else 'by_indicator' end) as status,
    c.why_vi,
    c.why_en
from mart.indicator_component as c
left join mart.indicator_score as s
    on
        c.set_code = s.set_code
        and c.component_code = s.component_code
        and s.scope = 'province'
        and s.period = :period
where c.set_code = :set and c.component_code is not null
order by c.position
