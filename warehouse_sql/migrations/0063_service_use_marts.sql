-- Marts of the one-stop system, second part: what is digitised, and which procedures are used.

-- Grain: one row per agency and month in which it finished a dossier (status 9 or 10).
create table if not exists mart.digitisation_by_agency_month (
    agency_code text not null,
    agency_sk integer not null,
    agency_name text not null,
    agency_level text,
    agency_kind text,
    month date not null,
    finished bigint not null,
    with_component bigint not null,
    with_electronic_result bigint not null,
    digitised bigint not null,
    electronic_result_rate numeric,
    digitised_rate numeric,
    vneid_verified bigint not null,
    refreshed_at timestamptz not null,
    constraint digitisation_by_agency_month_pkey primary key (agency_code, month)
);

comment on table mart.digitisation_by_agency_month is 'Số hóa hồ sơ theo cơ quan và tháng giải quyết xong | Digitisation by agency and month of finishing';
comment on column mart.digitisation_by_agency_month.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.digitisation_by_agency_month.agency_sk is 'Khóa phiên bản mới nhất của cơ quan | Key of the latest version of the agency';
comment on column mart.digitisation_by_agency_month.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.digitisation_by_agency_month.agency_level is 'Cấp | Level of government';
comment on column mart.digitisation_by_agency_month.agency_kind is 'Loại cơ quan | Kind of agency';
comment on column mart.digitisation_by_agency_month.month is 'Tháng (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.digitisation_by_agency_month.finished is 'Hồ sơ giải quyết xong | Dossiers finished';
comment on column mart.digitisation_by_agency_month.with_component is 'Có thành phần hồ sơ số hóa | With a digitised component';
comment on column mart.digitisation_by_agency_month.with_electronic_result is 'Có kết quả điện tử kèm tệp | With an electronic result and its file';
comment on column mart.digitisation_by_agency_month.digitised is 'Có cả hai | With both';
comment on column mart.digitisation_by_agency_month.electronic_result_rate is 'Tỷ lệ có kết quả điện tử, % | Share with an electronic result, %';
comment on column mart.digitisation_by_agency_month.digitised_rate is 'Tỷ lệ số hóa (cả thành phần và kết quả), % | Share digitised (component and result), %';
comment on column mart.digitisation_by_agency_month.vneid_verified is 'Tài khoản xác thực qua VNeID | Account verified through VNeID';
comment on column mart.digitisation_by_agency_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.digitisation_by_agency_month to dx_loader;
grant select on mart.digitisation_by_agency_month to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per procedure in force and year with accepted dossiers of any procedure; zeros are shown.
create table if not exists mart.procedure_use_by_year (
    procedure_code text not null,
    year smallint not null,
    procedure_name text not null,
    field_code text,
    field_name text,
    performing_level text,
    service_level smallint,
    has_fee boolean,
    received bigint not null,
    online bigint not null,
    agencies bigint not null,
    main_agency_code text,
    main_agency_name text,
    refreshed_at timestamptz not null,
    constraint procedure_use_by_year_pkey primary key (procedure_code, year)
);

comment on table mart.procedure_use_by_year is 'Mức sử dụng từng thủ tục theo năm tiếp nhận, kể cả thủ tục không phát sinh hồ sơ | Use of each procedure by year of acceptance, procedures without dossiers included';
comment on column mart.procedure_use_by_year.procedure_code is 'Mã thủ tục | Code of the procedure';
comment on column mart.procedure_use_by_year.year is 'Năm | Year';
comment on column mart.procedure_use_by_year.procedure_name is 'Tên thủ tục | Name of the procedure';
comment on column mart.procedure_use_by_year.field_code is 'Mã lĩnh vực | Code of the field';
comment on column mart.procedure_use_by_year.field_name is 'Tên lĩnh vực | Name of the field';
comment on column mart.procedure_use_by_year.performing_level is 'Cấp thực hiện: tinh, huyen, xa | Level that performs it: province, district, commune';
comment on column mart.procedure_use_by_year.service_level is 'Mức độ dịch vụ hiện tại: 4 toàn trình, 3 một phần, 2 thông tin | Level of service now: 4 full, 3 partial, 2 information';
comment on column mart.procedure_use_by_year.has_fee is 'Có thu phí, lệ phí | Has a fee';
comment on column mart.procedure_use_by_year.received is 'Hồ sơ tiếp nhận trong năm | Dossiers accepted in the year';
comment on column mart.procedure_use_by_year.online is 'Nộp trực tuyến | Filed online';
comment on column mart.procedure_use_by_year.agencies is 'Số cơ quan đã tiếp nhận | Agencies that accepted any';
comment on column mart.procedure_use_by_year.main_agency_code is 'Cơ quan tiếp nhận nhiều nhất trong năm | Agency that accepted most in the year';
comment on column mart.procedure_use_by_year.main_agency_name is 'Tên cơ quan đó | Its name';
comment on column mart.procedure_use_by_year.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.procedure_use_by_year to dx_loader;
grant select on mart.procedure_use_by_year to dx_engineer, dx_analyst, dx_bi;
