-- Grain: one stage row is one facility and month; it becomes one row of core.fact_health_month. The facility's latest
-- month gives its state in core.dim_health_facility. The commune is looked up by its code and the last day of the
-- month; one that was not in force that day is loaded under the unknown member -1 with the flag xa_khong_xac_dinh.

-- dx:step merge=upsert target=core.dim_health_facility key=facility_code version=latest_month
with latest as (
    select distinct on (s.ma_csyt)
        s.*,
        (s.ky_bao_cao + interval '1 month' - interval '1 day')::date as on_day
    from stage.health__co_so_kcb as s
    order by
        s.ma_csyt asc,
        s.ky_bao_cao desc
),

state as (
    select
        l.ma_csyt as facility_code,
        l.ten_csyt as name,
        case l.tuyen when 'tinh' then 'province' when 'huyen' then 'district' else 'commune' end as level,
        l.ma_xa as commune_code,
        coalesce(c.admin_unit_sks[width_bucket(l.on_day, c.starts)], -1) as commune_sk,
        l.lien_thong_bhyt as sends_insurance_claims,
        l.co_cap_cuu as has_emergency_care,
        l.ngay_cap_phep as licensed_on,
        l.ky_bao_cao as latest_month
    from latest as l
    left join core.commune_by_code as c on l.ma_xa = c.code
)

select
    t.facility_code,
    t.name,
    t.level,
    t.commune_code,
    t.commune_sk,
    t.sends_insurance_claims,
    t.has_emergency_care,
    t.licensed_on,
    t.latest_month,
    hashtextextended(row_to_json(t)::text, 0) as row_hash
from state as t;

-- dx:step merge=snapshot target=core.fact_health_month key=month,facility_code ledger
with found as (
    select
        s.*,
        coalesce(
            c.admin_unit_sks[
                width_bucket((s.ky_bao_cao + interval '1 month' - interval '1 day')::date, c.starts)
            ],
            -1
        ) as commune_sk
    from stage.health__co_so_kcb as s
    left join core.commune_by_code as c on s.ma_xa = c.code
)

select
    f.ky_bao_cao as month,
    f.ma_csyt as facility_code,
    f.ma_xa as commune_code,
    f.commune_sk,
    case f.tuyen when 'tinh' then 'province' when 'huyen' then 'district' else 'commune' end as level,
    f.so_giuong as beds,
    f.so_hssk_lap as health_records,
    f.so_the_bhyt as insurance_cards,
    f.id as source_row_id,
    case
        when f.commune_sk = -1 then array_append(f._warnings, 'xa_khong_xac_dinh')
        else f._warnings
    end as quality_flags,
    hashint8extended(f._row_hash, f.commune_sk) as row_hash
from found as f;
