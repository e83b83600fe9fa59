-- Staff of the province's agencies (cán bộ, công chức, viên chức): persons in a schema nobody reads, counts in core for
-- engineers, and a mart for everybody else in which qualifications are shown only where no person can be made out.

-- A rank is a code of the ministries' lists (mã ngạch). Lists change by circular: a migration adds or ends rows here,
-- and the contract's list of codes follows (a test compares the two).
create table if not exists core.dim_staff_rank (
    rank_code text primary key,
    rank_group text not null
        constraint dim_staff_rank_group_known
        check (rank_group in ('senior', 'principal', 'officer', 'associate', 'support', 'unranked', 'unknown')),
    name_vi text not null,
    name_en text not null,
    source text not null
);

insert into core.dim_staff_rank (rank_code, rank_group, name_vi, name_en, source)
values
('-1', 'unknown', 'Không xác định', 'Unknown', '-'),
('-2', 'unranked', 'Không xếp ngạch (chức vụ bầu cử)', 'Without a rank (elected officials)', '-');

-- dx:copy core.dim_staff_rank(rank_code, rank_group, name_vi, name_en, source) from reference/staff_ranks.csv

-- Grain: one row per person and year. No name, no birth date, no salary; the identity number as a keyed pseudonym.
create table if not exists restricted.staff_member (
    staff_hash bytea not null,
    year smallint not null,
    key_version smallint not null,
    citizen_id_pseudonym bytea,
    agency_code text not null,
    agency_sk integer not null,
    rank_code text not null,
    qualification text,
    computer_skill text,
    is_dx_full_time boolean not null,
    is_dx_part_time boolean not null,
    is_security_contact boolean not null,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint staff_member_pkey primary key (staff_hash, year)
);

-- Grain: one row per agency, year and group of ranks that has staff. As of 30 June; never summed over years.
create table if not exists core.fact_staff_year (
    agency_code text not null,
    year smallint not null,
    rank_group text not null,
    agency_sk integer not null,
    staff bigint not null,
    dx_full_time bigint not null,
    dx_part_time bigint not null,
    security_contacts bigint not null,
    with_degree bigint not null,
    without_degree bigint not null,
    with_computer_skill bigint not null,
    without_computer_skill bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_staff_year_pkey primary key (agency_code, year, rank_group),
    constraint fact_staff_year_parts_within_staff check (
        with_degree + without_degree <= staff
        and with_computer_skill + without_computer_skill <= staff
        and dx_full_time <= staff
        and dx_part_time <= staff
        and security_contacts <= staff
    )
);

alter table core.fact_staff_year add constraint fact_staff_year_agency_fkey
foreign key (agency_sk) references core.dim_agency (agency_sk);

-- Grain: one row per agency and year. The rule of suppression stands in warehouse_sql/marts/staff_by_agency_year.sql.
create table if not exists mart.staff_by_agency_year (
    agency_code text not null,
    year smallint not null,
    agency_sk integer not null,
    agency_name text not null,
    agency_kind text,
    is_in_catalogue boolean not null,
    staff bigint not null,
    dx_full_time bigint not null,
    dx_part_time bigint not null,
    security_contacts bigint not null,
    has_dx_and_security boolean not null,
    with_degree bigint,
    without_degree bigint,
    is_degree_suppressed boolean not null,
    with_computer_skill bigint,
    without_computer_skill bigint,
    is_computer_skill_suppressed boolean not null,
    refreshed_at timestamptz not null,
    constraint staff_by_agency_year_pkey primary key (agency_code, year),
    constraint staff_by_agency_year_degree_shown_or_not check (
        num_nulls(with_degree, without_degree) = case when is_degree_suppressed then 2 else 0 end
    ),
    constraint staff_by_agency_year_skill_shown_or_not check (
        num_nulls(with_computer_skill, without_computer_skill)
        = case when is_computer_skill_suppressed then 2 else 0 end
    ),
    constraint staff_by_agency_year_no_small_degree check (
        is_degree_suppressed or least(with_degree, without_degree) >= 5
    ),
    constraint staff_by_agency_year_no_small_skill check (
        is_computer_skill_suppressed or least(with_computer_skill, without_computer_skill) >= 5
    )
);

