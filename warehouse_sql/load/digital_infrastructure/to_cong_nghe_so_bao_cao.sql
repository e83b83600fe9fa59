-- Grain: one stage row is one team in a report of a district (register 2), kept beside the register of decisions.

-- dx:step merge=snapshot target=core.fact_community_team key=register_sk,team_code identity=team_code scope=register_sk ledger
-- scope: this register speaks for its own teams only.
select
    2::smallint as register_sk,
    s.ma_dong as team_code,
    case s.cap when 'xa' then 'commune' else 'village' end as level,
    s.ma_xa as commune_code,
    coalesce(u.admin_unit_sk, -1) as commune_sk,
    s.ten_thon as village_name,
    s.so_thanh_vien as members,
    null::text as decision,
    null::date as established_on,
    null::date as dissolved_on,
    s.ngay_bao_cao as reported_on,
    'district_report' as reported_by,
    s.id as source_row_id,
    s.ngay_cap_nhat as source_updated_at,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.digital_infrastructure__to_cong_nghe_so_bao_cao as s
left join core.dim_admin_unit as u
    on
        s.ma_xa = u.code
        and u.level = 'commune'
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date >= u.valid_from
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date < u.valid_to;
