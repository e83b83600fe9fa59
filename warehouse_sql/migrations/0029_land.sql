-- Land parcels: one row each, without owner, in a schema nobody reads; counts and areas in core and in a mart.

-- Grain: one row per purpose of land use, the symbols of the cadastral record (Circular 25/2014/TT-BTNMT).
create table if not exists core.dim_land_use (
    land_use_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null,
    group_code text not null
        constraint dim_land_use_group_known
        check (group_code in ('agricultural', 'non_agricultural', 'unused', 'unknown'))
);

insert into core.dim_land_use (land_use_sk, code, name_vi, name_en, group_code)
values
(-2, '-2', 'Không áp dụng', 'Not applicable', 'unknown'),
(-1, '-1', 'Không xác định', 'Unknown', 'unknown'),
(1, 'LUC', 'Đất chuyên trồng lúa nước', 'Land for wet rice', 'agricultural'),
(2, 'LUK', 'Đất trồng lúa nước còn lại', 'Other wet-rice land', 'agricultural'),
(3, 'LUN', 'Đất trồng lúa nương', 'Upland rice land', 'agricultural'),
(4, 'BHK', 'Đất bằng trồng cây hàng năm khác', 'Flat land for other annual crops', 'agricultural'),
(5, 'NHK', 'Đất nương rẫy trồng cây hàng năm khác', 'Hill land for other annual crops', 'agricultural'),
(6, 'CLN', 'Đất trồng cây lâu năm', 'Land for perennial crops', 'agricultural'),
(7, 'RSX', 'Đất rừng sản xuất', 'Production forest', 'agricultural'),
(8, 'RPH', 'Đất rừng phòng hộ', 'Protection forest', 'agricultural'),
(9, 'RDD', 'Đất rừng đặc dụng', 'Special-use forest', 'agricultural'),
(10, 'NTS', 'Đất nuôi trồng thủy sản', 'Aquaculture', 'agricultural'),
(11, 'LMU', 'Đất làm muối', 'Salt making', 'agricultural'),
(12, 'NKH', 'Đất nông nghiệp khác', 'Other agricultural land', 'agricultural'),
(13, 'ONT', 'Đất ở tại nông thôn', 'Rural residential land', 'non_agricultural'),
(14, 'ODT', 'Đất ở tại đô thị', 'Urban residential land', 'non_agricultural'),
(15, 'TSC', 'Đất xây dựng trụ sở cơ quan', 'Offices of state agencies', 'non_agricultural'),
(16, 'CQP', 'Đất quốc phòng', 'National defence', 'non_agricultural'),
(17, 'CAN', 'Đất an ninh', 'Public security', 'non_agricultural'),
(18, 'TMD', 'Đất thương mại, dịch vụ', 'Commerce and services', 'non_agricultural'),
(19, 'SKC', 'Đất cơ sở sản xuất phi nông nghiệp', 'Non-agricultural production', 'non_agricultural'),
(20, 'DGT', 'Đất giao thông', 'Transport', 'non_agricultural'),
(21, 'DTL', 'Đất thủy lợi', 'Irrigation', 'non_agricultural'),
(22, 'DGD', 'Đất xây dựng cơ sở giáo dục và đào tạo', 'Education and training', 'non_agricultural'),
(23, 'DYT', 'Đất xây dựng cơ sở y tế', 'Health care', 'non_agricultural'),
(24, 'TON', 'Đất cơ sở tôn giáo', 'Religious establishments', 'non_agricultural'),
(25, 'TIN', 'Đất cơ sở tín ngưỡng', 'Places of folk worship', 'non_agricultural'),
(26, 'BCS', 'Đất bằng chưa sử dụng', 'Unused flat land', 'unused'),
(27, 'DCS', 'Đất đồi núi chưa sử dụng', 'Unused hill land', 'unused'),
(28, 'NCS', 'Núi đá không có rừng cây', 'Rocky hills without forest', 'unused')
on conflict (land_use_sk) do nothing;

