-- Grain: one row per event of a dossier: a processing step, a supplement request, a payment request, a result
-- document, a message to the national portal. event_id is the id of the row in its source table, which is why the
-- kind of event belongs to the key. An event may come before its dossier: there is no foreign key between the facts.
-- The name of the official is not loaded.
-- The kind leads the partition key: each kind comes from a dataset of its own, whose first load can then fill months of
-- its own the fast way, and a report on one kind reads nothing of the others.

create table if not exists core.fact_dossier_event (
    dossier_code text not null,
    registered_on date not null,
    event_kind_sk smallint not null,
    event_id bigint not null,
    status_sk smallint not null,
    sent_status_sk smallint not null,
    started_at timestamptz,
    occurred_at timestamptz,
    ended_at timestamptz,
    due_at timestamptz,
    previous_due_at timestamptz,
    amount_vnd bigint,
    state text,
    method text,
    unit_name text,
    detail text,
    source_updated_at timestamptz not null,
    loaded_at timestamptz not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    quality_flags text[],
    constraint fact_dossier_event_pkey primary key (dossier_code, registered_on, event_kind_sk, event_id)
)
partition by range (event_kind_sk, registered_on);

alter table core.fact_dossier_event add constraint fact_dossier_event_kind_fkey
foreign key (event_kind_sk) references core.dim_event_kind (event_kind_sk);
alter table core.fact_dossier_event add constraint fact_dossier_event_status_fkey
foreign key (status_sk) references core.dim_dossier_status (status_sk);
alter table core.fact_dossier_event add constraint fact_dossier_event_sent_status_fkey
foreign key (sent_status_sk) references core.dim_dossier_status (status_sk);

comment on table core.fact_dossier_event is 'Sự kiện trong vòng đời hồ sơ | Events in the life of a dossier';
comment on column core.fact_dossier_event.dossier_code is 'Mã hồ sơ | Dossier code';
comment on column core.fact_dossier_event.registered_on is 'Ngày trong mã hồ sơ | Date inside the dossier code';
comment on column core.fact_dossier_event.event_kind_sk is 'Loại sự kiện | Kind of event';
comment on column core.fact_dossier_event.event_id is 'Mã dòng trong bảng nguồn của loại sự kiện | Id of the row in the source table of that kind';
comment on column core.fact_dossier_event.status_sk is 'Trạng thái hồ sơ tại sự kiện theo bản của tỉnh; -2 nếu không có | Dossier status at the event in the provincial copy; -2 when there is none';
comment on column core.fact_dossier_event.sent_status_sk is 'Trạng thái đã gửi lên cổng quốc gia; -2 với loại khác | Status sent to the national portal; -2 for other kinds';
comment on column core.fact_dossier_event.started_at is 'Thời điểm bắt đầu bước xử lý; trống với loại khác | Processing step started at; empty for other kinds';
comment on column core.fact_dossier_event.occurred_at is 'Thời điểm xảy ra: bước xử lý hoàn thành, yêu cầu được gửi, tiền được thu | Occurred at: step done, request made, money taken';
comment on column core.fact_dossier_event.ended_at is 'Thời điểm kết thúc: công dân bổ sung xong, tiền được hoàn | Ended at: supplement received, money refunded';
comment on column core.fact_dossier_event.due_at is 'Hạn của bước, hoặc hạn trả mới sau bổ sung | Due at: of the step, or the new due date after a supplement';
comment on column core.fact_dossier_event.previous_due_at is 'Hạn trả trước khi bổ sung | Due date before the supplement';
comment on column core.fact_dossier_event.amount_vnd is 'Số tiền (đồng) | Amount in dong';
comment on column core.fact_dossier_event.state is 'Tình trạng riêng của sự kiện (thanh toán, bổ sung) | State of the event itself (payment, supplement)';
comment on column core.fact_dossier_event.method is 'Hình thức (thanh toán: truc-tuyen, tien-mat, chuyen-khoan) | Method (payment: online, cash, transfer)';
comment on column core.fact_dossier_event.unit_name is 'Phòng, ban thực hiện | Unit that acted';
comment on column core.fact_dossier_event.detail is 'Chi tiết không chứa dữ liệu cá nhân | Detail without personal data';
comment on column core.fact_dossier_event.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_dossier_event.loaded_at is 'Thời điểm nạp | Loaded at';
comment on column core.fact_dossier_event.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_dossier_event.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_dossier_event.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_dossier_event.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';

grant select, insert, update on core.fact_dossier_event to dx_loader;
grant select on core.fact_dossier_event to dx_engineer, dx_analyst;
