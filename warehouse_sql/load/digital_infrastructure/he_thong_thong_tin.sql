-- Grain: one stage row is one information system, its latest state; a system that left the list is closed.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.chu_quan) as agency_code
from stage.digital_infrastructure__he_thong_thong_tin as s
left join core.agency_identifier as i on s.chu_quan = i.identifier
where s.chu_quan is not null;

-- dx:step merge=snapshot target=core.dim_information_system key=system_code ledger
select
    s.ma_ht as system_code,
    s.ten_ht as name,
    s.loai as kind,
    coalesce(i.agency_code, s.chu_quan) as owner_agency_code,
    coalesce(a.agency_sk, -1) as owner_agency_sk,
    s.cap_do::smallint as security_level,
    s.ipv6 as uses_ipv6,
    s.ket_noi_emc as connected_to_emc,
    s.ket_noi_lgsp as connected_to_lgsp,
    s.url,
    s.ngay_cap_nhat as source_updated_at,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.digital_infrastructure__he_thong_thong_tin as s
left join core.agency_identifier as i on s.chu_quan = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, s.chu_quan)
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date >= a.valid_from
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date < a.valid_to;
