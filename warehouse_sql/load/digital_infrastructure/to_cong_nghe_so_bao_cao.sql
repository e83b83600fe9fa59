-- Grain: one stage row is one team in a report of a district (register 2), kept beside the register of decisions.

-- dx:step merge=upsert target=core.fact_community_team key=register_sk,team_code ledger
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
    null::date as closed_on,
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

-- dx:step merge=sql
-- A team that is neither accepted nor rejected any more has left the register; one that came back is open again.
-- Only this register is looked at: merge=snapshot would close the teams of the other one.
update core.fact_community_team as t
set
    closed_on = (cast(:as_of as timestamptz) at time zone 'Asia/Ho_Chi_Minh')::date,
    last_batch_id = :batch_id,
    loaded_at = cast(:as_of as timestamptz)
where
    t.register_sk = 2
    and t.closed_on is null
    and t.team_code not in (select s.ma_dong from stage.digital_infrastructure__to_cong_nghe_so_bao_cao as s)
    and t.source_row_id::text not in (
        select r.row_key from stage.digital_infrastructure__to_cong_nghe_so_bao_cao__rejected as r
    );

-- dx:step merge=sql
update core.fact_community_team as t
set
    closed_on = null,
    last_batch_id = :batch_id,
    loaded_at = cast(:as_of as timestamptz)
where
    t.register_sk = 2
    and t.closed_on is not null
    and t.team_code in (select s.ma_dong from stage.digital_infrastructure__to_cong_nghe_so_bao_cao as s);