-- Grain: one row per kind of agency and year, of the agencies that the catalogue has on 30 June.
create table if not exists mart.staff_by_kind_year (
    agency_kind text not null,
    year smallint not null,
    agencies bigint not null,
    staff bigint not null,
    dx_full_time bigint not null,
    dx_part_time bigint not null,
    security_contacts bigint not null,
    with_degree bigint,
    without_degree bigint,
    with_computer_skill bigint,
    without_computer_skill bigint,
    refreshed_at timestamptz not null,
    constraint staff_by_kind_year_pkey primary key (agency_kind, year),
    constraint staff_by_kind_year_both_parts_or_none check (
        num_nulls(with_degree, without_degree) <> 1 and num_nulls(with_computer_skill, without_computer_skill) <> 1
    )
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(27, 'staff', 'Cán bộ, công chức, viên chức', 'Cadres, civil servants and public employees')
on conflict (source_system_sk) do nothing;

comment on table core.dim_staff_rank is 'Danh mục ngạch, hạng chức danh nghề nghiệp | Ranks of civil servants and grades of public employees';
comment on column core.dim_staff_rank.rank_code is 'Mã ngạch; -1 không xác định, -2 không xếp ngạch | Code of the rank; -1 unknown, -2 without a rank';
comment on column core.dim_staff_rank.rank_group is 'Nhóm ngạch: senior cao cấp, principal chính, officer chuyên viên và tương đương, associate cán sự và tương đương, support nhân viên, unranked không xếp ngạch, unknown không xác định | Group of ranks';
comment on column core.dim_staff_rank.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_staff_rank.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_staff_rank.source is 'Văn bản quy định | Document that defines it';

comment on table restricted.staff_member is 'Cán bộ, công chức, viên chức từng năm, không tên, không số giấy tờ; vẫn là dữ liệu cá nhân | Staff by year, without name or identity number; still personal data';
comment on column restricted.staff_member.staff_hash is 'SHA-256 của số hiệu cán bộ | SHA-256 of the staff number';
comment on column restricted.staff_member.year is 'Năm, số liệu chốt ngày 30/6 | Year, as of 30 June';
comment on column restricted.staff_member.key_version is 'Phiên bản khóa | Version of the key';
comment on column restricted.staff_member.citizen_id_pseudonym is 'Bí danh số định danh; trống khi không có số thật | Pseudonym of the identity number; empty when there is no real one';
comment on column restricted.staff_member.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column restricted.staff_member.agency_sk is 'Cơ quan có hiệu lực ngày 30/6 của năm; -1: không còn | Agency in force on 30 June of the year; -1: no longer';
comment on column restricted.staff_member.rank_code is 'Mã ngạch; -2 không xếp ngạch | Code of the rank; -2 without a rank';
comment on column restricted.staff_member.qualification is 'Trình độ chuyên môn; trống là chưa rõ | Qualification; empty when not known';
comment on column restricted.staff_member.computer_skill is 'Trình độ tin học; trống là chưa rõ | Computer skills; empty when not known';
comment on column restricted.staff_member.is_dx_full_time is 'Chuyên trách chuyển đổi số | Full time on digital transformation';
comment on column restricted.staff_member.is_dx_part_time is 'Kiêm nhiệm chuyển đổi số | Part time on digital transformation';
comment on column restricted.staff_member.is_security_contact is 'Đầu mối an toàn thông tin | Contact for information security';
comment on column restricted.staff_member.closed_on is 'Ngày không còn trong danh sách | Day the row left the register';
comment on column restricted.staff_member.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column restricted.staff_member.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column restricted.staff_member.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column restricted.staff_member.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column restricted.staff_member.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_staff_year is 'Số cán bộ, công chức, viên chức theo cơ quan, năm và nhóm ngạch, chưa che ô nhỏ; không cộng qua các năm | Staff by agency, year and group of ranks, small cells not suppressed; never summed over years';
comment on column core.fact_staff_year.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column core.fact_staff_year.year is 'Năm, số liệu chốt ngày 30/6 | Year, as of 30 June';
comment on column core.fact_staff_year.rank_group is 'Nhóm ngạch (core.dim_staff_rank) | Group of ranks (core.dim_staff_rank)';
comment on column core.fact_staff_year.agency_sk is 'Cơ quan có hiệu lực ngày 30/6 của năm; -1: không còn | Agency in force on 30 June of the year; -1: no longer';
comment on column core.fact_staff_year.staff is 'Số người | Persons';
comment on column core.fact_staff_year.dx_full_time is 'Chuyên trách chuyển đổi số | Full time on digital transformation';
comment on column core.fact_staff_year.dx_part_time is 'Kiêm nhiệm chuyển đổi số | Part time on digital transformation';
comment on column core.fact_staff_year.security_contacts is 'Đầu mối an toàn thông tin | Contacts for information security';
comment on column core.fact_staff_year.with_degree is 'Từ đại học trở lên | With a university degree';
comment on column core.fact_staff_year.without_degree is 'Dưới đại học | Without a university degree';
comment on column core.fact_staff_year.with_computer_skill is 'Có trình độ tin học | With computer skills';
comment on column core.fact_staff_year.without_computer_skill is 'Chưa có trình độ tin học | Without computer skills';
comment on column core.fact_staff_year.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_staff_year.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_staff_year.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.staff_by_agency_year is 'Cán bộ, công chức, viên chức và cán bộ chuyển đổi số theo cơ quan và năm, đã che trình độ ở ô nhỏ hơn 5 | Staff and digital staff by agency and year, qualifications suppressed where a part is below 5';
comment on column mart.staff_by_agency_year.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.staff_by_agency_year.year is 'Năm, số liệu chốt ngày 30/6 | Year, as of 30 June';
comment on column mart.staff_by_agency_year.agency_sk is 'Cơ quan; -1: không còn vào ngày đó | Agency; -1: no longer there that day';
comment on column mart.staff_by_agency_year.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.staff_by_agency_year.agency_kind is 'Loại: so-ban-nganh, quan-huyen, xa-phuong, cnvpdk | Kind of agency';
comment on column mart.staff_by_agency_year.is_in_catalogue is 'Cơ quan có trong danh mục vào ngày 30/6 | The catalogue knows the agency on 30 June';
comment on column mart.staff_by_agency_year.staff is 'Số người | Persons';
comment on column mart.staff_by_agency_year.dx_full_time is 'Chuyên trách chuyển đổi số | Full time on digital transformation';
comment on column mart.staff_by_agency_year.dx_part_time is 'Kiêm nhiệm chuyển đổi số | Part time on digital transformation';
comment on column mart.staff_by_agency_year.security_contacts is 'Đầu mối an toàn thông tin | Contacts for information security';
comment on column mart.staff_by_agency_year.has_dx_and_security is 'Có cán bộ chuyển đổi số và đầu mối an toàn thông tin | Has digital staff and a security contact';
comment on column mart.staff_by_agency_year.with_degree is 'Từ đại học trở lên; trống khi bị che | With a university degree; empty when suppressed';
comment on column mart.staff_by_agency_year.without_degree is 'Dưới đại học; trống khi bị che | Without a university degree; empty when suppressed';
comment on column mart.staff_by_agency_year.is_degree_suppressed is 'Trình độ bị che | The qualification is suppressed';
comment on column mart.staff_by_agency_year.with_computer_skill is 'Có trình độ tin học; trống khi bị che | With computer skills; empty when suppressed';
comment on column mart.staff_by_agency_year.without_computer_skill is 'Chưa có trình độ tin học; trống khi bị che | Without computer skills; empty when suppressed';
comment on column mart.staff_by_agency_year.is_computer_skill_suppressed is 'Trình độ tin học bị che | The computer skills are suppressed';
comment on column mart.staff_by_agency_year.refreshed_at is 'Thời điểm tính | Computed at';

comment on table mart.staff_by_kind_year is 'Cán bộ, công chức, viên chức theo loại cơ quan và năm; trình độ bị che khi suy ra được ô nhỏ của một cơ quan | Staff by kind of agency and year; qualifications suppressed where a small cell of an agency could be computed';
comment on column mart.staff_by_kind_year.agency_kind is 'Loại cơ quan: so-ban-nganh, quan-huyen, xa-phuong, cnvpdk | Kind of agency';
comment on column mart.staff_by_kind_year.year is 'Năm, số liệu chốt ngày 30/6 | Year, as of 30 June';
comment on column mart.staff_by_kind_year.agencies is 'Số cơ quan có người | Agencies that have staff';
comment on column mart.staff_by_kind_year.staff is 'Số người | Persons';
comment on column mart.staff_by_kind_year.dx_full_time is 'Chuyên trách chuyển đổi số | Full time on digital transformation';
comment on column mart.staff_by_kind_year.dx_part_time is 'Kiêm nhiệm chuyển đổi số | Part time on digital transformation';
comment on column mart.staff_by_kind_year.security_contacts is 'Đầu mối an toàn thông tin | Contacts for information security';
comment on column mart.staff_by_kind_year.with_degree is 'Từ đại học trở lên; trống khi bị che | With a university degree; empty when suppressed';
comment on column mart.staff_by_kind_year.without_degree is 'Dưới đại học; trống khi bị che | Without a university degree; empty when suppressed';
comment on column mart.staff_by_kind_year.with_computer_skill is 'Có trình độ tin học; trống khi bị che | With computer skills; empty when suppressed';
comment on column mart.staff_by_kind_year.without_computer_skill is 'Chưa có trình độ tin học; trống khi bị che | Without computer skills; empty when suppressed';
comment on column mart.staff_by_kind_year.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.staff_by_kind_year to dx_loader;
grant select on mart.staff_by_kind_year to dx_engineer, dx_analyst, dx_bi;
grant select on core.dim_staff_rank to dx_loader, dx_engineer, dx_analyst;
grant select, insert, update, delete on restricted.staff_member to dx_loader;
grant select, insert, update, delete on core.fact_staff_year to dx_loader;
grant select on core.fact_staff_year to dx_engineer;
grant select, insert, delete on mart.staff_by_agency_year to dx_loader;
grant select on mart.staff_by_agency_year to dx_engineer, dx_analyst, dx_bi;
