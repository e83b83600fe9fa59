-- Grain: one stage row is one figure that the system says it has; it becomes one row of core.fact_indicator_listed.
-- The name of an indicator is taken from here; its unit comes with the values.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.ma_don_vi) as agency_code
from stage.socio_economic__chi_tieu_co_du_lieu as s
left join core.agency_identifier as i on s.ma_don_vi = i.identifier;

-- dx:step merge=sql fills=core.dim_indicator
insert into core.dim_indicator (indicator_code, name_vi, first_batch_id, last_batch_id, loaded_at)
select
    s.ma_chi_tieu,
    max(s.ten_chi_tieu),
    :batch_id,
    :batch_id,
    cast(:loaded_at as timestamptz)
from stage.socio_economic__chi_tieu_co_du_lieu as s
group by s.ma_chi_tieu
on conflict (indicator_code) do update
set
    name_vi = excluded.name_vi,
    last_batch_id = excluded.last_batch_id,
    loaded_at = excluded.loaded_at
where dim_indicator.name_vi is distinct from excluded.name_vi and excluded.name_vi is not null;

-- dx:step merge=snapshot target=core.fact_indicator_listed key=office_code,indicator_code,data_type_id,year,period_id identity=office_code,indicator_code,data_type_id,period_id,year ledger
select
    s.ma_don_vi as office_code,
    s.ma_chi_tieu as indicator_code,
    s.loai_so_lieu::smallint as data_type_id,
    s.nam::smallint as year,
    s.ky::smallint as period_id,
    coalesce(a.agency_sk, -1) as office_agency_sk,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.socio_economic__chi_tieu_co_du_lieu as s
left join core.agency_identifier as i on s.ma_don_vi = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, s.ma_don_vi)
        and make_date(s.nam::integer, 12, 31) >= a.valid_from
        and make_date(s.nam::integer, 12, 31) < a.valid_to;
