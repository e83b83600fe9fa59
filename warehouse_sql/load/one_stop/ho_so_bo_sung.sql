-- Grain: one stage row is one supplement request: asked at occurred_at, answered by the citizen at ended_at.
-- The row's id at the source is event_id; the event belongs to the partition of its dossier.

-- dx:step merge=upsert target=core.fact_dossier_event key=dossier_code,registered_on,event_kind_sk,event_id version=source_updated_at close_missing identity=event_id ledger
select
    s.ma_ho_so as dossier_code,
    s.ma_ho_so__day as registered_on,
    2::smallint as event_kind_sk,
    s.id as event_id,
    -2::smallint as status_sk,
    -2::smallint as sent_status_sk,
    s.ngay_bo_sung as occurred_at,
    s.ngay_tiep_nhan_bo_sung as ended_at,
    s.ngay_hen_tra_moi as due_at,
    s.ngay_hen_tra_truoc as previous_due_at,
    null::bigint as amount_vnd,
    case s.trang_thai_bo_sung when true then 'da_bo_sung' when false then 'cho_bo_sung' end as state,
    null as method,
    null as unit_name,
    null as detail,
    s.ngay_cap_nhat as source_updated_at,
    s._row_hash as row_hash,
    s._warnings as quality_flags
from stage.one_stop__ho_so_bo_sung as s;
