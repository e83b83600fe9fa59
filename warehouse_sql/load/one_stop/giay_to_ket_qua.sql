-- Grain: one stage row is one result document. The path of the file is not loaded, only whether there is one.
-- The row's id at the source is event_id; the event belongs to the partition of its dossier.

-- dx:step merge=upsert target=core.fact_dossier_event key=dossier_code,registered_on,event_kind_sk,event_id version=source_updated_at close_missing identity=event_id ledger
select
    s.ma_ho_so as dossier_code,
    s.ma_ho_so__day as registered_on,
    4::smallint as event_kind_sk,
    s.id as event_id,
    -2::smallint as status_sk,
    -2::smallint as sent_status_sk,
    s.ngay_cap_nhat as occurred_at,
    null::timestamptz as ended_at,
    null::timestamptz as due_at,
    null::timestamptz as previous_due_at,
    null::bigint as amount_vnd,
    case when s.duong_dan_tep_tin_ket_qua is not null then 'co_tep' else 'khong_co_tep' end as state,
    null as method,
    null as unit_name,
    s.ten_giay_to as detail,
    s.ngay_cap_nhat as source_updated_at,
    s._row_hash as row_hash,
    s._warnings as quality_flags
from stage.one_stop__giay_to_ket_qua as s;
