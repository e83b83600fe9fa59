-- The ledger: one row per batch, balanced by the database itself; the verdict of every rule; every rejected row.
-- Free of any source system: names of systems and datasets are data here.

create table if not exists ops.batch (
    batch_id bigint generated always as identity primary key,
    system text not null,
    dataset text not null,
    contract_version text not null,
    kind text not null
        constraint batch_kind_known check (kind in ('increment', 'full', 'period', 'snapshot', 'replay')),
    period_month date
        constraint batch_period_is_month check (period_month = date_trunc('month', period_month::timestamp)::date),
    run_id text,
    status text not null
        constraint batch_status_known check (
            status in ('extracting', 'landed', 'staged', 'published', 'held', 'failed', 'superseded')
        ),
    window_low text,
    window_high text,
    watermark text,
    source_rows bigint,
    extracted bigint,
    accepted bigint,
    quarantined bigint,
    duplicate bigint,
    inserted bigint,
    updated bigint,
    unchanged bigint,
    closed bigint,
    flagged bigint,
    replay_of bigint references ops.batch (batch_id),
    superseded_by bigint references ops.batch (batch_id),
    landing_path text,
    schema_fingerprint text,
    message text,
    warnings text[] not null default '{}',
    seconds_extract numeric,
    seconds_judge numeric,
    seconds_publish numeric,
    started_at timestamptz not null default now(),
    landed_at timestamptz,
    staged_at timestamptz,
    published_at timestamptz,
    finished_at timestamptz,
    -- A null would make a comparison unknown, and an unknown CHECK passes: so "not null" is asked for as well.
    constraint batch_all_source_rows_read check (
        status <> 'published'
        or (num_nulls(source_rows, extracted) = 0 and source_rows = extracted)
    ),
    constraint batch_verdicts_balance check (
        status <> 'published'
        or (
            num_nulls(extracted, accepted, quarantined, duplicate) = 0
            and extracted = accepted + quarantined + duplicate
        )
    ),
    constraint batch_publication_balances check (
        status <> 'published'
        or (
            num_nulls(accepted, inserted, updated, unchanged) = 0
            and accepted = inserted + updated + unchanged
        )
    ),
    constraint batch_counts_not_negative check (
        least(
            source_rows, extracted, accepted, quarantined, duplicate, inserted, updated, unchanged, closed, flagged
        ) >= 0
    ),
    constraint batch_published_has_time check (status <> 'published' or published_at is not null)
);

create index if not exists batch_by_dataset on ops.batch (system, dataset, batch_id);

create table if not exists ops.rule_result (
    batch_id bigint not null references ops.batch (batch_id),
    code text not null,
    expectation_type text not null,
    severity text not null
        constraint rule_result_severity_known check (severity in ('critical', 'warning', 'info')),
    passed boolean not null,
    evaluated bigint,
    unexpected bigint,
    missing bigint,
    message_vi text not null,
    message_en text not null,
    gx_result jsonb,
    primary key (batch_id, code)
);

create table if not exists ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    system text not null,
    dataset text not null,
    row_key text not null,
    reasons text[] not null,
    raw_record jsonb not null,
    owner_agency text,
    first_batch_id bigint not null references ops.batch (batch_id),
    last_batch_id bigint not null references ops.batch (batch_id),
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    status text not null default 'open'
        constraint quarantine_status_known check (status in ('open', 'released', 'gone', 'discarded')),
    released_at timestamptz,
    released_by_batch bigint references ops.batch (batch_id),
    constraint quarantine_has_reason check (cardinality(reasons) > 0)
);

create unique index if not exists quarantine_one_open_per_row
on ops.quarantine (system, dataset, row_key)
where status = 'open';

create table if not exists ops.stage_content (
    system text not null,
    dataset text not null,
    batch_id bigint not null references ops.batch (batch_id),
    state text not null
        constraint stage_content_state_known check (state in ('loading', 'ready')),
    rows bigint,
    at timestamptz not null default now(),
    primary key (system, dataset)
);

