-- Figures published for the period, beside the warehouse's own.
select
    f.figure_code,
    f.name_vi,
    f.name_en,
    f.unit,
    f.published_value,
    f.warehouse_value,
    f.difference,
    f.source
from mart.published_figure as f
where f.period = :period
order by f.position
