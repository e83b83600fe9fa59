-- Grain: one stage row is one commune and month; it becomes one row of core.fact_eid_month.
-- The commune is looked up by its code and the last day of the month, else by name, district and that day. One that is
-- found by neither is loaded under the unknown member -1 with the flag xa_khong_xac_dinh: seen, and in no total.

-- dx:step merge=snapshot target=core.fact_eid_month key=month,district_name,commune_name ledger
with asked as (
    select
        s.*,
        (s.ky_bao_cao + interval '1 month' - interval '1 day')::date as on_day
    from stage.eid__dinh_danh_xa_thang as s
),

found as (
    select
        a.*,
        coalesce(
            c.admin_unit_sks[width_bucket(a.on_day, c.starts)],
            n.admin_unit_sks[width_bucket(a.on_day, n.starts)]
        ) as commune_sk
    from asked as a
    left join core.commune_by_code as c on a.ma_dvhc_xa = c.code
    left join core.commune_by_name as n
        on
            core.admin_name_key(a.ten_xa) = n.name_key
            and coalesce(core.admin_name_kind(a.ten_xa), '') = n.kind
            and core.admin_name_key(a.ten_huyen) = n.district_key
            and n.province_code = ''
)

select
    date_trunc('month', f.ky_bao_cao::timestamp)::date as month,
    f.ten_huyen as district_name,
    f.ten_xa as commune_name,
    f.ma_dvhc_xa as source_commune_code,
    coalesce(f.commune_sk, -1) as commune_sk,
    f.so_nhan_khau_du_dk as eligible_residents,
    f.so_ho_so_thu_nhan as applications_received,
    f.so_cap_muc_1 as issued_level_1,
    f.so_cap_muc_2 as issued_level_2,
    f.so_kich_hoat_muc_1 as activated_level_1,
    f.so_kich_hoat_muc_2 as activated_level_2,
    f.so_tk_to_chuc as organisation_accounts,
    f.luy_ke_den_ngay as counted_up_to,
    case
        when f.commune_sk is null then array_append(f._warnings, 'xa_khong_xac_dinh')
        else f._warnings
    end as quality_flags,
    f._row_hash as row_hash
from found as f;
