-- Grain: one stage row is one school and school year; it becomes one row of core.fact_school_year. The commune is
-- looked up by its code and the last day of the school year, 31 May; one that was not in force that day is loaded
-- under the unknown member -1 with the flag xa_khong_xac_dinh.

-- dx:step merge=snapshot target=core.fact_school_year key=school_year,school_code identity=school_code,school_year ledger
with found as (
    select
        s.*,
        coalesce(
            c.admin_unit_sks[width_bucket(make_date(substr(s.nam_hoc, 6, 4)::integer, 5, 31), c.starts)],
            -1
        ) as commune_sk
    from stage.education__truong_hoc as s
    left join core.commune_by_code as c on s.ma_xa = c.code
)

select
    f.nam_hoc as school_year,
    f.ma_truong as school_code,
    substr(f.nam_hoc, 1, 4)::smallint as first_year,
    f.ten_truong as school_name,
    coalesce(l.level_sk, -1) as level_sk,
    f.ma_xa as commune_code,
    f.commune_sk,
    f.so_lop as classes,
    f.so_hoc_sinh as pupils,
    f.so_hs_co_so_dinh_danh as pupils_with_id,
    f.so_giao_vien as teachers,
    case
        when f.commune_sk = -1 then array_append(f._warnings, 'xa_khong_xac_dinh')
        else f._warnings
    end as quality_flags,
    hashint8extended(f._row_hash, f.commune_sk) as row_hash
from found as f
left join core.dim_school_level as l on f.cap_hoc = l.code;
