-- Grain: one stage row is one day, agency and channel; it becomes one row of core.fact_service_transaction_day.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.ma_dinh_danh) as agency_code
from stage.service_centre__luot_giao_dich as s
left join core.agency_identifier as i on s.ma_dinh_danh = i.identifier;

-- dx:step merge=snapshot target=core.fact_service_transaction_day key=day,agency_code,channel_sk ledger
-- The key is the identifier as the source writes it: two generations of one agency are two rows, and one agency_sk.
select
    s.ngay as day,
    s.ma_dinh_danh as agency_code,
    s.kenh::smallint as channel_sk,
    coalesce(a.agency_sk, -1) as agency_sk,
    s.so_luot as transactions,
    s.so_luot_thanh_toan as payments,
    s.so_tien as amount_vnd,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.service_centre__luot_giao_dich as s
left join core.agency_identifier as i on s.ma_dinh_danh = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, s.ma_dinh_danh)
        and s.ngay >= a.valid_from
        and s.ngay < a.valid_to;
