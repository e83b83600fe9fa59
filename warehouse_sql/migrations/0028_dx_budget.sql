-- Budget for digital transformation (kinh phí chuyển đổi số) as the department of finance keeps it, in đồng.

-- Where money comes from. The codes are those of the budget's own language and never change, so they are the key.
create table if not exists core.dim_budget_source (
    source_code text primary key,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_budget_source (source_code, name_vi, name_en)
values
('not_applicable', 'Không áp dụng', 'Not applicable'),
('unknown', 'Không xác định', 'Unknown'),
('TW', 'Ngân sách trung ương', 'Central budget'),
('DP', 'Ngân sách địa phương', 'Local budget'),
('XHH', 'Xã hội hóa', 'Private contributions');

-- Grain: one row per unit that has a relation with the budget (TABMIS, mã ĐVQHNS) and the agency it is; empty when it
-- is no agency of the province (police, army). The codes in the file are made up, like the agencies' identifiers; a
-- province puts its own into the file before it makes its warehouse, or adds rows in a migration.
create table if not exists core.budget_unit (
    unit_code text primary key
        constraint budget_unit_code_has_7_digits check (unit_code ~ '^[0-9]{7}$'),
    name text not null,
    chapter_code text not null,
    agency_code text
);

-- dx:copy core.budget_unit(unit_code, name, chapter_code, agency_code) from reference/budget_units.csv

-- Grain: one row per budget unit (hence agency), task, source of funds and year, in đồng. Years are not cumulative.
create table if not exists core.fact_budget (
    year smallint not null,
    unit_code text not null,
    task_code text not null,
    source_code text not null,
    agency_sk integer not null,
    chapter_code text,
    category_code text,
    allocated_vnd numeric not null,
    adjustment_vnd numeric not null,
    disbursed_vnd numeric,
    source_unit text not null,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_budget_pkey primary key (year, unit_code, task_code, source_code),
    constraint fact_budget_amounts_not_negative check (
        allocated_vnd >= 0 and allocated_vnd + adjustment_vnd >= 0 and coalesce(disbursed_vnd, 0) >= 0
    ),
    constraint fact_budget_disbursed_within_budget check (disbursed_vnd <= allocated_vnd + adjustment_vnd)
);

alter table core.fact_budget add constraint fact_budget_source_fkey
foreign key (source_code) references core.dim_budget_source (source_code);

alter table core.fact_budget add constraint fact_budget_agency_fkey
foreign key (agency_sk) references core.dim_agency (agency_sk);

-- Grain: one row per agency and year that has a budget line or leads a task; -1: lines whose unit is not known, -2:
-- lines of units that are no agency of the province.
create table if not exists mart.dx_budget_by_agency_year (
    year smallint not null,
    agency_sk integer not null,
    agency_code text not null,
    agency_name text not null,
    lines bigint not null,
    allocated_vnd numeric not null,
    adjusted_vnd numeric not null,
    disbursed_vnd numeric not null,
    execution_rate numeric(7, 3),
    central_vnd numeric not null,
    local_vnd numeric not null,
    private_vnd numeric not null,
    implausible_lines bigint not null,
    implausible_vnd numeric not null,
    lines_of_unknown_tasks bigint not null,
    tasks_led bigint not null,
    tasks_without_funding bigint not null,
    refreshed_at timestamptz not null,
    constraint dx_budget_by_agency_year_pkey primary key (year, agency_sk)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(28, 'dx_budget', 'Kinh phí chuyển đổi số', 'Budget for digital transformation')
on conflict (source_system_sk) do nothing;

comment on table core.dim_budget_source is 'Danh mục nguồn kinh phí | Sources of funds';
comment on column core.dim_budget_source.source_code is 'Mã nguồn | Code of the source';
comment on column core.dim_budget_source.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_budget_source.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.budget_unit is 'Đơn vị có quan hệ với ngân sách và cơ quan tương ứng | Units of the budget and the agencies they are';
comment on column core.budget_unit.unit_code is 'Mã đơn vị có quan hệ với ngân sách, 7 chữ số | Code of the budget unit, 7 digits';
comment on column core.budget_unit.name is 'Tên đơn vị | Name of the unit';
comment on column core.budget_unit.chapter_code is 'Mã chương, 3 chữ số | Chapter, 3 digits';
comment on column core.budget_unit.agency_code is 'Mã định danh cơ quan; trống khi không thuộc tỉnh | Identifier of the agency; empty when it is none of the province';

comment on table core.fact_budget is 'Kinh phí chuyển đổi số theo đơn vị, nhiệm vụ, nguồn và năm, tính bằng đồng | Budget for digital transformation by unit, task, source and year, in đồng';
comment on column core.fact_budget.year is 'Năm ngân sách | Budget year';
comment on column core.fact_budget.unit_code is 'Mã đơn vị có quan hệ với ngân sách | Code of the budget unit';
comment on column core.fact_budget.task_code is 'Mã nhiệm vụ (core.dim_task, khi có) | Code of the task (core.dim_task, where it is known)';
comment on column core.fact_budget.source_code is 'Nguồn kinh phí | Source of funds';
comment on column core.fact_budget.agency_sk is 'Cơ quan có hiệu lực ngày 31/12 của năm; -1: mã đơn vị không có trong danh mục, -2: không phải cơ quan của tỉnh | Agency in force on 31 December of the year; -1: the unit is not known, -2: no agency of the province';
comment on column core.fact_budget.chapter_code is 'Mã chương | Chapter';
comment on column core.fact_budget.category_code is 'Mã loại, khoản | Category and item';
comment on column core.fact_budget.allocated_vnd is 'Dự toán giao đầu năm, đồng | Allocated at the beginning of the year, đồng';
comment on column core.fact_budget.adjustment_vnd is 'Điều chỉnh trong năm, đồng, có thể âm | Adjustment during the year, đồng, may be negative';
comment on column core.fact_budget.disbursed_vnd is 'Đã giải ngân, đồng; trống khi chưa có số | Disbursed, đồng; empty when there is no figure yet';
comment on column core.fact_budget.source_unit is 'Đơn vị tính của tệp nguồn | Unit in the source file';
comment on column core.fact_budget.closed_on is 'Ngày dòng không còn trong các tệp; trống nếu còn | Day the row left the files; empty while it is there';
comment on column core.fact_budget.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_budget.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_budget.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_budget.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_budget.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.dx_budget_by_agency_year is 'Kinh phí chuyển đổi số theo cơ quan và năm: dự toán, giải ngân, nhiệm vụ chưa có kinh phí | Budget for digital transformation by agency and year: allocated, disbursed, tasks without funding';
comment on column mart.dx_budget_by_agency_year.year is 'Năm ngân sách | Budget year';
comment on column mart.dx_budget_by_agency_year.agency_sk is 'Cơ quan; -1: mã đơn vị không có trong danh mục, -2: không phải cơ quan của tỉnh | Agency; -1: unit not known, -2: no agency of the province';
comment on column mart.dx_budget_by_agency_year.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.dx_budget_by_agency_year.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.dx_budget_by_agency_year.lines is 'Số dòng kinh phí | Budget lines';
comment on column mart.dx_budget_by_agency_year.allocated_vnd is 'Dự toán giao đầu năm, đồng | Allocated at the beginning of the year, đồng';
comment on column mart.dx_budget_by_agency_year.adjusted_vnd is 'Dự toán sau điều chỉnh, đồng | Allocated and adjusted, đồng';
comment on column mart.dx_budget_by_agency_year.disbursed_vnd is 'Đã giải ngân, đồng | Disbursed, đồng';
comment on column mart.dx_budget_by_agency_year.execution_rate is 'Giải ngân trên dự toán sau điều chỉnh, % | Disbursed per allocated and adjusted, percent';
comment on column mart.dx_budget_by_agency_year.central_vnd is 'Ngân sách trung ương, sau điều chỉnh, đồng | Central budget, adjusted, đồng';
comment on column mart.dx_budget_by_agency_year.local_vnd is 'Ngân sách địa phương, sau điều chỉnh, đồng | Local budget, adjusted, đồng';
comment on column mart.dx_budget_by_agency_year.private_vnd is 'Xã hội hóa, sau điều chỉnh, đồng | Private contributions, adjusted, đồng';
comment on column mart.dx_budget_by_agency_year.implausible_lines is 'Số dòng có số tiền bất thường, không tính vào các tổng | Lines of an implausible amount, in none of the totals';
comment on column mart.dx_budget_by_agency_year.implausible_vnd is 'Dự toán sau điều chỉnh của các dòng bất thường, đồng | Adjusted amount of those lines, đồng';
comment on column mart.dx_budget_by_agency_year.lines_of_unknown_tasks is 'Số dòng có mã nhiệm vụ không có trong danh mục nhiệm vụ | Lines whose task is not in the list of tasks';
comment on column mart.dx_budget_by_agency_year.tasks_led is 'Số nhiệm vụ cơ quan chủ trì, giao trước khi hết năm | Tasks the agency leads, assigned before the end of the year';
comment on column mart.dx_budget_by_agency_year.tasks_without_funding is 'Trong đó chưa có kinh phí ở đơn vị nào trong năm | Of them without funds in any unit that year';
comment on column mart.dx_budget_by_agency_year.refreshed_at is 'Thời điểm tính | Computed at';

grant select on core.dim_budget_source to dx_loader, dx_engineer, dx_analyst;
grant select on core.budget_unit to dx_loader, dx_engineer, dx_analyst;
grant select, insert, update on core.fact_budget to dx_loader;
grant select on core.fact_budget to dx_engineer, dx_analyst;
grant select, insert, delete on mart.dx_budget_by_agency_year to dx_loader;
grant select on mart.dx_budget_by_agency_year to dx_engineer, dx_analyst, dx_bi;
