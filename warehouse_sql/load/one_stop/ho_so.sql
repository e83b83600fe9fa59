-- Grain: one stage row is the latest version of one dossier; it becomes one row of core.fact_dossier.
-- A dossier may come before the agency, procedure or field it names: those become inferred members first.
-- The handling agency is the one the row names, in either generation of identifiers; when the row names none, it is
-- the one inside the dossier code, unless the national portal made the code (G22.99-...).
-- Agency, procedure and commune are looked up by the day of acceptance (else submission, else registration): the
-- version that started last before that day, found by width_bucket among the starts. So the last version reaches
-- beyond its end: a dossier of a procedure that has left the catalogue, or of a commune that was merged, still belongs
-- to it. Each look-up is unique by its code, so a dossier can neither be lost nor doubled by a join, and a query that
-- does not need a look-up (which months are coming?) skips it.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, named.identifier) as agency_code
from (
    select coalesce(
        s.ma_dinh_danh,
        case when s.ma_ho_so not like 'G%' then split_part(s.ma_ho_so, '-', 1) end
    ) as identifier
    from stage.one_stop__ho_so as s
) as named
left join core.agency_identifier as i on named.identifier = i.identifier
where named.identifier is not null;

-- dx:step merge=infer target=core.dim_procedure key=procedure_code
select distinct s.ma_tthc as procedure_code
from stage.one_stop__ho_so as s
where s.ma_tthc is not null;

-- dx:step merge=infer target=core.dim_field key=field_code
select distinct s.ma_linh_vuc as field_code
from stage.one_stop__ho_so as s
where s.ma_linh_vuc is not null;

-- dx:step merge=upsert target=core.fact_dossier key=dossier_code,registered_on version=source_updated_at close_missing identity=dossier_code period=submitted_at ledger
with agency_version as (
    select
        a.agency_code,
        array_agg(a.valid_from order by a.valid_from) as starts,
        array_agg(a.agency_sk order by a.valid_from) as keys
    from core.dim_agency as a
    group by a.agency_code
),

procedure_version as (
    select
        p.procedure_code,
        min(p.field_code) as field_code,
        array_agg(p.valid_from order by p.valid_from) as starts,
        array_agg(p.procedure_sk order by p.valid_from) as keys
    from core.dim_procedure as p
    where p.valid_to > p.valid_from or p.valid_from = date '1900-01-01'
    group by p.procedure_code
),

commune_version as (
    select
        u.code,
        array_agg(u.valid_from order by u.valid_from) as starts,
        array_agg(u.admin_unit_sk order by u.valid_from) as keys
    from core.dim_admin_unit as u
    where u.level = 'commune'
    group by u.code
),

field_member as (
    select
        f.field_code,
        max(f.field_sk) as field_sk
    from core.dim_field as f
    group by f.field_code
),

-- offset 0 keeps the planner from working the dates out again in each join.
dossier as (
    select
        s.*,
        s.ma_ho_so__day as registered_on,
        (s.ngay_tiep_nhan at time zone 'Asia/Ho_Chi_Minh')::date as received_on,
        coalesce(
            s.ma_dinh_danh,
            case when s.ma_ho_so not like 'G%' then split_part(s.ma_ho_so, '-', 1) end
        ) as agency_identifier
    from stage.one_stop__ho_so as s
    offset 0 -- noqa: AM09
),

dated as (
    select
        d.*,
        coalesce(
            d.received_on,
            (d.ngay_nop at time zone 'Asia/Ho_Chi_Minh')::date,
            d.registered_on
        ) as reference_day
    from dossier as d
)

