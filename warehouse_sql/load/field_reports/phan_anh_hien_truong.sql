-- Grain: one stage row is one report; it becomes one row of core.fact_field_report.
-- The commune is looked up by its code and the day of sending, or by "commune, district" where the old app wrote names.
-- Two flags are set here, because they need communes and agencies: xa_khong_xac_dinh (loaded under -1) and
-- don_vi_da_giai_the (the handling agency had been dissolved by that day; core.agency_today tells who has its tasks).

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.don_vi_xu_ly) as agency_code
from stage.field_reports__phan_anh_hien_truong as s
left join core.agency_identifier as i on s.don_vi_xu_ly = i.identifier
where s.don_vi_xu_ly is not null;

-- dx:step merge=snapshot target=core.fact_field_report key=report_code ledger
with asked as (
    select
        s.*,
        (s.thoi_gian at time zone 'Asia/Ho_Chi_Minh')::date as received_on,
        trim(split_part(s.ma_xa, ',', 1)) as commune_name,
        trim(split_part(s.ma_xa, ',', 2)) as district_name,
        coalesce(i.agency_code, s.don_vi_xu_ly) as agency_code
    from stage.field_reports__phan_anh_hien_truong as s
    left join core.agency_identifier as i on s.don_vi_xu_ly = i.identifier
),

dissolved as (
    select
        x.predecessor_code,
        max(x.effective_on) as effective_on
    from core.agency_successor as x
    group by x.predecessor_code
),

placed as (
    select
        a.*,
        coalesce(
            c.admin_unit_sks[width_bucket(a.received_on, c.starts)],
            n.admin_unit_sks[width_bucket(a.received_on, n.starts)],
            -1
        ) as commune_sk,
        case
            when a.agency_code is null then -2
            else coalesce(g.agency_sk, -1)
        end as agency_sk,
        coalesce(a.received_on >= d.effective_on and g.valid_from < d.effective_on, false) as is_dissolved
    from asked as a
    left join core.commune_by_code as c on a.ma_xa = c.code
    left join core.commune_by_name as n
        on
            core.admin_name_key(a.commune_name) = n.name_key
            and coalesce(core.admin_name_kind(a.commune_name), '') = n.kind
            and coalesce(core.admin_name_key(a.district_name), '') = n.district_key
            and n.province_code = ''
    left join core.dim_agency as g
        on
            a.agency_code = g.agency_code
            and a.received_on >= g.valid_from
            and a.received_on < g.valid_to
    left join dissolved as d on a.agency_code = d.predecessor_code
)

select
    p.ma_pa as report_code,
    p.linh_vuc as field_code,
    p.thoi_gian as received_at,
    p.received_on,
    p.ma_xa as source_commune,
    p.commune_sk,
    p.agency_code as handler_agency_code,
    p.agency_sk as handler_agency_sk,
    p.han as due_on,
    p.ngay_xu_ly as handled_at,
    (p.ngay_xu_ly at time zone 'Asia/Ho_Chi_Minh')::date as handled_on,
    p.danh_gia::smallint as rating,
    nullif(
        coalesce(p._warnings, '{}')
        || case when p.commune_sk = -1 then array['xa_khong_xac_dinh'] else '{}' end
        || case when p.is_dissolved then array['don_vi_da_giai_the'] else '{}' end,
        '{}'
    ) as quality_flags,
    hashint8extended(p._row_hash, p.commune_sk) as row_hash
from placed as p;
