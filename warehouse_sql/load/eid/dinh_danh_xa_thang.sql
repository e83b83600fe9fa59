-- Grain: one stage row is one commune and month; it becomes one row of core.fact_eid_month.
-- The commune is looked up by its code and the last day of the month, else by name, district and that day. One that is
-- found by neither is loaded under the unknown member -1 with the flag xa_khong_xac_dinh: seen, and in no total. So is
-- the second of two rows that lead to one commune (codes are reused); the row that bears the commune's name counts.

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
        ) as found_sk
    from asked as a
    left join core.commune_by_code as c on a.ma_dvhc_xa = c.code
    left join core.commune_by_name as n
        on
            core.admin_name_key(a.ten_xa) = n.name_key
            and coalesce(core.admin_name_kind(a.ten_xa), '') = n.kind
            and core.admin_name_key(a.ten_huyen) = n.district_key
            and n.province_code = ''
),

ranked as (
    select
        f.*,
        row_number() over (
            partition by
                f.ky_bao_cao,
                f.found_sk
            order by
                exists (
                    select
                    from core.commune_name as k
                    where k.admin_unit_sk = f.found_sk and k.name_key = core.admin_name_key(f.ten_xa)
                ) desc,
                f.ten_huyen asc,
                f.ten_xa asc
        ) as place
    from found as f
),

placed as (
    select
        r.*,
        case when r.place = 1 then coalesce(r.found_sk, -1) else -1 end as commune_sk
    from ranked as r
)

-- The hash covers the commune that was found, so that a row is placed anew when another one no longer stands for it.
select
    p.ky_bao_cao as month,
    p.ten_huyen as district_name,
    p.ten_xa as commune_name,
    p.ma_dvhc_xa as source_commune_code,
    p.commune_sk,
    p.so_nhan_khau_du_dk as eligible_residents,
    p.so_ho_so_thu_nhan as applications_received,
    p.so_cap_muc_1 as issued_level_1,
    p.so_cap_muc_2 as issued_level_2,
    p.so_kich_hoat_muc_1 as activated_level_1,
    p.so_kich_hoat_muc_2 as activated_level_2,
    p.so_tk_to_chuc as organisation_accounts,
    p.luy_ke_den_ngay as counted_up_to,
    case
        when p.commune_sk = -1 then array_append(p._warnings, 'xa_khong_xac_dinh')
        else p._warnings
    end as quality_flags,
    hashint8extended(p._row_hash, p.commune_sk) as row_hash
from placed as p;
