-- Grain: one stage row is one task as it is now. It gives the task one row, the agencies that take part one row each,
-- and the status one row for the day on which the source changed it: read again later, a task keeps its former status.
-- A task that the source no longer has is closed in core.dim_task; its statuses stay as its past.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, named.identifier) as agency_code
from (
    select s.don_vi_chu_tri as identifier
    from stage.task_tracking__nhiem_vu as s
    union
    select upper(trim(p.part))
    from stage.task_tracking__nhiem_vu as s
    cross join lateral unnest(string_to_array(s.don_vi_phoi_hop, ';')) as p (part)
) as named
left join core.agency_identifier as i on named.identifier = i.identifier
where named.identifier ~ '^([A-Z][0-9]{2}([.][0-9A-Z]{1,3}){0,4}|[0-9]{3}[.][0-9]{2}[.][0-9]{2}[.][A-Z][0-9]{2})$';

-- dx:step merge=upsert target=core.dim_task key=task_code version=source_updated_at close_missing
select
    s.ma_nv as task_code,
    s.so_van_ban as document_no,
    s.nhom as group_code,
    s.ten_nv as name,
    coalesce(i.agency_code, s.don_vi_chu_tri) as lead_agency_code,
    coalesce(a.agency_sk, -1) as lead_agency_sk,
    s.ngay_giao as assigned_on,
    s.han_hoan_thanh as due_on,
    s.ngay_cap_nhat as source_updated_at,
    s._row_hash as row_hash
from stage.task_tracking__nhiem_vu as s
left join core.agency_identifier as i on s.don_vi_chu_tri = i.identifier
left join core.dim_agency as a
    on
        a.agency_code = coalesce(i.agency_code, s.don_vi_chu_tri)
        and s.ngay_giao >= a.valid_from
        and s.ngay_giao < a.valid_to;

-- dx:step merge=upsert target=core.fact_task_status key=task_code,status_on version=source_updated_at ledger
select
    s.ma_nv as task_code,
    (s.ngay_cap_nhat at time zone 'Asia/Ho_Chi_Minh')::date as status_on,
    s.trang_thai as status_code,
    s.ngay_hoan_thanh as completed_on,
    s.ty_le_hoan_thanh as share_done,
    s.id as source_row_id,
    s.ngay_cap_nhat as source_updated_at,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.task_tracking__nhiem_vu as s;

-- dx:step merge=upsert target=core.bridge_task_agency key=task_code,agency_code,role
-- The agencies of one task come in one text, "H50.05; H50.04;": each counts once, what is no identifier is left out.
select
    part.task_code,
    part.agency_code,
    part.role,
    coalesce(a.agency_sk, -1) as agency_sk,
    null::date as closed_on,
    part.row_hash
from (
    select distinct
        named.task_code,
        named.role,
        named.assigned_on,
        named.row_hash,
        coalesce(i.agency_code, named.identifier) as agency_code
    from (
        select
            s.ma_nv as task_code,
            'lead' as role,
            s.ngay_giao as assigned_on,
            s._row_hash as row_hash,
            s.don_vi_chu_tri as identifier
        from stage.task_tracking__nhiem_vu as s
        union all
        select
            s.ma_nv as task_code,
            'cooperating' as role,
            s.ngay_giao as assigned_on,
            s._row_hash as row_hash,
            upper(trim(p.part)) as identifier
        from stage.task_tracking__nhiem_vu as s
        cross join lateral unnest(string_to_array(s.don_vi_phoi_hop, ';')) as p (part)
    ) as named
    left join core.agency_identifier as i on named.identifier = i.identifier
    where named.identifier ~ '^([A-Z][0-9]{2}([.][0-9A-Z]{1,3}){0,4}|[0-9]{3}[.][0-9]{2}[.][0-9]{2}[.][A-Z][0-9]{2})$'
) as part
left join core.dim_agency as a
    on
        part.agency_code = a.agency_code
        and part.assigned_on >= a.valid_from
        and part.assigned_on < a.valid_to;

-- dx:step merge=sql fills=core.bridge_task_agency
-- Agencies of the task's former text: they carry another hash than the task now has. Closed by an upsert, since Citus
-- updates no table that every node has from rows of stage.
insert into core.bridge_task_agency (
    task_code,
    agency_code,
    role,
    agency_sk,
    closed_on,
    row_hash,
    first_batch_id,
    last_batch_id,
    loaded_at
)
with incoming as materialized (
    select
        s.ma_nv as task_code,
        s._row_hash as row_hash
    from stage.task_tracking__nhiem_vu as s
)

select
    b.task_code,
    b.agency_code,
    b.role,
    b.agency_sk,
    (cast(:as_of as timestamptz) at time zone 'Asia/Ho_Chi_Minh')::date as closed_on,
    b.row_hash,
    b.first_batch_id,
    :batch_id as last_batch_id,
    cast(:loaded_at as timestamptz) as loaded_at
from incoming as i
inner join core.bridge_task_agency as b on i.task_code = b.task_code and i.row_hash <> b.row_hash
where b.closed_on is null
on conflict (task_code, agency_code, role) do update set
closed_on = excluded.closed_on,
last_batch_id = excluded.last_batch_id,
loaded_at = excluded.loaded_at;