comment on table ops.batch is 'Sổ cái: mỗi dòng là một lô dữ liệu của một tập dữ liệu | Ledger: one row per batch of a dataset';
comment on column ops.batch.batch_id is 'Số lô | Batch number';
comment on column ops.batch.system is 'Hệ thống nguồn | Source system';
comment on column ops.batch.dataset is 'Tập dữ liệu | Dataset';
comment on column ops.batch.contract_version is 'Phiên bản thỏa thuận dữ liệu | Version of the data contract';
comment on column ops.batch.kind is 'Loại lô: gia tăng, toàn bộ, theo tháng, chụp nhanh, phát lại | increment, full, period, snapshot or replay';
comment on column ops.batch.period_month is 'Tháng của lô theo kỳ (ngày đầu tháng) | Month of a period batch (its first day)';
comment on column ops.batch.run_id is 'Mã lượt chạy của bộ điều phối | Run id of the orchestrator';
comment on column ops.batch.status is 'Trạng thái của lô | How far the batch came';
comment on column ops.batch.window_low is 'Cận dưới của cửa sổ đọc nguồn | Lower end of the window read at the source';
comment on column ops.batch.window_high is 'Cận trên của cửa sổ đọc nguồn | Upper end of the window read at the source';
comment on column ops.batch.watermark is 'Mốc con trỏ sau lô này | Cursor position after this batch';
comment on column ops.batch.source_rows is 'Số dòng nguồn tự đếm trong cùng ảnh chụp | Rows the source counted in the same snapshot';
comment on column ops.batch.extracted is 'Số dòng đã đọc | Rows read';
comment on column ops.batch.accepted is 'Số dòng đạt | Rows accepted';
comment on column ops.batch.quarantined is 'Số dòng bị cách ly | Rows quarantined';
comment on column ops.batch.duplicate is 'Số dòng trùng hoặc phiên bản cũ | Rows that were copies or older versions';
comment on column ops.batch.inserted is 'Số dòng thêm mới vào kho | Rows new to the warehouse';
comment on column ops.batch.updated is 'Số dòng được cập nhật | Rows changed in the warehouse';
comment on column ops.batch.unchanged is 'Số dòng không thay đổi | Rows the warehouse already had';
comment on column ops.batch.closed is 'Số dòng biến mất ở nguồn và được đóng lại | Rows that vanished at the source and were closed';
comment on column ops.batch.flagged is 'Số dòng đạt nhưng có cảnh báo | Accepted rows that carry a warning';
comment on column ops.batch.replay_of is 'Lô được phát lại | The batch this one replays';
comment on column ops.batch.superseded_by is 'Lô thay thế | The batch that replaced this one';
comment on column ops.batch.landing_path is 'Thư mục vùng đáp, tương đối | Folder in the landing zone, relative';
comment on column ops.batch.schema_fingerprint is 'Dấu vân tay cấu trúc nguồn | Fingerprint of the structure of the source';
comment on column ops.batch.message is 'Lý do lô bị giữ hoặc hỏng | Why the batch was held or failed';
comment on column ops.batch.warnings is 'Cảnh báo của lô | Warnings about the batch';
comment on column ops.batch.seconds_extract is 'Số giây đọc và đáp | Seconds spent reading and landing';
comment on column ops.batch.seconds_judge is 'Số giây làm sạch và kiểm tra | Seconds spent cleaning and judging';
comment on column ops.batch.seconds_publish is 'Số giây công bố | Seconds spent publishing';
comment on column ops.batch.started_at is 'Lúc bắt đầu | Started at';
comment on column ops.batch.landed_at is 'Lúc dữ liệu đã nằm ở vùng đáp | Landed at';
comment on column ops.batch.staged_at is 'Lúc dữ liệu đã kiểm tra xong | Judged and staged at';
comment on column ops.batch.published_at is 'Lúc công bố | Published at';
comment on column ops.batch.finished_at is 'Lúc kết thúc | Finished at';

