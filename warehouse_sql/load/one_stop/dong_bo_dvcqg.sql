-- Grain: one stage row is one message to the national portal: the status sent beside the provincial one.
-- The row's id at the source is event_id; the event belongs to the partition of its dossier.

-- dx:step merge=upsert target=core.fact_dossier_event key=dossier_code,registered_on,event_kind_sk,event_id version=source_updated_at close_missing identity=event_id ledger
select
    s.ma_ho_so as dossier_code,
    s.ma_ho_so__day as registered_on,
    5::smallint as event_kind_sk,
    s.id as event_id,
    coalesce(s.trang_thai_dia_phuong::smallint, -1) as status_sk,
    coalesce(s.trang_thai_gui::smallint, -1) as sent_status_sk,
    s.thoi_gian_gui as occurred_at,
    null::timestamptz as ended_at,
    null::timestamptz as due_at,
    null::timestamptz as previous_due_at,
    null::bigint as amount_vnd,
    null as state,
    null as method,
    null as unit_name,
    null as detail,
    s.ngay_cap_nhat as source_updated_at,
    s._row_hash as row_hash,
    s._warnings as quality_flags
from stage.one_stop__dong_bo_dvcqg as s;
