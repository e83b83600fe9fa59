-- Grain: one stage row is one processing step of a dossier. The official's name is not loaded.
-- The row's id at the source is event_id; the event belongs to the partition of its dossier.

-- dx:step merge=upsert target=core.fact_dossier_event key=dossier_code,registered_on,event_kind_sk,event_id version=source_updated_at close_missing identity=event_id ledger
select
    s.ma_ho_so as dossier_code,
    s.ma_ho_so__day as registered_on,
    1::smallint as event_kind_sk,
    s.id as event_id,
    coalesce(s.trang_thai::smallint, -1) as status_sk,
    -2::smallint as sent_status_sk,
    s.ngay_bat_dau as started_at,
    s.thoi_diem_xu_ly as occurred_at,
    null::timestamptz as ended_at,
    s.ngay_ket_thuc_theo_quy_dinh as due_at,
    null::timestamptz as previous_due_at,
    null::bigint as amount_vnd,
    null as state,
    null as method,
    s.phong_ban_xu_ly as unit_name,
    s.chuc_danh as detail,
    s.ngay_cap_nhat as source_updated_at,
    s._row_hash as row_hash,
    s._warnings as quality_flags
from stage.one_stop__qua_trinh_xu_ly as s;
