-- Grain: one stage row is one recorded change of a procedure's level of service.
-- The log is kept in core.procedure_level_change; the versions of core.dim_procedure are derived from it and from the
-- catalogue, so the two datasets may come in any order.

-- dx:step merge=upsert target=core.procedure_level_change key=change_id close_missing ledger
select
    s.id as change_id,
    s.ma_tthc as procedure_code,
    s.thoi_gian as changed_at,
    s.muc_do_cu::smallint as level_before,
    s.muc_do_moi::smallint as level_after,
    s._row_hash as row_hash
from stage.one_stop__thay_doi_muc_do_thu_tuc as s;

-- dx:step merge=sql fills=core.dim_procedure
select core.rebuild_procedure_versions(:batch_id, cast(:loaded_at as timestamptz));
