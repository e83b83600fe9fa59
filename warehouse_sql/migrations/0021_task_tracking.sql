-- Tasks that the province assigns, and their status over time (Decision 1982/QĐ-UBND and others).

-- A status is a code, never yes or no: "basically done" and "deployed" are neither done nor open. carried_out says what
-- the published figures count: general tasks when basically done, the others when deployed or further.
create table if not exists core.dim_task_status (
    status_code text primary key,
    name_vi text not null,
    name_en text not null,
    stage smallint not null,
    carried_out boolean not null
);

insert into core.dim_task_status (status_code, name_vi, name_en, stage, carried_out)
values
('not_applicable', 'Không áp dụng', 'Not applicable', -2, false),
('unknown', 'Không xác định', 'Unknown', -1, false),
('chua_trien_khai', 'Chưa triển khai', 'Not begun', 0, false),
('dang_trien_khai', 'Đang triển khai', 'Under way', 1, false),
('da_trien_khai', 'Đã triển khai', 'Deployed', 2, true),
('co_ban_hoan_thanh', 'Cơ bản hoàn thành', 'Basically done', 3, true),
('hoan_thanh', 'Hoàn thành', 'Done', 4, true),
('dung', 'Dừng thực hiện', 'Stopped', 9, false);

-- Grain: one row per task, as it is now. Its code is given once and never to another task, so it is the key.
create table if not exists core.dim_task (
    task_code text primary key,
    document_no text not null,
    group_code text not null,
    name text not null,
    lead_agency_code text not null,
    lead_agency_sk integer not null references core.dim_agency (agency_sk),
    assigned_on date not null,
    due_on date,
    source_updated_at timestamptz not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- Grain: one row per task and day on which the source gave it a status. The status on a day is the last row up to it.
create table if not exists core.fact_task_status (
    task_code text not null,
    status_on date not null,
    status_code text not null,
    completed_on date,
    share_done numeric(5, 2),
    source_row_id bigint not null,
    source_updated_at timestamptz not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_task_status_pkey primary key (task_code, status_on)
);

alter table core.fact_task_status add constraint fact_task_status_task_fkey
foreign key (task_code) references core.dim_task (task_code);
alter table core.fact_task_status add constraint fact_task_status_status_fkey
foreign key (status_code) references core.dim_task_status (status_code);

-- Grain: one row per task and agency that takes part; one that no longer does is closed.
create table if not exists core.bridge_task_agency (
    task_code text not null,
    agency_code text not null,
    role text not null
        constraint bridge_task_agency_role_known check (role in ('lead', 'cooperating')),
    agency_sk integer not null references core.dim_agency (agency_sk),
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (task_code, agency_code, role)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(3, 'task_tracking', 'Theo dõi nhiệm vụ của Văn phòng UBND tỉnh', 'Task tracking of the provincial office')
on conflict (source_system_sk) do nothing;

comment on table core.dim_task_status is 'Danh mục trạng thái nhiệm vụ | Status of a task';
comment on column core.dim_task_status.status_code is 'Mã trạng thái | Code of the status';
comment on column core.dim_task_status.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_task_status.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_task_status.stage is 'Thứ tự tiến triển | How far the task has come';
comment on column core.dim_task_status.carried_out is 'Được đếm là đã thực hiện trong số liệu công bố | Counted as carried out in the published figures';

comment on table core.dim_task is 'Nhiệm vụ được giao | Tasks';
comment on column core.dim_task.task_code is 'Mã nhiệm vụ | Code of the task';
comment on column core.dim_task.document_no is 'Văn bản giao nhiệm vụ | Document that assigns it';
comment on column core.dim_task.group_code is 'Nhóm: CHUNG chung, CQS chính quyền số, KTS kinh tế số, XHS xã hội số | Group: general, digital government, digital economy, digital society';
comment on column core.dim_task.name is 'Tên nhiệm vụ | Name of the task';
comment on column core.dim_task.lead_agency_code is 'Mã đơn vị chủ trì | Identifier of the lead agency';
comment on column core.dim_task.lead_agency_sk is 'Đơn vị chủ trì | Lead agency';
comment on column core.dim_task.assigned_on is 'Ngày giao | Assigned on';
comment on column core.dim_task.due_on is 'Hạn hoàn thành | Due on';
comment on column core.dim_task.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';

comment on table core.fact_task_status is 'Trạng thái nhiệm vụ theo ngày cập nhật | Status of tasks by the day it was given';
comment on column core.fact_task_status.task_code is 'Nhiệm vụ | Task';
comment on column core.fact_task_status.status_on is 'Ngày nguồn cập nhật trạng thái (giờ Việt Nam) | Day the source gave the status (local)';
comment on column core.fact_task_status.status_code is 'Trạng thái | Status';
comment on column core.fact_task_status.completed_on is 'Ngày hoàn thành | Completed on';
comment on column core.fact_task_status.share_done is 'Tỷ lệ hoàn thành, % | Share done, %';
comment on column core.fact_task_status.source_row_id is 'Số thứ tự dòng ở nguồn | Number of the row at the source';
comment on column core.fact_task_status.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_task_status.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';

comment on table core.bridge_task_agency is 'Đơn vị tham gia từng nhiệm vụ | Agencies that take part in a task';
comment on column core.bridge_task_agency.task_code is 'Nhiệm vụ | Task';
comment on column core.bridge_task_agency.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column core.bridge_task_agency.role is 'Vai trò: lead chủ trì, cooperating phối hợp | Role: lead, cooperating';
comment on column core.bridge_task_agency.agency_sk is 'Cơ quan | Agency';
comment on column core.bridge_task_agency.closed_on is 'Ngày không còn tham gia | Day it no longer takes part';

comment on column core.dim_task.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.dim_task.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_task.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_task.loaded_at is 'Thời điểm nạp | Loaded at';

comment on column core.fact_task_status.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.fact_task_status.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_task_status.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_task_status.loaded_at is 'Thời điểm nạp | Loaded at';

comment on column core.bridge_task_agency.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.bridge_task_agency.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.bridge_task_agency.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.bridge_task_agency.loaded_at is 'Thời điểm nạp | Loaded at';

grant select, insert, update on core.dim_task to dx_loader;
grant select on core.dim_task to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_task_status to dx_loader;
grant select on core.fact_task_status to dx_engineer, dx_analyst;
grant select, insert, update on core.bridge_task_agency to dx_loader;
grant select on core.bridge_task_agency to dx_engineer, dx_analyst;
grant select on core.dim_task_status to dx_loader, dx_engineer, dx_analyst;