-- Grain: one row per parcel of the source. No owner, no certificate number, no sheet and parcel number.
create table if not exists restricted.land_parcel (
    parcel_id bigint primary key,
    commune_sk integer not null,
    land_use_sk smallint not null,
    further_land_use_sks smallint[] not null,
    area_m2 numeric(18, 1) not null,
    has_certificate boolean not null,
    certificate_in_doubt boolean not null,
    certificate_year smallint not null,
    superseded_by bigint,
    data_day date not null,
    quality_flags text[],
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- Grain: one row per commune, purpose of land use and year of the certificate (-2 none, -1 year not known or in doubt).
-- A parcel with several purposes counts once, in parcels of the first-named one; parcels_further_use counts it for the
-- others.
create table if not exists core.fact_land_count (
    commune_sk integer not null,
    land_use_sk smallint not null,
    certificate_year smallint not null,
    parcels bigint not null,
    area_m2 numeric(20, 1) not null,
    parcels_with_certificate bigint not null,
    certificates_in_doubt bigint not null,
    parcels_several_uses bigint not null,
    area_several_uses_m2 numeric(20, 1) not null,
    parcels_further_use bigint not null,
    data_day date not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_land_count_pkey primary key (commune_sk, land_use_sk, certificate_year)
);

alter table core.fact_land_count add constraint fact_land_count_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

alter table core.fact_land_count add constraint fact_land_count_land_use_fkey
foreign key (land_use_sk) references core.dim_land_use (land_use_sk);

-- Grain: one row per commune and purpose of land use; commune_sk -1 holds the parcels whose commune was not found.
create table if not exists mart.land_by_commune (
    commune_sk integer not null,
    land_use_code text not null,
    commune_code text not null,
    commune_name text not null,
    district_code text,
    land_use_name text not null,
    land_use_group text not null,
    parcels bigint not null,
    area_m2 numeric(20, 1) not null,
    parcels_with_certificate bigint not null,
    certified_share numeric(6, 3),
    certificates_in_doubt bigint not null,
    parcels_several_uses bigint not null,
    area_several_uses_m2 numeric(20, 1) not null,
    parcels_further_use bigint not null,
    data_day date not null,
    refreshed_at timestamptz not null,
    constraint land_by_commune_pkey primary key (commune_sk, land_use_code)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(29, 'land', 'Cơ sở dữ liệu đất đai', 'Land database')
on conflict (source_system_sk) do nothing;

comment on table core.dim_land_use is 'Mục đích sử dụng đất theo ký hiệu trên hồ sơ địa chính | Purposes of land use by the symbols of the cadastral record';
comment on column core.dim_land_use.land_use_sk is 'Khóa; -1 không xác định, -2 không áp dụng | Key; -1 unknown, -2 not applicable';
comment on column core.dim_land_use.code is 'Ký hiệu: ONT, ODT, LUC, ... | Symbol: ONT, ODT, LUC, ...';
comment on column core.dim_land_use.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_land_use.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_land_use.group_code is 'Nhóm: agricultural nông nghiệp (gồm rừng), non_agricultural phi nông nghiệp, unused chưa sử dụng | Group: agricultural (forest included), non_agricultural, unused';

comment on table restricted.land_parcel is 'Thửa đất, không có chủ sử dụng và số giấy chứng nhận; chỉ để tính số lượng | Land parcels without owner and certificate number; only to count from';
comment on column restricted.land_parcel.parcel_id is 'Số của thửa đất trong phần mềm nguồn | Number of the parcel in the source';
comment on column restricted.land_parcel.commune_sk is 'Xã theo ngày dữ liệu; -1 không xác định | Commune as of the day of the data; -1 unknown';
comment on column restricted.land_parcel.land_use_sk is 'Mục đích ghi đầu tiên | Purpose named first';
comment on column restricted.land_parcel.further_land_use_sks is 'Các mục đích ghi sau | Purposes named after it';
comment on column restricted.land_parcel.area_m2 is 'Diện tích, m² | Area, m²';
comment on column restricted.land_parcel.has_certificate is 'Đã cấp giấy chứng nhận | Has a certificate';
comment on column restricted.land_parcel.certificate_in_doubt is 'Giấy chứng nhận trùng số hoặc sai ngày | Certificate number used twice or day implausible';
comment on column restricted.land_parcel.certificate_year is 'Năm cấp; -2 chưa cấp, -1 không rõ | Year of issue; -2 none, -1 not known';
comment on column restricted.land_parcel.superseded_by is 'Thửa mới thay thế sau khi đo đạc lại; thửa này không được tính | New parcel after the survey; this one is not counted';
comment on column restricted.land_parcel.data_day is 'Ngày trích xuất dữ liệu | Day of the extract';
comment on column restricted.land_parcel.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column restricted.land_parcel.closed_on is 'Ngày không còn ở nguồn | Day it left the source';
comment on column restricted.land_parcel.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column restricted.land_parcel.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column restricted.land_parcel.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column restricted.land_parcel.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_land_count is 'Số thửa và diện tích theo xã, mục đích sử dụng và năm cấp giấy chứng nhận | Parcels and area by commune, purpose and year of the certificate';
comment on column core.fact_land_count.commune_sk is 'Xã theo ngày dữ liệu; -1 không xác định | Commune as of the day of the data; -1 unknown';
comment on column core.fact_land_count.land_use_sk is 'Mục đích sử dụng | Purpose of land use';
comment on column core.fact_land_count.certificate_year is 'Năm cấp giấy; -2 chưa cấp, -1 không rõ hoặc nghi sai | Year of the certificate; -2 none, -1 not known or in doubt';
comment on column core.fact_land_count.parcels is 'Số thửa có mục đích này ghi đầu tiên | Parcels that name this purpose first';
comment on column core.fact_land_count.area_m2 is 'Diện tích các thửa đó, m² | Area of those parcels, m²';
comment on column core.fact_land_count.parcels_with_certificate is 'Số thửa đã có giấy chứng nhận | Parcels with a certificate';
comment on column core.fact_land_count.certificates_in_doubt is 'Số giấy trùng số hoặc sai ngày | Certificates with a number used twice or an implausible day';
comment on column core.fact_land_count.parcels_several_uses is 'Trong đó thửa nhiều mục đích | Of them, parcels with several purposes';
comment on column core.fact_land_count.area_several_uses_m2 is 'Diện tích thửa nhiều mục đích, không tách được | Area of parcels with several purposes, not divided among them';
comment on column core.fact_land_count.parcels_further_use is 'Số thửa ghi mục đích này thứ hai trở đi; không cộng với parcels | Parcels that name this purpose second or later; not to be added to parcels';
comment on column core.fact_land_count.data_day is 'Ngày dữ liệu mới nhất | Latest day of the data';
comment on column core.fact_land_count.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_land_count.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_land_count.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.land_by_commune is 'Đất đai theo xã và mục đích sử dụng: số thửa, diện tích, tỷ lệ đã cấp giấy | Land by commune and purpose: parcels, area, share with certificates';
comment on column mart.land_by_commune.commune_sk is 'Xã; -1 không xác định | Commune; -1 unknown';
comment on column mart.land_by_commune.land_use_code is 'Ký hiệu mục đích sử dụng | Symbol of the purpose';
comment on column mart.land_by_commune.commune_code is 'Mã xã | Commune code';
comment on column mart.land_by_commune.commune_name is 'Tên xã | Name of the commune';
comment on column mart.land_by_commune.district_code is 'Mã huyện | District code';
comment on column mart.land_by_commune.land_use_name is 'Tên mục đích sử dụng | Name of the purpose';
comment on column mart.land_by_commune.land_use_group is 'Nhóm đất | Group of purposes';
comment on column mart.land_by_commune.parcels is 'Số thửa | Parcels';
comment on column mart.land_by_commune.area_m2 is 'Diện tích, m² | Area, m²';
comment on column mart.land_by_commune.parcels_with_certificate is 'Số thửa đã có giấy chứng nhận | Parcels with a certificate';
comment on column mart.land_by_commune.certified_share is 'Tỷ lệ thửa đã cấp giấy, % | Share of parcels with a certificate, %';
comment on column mart.land_by_commune.certificates_in_doubt is 'Số giấy trùng số hoặc sai ngày | Certificates with a number used twice or an implausible day';
comment on column mart.land_by_commune.parcels_several_uses is 'Trong đó thửa nhiều mục đích | Of them, parcels with several purposes';
comment on column mart.land_by_commune.area_several_uses_m2 is 'Diện tích thửa nhiều mục đích, không tách được | Area of parcels with several purposes, not divided among them';
comment on column mart.land_by_commune.parcels_further_use is 'Số thửa ghi mục đích này thứ hai trở đi | Parcels that name this purpose second or later';
comment on column mart.land_by_commune.data_day is 'Ngày dữ liệu mới nhất | Latest day of the data';
comment on column mart.land_by_commune.refreshed_at is 'Thời điểm tính | Computed at';

grant select on core.dim_land_use to dx_loader, dx_engineer, dx_analyst;
grant select, insert, update, delete on restricted.land_parcel to dx_loader;
grant select, insert, update, delete on core.fact_land_count to dx_loader;
grant select on core.fact_land_count to dx_engineer, dx_analyst;
grant select, insert, delete on mart.land_by_commune to dx_loader;
grant select on mart.land_by_commune to dx_engineer, dx_analyst, dx_bi;
