-- Grain: one stage row is one agency, its latest state; an agency that left the list is closed.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.ma_don_vi) as agency_code
from stage.digital_infrastructure__don_vi_chuyen_doi_so as s
left join core.agency_identifier as i on s.ma_don_vi = i.identifier;

-- dx:step merge=snapshot target=core.fact_agency_readiness key=agency_code ledger
select
    s.ma_don_vi as agency_code,
    coalesce(a.agency_sk, -1) as agency_sk,
    s.ket_noi_tslcd as on_state_network,
    s.can_bo_cds as digital_staff,
    s.can_bo_attt as security_staff,
    s.ngay_cap_nhat as source_updated_at,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.digital_infrastructure__don_vi_chuyen_doi_so as s
left join core.agency_identifier as i on s.ma_don_vi = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, s.ma_don_vi)
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date >= a.valid_from
        and (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date < a.valid_to;
