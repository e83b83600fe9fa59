-- Small dimensions whose members are fixed by national code lists: the surrogate key is the code itself.
-- Every one has -1 unknown and -2 not applicable.

create table if not exists core.dim_channel (
    channel_sk smallint primary key,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_channel (channel_sk, name_vi, name_en)
values
(-2, 'Không áp dụng', 'Not applicable'),
(-1, 'Không xác định', 'Unknown'),
(1, 'Trực tiếp', 'At the counter'),
(2, 'Trực tuyến', 'Online'),
(3, 'Bưu chính công ích', 'Public post');

create table if not exists core.dim_dossier_status (
    status_sk smallint primary key,
    name_vi text not null,
    name_en text not null,
    status_group text not null,
    ended_by_national_rule boolean not null
);

insert into core.dim_dossier_status (status_sk, name_vi, name_en, status_group, ended_by_national_rule)
values
(-2, 'Không áp dụng', 'Not applicable', 'UNKNOWN', false),
(-1, 'Không xác định', 'Unknown', 'UNKNOWN', false),
(1, 'Mới đăng ký', 'Newly registered', 'NOT_ACCEPTED', false),
(2, 'Được tiếp nhận', 'Accepted', 'IN_PROGRESS', false),
(3, 'Không được tiếp nhận', 'Not accepted', 'NOT_ACCEPTED', true),
(4, 'Đang xử lý', 'Being processed', 'IN_PROGRESS', false),
(5, 'Yêu cầu bổ sung giấy tờ', 'Supplement requested', 'PAUSED', false),
(6, 'Yêu cầu thực hiện nghĩa vụ tài chính', 'Financial obligation requested', 'PAUSED', false),
(7, 'Công dân yêu cầu rút hồ sơ', 'Withdrawn by the citizen', 'RETURNED', true),
(8, 'Dừng xử lý', 'Processing stopped', 'PAUSED', true),
(9, 'Đã xử lý xong', 'Processed', 'DONE', true),
(10, 'Đã trả kết quả', 'Result returned', 'DONE', true);

create table if not exists core.dim_applicant_kind (
    applicant_kind_sk smallint primary key,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_applicant_kind (applicant_kind_sk, name_vi, name_en)
values
(-2, 'Không áp dụng', 'Not applicable'),
(-1, 'Không xác định', 'Unknown'),
(1, 'Công dân', 'Citizen'),
(2, 'Doanh nghiệp', 'Enterprise'),
(3, 'Cơ quan nhà nước', 'State agency'),
(4, 'Tổ chức, khác', 'Organisation, other');

create table if not exists core.dim_event_kind (
    event_kind_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_event_kind (event_kind_sk, code, name_vi, name_en)
values
(-2, 'not_applicable', 'Không áp dụng', 'Not applicable'),
(-1, 'unknown', 'Không xác định', 'Unknown'),
(1, 'process_step', 'Bước xử lý', 'Processing step'),
(2, 'supplement', 'Yêu cầu bổ sung', 'Supplement request'),
(3, 'payment', 'Yêu cầu thanh toán', 'Payment request'),
(4, 'result', 'Giấy tờ kết quả', 'Result document'),
(5, 'national_sync', 'Đồng bộ lên Cổng Dịch vụ công quốc gia', 'Sent to the national portal');

create table if not exists core.dim_source_system (
    source_system_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(-2, 'not_applicable', 'Không áp dụng', 'Not applicable'),
(-1, 'unknown', 'Không xác định', 'Unknown'),
(1, 'one_stop', 'Hệ thống thông tin giải quyết thủ tục hành chính', 'One-stop administrative-procedure system');

comment on table core.dim_channel is 'Chiều kênh nộp hồ sơ | Channel a dossier was filed through';
comment on column core.dim_channel.channel_sk is 'Mã kênh thực hiện, cũng là khóa; -1 nguồn để trống | Code of the channel and key; -1 the source left it empty';
comment on column core.dim_channel.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_channel.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.dim_dossier_status is 'Chiều trạng thái hồ sơ theo danh mục quốc gia | Dossier status, national code list';
comment on column core.dim_dossier_status.status_sk is 'Mã trạng thái 1..10, cũng là khóa | Status code 1..10 and key';
comment on column core.dim_dossier_status.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_dossier_status.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_dossier_status.status_group is 'Nhóm trong kho: chưa tiếp nhận, đang xử lý, tạm dừng, trả lại, đã xong | NOT_ACCEPTED, IN_PROGRESS, PAUSED, RETURNED, DONE or UNKNOWN';
comment on column core.dim_dossier_status.ended_by_national_rule is 'Được coi là đã kết thúc theo Quyết định 766/QĐ-TTg | Counts as ended under Decision 766/QĐ-TTg';

comment on table core.dim_applicant_kind is 'Chiều loại đối tượng nộp hồ sơ | Kind of applicant';
comment on column core.dim_applicant_kind.applicant_kind_sk is 'Mã loại đối tượng, cũng là khóa | Code of the kind and key';
comment on column core.dim_applicant_kind.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_applicant_kind.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.dim_event_kind is 'Chiều loại sự kiện của hồ sơ | Kind of dossier event';
comment on column core.dim_event_kind.event_kind_sk is 'Khóa | Key';
comment on column core.dim_event_kind.code is 'Mã loại sự kiện | Code of the kind';
comment on column core.dim_event_kind.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_event_kind.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.dim_source_system is 'Chiều hệ thống nguồn | Source systems';
comment on column core.dim_source_system.source_system_sk is 'Khóa | Key';
comment on column core.dim_source_system.code is 'Mã hệ thống | Code of the system';
comment on column core.dim_source_system.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_source_system.name_en is 'Tên tiếng Anh | Name in English';

grant select on core.dim_channel to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_dossier_status to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_applicant_kind to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_event_kind to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_source_system to dx_loader, dx_engineer, dx_analyst;