select
    d.ma_ho_so as dossier_code,
    d.registered_on,
    coalesce(a.keys[greatest(width_bucket(d.reference_day, a.starts), 1)], -1) as agency_sk,
    coalesce(p.keys[greatest(width_bucket(d.reference_day, p.starts), 1)], -1) as procedure_sk,
    coalesce(f.field_sk, -1) as field_sk,
    coalesce(u.keys[width_bucket(d.reference_day, u.starts)], -1) as commune_sk,
    coalesce(t.date_key, -1) as received_date_key,
    coalesce(d.kenh_thuc_hien::smallint, -1) as channel_sk,
    coalesce(d.trang_thai::smallint, -1) as status_sk,
    coalesce(d.loai_doi_tuong::smallint, -1) as applicant_kind_sk,
    d.muc_do::smallint as service_level,
    d.hinh_thuc_tra::smallint as return_method,
    d.noi_nop_ho_so::smallint as submitted_through,
    d.duoc_thanh_toan_truc_tuyen::smallint as paid_online_reported,
    d.thoi_han_bo_sung::integer as supplement_limit,
    d.received_on,
    d.ngay_nop as submitted_at,
    d.han_tiep_nhan as accept_due_at,
    d.ngay_tiep_nhan as received_at,
    d.ngay_hen_tra as due_at,
    d.ngay_yeu_cau_bo_sung as supplement_requested_at,
    d.ngay_cong_dan_bo_sung as supplement_received_at,
    d.ngay_ket_thuc_xu_ly as finished_at,
    d.ngay_tra as returned_at,
    d.ngay_tu_choi as refused_at,
    d.deleted_on as deleted_at,
    d.ngay_cap_nhat as source_updated_at,
    d._row_hash as row_hash,
    d.co_thanh_phan_so_hoa as has_digitised_component,
    d.tai_khoan_xac_thuc_vneid as vneid_verified,
    d.ma_ho_so_khac as other_code,
    d._warnings as quality_flags
from dated as d
left join core.agency_identifier as i on d.agency_identifier = i.identifier
left join agency_version as a on a.agency_code = coalesce(i.agency_code, d.agency_identifier)
left join procedure_version as p on d.ma_tthc = p.procedure_code
left join field_member as f on f.field_code = coalesce(d.ma_linh_vuc, p.field_code)
left join commune_version as u on d.ma_xa = u.code
left join core.dim_date as t on d.received_on = t.full_date;

-- dx:step merge=upsert target=core.dossier_alias key=alias_code
select distinct on (pair.alias_code)
    pair.alias_code,
    pair.alias_registered_on,
    pair.kept_code as dossier_code,
    pair.registered_on,
    hashtextextended(pair.kept_code, 0) as row_hash
from (
    -- Of two codes the provincial one is kept before the portal's, then the smaller one.
    select
        case when s.ma_ho_so_khac_first then s.ma_ho_so else s.ma_ho_so_khac end as alias_code,
        case when s.ma_ho_so_khac_first then s.ma_ho_so__day else s.ma_ho_so_khac__day end as alias_registered_on,
        case when s.ma_ho_so_khac_first then s.ma_ho_so_khac else s.ma_ho_so end as kept_code,
        case when s.ma_ho_so_khac_first then s.ma_ho_so_khac__day else s.ma_ho_so__day end as registered_on
    from (
        select
            h.ma_ho_so,
            h.ma_ho_so_khac,
            h.ma_ho_so__day,
            h.ma_ho_so_khac__day,
            (h.ma_ho_so_khac like 'G%', h.ma_ho_so_khac collate "C")
            < (h.ma_ho_so like 'G%', h.ma_ho_so collate "C") as ma_ho_so_khac_first
        from stage.one_stop__ho_so as h
        where h.ma_ho_so_khac <> h.ma_ho_so
    ) as s
) as pair
order by
    pair.alias_code,
    pair.kept_code;

-- dx:step merge=upsert target=restricted.dossier_applicant key=dossier_code,registered_on
select
    s.ma_ho_so as dossier_code,
    s.ma_ho_so__day as registered_on,
    cast(:key_version as smallint) as key_version,
    s.so_giay_to_chu_ho_so_pseudonym as citizen_id_pseudonym,
    s.so_dien_thoai_chu_ho_so_pseudonym as phone_pseudonym,
    hashtextextended(
        concat_ws(
            '|',
            cast(:key_version as smallint),
            coalesce(encode(s.so_giay_to_chu_ho_so_pseudonym, 'hex'), ''),
            coalesce(encode(s.so_dien_thoai_chu_ho_so_pseudonym, 'hex'), '')
        ),
        0
    ) as row_hash
from stage.one_stop__ho_so as s
-- A row that lost its pseudonyms at the source has to lose them here as well.
left join restricted.dossier_applicant as known
    on
        s.ma_ho_so = known.dossier_code
        and s.ma_ho_so__day = known.registered_on
where
    s.so_giay_to_chu_ho_so_pseudonym is not null
    or s.so_dien_thoai_chu_ho_so_pseudonym is not null
    or known.dossier_code is not null;
