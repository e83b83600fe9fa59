-- Socio-economic indicators as offices report them to the province's reporting system. The warehouse keeps what is
-- reported; it computes none of them here. No value is part of the product: all come from the system.

-- Grain: one row per indicator that the reporting system names. The English name is empty until somebody writes it.
create table if not exists core.dim_indicator (
    indicator_code text primary key,
    name_vi text,
    name_en text,
    unit text,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

create table if not exists core.dim_indicator_data_type (
    data_type_id smallint primary key,
    name_vi text not null,
    name_en text not null,
    note text
);

create table if not exists core.dim_report_period (
    period_id smallint primary key,
    period_kind text not null,
    first_month smallint,
    months smallint,
    name_vi text not null,
    name_en text not null
);

create table if not exists core.measure_unit (
    unit text primary key,
    base text not null,
    factor numeric(20, 6) not null
);

-- Grain: one row per figure that is listed.
create table if not exists core.fact_indicator_listed (
    office_code text not null,
    indicator_code text not null,
    data_type_id smallint not null,
    year smallint not null,
    period_id smallint not null,
    office_agency_sk integer not null,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_indicator_listed_pkey primary key (office_code, indicator_code, data_type_id, year, period_id)
);

-- Grain: one row per value.
create table if not exists core.fact_indicator_reported (
    office_code text not null,
    indicator_code text not null,
    data_type_id smallint not null,
    year smallint not null,
    period_id smallint not null,
    office_agency_sk integer not null,
    value numeric(24, 6) not null,
    unit text not null,
    standard_value numeric(24, 6),
    standard_unit text not null,
    period_start date,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_indicator_reported_pkey primary key (office_code, indicator_code, data_type_id, year, period_id)
);

insert into core.dim_indicator_data_type (data_type_id, name_vi, name_en, note)
values
(-2, 'Không áp dụng', 'Not applicable', null),
(-1, 'Không xác định', 'Unknown', null),
(1, 'Kế hoạch', 'Plan', null),
(2, 'Ước tính', 'Estimate', null),
(
    3,
    'Thực hiện',
    'Carried out',
    'Danh mục ghi "thực hiện", ví dụ ghi "chính thức"; hỏi đơn vị chủ quản'
    ' | The list says "carried out", the example "official"; ask the owner'
),
(4, 'Chính thức', 'Official', null);

insert into core.dim_report_period (period_id, period_kind, first_month, months, name_vi, name_en)
select
    m.number::smallint as period_id,
    'month' as period_kind,
    m.number::smallint as first_month,
    1::smallint as months,
    'Tháng ' || m.number as name_vi,
    'Month ' || m.number as name_en
from generate_series(1, 12) as m (number);

insert into core.dim_report_period (period_id, period_kind, first_month, months, name_vi, name_en)
values
(-2, 'not_applicable', null, null, 'Không áp dụng', 'Not applicable'),
(-1, 'unknown', null, null, 'Không xác định', 'Unknown'),
(13, 'quarter', 1, 3, 'Quý I', 'Quarter 1'),
(14, 'quarter', 4, 3, 'Quý II', 'Quarter 2'),
(15, 'quarter', 7, 3, 'Quý III', 'Quarter 3'),
(16, 'quarter', 10, 3, 'Quý IV', 'Quarter 4'),
(17, 'half', 1, 6, 'Sáu tháng đầu năm', 'First half'),
(18, 'half', 7, 6, 'Sáu tháng cuối năm', 'Second half'),
(20, 'year', 1, 12, 'Năm', 'Year'),
(21, 'five_years', null, 60, 'Giai đoạn năm năm', 'Five years');

insert into core.measure_unit (unit, base, factor)
values
('đồng', 'đồng', 1),
('nghìn đồng', 'đồng', 1000),
('triệu đồng', 'đồng', 1000000),
('tỷ đồng', 'đồng', 1000000000),
('USD', 'USD', 1),
('nghìn USD', 'USD', 1000),
('triệu USD', 'USD', 1000000);

alter table core.fact_indicator_listed add constraint fact_indicator_listed_indicator_fkey
foreign key (indicator_code) references core.dim_indicator (indicator_code);
alter table core.fact_indicator_listed add constraint fact_indicator_listed_data_type_fkey
foreign key (data_type_id) references core.dim_indicator_data_type (data_type_id);
alter table core.fact_indicator_listed add constraint fact_indicator_listed_period_fkey
foreign key (period_id) references core.dim_report_period (period_id);
alter table core.fact_indicator_listed add constraint fact_indicator_listed_agency_fkey
foreign key (office_agency_sk) references core.dim_agency (agency_sk);

alter table core.fact_indicator_reported add constraint fact_indicator_reported_indicator_fkey
foreign key (indicator_code) references core.dim_indicator (indicator_code);
alter table core.fact_indicator_reported add constraint fact_indicator_reported_data_type_fkey
foreign key (data_type_id) references core.dim_indicator_data_type (data_type_id);
alter table core.fact_indicator_reported add constraint fact_indicator_reported_period_fkey
foreign key (period_id) references core.dim_report_period (period_id);
alter table core.fact_indicator_reported add constraint fact_indicator_reported_agency_fkey
foreign key (office_agency_sk) references core.dim_agency (agency_sk);

-- Grain: one row per office, indicator, year and period; values that cannot be turned into the usual unit stay out.
create table if not exists mart.socio_economic_indicator (
    office_code text not null,
    office_name text not null,
    indicator_code text not null,
    indicator_name text,
    unit text not null,
    year smallint not null,
    period_id smallint not null,
    period_kind text not null,
    period_name text not null,
    planned numeric(24, 6),
    estimated numeric(24, 6),
    carried_out numeric(24, 6),
    final_value numeric(24, 6),
    plan_rate numeric(10, 2),
    carried_out_year_before numeric(24, 6),
    change_rate numeric(10, 2),
    unit_switched boolean not null,
    refreshed_at timestamptz not null,
    constraint socio_economic_indicator_pkey primary key (office_code, indicator_code, year, period_id)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(35, 'socio_economic', 'Hệ thống thông tin báo cáo kinh tế - xã hội', 'Reporting system of socio-economic indicators')
on conflict (source_system_sk) do nothing;

comment on table core.dim_indicator is 'Chỉ tiêu kinh tế - xã hội | Socio-economic indicators';
comment on column core.dim_indicator.indicator_code is 'Mã chỉ tiêu | Code of the indicator';
comment on column core.dim_indicator.name_vi is 'Tên chỉ tiêu; trống nếu hệ thống không cho biết | Name in Vietnamese; empty if the system tells none';
comment on column core.dim_indicator.name_en is 'Tên tiếng Anh, nếu có | Name in English, if there is one';
comment on column core.dim_indicator.unit is 'Đơn vị tính thường dùng khi báo cáo | Unit it is mostly reported in';
comment on column core.dim_indicator.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_indicator.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_indicator.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.dim_indicator_data_type is 'Loại số liệu của hệ thống báo cáo | Kind of data of the reporting system';
comment on column core.dim_indicator_data_type.data_type_id is 'Mã loại số liệu của hệ thống | The system''s code of the kind';
comment on column core.dim_indicator_data_type.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_indicator_data_type.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_indicator_data_type.note is 'Điều chưa rõ | What is not certain';

comment on table core.dim_report_period is 'Kỳ báo cáo của hệ thống (không có kỳ 19: chín tháng) | Period of the reporting system (there is no 19: nine months)';
comment on column core.dim_report_period.period_id is 'Mã kỳ của hệ thống | The system''s code of the period';
comment on column core.dim_report_period.period_kind is 'Loại kỳ: month, quarter, half, year, five_years | Kind of period';
comment on column core.dim_report_period.first_month is 'Tháng đầu của kỳ trong năm | First month of the period in its year';
comment on column core.dim_report_period.months is 'Số tháng | Months it lasts';
comment on column core.dim_report_period.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_report_period.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.measure_unit is 'Đơn vị tính quy đổi được cho nhau | Units that can be turned into one another';
comment on column core.measure_unit.unit is 'Đơn vị tính | Unit';
comment on column core.measure_unit.base is 'Đơn vị gốc | Base unit';
comment on column core.measure_unit.factor is 'Số đơn vị gốc trong một đơn vị | How many base units it is';

comment on table core.fact_indicator_listed is 'Số liệu mà hệ thống báo cáo cho biết là có | Figures that the reporting system says it has';
comment on column core.fact_indicator_listed.office_code is 'Mã đơn vị báo cáo | Code of the reporting office';
comment on column core.fact_indicator_listed.indicator_code is 'Chỉ tiêu | Indicator';
comment on column core.fact_indicator_listed.data_type_id is 'Loại số liệu; 3 có thể là thực hiện hoặc chính thức (xem core.dim_indicator_data_type) | Kind of data; 3 may be carried out or official (see core.dim_indicator_data_type)';
comment on column core.fact_indicator_listed.year is 'Năm | Year';
comment on column core.fact_indicator_listed.period_id is 'Kỳ báo cáo | Period';
comment on column core.fact_indicator_listed.office_agency_sk is 'Đơn vị báo cáo; -1: không rõ | Reporting office; -1 unknown';
comment on column core.fact_indicator_listed.closed_on is 'Ngày dòng không còn ở nguồn; trống nếu còn | Day the row left the source; empty while it is there';
comment on column core.fact_indicator_listed.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_indicator_listed.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_indicator_listed.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_indicator_listed.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_indicator_listed.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_indicator_reported is 'Giá trị chỉ tiêu theo đơn vị, loại số liệu và kỳ | Values of indicators by office, kind of data and period';
comment on column core.fact_indicator_reported.office_code is 'Mã đơn vị báo cáo | Code of the reporting office';
comment on column core.fact_indicator_reported.indicator_code is 'Chỉ tiêu | Indicator';
comment on column core.fact_indicator_reported.data_type_id is 'Loại số liệu; 3 có thể là thực hiện hoặc chính thức (xem core.dim_indicator_data_type) | Kind of data; 3 may be carried out or official (see core.dim_indicator_data_type)';
comment on column core.fact_indicator_reported.year is 'Năm | Year';
comment on column core.fact_indicator_reported.period_id is 'Kỳ báo cáo | Period';
comment on column core.fact_indicator_reported.office_agency_sk is 'Đơn vị báo cáo; -1: không rõ | Reporting office; -1 unknown';
comment on column core.fact_indicator_reported.value is 'Giá trị như báo cáo, theo đơn vị tính unit | Value as reported, in unit';
comment on column core.fact_indicator_reported.unit is 'Đơn vị tính như báo cáo | Unit as reported';
comment on column core.fact_indicator_reported.standard_value is 'Giá trị theo đơn vị thường dùng của chỉ tiêu; trống nếu không quy đổi được | Value in the indicator''s usual unit; empty if it cannot be turned into it';
comment on column core.fact_indicator_reported.standard_unit is 'Đơn vị thường dùng của chỉ tiêu | The indicator''s usual unit';
comment on column core.fact_indicator_reported.period_start is 'Ngày đầu kỳ; trống với kỳ năm năm (hệ thống không nói năm đầu hay năm cuối) | First day of the period; empty for five years (the system does not say whether the year is the first or the last)';
comment on column core.fact_indicator_reported.closed_on is 'Ngày dòng không còn ở nguồn; trống nếu còn | Day the row left the source; empty while it is there';
comment on column core.fact_indicator_reported.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_indicator_reported.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_indicator_reported.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_indicator_reported.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_indicator_reported.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.socio_economic_indicator is 'Chỉ tiêu kinh tế - xã hội: kế hoạch, ước tính, thực hiện, chính thức cạnh nhau | Socio-economic indicators: plan, estimate, result and official value side by side';
comment on column mart.socio_economic_indicator.office_code is 'Mã đơn vị báo cáo | Code of the reporting office';
comment on column mart.socio_economic_indicator.office_name is 'Tên đơn vị báo cáo | Name of the reporting office';
comment on column mart.socio_economic_indicator.indicator_code is 'Mã chỉ tiêu | Code of the indicator';
comment on column mart.socio_economic_indicator.indicator_name is 'Tên chỉ tiêu | Name of the indicator';
comment on column mart.socio_economic_indicator.unit is 'Đơn vị tính thường dùng | Usual unit';
comment on column mart.socio_economic_indicator.year is 'Năm | Year';
comment on column mart.socio_economic_indicator.period_id is 'Mã kỳ của hệ thống | The system''s code of the period';
comment on column mart.socio_economic_indicator.period_kind is 'Loại kỳ: month, quarter, half, year, five_years | Kind of period';
comment on column mart.socio_economic_indicator.period_name is 'Tên kỳ | Name of the period';
comment on column mart.socio_economic_indicator.planned is 'Kế hoạch (loại 1) | Plan (kind 1)';
comment on column mart.socio_economic_indicator.estimated is 'Ước tính (loại 2) | Estimate (kind 2)';
comment on column mart.socio_economic_indicator.carried_out is 'Loại 3: thực hiện; ví dụ của hệ thống gọi là chính thức | Kind 3: carried out; the system''s own example calls it official';
comment on column mart.socio_economic_indicator.final_value is 'Chính thức (loại 4) | Official (kind 4)';
comment on column mart.socio_economic_indicator.plan_rate is 'Thực hiện (loại 3) so với kế hoạch, %; trống với chỉ tiêu tính bằng % | Kind 3 per plan, percent; empty for indicators in percent';
comment on column mart.socio_economic_indicator.carried_out_year_before is 'Loại 3 cùng kỳ năm trước | Kind 3 of the same period a year before';
comment on column mart.socio_economic_indicator.change_rate is 'Tăng, giảm so với cùng kỳ, %; trống với chỉ tiêu tính bằng % | Change against the year before, percent; empty for indicators in percent';
comment on column mart.socio_economic_indicator.unit_switched is 'Có giá trị báo cáo bằng đơn vị tính khác (đã quy đổi) | A value was reported in another unit (it has been turned)';
comment on column mart.socio_economic_indicator.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, update on core.dim_indicator to dx_loader;
grant select on core.dim_indicator to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_indicator_listed to dx_loader;
grant select on core.fact_indicator_listed to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_indicator_reported to dx_loader;
grant select on core.fact_indicator_reported to dx_engineer, dx_analyst;
grant select on core.dim_indicator_data_type to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_report_period to dx_loader, dx_engineer, dx_analyst;
grant select on core.measure_unit to dx_loader, dx_engineer, dx_analyst;
grant select, insert, delete on mart.socio_economic_indicator to dx_loader;
grant select on mart.socio_economic_indicator to dx_engineer, dx_analyst, dx_bi;
