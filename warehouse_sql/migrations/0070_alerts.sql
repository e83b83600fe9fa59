-- Alerts: what is wrong now, whom it was told to, which channel is down, what a person muted. Kept here so that a
-- restart repeats nothing. Counts and codes only: never a value of a row, an address or a secret.

-- Grain: one row per condition for as long as it lasted; the same condition later is another row.
create table if not exists ops.alert (
    alert_id bigint generated always as identity primary key,
    kind text not null
        constraint alert_kind_known check (
            kind in (
                'run_failed', 'batch_held', 'source_stale', 'quality_low', 'no_new_data', 'volume_outside_band',
                'sums_differ', 'contract_broken'
            )
        ),
    subject text not null
        constraint alert_subject_told check (length(subject) between 1 and 200),
    severity text not null
        constraint alert_severity_known check (severity in ('error', 'warning')),
    owner_agency text,
    batch_id bigint references ops.batch (batch_id),
    facts jsonb not null,
    raised_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    seen bigint not null default 1,
    recovered_at timestamptz,
    constraint alert_times_in_order check (recovered_at >= raised_at and last_seen_at >= raised_at)
);

create unique index if not exists alert_one_open on ops.alert (kind, subject)
where recovered_at is null;

-- Grain: one row per thing to tell about an alert and channel: that it began, that it lasts, that it is over.
create table if not exists ops.alert_notice (
    notice_id bigint generated always as identity primary key,
    alert_id bigint not null references ops.alert (alert_id),
    channel text not null,
    event text not null
        constraint alert_notice_event_known check (event in ('raised', 'reminder', 'recovered')),
    created_at timestamptz not null default now(),
    sent_at timestamptz
);

create unique index if not exists alert_notice_one_waiting on ops.alert_notice (alert_id, channel, event)
where sent_at is null;

create index if not exists alert_notice_by_alert on ops.alert_notice (alert_id, channel);

-- Grain: one row per channel that was ever tried.
create table if not exists ops.alert_channel (
    channel text primary key,
    last_sent_at timestamptz,
    failing_since timestamptz,
    failures bigint not null default 0,
    last_error text,
    constraint alert_channel_failing_has_reason check ((failing_since is null) = (last_error is null))
);

-- Grain: one row per decision to mute alerts or to take that back. Only added to.
create table if not exists ops.alert_mute (
    mute_id bigint generated always as identity primary key,
    decision text not null
        constraint alert_mute_decision_known check (decision in ('mute', 'unmute')),
    subject text not null
        constraint alert_mute_subject_told check (length(subject) between 1 and 200),
    kind text,
    muted_until timestamptz,
    reason text not null
        constraint alert_mute_is_explained check (length(btrim(reason)) between 8 and 500),
    decided_by text not null
        constraint alert_mute_has_name check (length(btrim(decided_by)) between 1 and 200),
    login text not null,
    decided_at timestamptz not null default now(),
    constraint alert_mute_ends check ((decision = 'mute') = (muted_until is not null))
);

-- What is not mended stands in failed and held batches: few among many.
create index if not exists batch_not_mended on ops.batch (system, dataset)
where status in ('failed', 'held', 'extracting', 'landed', 'staged');

comment on table ops.alert is 'Cảnh báo: mỗi dòng là một tình trạng trong suốt thời gian nó kéo dài | Alerts: one row per condition while it lasts';
comment on column ops.alert.alert_id is 'Số cảnh báo | Number of the alert';
comment on column ops.alert.kind is 'Loại tình trạng | Kind of condition';
comment on column ops.alert.subject is 'Tập dữ liệu, mart.<tên> hoặc contracts | Dataset, mart.<name> or contracts';
comment on column ops.alert.severity is 'error: không có dữ liệu mới; warning: cần xem | error: no new data comes; warning: to be looked at';
comment on column ops.alert.owner_agency is 'Cơ quan chủ quản dữ liệu | Agency that owns the data';
comment on column ops.alert.batch_id is 'Lô gần nhất liên quan | Latest batch it is about';
comment on column ops.alert.facts is 'Số đếm, mã lý do, thời điểm; không có dữ liệu của dòng nào | Counts, reason codes, times; no value of any row';
comment on column ops.alert.raised_at is 'Thấy lần đầu lúc | First seen at';
comment on column ops.alert.last_seen_at is 'Thấy lần cuối lúc | Last seen at';
comment on column ops.alert.seen is 'Số lần kiểm tra đã thấy | Number of checks that saw it';
comment on column ops.alert.recovered_at is 'Hết lúc; trống khi còn | Over since; empty while it lasts';

comment on table ops.alert_notice is 'Việc cần báo về từng cảnh báo cho từng kênh | What is to be told about each alert on each channel';
comment on column ops.alert_notice.notice_id is 'Số thứ tự | Number of the entry';
comment on column ops.alert_notice.alert_id is 'Cảnh báo | Alert';
comment on column ops.alert_notice.channel is 'Kênh: log, smtp, webhook | Channel: log, smtp, webhook';
comment on column ops.alert_notice.event is 'raised mới, reminder nhắc lại, recovered đã hết | raised, reminder or recovered';
comment on column ops.alert_notice.created_at is 'Cần báo từ lúc | To be told since';
comment on column ops.alert_notice.sent_at is 'Đã báo lúc; trống khi kênh chưa nhận | Told at; empty until the channel took it';

comment on table ops.alert_channel is 'Tình trạng từng kênh báo | State of each channel';
comment on column ops.alert_channel.channel is 'Kênh: log, smtp, webhook | Channel: log, smtp, webhook';
comment on column ops.alert_channel.last_sent_at is 'Nhận tin gần nhất lúc | Took its last message at';
comment on column ops.alert_channel.failing_since is 'Hỏng từ lúc; trống khi tốt | Failing since; empty when it works';
comment on column ops.alert_channel.failures is 'Số lần hỏng liên tiếp | Failures in a row';
comment on column ops.alert_channel.last_error is 'Lý do gần nhất | Latest reason';

comment on table ops.alert_mute is 'Quyết định tắt tiếng cảnh báo; chỉ thêm, không sửa, không xóa | Decisions to mute alerts; only added to, never changed or deleted';
comment on column ops.alert_mute.mute_id is 'Số thứ tự | Number of the decision';
comment on column ops.alert_mute.decision is 'mute tắt tiếng, unmute báo lại | mute or unmute';
comment on column ops.alert_mute.subject is 'Tập dữ liệu, hệ thống hoặc * | Dataset, system or *';
comment on column ops.alert_mute.kind is 'Loại tình trạng; trống là mọi loại | Kind of condition; empty: every kind';
comment on column ops.alert_mute.muted_until is 'Tắt tiếng đến lúc | Muted until';
comment on column ops.alert_mute.reason is 'Vì sao | Why';
comment on column ops.alert_mute.decided_by is 'Người quyết định | Who decided';
comment on column ops.alert_mute.login is 'Tài khoản máy đã ghi quyết định | Account of the machine that recorded it';
comment on column ops.alert_mute.decided_at is 'Quyết định lúc | Decided at';

grant select, insert, update on ops.alert to dx_loader;
grant select, insert, update on ops.alert_notice to dx_loader;
grant select, insert, update on ops.alert_channel to dx_loader;
grant select, insert on ops.alert_mute to dx_loader;
grant select on ops.alert to dx_engineer, dx_auditor;
grant select on ops.alert_notice to dx_engineer, dx_auditor;
grant select on ops.alert_channel to dx_engineer, dx_auditor;
grant select on ops.alert_mute to dx_engineer, dx_auditor;
