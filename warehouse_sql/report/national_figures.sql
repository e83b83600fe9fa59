-- Scores of the province as the national portal shows them, beside the warehouse's.
with newest as (
    select distinct on (f.component_code) f.*
    from core.national_figure as f
    where
        f.set_code = :set
        and f.period = :period
        and f.unit_code = '*'
        and f.entered_at <= cast(:known_at as timestamptz)
    order by
        f.component_code asc,
        f.entered_at desc
)

select
    n.component_code,
    s.component_number,
    n.score as national_score,
    s.score as warehouse_score,
    n.score - s.score as difference,
    n.source
from newest as n
left join mart.indicator_score as s
    on
        n.set_code = s.set_code
        and n.component_code = s.component_code
        and n.period = s.period
        and s.scope = 'province'
order by
    s.component_number asc nulls last,
    n.component_code asc
