-- Grain: one row per commune and purpose of land use; commune_sk -1 holds the parcels whose commune was not found.
-- Parcels and area may be added up over everything. parcels_further_use is beside them: those parcels and their area
-- are counted at the purpose they name first.
-- dx:mart name=land_by_commune depends=land.thua_dat

delete from mart.land_by_commune;

insert into mart.land_by_commune (
    commune_sk,
    land_use_code,
    commune_code,
    commune_name,
    district_code,
    land_use_name,
    land_use_group,
    parcels,
    area_m2,
    parcels_with_certificate,
    certified_share,
    certificates_in_doubt,
    parcels_several_uses,
    area_several_uses_m2,
    parcels_further_use,
    data_day,
    refreshed_at
)
select
    f.commune_sk,
    d.code as land_use_code,
    u.code as commune_code,
    u.name as commune_name,
    case u.level when 'district' then u.code else u.parent_code end as district_code,
    d.name_vi as land_use_name,
    d.group_code as land_use_group,
    sum(f.parcels) as parcels,
    sum(f.area_m2) as area_m2,
    sum(f.parcels_with_certificate) as parcels_with_certificate,
    round(100.0 * sum(f.parcels_with_certificate) / nullif(sum(f.parcels), 0), 3) as certified_share,
    sum(f.certificates_in_doubt) as certificates_in_doubt,
    sum(f.parcels_several_uses) as parcels_several_uses,
    sum(f.area_several_uses_m2) as area_several_uses_m2,
    sum(f.parcels_further_use) as parcels_further_use,
    max(f.data_day) as data_day,
    now() as refreshed_at
from core.fact_land_count as f
inner join core.dim_land_use as d on f.land_use_sk = d.land_use_sk
inner join core.dim_admin_unit as u on f.commune_sk = u.admin_unit_sk
group by
    f.commune_sk,
    d.code,
    u.code,
    u.name,
    u.level,
    u.parent_code,
    d.name_vi,
    d.group_code;
