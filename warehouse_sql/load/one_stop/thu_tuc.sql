-- Grain: one stage row is one procedure of the catalogue as it stands now.
-- The catalogue is kept in core.procedure_catalogue; the versions of core.dim_procedure are derived from it and from
-- the log of level changes, so the two datasets may come in any order.

-- dx:step merge=snapshot target=core.procedure_catalogue key=procedure_code ledger
select
    s.ma_tthc as procedure_code,
    s.ten_tthc as name,
    s.ma_linh_vuc as field_code,
    s.cap_thuc_hien as performing_level,
    s.thoi_gian_giai_quyet::integer as time_limit_working_days,
    s.co_phi_le_phi as has_fee,
    s.muc_do::smallint as service_level,
    s.quyet_dinh_cong_bo as decision,
    s._row_hash as row_hash
from stage.one_stop__thu_tuc as s;

-- dx:step merge=sql fills=core.dim_procedure
select core.rebuild_procedure_versions(:batch_id, cast(:loaded_at as timestamptz));
