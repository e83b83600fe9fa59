-- Administrative procedures and the level of service each of them had on each day.
-- Two datasets know a part each: the catalogue (attributes of today) and the log of level changes (business time).
-- Both are kept as they came; core.rebuild_procedure_versions derives the versions from the two. So it does not matter
-- which one is loaded first, and doing it again changes nothing.

-- Grain: one row per field of administration.
create table if not exists core.dim_field (
    field_sk integer generated always as identity primary key,
    field_code text not null,
    name text not null default 'Chưa có trong danh mục | Not in the catalogue',
    valid_from date not null,
    valid_to date not null default '9999-12-31',
    is_current boolean not null default true,
    is_inferred boolean not null default false,
    row_hash bigint not null default 0,
    first_batch_id bigint not null default 0,
    last_batch_id bigint not null default 0,
    loaded_at timestamptz not null default now(),
    constraint dim_field_natural_key unique (field_code, valid_from)
);

insert into core.dim_field (
    field_sk,
    field_code,
    name,
    valid_from
)
overriding system value
values
(-1, '-1', 'Không xác định | Unknown', '1900-01-01'),
(-2, '-2', 'Không áp dụng | Not applicable', '1900-01-01');

-- Grain: one row per procedure of the catalogue, as the catalogue stands now.
create table if not exists core.procedure_catalogue (
    procedure_code text primary key,
    name text,
    field_code text,
    performing_level text,
    time_limit_working_days integer,
    has_fee boolean,
    service_level smallint,
    decision text,
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- Grain: one row per recorded change of level.
create table if not exists core.procedure_level_change (
    change_id bigint primary key,
    procedure_code text not null,
    changed_at timestamptz not null,
    level_before smallint,
    level_after smallint,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- Grain: one row per procedure and version; a version is a stretch of time with one level of service.
-- The other attributes are those of the catalogue of today in every version (type 1).
create table if not exists core.dim_procedure (
    procedure_sk integer generated always as identity primary key,
    procedure_code text not null,
    name text not null default 'Chưa có trong danh mục | Not in the catalogue',
    field_code text,
    performing_level text,
    time_limit_working_days integer,
    has_fee boolean,
    decision text,
    service_level smallint,
    valid_from date not null,
    valid_to date not null default '9999-12-31',
    is_current boolean not null default true,
    is_inferred boolean not null default false,
    row_hash bigint not null default 0,
    first_batch_id bigint not null default 0,
    last_batch_id bigint not null default 0,
    loaded_at timestamptz not null default now(),
    constraint dim_procedure_natural_key unique (procedure_code, valid_from)
);

insert into core.dim_procedure (
    procedure_sk,
    procedure_code,
    name,
    valid_from
)
overriding system value
values
(-1, '-1', 'Không xác định | Unknown', '1900-01-01'),
(-2, '-2', 'Không áp dụng | Not applicable', '1900-01-01');

comment on table core.dim_field is 'Chiều lĩnh vực thủ tục hành chính | Fields of administration';
comment on column core.dim_field.field_sk is 'Khóa thay thế; -1 không xác định, -2 không áp dụng | Surrogate key; -1 unknown, -2 not applicable';
comment on column core.dim_field.field_code is 'Mã lĩnh vực | Code of the field';
comment on column core.dim_field.name is 'Tên lĩnh vực | Name of the field';
comment on column core.dim_field.valid_from is 'Có hiệu lực từ ngày | Valid from';
comment on column core.dim_field.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | Valid until, exclusive';
comment on column core.dim_field.is_current is 'Còn trong danh mục nguồn | Still in the source catalogue';
comment on column core.dim_field.is_inferred is 'Suy ra từ hồ sơ, chưa có trong danh mục | Inferred from a dossier, not yet in the catalogue';
comment on column core.dim_field.row_hash is 'Băm các thuộc tính | Hash of the attributes';
comment on column core.dim_field.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_field.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_field.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.procedure_catalogue is 'Danh mục thủ tục hành chính hiện tại | Catalogue of procedures as it stands';
comment on column core.procedure_catalogue.procedure_code is 'Mã thủ tục quốc gia | National procedure code';
comment on column core.procedure_catalogue.name is 'Tên thủ tục | Name of the procedure';
comment on column core.procedure_catalogue.field_code is 'Mã lĩnh vực | Code of the field';
comment on column core.procedure_catalogue.performing_level is 'Cấp thực hiện: tinh, huyen, xa | Performing level: province, district, commune';
comment on column core.procedure_catalogue.time_limit_working_days is 'Thời hạn giải quyết (ngày làm việc) | Time limit in working days';
comment on column core.procedure_catalogue.has_fee is 'Có phí, lệ phí | Has a fee';
comment on column core.procedure_catalogue.service_level is 'Mức độ trong danh mục: 4 toàn trình, 3 một phần, 2 cung cấp thông tin | Level in the catalogue: 4 full, 3 partial, 2 information';
comment on column core.procedure_catalogue.decision is 'Quyết định công bố | Decision that announced it';
comment on column core.procedure_catalogue.closed_on is 'Ngày bị xóa khỏi danh mục nguồn | Day it vanished from the source catalogue';
comment on column core.procedure_catalogue.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.procedure_catalogue.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.procedure_catalogue.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.procedure_catalogue.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.procedure_level_change is 'Nhật ký thay đổi mức độ dịch vụ công | Log of changes of the level of service';
comment on column core.procedure_level_change.change_id is 'Mã thay đổi ở nguồn | Id of the change at the source';
comment on column core.procedure_level_change.procedure_code is 'Mã thủ tục quốc gia | National procedure code';
comment on column core.procedure_level_change.changed_at is 'Thời điểm thay đổi | Changed at';
comment on column core.procedure_level_change.level_before is 'Mức độ trước | Level before';
comment on column core.procedure_level_change.level_after is 'Mức độ sau | Level after';
comment on column core.procedure_level_change.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.procedure_level_change.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.procedure_level_change.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.procedure_level_change.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.dim_procedure is 'Chiều thủ tục hành chính, lưu lịch sử mức độ | Procedures with the history of their level';
comment on column core.dim_procedure.procedure_sk is 'Khóa thay thế; -1 không xác định, -2 không áp dụng | Surrogate key; -1 unknown, -2 not applicable';
comment on column core.dim_procedure.procedure_code is 'Mã thủ tục quốc gia | National procedure code';
comment on column core.dim_procedure.name is 'Tên thủ tục | Name of the procedure';
comment on column core.dim_procedure.field_code is 'Mã lĩnh vực | Code of the field';
comment on column core.dim_procedure.performing_level is 'Cấp thực hiện: tinh, huyen, xa | Performing level: province, district, commune';
comment on column core.dim_procedure.time_limit_working_days is 'Thời hạn giải quyết (ngày làm việc) | Time limit in working days';
comment on column core.dim_procedure.has_fee is 'Có phí, lệ phí | Has a fee';
comment on column core.dim_procedure.decision is 'Quyết định công bố | Decision that announced it';
comment on column core.dim_procedure.service_level is 'Mức độ trong thời gian của phiên bản: 4 toàn trình, 3 một phần, 2 cung cấp thông tin | Level during the version: 4 full, 3 partial, 2 information';
comment on column core.dim_procedure.valid_from is 'Phiên bản có hiệu lực từ ngày | Version valid from';
comment on column core.dim_procedure.valid_to is 'Phiên bản hết hiệu lực từ ngày (không bao gồm); bằng valid_from nếu nguồn đã rút lại thay đổi | Version valid until, exclusive; equal to valid_from when the source took the change back';
comment on column core.dim_procedure.is_current is 'Phiên bản hiện hành | Current version';
comment on column core.dim_procedure.is_inferred is 'Suy ra, chưa có trong danh mục | Inferred, not yet in the catalogue';
comment on column core.dim_procedure.row_hash is 'Băm các thuộc tính | Hash of the attributes';
comment on column core.dim_procedure.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_procedure.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_procedure.loaded_at is 'Thời điểm nạp | Loaded at';

grant select, insert, update on core.dim_field to dx_loader;
grant select on core.dim_field to dx_engineer, dx_analyst;
grant select, insert, update on core.procedure_catalogue to dx_loader;
grant select on core.procedure_catalogue to dx_engineer, dx_analyst;
grant select, insert, update on core.procedure_level_change to dx_loader;
grant select on core.procedure_level_change to dx_engineer, dx_analyst;
grant select, insert, update on core.dim_procedure to dx_loader;
grant select on core.dim_procedure to dx_engineer, dx_analyst;
