-- Grain: one row per office, indicator, year and period. Kinds of data stand side by side, in the indicator's usual
-- unit. Kind 3 is "carried out" by the system's list and "official" by its example: it is never mixed with kind 4.
-- dx:mart name=socio_economic_indicator depends=socio_economic.gia_tri_chi_tieu,socio_economic.chi_tieu_co_du_lieu,one_stop.groups

delete from mart.socio_economic_indicator;

insert into mart.socio_economic_indicator (
    office_code,
    office_name,
    indicator_code,
    indicator_name,
    unit,
    year,
    period_id,
    period_kind,
    period_name,
    planned,
    estimated,
    carried_out,
    final_value,
    plan_rate,
    carried_out_year_before,
    change_rate,
    unit_switched,
    refreshed_at
)
with figure as (
    select
        f.office_code,
        f.indicator_code,
        f.standard_unit as unit,
        f.year,
        f.period_id,
        max(f.office_agency_sk) as office_agency_sk,
        max(f.standard_value) filter (where f.data_type_id = 1) as planned,
        max(f.standard_value) filter (where f.data_type_id = 2) as estimated,
        max(f.standard_value) filter (where f.data_type_id = 3) as carried_out,
        max(f.standard_value) filter (where f.data_type_id = 4) as final_value,
        bool_or(f.unit <> f.standard_unit) as unit_switched
    from core.fact_indicator_reported as f
    where f.closed_on is null and f.standard_value is not null
    group by
        f.office_code,
        f.indicator_code,
        f.standard_unit,
        f.year,
        f.period_id
)

select
    f.office_code,
    a.name as office_name,
    f.indicator_code,
    n.name_vi as indicator_name,
    f.unit,
    f.year,
    f.period_id,
    p.period_kind,
    p.name_vi || ' | ' || p.name_en as period_name,
    f.planned,
    f.estimated,
    f.carried_out,
    f.final_value,
    case when f.unit <> '%' then round(100.0 * f.carried_out / nullif(f.planned, 0), 2) end as plan_rate,
    b.carried_out as carried_out_year_before,
    case
        when f.unit <> '%' then round(100.0 * (f.carried_out - b.carried_out) / nullif(b.carried_out, 0), 2)
    end as change_rate,
    f.unit_switched,
    now() as refreshed_at
from figure as f
inner join core.dim_agency as a on f.office_agency_sk = a.agency_sk
inner join core.dim_indicator as n on f.indicator_code = n.indicator_code
inner join core.dim_report_period as p on f.period_id = p.period_id
left join figure as b
    on
        f.office_code = b.office_code
        and f.indicator_code = b.indicator_code
        and f.period_id = b.period_id
        and f.year = b.year + 1;
