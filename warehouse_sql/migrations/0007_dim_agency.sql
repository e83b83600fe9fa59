-- Agencies that handle dossiers. The natural key is the identifier of Decision 20/2020/QĐ-TTg (H50.xx.yy), which a
-- re-organisation may give to another agency: a fact looks it up by date. The identifier of QCVN 102:2016
-- (000.xx.yy.H50), still found in older dossier codes, leads to the same agency through core.agency_identifier.

-- Grain: one row per agency and version.
create table if not exists core.dim_agency (
    agency_sk integer generated always as identity primary key,
    agency_code text not null,
    legacy_code text,
    source_code text,
    name text not null default 'Chưa có trong danh mục | Not in the catalogue',
    kind text,
    level text,
    parent_agency_code text,
    province_code text,
    district_code text,
    commune_code text,
    established_on date,
    valid_from date not null,
    valid_to date not null default '9999-12-31',
    is_current boolean not null default true,
    is_inferred boolean not null default false,
    row_hash bigint not null default 0,
    first_batch_id bigint not null default 0,
    last_batch_id bigint not null default 0,
    loaded_at timestamptz not null default now(),
    constraint dim_agency_natural_key unique (agency_code, valid_from)
);

insert into core.dim_agency (
    agency_sk,
    agency_code,
    name,
    valid_from
)
overriding system value
values
(-1, '-1', 'Không xác định | Unknown', '1900-01-01'),
(-2, '-2', 'Không áp dụng | Not applicable', '1900-01-01');

-- Grain: one row per identifier of either generation.
create table if not exists core.agency_identifier (
    identifier text primary key,
    agency_code text not null,
    generation smallint not null
        constraint agency_identifier_generation_known check (generation in (1, 2)),
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

comment on table core.dim_agency is 'Chiều cơ quan giải quyết hồ sơ, lưu lịch sử | Agencies that handle dossiers, with history';
comment on column core.dim_agency.agency_sk is 'Khóa thay thế; -1 không xác định, -2 không áp dụng | Surrogate key; -1 unknown, -2 not applicable';
comment on column core.dim_agency.agency_code is 'Mã định danh theo Quyết định 20/2020/QĐ-TTg | Identifier under Decision 20/2020/QĐ-TTg';
comment on column core.dim_agency.legacy_code is 'Mã định danh cũ theo QCVN 102:2016 | Old identifier under QCVN 102:2016';
comment on column core.dim_agency.source_code is 'Mã đơn vị trong hệ thống một cửa | Code of the unit in the one-stop system';
comment on column core.dim_agency.name is 'Tên cơ quan | Name of the agency';
comment on column core.dim_agency.kind is 'Loại: so-ban-nganh, quan-huyen, xa-phuong, cnvpdk | Kind of agency';
comment on column core.dim_agency.level is 'Cấp: province, district, commune | Level of government';
comment on column core.dim_agency.parent_agency_code is 'Mã cơ quan cấp trên | Identifier of the agency above';
comment on column core.dim_agency.province_code is 'Mã tỉnh | Code of the province';
comment on column core.dim_agency.district_code is 'Mã huyện | Code of the district';
comment on column core.dim_agency.commune_code is 'Mã xã | Code of the commune';
comment on column core.dim_agency.established_on is 'Ngày hiệu lực do nguồn công bố | Effective day as the source states it';
comment on column core.dim_agency.valid_from is 'Phiên bản có hiệu lực từ ngày | Version valid from';
comment on column core.dim_agency.valid_to is 'Phiên bản hết hiệu lực từ ngày (không bao gồm) | Version valid until, exclusive';
comment on column core.dim_agency.is_current is 'Phiên bản hiện hành | Current version';
comment on column core.dim_agency.is_inferred is 'Suy ra từ hồ sơ, chưa có trong danh mục | Inferred from a dossier, not yet in the catalogue';
comment on column core.dim_agency.row_hash is 'Băm các thuộc tính | Hash of the attributes';
comment on column core.dim_agency.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_agency.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_agency.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.agency_identifier is 'Mọi mã định danh, cũ và mới, dẫn đến cùng một cơ quan | Every identifier, old or new, and the agency it stands for';
comment on column core.agency_identifier.identifier is 'Mã định danh | Identifier';
comment on column core.agency_identifier.agency_code is 'Mã định danh hiện hành của cơ quan | Present identifier of the agency';
comment on column core.agency_identifier.generation is 'Thế hệ mã: 1 cũ, 2 mới | Generation: 1 old, 2 new';
comment on column core.agency_identifier.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.agency_identifier.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.agency_identifier.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.agency_identifier.loaded_at is 'Thời điểm nạp | Loaded at';

grant select, insert, update on core.dim_agency to dx_loader;
grant select on core.dim_agency to dx_engineer, dx_analyst;
grant select, insert, update on core.agency_identifier to dx_loader;
grant select on core.agency_identifier to dx_engineer, dx_analyst;
