-- Grain: one stage row is the last rating of one thing of one dossier; it becomes one row of core.fact_satisfaction.
-- Whether the warehouse has the dossier, and whether it had ended, is asked by core.satisfaction_checked.
-- The agency is the one inside the dossier code, unless the national portal made the code (G22.99-...).

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, split_part(s.ma_ho_so, '-', 1)) as agency_code
from stage.service_centre__danh_gia_hai_long as s
left join core.agency_identifier as i on split_part(s.ma_ho_so, '-', 1) = i.identifier
where s.ma_ho_so not like 'G%';

-- dx:step merge=upsert target=core.fact_satisfaction key=dossier_code,rating_kind_code version=rated_at close_missing ledger
select
    s.ma_ho_so as dossier_code,
    s.loai_danh_gia as rating_kind_code,
    s.ma_ho_so__day as registered_on,
    s.danh_gia as rating_code,
    s.thoi_gian_danh_gia as rated_at,
    (s.thoi_gian_danh_gia at time zone 'Asia/Ho_Chi_Minh')::date as rated_on,
    coalesce(a.agency_sk, -1) as code_agency_sk,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.service_centre__danh_gia_hai_long as s
left join core.agency_identifier as i on split_part(s.ma_ho_so, '-', 1) = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, split_part(s.ma_ho_so, '-', 1))
        and s.ma_ho_so not like 'G%'
        and s.ma_ho_so__day >= a.valid_from
        and s.ma_ho_so__day < a.valid_to;
