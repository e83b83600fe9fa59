-- Grain: one stage row is one commune and month; it becomes one row of core.fact_infrastructure_month.
-- The commune is looked up by its code and the last day of the month; codes are reused, so the day decides.

-- dx:step merge=upsert target=core.fact_infrastructure_month key=commune_code,month version=source_updated_at close_missing identity=month,commune_code ledger
select
    s.ky as month,
    s.ma_xa as commune_code,
    coalesce(u.admin_unit_sk, -1) as commune_sk,
    s.thue_bao_bang_rong as fixed_broadband_subscriptions,
    s.thue_bao_di_dong as mobile_broadband_subscriptions,
    s.tong_ho as households,
    s.ho_co_internet as households_with_internet,
    s.ho_co_smartphone as households_with_smartphone,
    s.dan_so as population,
    s.id as source_row_id,
    s.ngay_cap_nhat as source_updated_at,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.digital_infrastructure__ha_tang_so as s
left join core.dim_admin_unit as u
    on
        s.ma_xa = u.code
        and u.level = 'commune'
        and (s.ky + interval '1 month' - interval '1 day')::date >= u.valid_from
        and (s.ky + interval '1 month' - interval '1 day')::date < u.valid_to;