comment on table ops.rule_result is 'Kết quả từng quy tắc chất lượng của từng lô | Result of each quality rule for each batch';
comment on column ops.rule_result.batch_id is 'Số lô | Batch number';
comment on column ops.rule_result.code is 'Mã quy tắc | Code of the rule';
comment on column ops.rule_result.expectation_type is 'Loại kỳ vọng | Type of the expectation';
comment on column ops.rule_result.severity is 'Mức độ: nghiêm trọng, cảnh báo, thông tin | critical, warning or info';
comment on column ops.rule_result.passed is 'Đạt hay không | Whether it held';
comment on column ops.rule_result.evaluated is 'Số dòng được xét | Rows examined';
comment on column ops.rule_result.unexpected is 'Số dòng vi phạm | Rows that break the rule';
comment on column ops.rule_result.missing is 'Số dòng trống | Rows without a value';
comment on column ops.rule_result.message_vi is 'Thông báo tiếng Việt | Message in Vietnamese';
comment on column ops.rule_result.message_en is 'Thông báo tiếng Anh | Message in English';
comment on column ops.rule_result.gx_result is 'Kết quả gốc của bộ kiểm tra | Result as the checker gave it';

comment on table ops.quarantine is 'Mỗi dòng nguồn bị từ chối, kèm lý do | Each rejected source row with its reasons';
comment on column ops.quarantine.quarantine_id is 'Số thứ tự | Number of the entry';
comment on column ops.quarantine.system is 'Hệ thống nguồn | Source system';
comment on column ops.quarantine.dataset is 'Tập dữ liệu | Dataset';
comment on column ops.quarantine.row_key is 'Khóa của dòng nguồn | Identity of the source row';
comment on column ops.quarantine.reasons is 'Các mã lý do | Codes of the reasons';
comment on column ops.quarantine.raw_record is 'Bản ghi gốc; có thể chứa dữ liệu cá nhân nên chỉ bộ nạp đọc được | Record as it came; may hold personal data, so only the loader reads it';
comment on column ops.quarantine.owner_agency is 'Cơ quan phải sửa | Agency that has to mend it';
comment on column ops.quarantine.first_batch_id is 'Lô đầu tiên thấy dòng này | First batch that saw the row';
comment on column ops.quarantine.last_batch_id is 'Lô gần nhất thấy dòng này | Latest batch that saw the row';
comment on column ops.quarantine.first_seen is 'Thấy lần đầu lúc | First seen at';
comment on column ops.quarantine.last_seen is 'Thấy lần cuối lúc | Last seen at';
comment on column ops.quarantine.status is 'Đang mở, đã giải phóng, không còn ở nguồn, đã bỏ | open, released, gone from the source or discarded';
comment on column ops.quarantine.released_at is 'Giải phóng lúc | Released at';
comment on column ops.quarantine.released_by_batch is 'Lô đã giải phóng | Batch that released it';

comment on table ops.stage_content is 'Bảng stage đang chứa lô nào | Which batch each stage table holds';
comment on column ops.stage_content.system is 'Hệ thống nguồn | Source system';
comment on column ops.stage_content.dataset is 'Tập dữ liệu | Dataset';
comment on column ops.stage_content.batch_id is 'Số lô | Batch number';
comment on column ops.stage_content.state is 'Đang nạp hoặc sẵn sàng | loading or ready';
comment on column ops.stage_content.rows is 'Số dòng | Rows';
comment on column ops.stage_content.at is 'Thời điểm | At';

grant select, insert, update on ops.batch to dx_loader;
grant select, insert, update, delete on ops.rule_result to dx_loader;
grant select, insert, update, delete on ops.quarantine to dx_loader;
grant select, insert, update, delete on ops.stage_content to dx_loader;
grant select on ops.batch to dx_engineer;
grant select on ops.rule_result to dx_engineer;
grant select on ops.stage_content to dx_engineer;
grant select (
    quarantine_id,
    system,
    dataset,
    row_key,
    reasons,
    owner_agency,
    first_batch_id,
    last_batch_id,
    first_seen,
    last_seen,
    status,
    released_at,
    released_by_batch
) on ops.quarantine to dx_engineer;
