-- Grain: one stage row is one value; it becomes one row of core.fact_indicator_reported.
-- An indicator's usual unit is the one most of its values are reported in. A value in another unit is kept as it came
-- and turned into the usual one beside it, with the flag don_vi_tinh_khac; if the two cannot be turned into one
-- another (core.measure_unit), standard_value stays empty.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.ma_don_vi) as agency_code
from stage.socio_economic__gia_tri_chi_tieu as s
left join core.agency_identifier as i on s.ma_don_vi = i.identifier;

-- dx:step merge=sql fills=core.dim_indicator
insert into core.dim_indicator (indicator_code, unit, first_batch_id, last_batch_id, loaded_at)
select
    s.ma_chi_tieu,
    mode() within group (order by s.don_vi_tinh),
    :batch_id,
    :batch_id,
    cast(:loaded_at as timestamptz)
from stage.socio_economic__gia_tri_chi_tieu as s
group by s.ma_chi_tieu
on conflict (indicator_code) do update
set
    unit = excluded.unit,
    last_batch_id = excluded.last_batch_id,
    loaded_at = excluded.loaded_at
where dim_indicator.unit is distinct from excluded.unit;

-- dx:step merge=snapshot target=core.fact_indicator_reported key=office_code,indicator_code,data_type_id,year,period_id identity=office_code,indicator_code,data_type_id,period_id,year ledger
select
    s.ma_don_vi as office_code,
    s.ma_chi_tieu as indicator_code,
    s.loai_so_lieu::smallint as data_type_id,
    s.nam::smallint as year,
    s.ky::smallint as period_id,
    coalesce(a.agency_sk, -1) as office_agency_sk,
    s.gia_tri::numeric(24, 6) as value,
    s.don_vi_tinh as unit,
    case
        when s.don_vi_tinh = n.unit then s.gia_tri
        when given.base = usual.base then s.gia_tri * given.factor / usual.factor
    end::numeric(24, 6) as standard_value,
    n.unit as standard_unit,
    make_date(s.nam::integer, p.first_month::integer, 1) as period_start,
    case
        when s.don_vi_tinh <> n.unit then array_append(s._warnings, 'don_vi_tinh_khac')
        else s._warnings
    end as quality_flags,
    hashtextextended(n.unit, s._row_hash) as row_hash
from stage.socio_economic__gia_tri_chi_tieu as s
inner join core.dim_indicator as n on s.ma_chi_tieu = n.indicator_code
inner join core.dim_report_period as p on s.ky::smallint = p.period_id
left join core.measure_unit as given on s.don_vi_tinh = given.unit
left join core.measure_unit as usual on n.unit = usual.unit
left join core.agency_identifier as i on s.ma_don_vi = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, s.ma_don_vi)
        and make_date(s.nam::integer, 12, 31) >= a.valid_from
        and make_date(s.nam::integer, 12, 31) < a.valid_to;
