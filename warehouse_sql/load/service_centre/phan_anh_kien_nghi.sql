-- Grain: one stage row is one petition as it is now; it becomes one row of core.fact_petition.
-- Its time limit in working days is asked by core.petition_deadline, because holidays may come later than petitions.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.ma_dinh_danh) as agency_code
from stage.service_centre__phan_anh_kien_nghi as s
left join core.agency_identifier as i on s.ma_dinh_danh = i.identifier;

-- dx:step merge=snapshot target=core.fact_petition key=petition_code ledger
with dated as (
    select
        s.*,
        (s.ngay_tiep_nhan at time zone 'Asia/Ho_Chi_Minh')::date as received_on,
        coalesce(i.agency_code, s.ma_dinh_danh) as agency_code
    from stage.service_centre__phan_anh_kien_nghi as s
    left join core.agency_identifier as i on s.ma_dinh_danh = i.identifier
)

select
    d.ma_pakn as petition_code,
    d.loai_pakn as petition_kind_code,
    d.agency_code,
    coalesce(a.agency_sk, -1) as agency_sk,
    d.ma_ho_so as dossier_code,
    d.ngay_tiep_nhan as received_at,
    d.received_on,
    coalesce(d.hinh_thuc_xu_ly, 'chua_xu_ly') as handling_code,
    d.ngay_xu_ly as handled_at,
    (d.ngay_xu_ly at time zone 'Asia/Ho_Chi_Minh')::date as handled_on,
    d.ngay_cong_khai as published_on,
    d.han_xu_ly as source_due_on,
    coalesce(d.hai_long, 'not_applicable') as rating_code,
    d.kien_nghi_lai as raised_again,
    d._warnings as quality_flags,
    d._row_hash as row_hash
from dated as d
left join core.dim_agency as a
    on
        d.agency_code = a.agency_code
        and d.received_on >= a.valid_from
        and d.received_on < a.valid_to;
