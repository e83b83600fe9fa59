-- Grain: one stage row is one enterprise or dependent unit; it becomes one row of core.fact_business.
-- The commune of the seat is looked up by code, else by name and district, on the day of the update, else on the day of
-- registration: a seat that was never written anew since a reform keeps the commune of its day. What is not found is
-- loaded under the unknown member -1 with the flag xa_khong_xac_dinh.
-- A unit whose enterprise is not among the accepted rows has the flag chi_nhanh_thieu_doanh_nghiep; a unit of another
-- province's enterprise (ma_so_tinh_khac) has it there, and no such flag. Codes are compared as pseudonyms.

-- dx:step merge=snapshot target=core.fact_business key=register_no ledger
with asked as (
    select
        s.*,
        (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date as on_day,
        s.loai_hinh in ('chi_nhanh', 'van_phong_dai_dien', 'dia_diem_kinh_doanh') as is_unit
    from stage.business__doanh_nghiep as s
),

placed as (
    select
        a.*,
        coalesce(
            c.admin_unit_sks[width_bucket(a.on_day, c.starts)],
            n.admin_unit_sks[width_bucket(a.on_day, n.starts)],
            c.admin_unit_sks[width_bucket(a.ngay_cap, c.starts)],
            n.admin_unit_sks[width_bucket(a.ngay_cap, n.starts)],
            -1
        ) as commune_sk,
        p.so_noi_bo as parent_register_no
    from asked as a
    left join core.commune_by_code as c on a.ma_xa = c.code
    left join core.commune_by_name as n
        on
            core.admin_name_key(a.ten_xa) = n.name_key
            and coalesce(core.admin_name_kind(a.ten_xa), '') = n.kind
            and coalesce(core.admin_name_key(a.ten_huyen), '') = n.district_key
            and n.province_code = ''
    left join asked as p on a.is_unit and not p.is_unit and a.ma_so_dn_chu_quan_pseudonym = p.ma_so_dn_pseudonym
),

flagged as (
    select
        p.*,
        p.is_unit
        and p.ma_so_dn_chu_quan_pseudonym is not null
        and p.parent_register_no is null
        and not coalesce('ma_so_tinh_khac' = any(p._warnings), false) as lacks_parent
    from placed as p
)

-- The hash covers what other rows and look-ups decided, so that a row follows them though it is itself unchanged.
select
    f.so_noi_bo as register_no,
    coalesce(k.business_kind_sk, -1) as business_kind_sk,
    coalesce(st.business_status_sk, -1) as business_status_sk,
    f.commune_sk,
    coalesce(e.economic_section_sk, -1) as economic_section_sk,
    f.ma_nganh_chinh as activity_code,
    f.parent_register_no,
    f.ngay_cap as registered_on,
    f.ngay_giai_the as dissolved_on,
    f.von_dieu_le as charter_capital_vnd,
    f.co_tk_dinh_danh as has_organisation_account,
    f.ngay_cap_nhat as source_updated_at,
    nullif(
        coalesce(f._warnings, '{}')
        || array_remove(
            array[
                case when f.commune_sk = -1 then 'xa_khong_xac_dinh' end,
                case when f.lacks_parent then 'chi_nhanh_thieu_doanh_nghiep' end
            ],
            null
        ),
        '{}'
    ) as quality_flags,
    hashint8extended(
        hashint8extended(f._row_hash, f.commune_sk),
        hashtextextended(coalesce(f.parent_register_no, f.lacks_parent::text), 0)
    ) as row_hash
from flagged as f
left join core.dim_business_kind as k on f.loai_hinh = k.code
left join core.dim_business_status as st on f.tinh_trang = st.code
left join core.dim_economic_section as e
    on left(f.ma_nganh_chinh, 2)::smallint between e.first_division and e.last_division;

-- dx:step merge=snapshot target=restricted.business_code key=register_no
select
    s.so_noi_bo as register_no,
    cast(:key_version as smallint) as key_version,
    s.ma_so_dn_pseudonym as tax_code_pseudonym,
    hashtextextended(
        concat_ws('|', cast(:key_version as smallint), encode(s.ma_so_dn_pseudonym, 'hex')),
        0
    ) as row_hash
from stage.business__doanh_nghiep as s;
