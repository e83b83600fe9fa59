-- Rows that the source deletes without a mark: a whole re-read of a dataset that is otherwise read by its cursor finds
-- them missing and closes them with the day, as deliveries of whole lists do. What reads these tables leaves them out.
-- People decide what a machine may not: that a large part has really vanished, or that a part was withdrawn.

alter table core.fact_dossier_event add column if not exists closed_on date;
comment on column core.fact_dossier_event.closed_on is 'Ngày kho thấy không còn ở nguồn; trống nếu còn | Day on which the warehouse found it gone from the source; empty while it is there';
alter table core.dim_task add column if not exists closed_on date;
comment on column core.dim_task.closed_on is 'Ngày kho thấy không còn ở nguồn; trống nếu còn | Day on which the warehouse found it gone from the source; empty while it is there';
alter table core.fact_satisfaction add column if not exists closed_on date;
comment on column core.fact_satisfaction.closed_on is 'Ngày kho thấy không còn ở nguồn; trống nếu còn | Day on which the warehouse found it gone from the source; empty while it is there';
alter table core.fact_infrastructure_month add column if not exists closed_on date;
comment on column core.fact_infrastructure_month.closed_on is 'Ngày kho thấy không còn ở nguồn; trống nếu còn | Day on which the warehouse found it gone from the source; empty while it is there';
alter table core.procedure_level_change add column if not exists closed_on date;
comment on column core.procedure_level_change.closed_on is 'Ngày kho thấy không còn ở nguồn; trống nếu còn | Day on which the warehouse found it gone from the source; empty while it is there';
alter table core.fact_dossier_event_history add column if not exists closed_on date;
comment on column core.fact_dossier_event_history.closed_on is 'Ngày kho thấy không còn ở nguồn; trống nếu còn | Day on which the warehouse found it gone from the source; empty while it is there';

create or replace function core.dossier_event_as_known(at timestamptz)
returns setof core.fact_dossier_event
language sql
stable
as $$
    select
        t.dossier_code,
        t.registered_on,
        t.event_kind_sk,
        t.event_id,
        t.status_sk,
        t.sent_status_sk,
        t.started_at,
        t.occurred_at,
        t.ended_at,
        t.due_at,
        t.previous_due_at,
        t.amount_vnd,
        t.state,
        t.method,
        t.unit_name,
        t.detail,
        t.source_updated_at,
        t.loaded_at,
        t.row_hash,
        t.first_batch_id,
        t.last_batch_id,
        t.quality_flags,
        t.closed_on
    from core.fact_dossier_event as t
    where t.loaded_at <= at
    union all
    select
        h.dossier_code,
        h.registered_on,
        h.event_kind_sk,
        h.event_id,
        h.status_sk,
        h.sent_status_sk,
        h.started_at,
        h.occurred_at,
        h.ended_at,
        h.due_at,
        h.previous_due_at,
        h.amount_vnd,
        h.state,
        h.method,
        h.unit_name,
        h.detail,
        h.source_updated_at,
        h.loaded_at,
        h.row_hash,
        h.first_batch_id,
        h.last_batch_id,
        h.quality_flags,
        h.closed_on
    from core.fact_dossier_event_history as h
    where h.known_from <= at and h.known_to > at
$$;

-- The histories of the others may not be there yet: where they are, they get the column as well.
do $$
begin
    if to_regprocedure('ops.keep_history(regclass)') is not null then
        perform ops.keep_history(kept)
        from unnest(array[
            'core.dim_task'::regclass, 'core.fact_satisfaction'::regclass, 'core.fact_infrastructure_month'::regclass
        ]) as kept
        where to_regclass(kept::text || '_history') is not null;
    end if;
end;
$$;

-- Grain: one row per rating that is at the source, with its dossier as the warehouse knows it now. A dossier known
-- under two codes may be rated under either.
create or replace view core.satisfaction_checked with (security_invoker = true) as
select
    f.dossier_code,
    f.rating_kind_code,
    f.rating_code,
    f.rated_at,
    f.rated_on,
    coalesce(d.agency_sk, f.code_agency_sk) as agency_sk,
    d.dossier_code is not null as is_known,
    coalesce(d.finished_at, d.returned_at, d.refused_at) as ended_at,
    nullif(
        coalesce(f.quality_flags, '{}')
        || case when d.dossier_code is null then array['ho_so_khong_co'] else '{}' end
        || case
            when
                d.dossier_code is not null
                and f.rating_kind_code = 'ket_qua'
                and coalesce(f.rated_at < coalesce(d.finished_at, d.returned_at, d.refused_at), true)
                then array['danh_gia_truoc_ket_thuc']
            else '{}'
        end,
        '{}'
    ) as quality_flags
from core.fact_satisfaction as f
left join core.dossier_alias as a on f.dossier_code = a.alias_code
left join core.fact_dossier as own on f.dossier_code = own.dossier_code and f.registered_on = own.registered_on
left join core.fact_dossier as d
    on
        d.dossier_code = case when own.dossier_code is null then a.dossier_code else own.dossier_code end
        and d.registered_on = case when own.dossier_code is null then a.registered_on else own.registered_on end
where f.closed_on is null;

update ops.reference_published_figure
set query = replace(query, 'month where month', 'month where closed_on is null and month')
where query like '%core.fact_infrastructure_month where month%';

update ops.reference_published_figure
set query = replace(query, 'where t.document_no', 'where t.closed_on is null and t.document_no')
where query like '%core.dim_task as t%' and query like '%where t.document_no%';

-- Grain: one row per decision of a person about rows that a source no longer has. Carried out by one batch.
create table if not exists ops.vanishing_decision (
    decision_id bigint generated always as identity primary key,
    dataset text not null,
    part text
        constraint vanishing_decision_part_is_named check (btrim(part) <> ''),
    reason text not null
        constraint vanishing_decision_is_explained check (btrim(reason) <> ''),
    decided_by text not null
        constraint vanishing_decision_has_name check (btrim(decided_by) <> ''),
    login text not null,
    decided_at timestamptz not null default now(),
    carried_out_by bigint,
    rows_closed bigint
);

comment on table ops.vanishing_decision is 'Quyết định của người có trách nhiệm về dòng không còn ở nguồn | Decisions of people about rows that a source no longer has';
comment on column ops.vanishing_decision.decision_id is 'Số thứ tự | Number of the decision';
comment on column ops.vanishing_decision.dataset is 'Tập dữ liệu | Dataset';
comment on column ops.vanishing_decision.part is 'Phần bị rút lại, như cột phạm vi của kho ghi; trống: mọi dòng biến mất được chấp nhận | Part that was withdrawn, as the warehouse writes its scope; empty: whatever vanished is accepted';
comment on column ops.vanishing_decision.reason is 'Vì sao | Why';
comment on column ops.vanishing_decision.decided_by is 'Người quyết định | Who decided';
comment on column ops.vanishing_decision.login is 'Tài khoản máy đã ghi quyết định | Account of the machine that recorded it';
comment on column ops.vanishing_decision.decided_at is 'Quyết định lúc | Decided at';
comment on column ops.vanishing_decision.carried_out_by is 'Lô đã thực hiện; trống nếu chưa | Batch that carried it out; empty while waiting';
comment on column ops.vanishing_decision.rows_closed is 'Số dòng lô đó đã đóng | Rows that this batch closed';

grant select, insert, update (carried_out_by, rows_closed) on ops.vanishing_decision to dx_loader;
grant select on ops.vanishing_decision to dx_engineer, dx_auditor;
