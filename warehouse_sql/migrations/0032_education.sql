-- Schools (Sở Giáo dục và Đào tạo) by school year. Counts by school: no pupil and no teacher is known here. A school
-- year is a state of its own: counts add up over schools and communes, never over years.

-- Grain: one row per level of school; schools of two levels are a level of their own.
create table if not exists core.dim_school_level (
    level_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null,
    is_combined boolean not null,
    display_order smallint not null
);

insert into core.dim_school_level (level_sk, code, name_vi, name_en, is_combined, display_order)
values
(-2, 'not_applicable', 'Không áp dụng', 'Not applicable', false, 99),
(-1, 'unknown', 'Không xác định', 'Unknown', false, 99),
(1, 'MN', 'Mầm non', 'Kindergarten', false, 1),
(2, 'TH', 'Tiểu học', 'Primary', false, 2),
(3, 'THCS', 'Trung học cơ sở', 'Lower secondary', false, 4),
(4, 'THPT', 'Trung học phổ thông', 'Upper secondary', false, 6),
(5, 'TH&THCS', 'Tiểu học và trung học cơ sở', 'Primary and lower secondary', true, 3),
(6, 'THCS&THPT', 'Trung học cơ sở và trung học phổ thông', 'Lower and upper secondary', true, 5)
on conflict (level_sk) do nothing;

-- Grain: one row per school and school year.
create table if not exists core.fact_school_year (
    school_year text not null
        constraint fact_school_year_is_year check (school_year = first_year || '-' || (first_year + 1)),
    school_code text not null,
    first_year smallint not null,
    school_name text not null,
    level_sk smallint not null,
    commune_code text not null,
    commune_sk integer not null,
    classes bigint not null,
    pupils bigint not null,
    pupils_with_id bigint not null,
    teachers bigint not null,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_school_year_pkey primary key (school_year, school_code),
    constraint fact_school_year_ids_within_pupils check (pupils_with_id <= pupils)
);

alter table core.fact_school_year add constraint fact_school_year_level_fkey
foreign key (level_sk) references core.dim_school_level (level_sk);
alter table core.fact_school_year add constraint fact_school_year_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per commune and school year; -1 stands for all rows of the year whose commune was not found.
create table if not exists mart.education_by_commune_year (
    school_year text not null,
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    schools bigint not null,
    classes numeric not null,
    pupils numeric not null,
    pupils_with_id numeric not null,
    id_rate numeric(7, 3),
    teachers numeric not null,
    pupils_per_class numeric(9, 2),
    pupils_per_teacher numeric(9, 2),
    refreshed_at timestamptz not null,
    constraint education_by_commune_year_pkey primary key (school_year, commune_sk)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(32, 'education', 'Trường, lớp, học sinh', 'Schools, classes, pupils')
on conflict (source_system_sk) do nothing;

comment on table core.dim_school_level is 'Cấp học | Levels of schools';
comment on column core.dim_school_level.level_sk is 'Khóa; -1: không xác định, -2: không áp dụng | Key; -1: unknown, -2: not applicable';
comment on column core.dim_school_level.code is 'Mã cấp học | Code of the level';
comment on column core.dim_school_level.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_school_level.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_school_level.is_combined is 'Trường liên cấp | A school of two levels';
comment on column core.dim_school_level.display_order is 'Thứ tự hiển thị | Order of display';

comment on table core.fact_school_year is 'Trường học theo năm học; không cộng qua các năm | Schools by school year; never summed over years';
comment on column core.fact_school_year.school_year is 'Năm học, dạng 2023-2024 | School year, as 2023-2024';
comment on column core.fact_school_year.school_code is 'Mã trường | Code of the school';
comment on column core.fact_school_year.first_year is 'Năm đầu của năm học | First year of the school year';
comment on column core.fact_school_year.school_name is 'Tên trường | Name of the school';
comment on column core.fact_school_year.level_sk is 'Cấp học | Level';
comment on column core.fact_school_year.commune_code is 'Mã xã nguồn ghi | Commune code as the source writes it';
comment on column core.fact_school_year.commune_sk is 'Xã có hiệu lực ngày 31/5 cuối năm học; -1: không xác định được | Commune in force on 31 May, at the school year''s end; -1: not found';
comment on column core.fact_school_year.classes is 'Số lớp | Classes';
comment on column core.fact_school_year.pupils is 'Số học sinh | Pupils';
comment on column core.fact_school_year.pupils_with_id is 'Học sinh có số định danh cá nhân | Pupils with a personal id number';
comment on column core.fact_school_year.teachers is 'Số giáo viên | Teachers';
comment on column core.fact_school_year.closed_on is 'Ngày dòng không còn trong các tệp; trống nếu còn | Day the row left the files; empty while it is there';
comment on column core.fact_school_year.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_school_year.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_school_year.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_school_year.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_school_year.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.education_by_commune_year is 'Trường, lớp, học sinh, giáo viên theo xã và năm học | Schools, classes, pupils and teachers by commune and school year';
comment on column mart.education_by_commune_year.school_year is 'Năm học | School year';
comment on column mart.education_by_commune_year.commune_sk is 'Xã; -1: các dòng không xác định được xã | Commune; -1: rows whose commune was not found';
comment on column mart.education_by_commune_year.commune_code is 'Mã xã | Commune code';
comment on column mart.education_by_commune_year.commune_name is 'Tên xã | Name of the commune';
comment on column mart.education_by_commune_year.schools is 'Số trường | Schools';
comment on column mart.education_by_commune_year.classes is 'Số lớp | Classes';
comment on column mart.education_by_commune_year.pupils is 'Số học sinh | Pupils';
comment on column mart.education_by_commune_year.pupils_with_id is 'Học sinh có số định danh cá nhân | Pupils with a personal id number';
comment on column mart.education_by_commune_year.id_rate is 'Tỷ lệ học sinh có số định danh, % | Share of pupils with a personal id number, percent';
comment on column mart.education_by_commune_year.teachers is 'Số giáo viên | Teachers';
comment on column mart.education_by_commune_year.pupils_per_class is 'Học sinh trên một lớp | Pupils per class';
comment on column mart.education_by_commune_year.pupils_per_teacher is 'Học sinh trên một giáo viên | Pupils per teacher';
comment on column mart.education_by_commune_year.refreshed_at is 'Thời điểm tính | Computed at';

grant select on core.dim_school_level to dx_loader, dx_engineer, dx_analyst;
grant select, insert, update on core.fact_school_year to dx_loader;
grant select on core.fact_school_year to dx_engineer, dx_analyst;
grant select, insert, delete on mart.education_by_commune_year to dx_loader;
grant select on mart.education_by_commune_year to dx_engineer, dx_analyst, dx_bi;
