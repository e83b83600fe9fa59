-- What people decided about rejected rows: accepted in spite of the rules, or no longer waited for. Nothing is ever
-- changed or deleted here, not even by the loader: whoever changes his mind adds a row.

-- Grain: one row per decision about one rejected row as it was then.
create table if not exists ops.quarantine_decision (
    decision_id bigint generated always as identity primary key,
    quarantine_id bigint not null references ops.quarantine (quarantine_id),
    system text not null,
    dataset text not null,
    row_key text not null,
    record_hash text not null
        constraint quarantine_decision_hash_is_sha256 check (record_hash ~ '^[0-9a-f]{64}$'),
    decision text not null
        constraint quarantine_decision_known check (decision in ('release', 'discard', 'reopen')),
    reasons text[] not null
        constraint quarantine_decision_has_reasons check (cardinality(reasons) > 0),
    explanation text not null
        constraint quarantine_decision_is_explained check (btrim(explanation) <> ''),
    decided_by text not null
        constraint quarantine_decision_has_name check (btrim(decided_by) <> ''),
    login text not null,
    decided_at timestamptz not null default now()
);

create index if not exists quarantine_decision_by_row
on ops.quarantine_decision (system, dataset, row_key);

-- A discarded row is still the one entry of its source row: changed at the source, the same entry opens again.
create unique index if not exists quarantine_one_waiting_per_row
on ops.quarantine (system, dataset, row_key)
where status in ('open', 'discarded');

comment on table ops.quarantine_decision is 'Quyết định của người có trách nhiệm về dòng bị loại; chỉ thêm, không sửa, không xóa | Decisions of people about rejected rows; only added to, never changed or deleted';
comment on column ops.quarantine_decision.decision_id is 'Số thứ tự | Number of the decision';
comment on column ops.quarantine_decision.quarantine_id is 'Dòng bị loại được quyết định | The rejected row decided about';
comment on column ops.quarantine_decision.system is 'Hệ thống nguồn | Source system';
comment on column ops.quarantine_decision.dataset is 'Tập dữ liệu | Dataset';
comment on column ops.quarantine_decision.row_key is 'Khóa của dòng nguồn | Identity of the source row';
comment on column ops.quarantine_decision.record_hash is 'SHA-256 của bản ghi gốc lúc quyết định; bản ghi đổi thì phải quyết định lại | SHA-256 of the record as it was; a changed record needs a new decision';
comment on column ops.quarantine_decision.decision is 'Nhận, bỏ qua hoặc mở lại | release, discard or reopen';
comment on column ops.quarantine_decision.reasons is 'Các mã lý do được bỏ qua | Codes of the reasons that were overruled';
comment on column ops.quarantine_decision.explanation is 'Vì sao quyết định như vậy | Why it was decided so';
comment on column ops.quarantine_decision.decided_by is 'Người quyết định | Who decided';
comment on column ops.quarantine_decision.login is 'Tài khoản máy đã ghi quyết định | Account of the machine that recorded it';
comment on column ops.quarantine_decision.decided_at is 'Quyết định lúc | Decided at';

grant select, insert on ops.quarantine_decision to dx_loader;

grant select (
    decision_id,
    quarantine_id,
    system,
    dataset,
    row_key,
    decision,
    reasons,
    explanation,
    decided_by,
    login,
    decided_at
) on ops.quarantine_decision to dx_engineer;
