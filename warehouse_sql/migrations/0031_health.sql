-- Health facilities (Sở Y tế) by month. Counts only: no patient is known here. All are counts at the month's end
-- (health records are cumulative): they add up over communes, never over months.

-- Grain: one row per facility, its latest state. Codes are never given again, so the code is the key.
create table if not exists core.dim_health_facility (
    facility_code text primary key,
    name text not null,
    level text not null
        constraint dim_health_facility_level_known check (level in ('province', 'district', 'commune')),
    commune_code text not null,
    commune_sk integer not null,
    sends_insurance_claims boolean,
    has_emergency_care boolean,
    licensed_on date,
    latest_month date not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

alter table core.dim_health_facility add constraint dim_health_facility_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per facility and month.
create table if not exists core.fact_health_month (
    month date not null
        constraint fact_health_month_is_month check (month = date_trunc('month', month::timestamp)::date),
    facility_code text not null,
    commune_code text not null,
    commune_sk integer not null,
    level text not null
        constraint fact_health_month_level_known check (level in ('province', 'district', 'commune')),
    beds bigint not null,
    health_records bigint not null,
    insurance_cards bigint not null,
    closed_on date,
    source_row_id bigint not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_health_month_pkey primary key (month, facility_code)
);

alter table core.fact_health_month add constraint fact_health_month_facility_fkey
foreign key (facility_code) references core.dim_health_facility (facility_code);
alter table core.fact_health_month add constraint fact_health_month_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per commune and month; -1 stands for all rows of the month whose commune was not found.
create table if not exists mart.health_by_commune_month (
    month date not null,
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    facilities bigint not null,
    stations bigint not null,
    beds numeric not null,
    health_records numeric not null,
    facilities_with_fewer_records bigint not null,
    insurance_cards numeric not null,
    station_cards numeric not null,
    population bigint,
    records_per_resident numeric(9, 4),
    cards_over_population boolean,
    refreshed_at timestamptz not null,
    constraint health_by_commune_month_pkey primary key (month, commune_sk)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(31, 'health', 'Cơ sở khám chữa bệnh, hồ sơ sức khỏe', 'Health facilities, electronic health records')
on conflict (source_system_sk) do nothing;

comment on table core.dim_health_facility is 'Cơ sở khám chữa bệnh, trạng thái mới nhất | Health facilities, their latest state';
comment on column core.dim_health_facility.facility_code is 'Mã cơ sở khám chữa bệnh | Code of the facility';
comment on column core.dim_health_facility.name is 'Tên cơ sở | Name of the facility';
comment on column core.dim_health_facility.level is 'Tuyến: province tỉnh, district huyện, commune xã | Level: province, district, commune (station)';
comment on column core.dim_health_facility.commune_code is 'Mã xã nguồn ghi | Commune code as the source writes it';
comment on column core.dim_health_facility.commune_sk is 'Xã nơi đặt, theo tháng báo cáo gần nhất; -1: không xác định được | Commune where it stands, by the latest report; -1: not found';
comment on column core.dim_health_facility.sends_insurance_claims is 'Đã liên thông giám định BHYT; trống là chưa rõ | Linked with the insurance portal; empty when not known';
comment on column core.dim_health_facility.has_emergency_care is 'Có cấp cứu; trống là chưa rõ | Has emergency care; empty when not known';
comment on column core.dim_health_facility.licensed_on is 'Ngày cấp phép; trống nếu nguồn chưa nhập | Day of the licence; empty when the source has none';
comment on column core.dim_health_facility.latest_month is 'Tháng báo cáo gần nhất | Month of the latest report';
comment on column core.dim_health_facility.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.dim_health_facility.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_health_facility.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_health_facility.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_health_month is 'Cơ sở khám chữa bệnh theo tháng; không cộng qua các tháng | Health facilities by month; never summed over months';
comment on column core.fact_health_month.month is 'Tháng báo cáo (ngày đầu tháng) | Month (its first day)';
comment on column core.fact_health_month.facility_code is 'Mã cơ sở khám chữa bệnh | Code of the facility';
comment on column core.fact_health_month.commune_code is 'Mã xã nguồn ghi | Commune code as the source writes it';
comment on column core.fact_health_month.commune_sk is 'Xã có hiệu lực cuối tháng; -1: không xác định được | Commune in force at the month''s end; -1: not found';
comment on column core.fact_health_month.level is 'Tuyến trong tháng: province tỉnh, district huyện, commune xã | Level in that month: province, district, commune (station)';
comment on column core.fact_health_month.beds is 'Giường bệnh | Beds';
comment on column core.fact_health_month.health_records is 'Hồ sơ sức khỏe điện tử, lũy kế | Electronic health records, cumulative';
comment on column core.fact_health_month.insurance_cards is 'Thẻ BHYT đăng ký khám ban đầu | Health insurance cards registered at the facility';
comment on column core.fact_health_month.closed_on is 'Ngày dòng không còn ở nguồn; trống nếu còn | Day the row left the source; empty while it is there';
comment on column core.fact_health_month.source_row_id is 'Số thứ tự dòng ở nguồn | Number of the row at the source';
comment on column core.fact_health_month.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_health_month.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_health_month.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_health_month.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_health_month.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.health_by_commune_month is 'Cơ sở, giường bệnh, hồ sơ sức khỏe và thẻ BHYT theo xã và tháng | Facilities, beds, health records and insurance cards by commune and month';
comment on column mart.health_by_commune_month.month is 'Tháng báo cáo (ngày đầu tháng) | Month (its first day)';
comment on column mart.health_by_commune_month.commune_sk is 'Xã; -1: các dòng không xác định được xã | Commune; -1: rows whose commune was not found';
comment on column mart.health_by_commune_month.commune_code is 'Mã xã | Commune code';
comment on column mart.health_by_commune_month.commune_name is 'Tên xã | Name of the commune';
comment on column mart.health_by_commune_month.facilities is 'Cơ sở khám chữa bệnh có báo cáo | Facilities that reported';
comment on column mart.health_by_commune_month.stations is 'Trong đó trạm y tế xã | Of these, commune stations';
comment on column mart.health_by_commune_month.beds is 'Giường bệnh | Beds';
comment on column mart.health_by_commune_month.health_records is 'Hồ sơ sức khỏe điện tử, lũy kế | Electronic health records, cumulative';
comment on column mart.health_by_commune_month.facilities_with_fewer_records is 'Cơ sở có số hồ sơ giảm so với báo cáo liền trước của mình | Facilities whose records fell against their own report before';
comment on column mart.health_by_commune_month.insurance_cards is 'Thẻ BHYT đăng ký tại các cơ sở trong xã | Insurance cards registered at facilities in the commune';
comment on column mart.health_by_commune_month.station_cards is 'Trong đó ở trạm y tế xã | Of these, at commune stations';
comment on column mart.health_by_commune_month.population is 'Dân số xã trong tháng; trống nếu chưa biết | Population of the commune in that month; empty when not known';
comment on column mart.health_by_commune_month.records_per_resident is 'Hồ sơ trên một người dân; trống nếu chưa biết dân số | Records per resident; empty when the population is not known';
comment on column mart.health_by_commune_month.cards_over_population is 'Thẻ ở trạm nhiều hơn dân số xã; trống nếu chưa biết dân số | More cards at stations than residents; empty when the population is not known';
comment on column mart.health_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, update on core.dim_health_facility to dx_loader;
grant select on core.dim_health_facility to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_health_month to dx_loader;
grant select on core.fact_health_month to dx_engineer, dx_analyst;
grant select, insert, delete on mart.health_by_commune_month to dx_loader;
grant select on mart.health_by_commune_month to dx_engineer, dx_analyst, dx_bi;
