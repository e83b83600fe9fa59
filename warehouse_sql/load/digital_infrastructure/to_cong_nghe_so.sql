-- Grain: one stage row is one team of the register of decisions, which goes first where registers differ (priority 1).

-- dx:step merge=snapshot target=core.fact_community_team key=register_sk,team_code identity=team_code scope=register_sk ledger
-- scope: this register speaks for its own teams only.
select
    1::smallint as register_sk,
    s.ma_to as team_code,
    case s.cap when 'xa' then 'commune' else 'village' end as level,
    s.ma_xa as commune_code,
    coalesce(u.admin_unit_sk, -1) as commune_sk,
    s.ten_thon as village_name,
    s.so_thanh_vien as members,
    s.qd_thanh_lap as decision,
    s.ngay_thanh_lap as established_on,
    s.ngay_giai_the as dissolved_on,
    null::date as reported_on,
    'decision' as reported_by,
    s.id as source_row_id,
    s.ngay_cap_nhat as source_updated_at,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.digital_infrastructure__to_cong_nghe_so as s
left join core.dim_admin_unit as u
    on
        s.ma_xa = u.code
        and u.level = 'commune'
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date >= u.valid_from
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date < u.valid_to;
