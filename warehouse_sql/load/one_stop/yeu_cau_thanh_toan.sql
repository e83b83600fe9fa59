-- Grain: one stage row is one payment request. Paid online is method = 'truc-tuyen', not the flag of the dossier.
-- The row's id at the source is event_id; the event belongs to the partition of its dossier.

-- dx:step merge=upsert target=core.fact_dossier_event key=dossier_code,registered_on,event_kind_sk,event_id version=source_updated_at close_missing identity=event_id ledger
select
    s.ma_ho_so as dossier_code,
    s.ma_ho_so__day as registered_on,
    3::smallint as event_kind_sk,
    s.id as event_id,
    -2::smallint as status_sk,
    -2::smallint as sent_status_sk,
    s.ngay_thu_phi as occurred_at,
    s.ngay_hoan_phi as ended_at,
    null::timestamptz as due_at,
    null::timestamptz as previous_due_at,
    s.so_tien as amount_vnd,
    s.trang_thai as state,
    s.hinh_thuc_thanh_toan as method,
    null as unit_name,
    s.hinh_thuc_thu as detail,
    s.ngay_cap_nhat as source_updated_at,
    s._row_hash as row_hash,
    s._warnings as quality_flags
from stage.one_stop__yeu_cau_thanh_toan as s;
