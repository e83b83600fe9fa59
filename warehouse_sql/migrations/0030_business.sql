-- Business register: enterprises and their branches. No name, no street, no representative; the enterprise code only
-- as a keyed pseudonym in restricted, because it may be the personal number of somebody.

-- Grain: one row per kind of enterprise or dependent unit.
create table if not exists core.dim_business_kind (
    business_kind_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null,
    group_code text not null
        constraint dim_business_kind_group_known check (group_code in ('enterprise', 'dependent_unit', 'unknown'))
);

insert into core.dim_business_kind (business_kind_sk, code, name_vi, name_en, group_code)
values
(-2, '-2', 'Không áp dụng', 'Not applicable', 'unknown'),
(-1, '-1', 'Không xác định', 'Unknown', 'unknown'),
(1, 'tnhh_1tv', 'Công ty TNHH một thành viên', 'Single-member limited liability company', 'enterprise'),
(2, 'tnhh_2tv', 'Công ty TNHH hai thành viên trở lên', 'Limited liability company, two or more members', 'enterprise'),
(3, 'co_phan', 'Công ty cổ phần', 'Joint-stock company', 'enterprise'),
(4, 'hop_danh', 'Công ty hợp danh', 'Partnership', 'enterprise'),
(5, 'tu_nhan', 'Doanh nghiệp tư nhân', 'Sole proprietorship', 'enterprise'),
(11, 'chi_nhanh', 'Chi nhánh', 'Branch', 'dependent_unit'),
(12, 'van_phong_dai_dien', 'Văn phòng đại diện', 'Representative office', 'dependent_unit'),
(13, 'dia_diem_kinh_doanh', 'Địa điểm kinh doanh', 'Place of business', 'dependent_unit')
on conflict (business_kind_sk) do nothing;

-- Grain: one row per status of the register.
create table if not exists core.dim_business_status (
    business_status_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null,
    group_code text not null
        constraint dim_business_status_group_known
        check (group_code in ('active', 'suspended', 'dissolved', 'other', 'unknown'))
);

insert into core.dim_business_status (business_status_sk, code, name_vi, name_en, group_code)
values
(-2, '-2', 'Không áp dụng', 'Not applicable', 'unknown'),
(-1, '-1', 'Không xác định', 'Unknown', 'unknown'),
(1, 'dang_hoat_dong', 'Đang hoạt động', 'Active', 'active'),
(2, 'tam_ngung', 'Tạm ngừng kinh doanh', 'Suspended', 'suspended'),
(3, 'dang_giai_the', 'Đang làm thủ tục giải thể', 'Being dissolved', 'other'),
(4, 'da_giai_the', 'Đã giải thể', 'Dissolved', 'dissolved'),
(5, 'khong_tai_dia_chi', 'Không còn hoạt động tại địa chỉ đã đăng ký', 'Not at its registered address', 'other'),
(6, 'bi_thu_hoi', 'Bị thu hồi giấy chứng nhận', 'Certificate withdrawn', 'other')
on conflict (business_status_sk) do nothing;

-- Grain: one row per section of VSIC 2018 (Decision 27/2018/QĐ-TTg) with the divisions it spans.
create table if not exists core.dim_economic_section (
    economic_section_sk smallint primary key,
    code text not null unique,
    first_division smallint,
    last_division smallint,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_economic_section (
    economic_section_sk,
    code,
    first_division,
    last_division,
    name_vi,
    name_en
)
values
(-2, '-2', null, null, 'Không áp dụng', 'Not applicable'),
(-1, '-1', null, null, 'Không xác định', 'Unknown'),
(1, 'A', 1, 3, 'Nông nghiệp, lâm nghiệp và thủy sản', 'Agriculture, forestry and fishing'),
(2, 'B', 5, 9, 'Khai khoáng', 'Mining and quarrying'),
(3, 'C', 10, 33, 'Công nghiệp chế biến, chế tạo', 'Manufacturing'),
(
    4,
    'D',
    35,
    35,
    'Sản xuất và phân phối điện, khí đốt, nước nóng, hơi nước và điều hòa không khí',
    'Electricity, gas, steam and air conditioning supply'
),
(
    5,
    'E',
    36,
    39,
    'Cung cấp nước; hoạt động quản lý và xử lý rác thải, nước thải',
    'Water supply; sewerage, waste management'
),
(6, 'F', 41, 43, 'Xây dựng', 'Construction'),
(
    7,
    'G',
    45,
    47,
    'Bán buôn và bán lẻ; sửa chữa ô tô, mô tô, xe máy và xe có động cơ khác',
    'Wholesale and retail trade; repair of motor vehicles'
),
(8, 'H', 49, 53, 'Vận tải kho bãi', 'Transportation and storage'),
(9, 'I', 55, 56, 'Dịch vụ lưu trú và ăn uống', 'Accommodation and food service'),
(10, 'J', 58, 63, 'Thông tin và truyền thông', 'Information and communication'),
(11, 'K', 64, 66, 'Hoạt động tài chính, ngân hàng và bảo hiểm', 'Financial, banking and insurance activities'),
(12, 'L', 68, 68, 'Hoạt động kinh doanh bất động sản', 'Real estate activities'),
(13, 'M', 69, 75, 'Hoạt động chuyên môn, khoa học và công nghệ', 'Professional, scientific and technical activities'),
(14, 'N', 77, 82, 'Hoạt động hành chính và dịch vụ hỗ trợ', 'Administrative and support service activities'),
(
    15,
    'O',
    84,
    84,
    'Hoạt động của Đảng Cộng sản, tổ chức chính trị - xã hội, quản lý nhà nước,'
    || ' an ninh quốc phòng; bảo đảm xã hội bắt buộc',
    'Party, socio-political organisations, public administration and defence; compulsory social security'
),
(16, 'P', 85, 85, 'Giáo dục và đào tạo', 'Education and training'),
(17, 'Q', 86, 88, 'Y tế và hoạt động trợ giúp xã hội', 'Human health and social work'),
(18, 'R', 90, 93, 'Nghệ thuật, vui chơi và giải trí', 'Arts, entertainment and recreation'),
(19, 'S', 94, 96, 'Hoạt động dịch vụ khác', 'Other service activities'),
(
    20,
    'T',
    97,
    98,
    'Hoạt động làm thuê các công việc trong các hộ gia đình, sản xuất'
    || ' sản phẩm vật chất và dịch vụ tự tiêu dùng của hộ gia đình',
    'Activities of households as employers and for own use'
),
(
    21,
    'U',
    99,
    99,
    'Hoạt động của các tổ chức và cơ quan quốc tế',
    'Activities of international organisations and bodies'
)
on conflict (economic_section_sk) do nothing;

-- Grain: one row per enterprise or dependent unit of the register, its latest state.
create table if not exists core.fact_business (
    register_no text primary key,
    business_kind_sk smallint not null,
    business_status_sk smallint not null,
    commune_sk integer not null,
    economic_section_sk smallint not null,
    activity_code text,
    parent_register_no text,
    registered_on date not null,
    dissolved_on date,
    charter_capital_vnd bigint,
    has_organisation_account boolean,
    source_updated_at timestamptz not null,
    quality_flags text[],
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_business_dissolved_after_registered check (dissolved_on >= registered_on)
);

alter table core.fact_business add constraint fact_business_kind_fkey
foreign key (business_kind_sk) references core.dim_business_kind (business_kind_sk);

alter table core.fact_business add constraint fact_business_status_fkey
foreign key (business_status_sk) references core.dim_business_status (business_status_sk);

alter table core.fact_business add constraint fact_business_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

alter table core.fact_business add constraint fact_business_section_fkey
foreign key (economic_section_sk) references core.dim_economic_section (economic_section_sk);

-- Grain: one row per enterprise or dependent unit: the keyed pseudonym of its code.
create table if not exists restricted.business_code (
    register_no text primary key,
    key_version smallint not null,
    tax_code_pseudonym bytea not null,
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- Grain: one row per commune and year, from the commune's first registration on; commune_sk -1 is not known.
create table if not exists mart.business_by_commune_year (
    commune_sk integer not null,
    year smallint not null,
    commune_code text not null,
    commune_name text not null,
    registered bigint not null,
    registered_units bigint not null,
    active_now bigint not null,
    suspended_now bigint not null,
    dissolved_now bigint not null,
    other_now bigint not null,
    capital_vnd numeric(24, 0) not null,
    with_organisation_account bigint not null,
    organisation_account_share numeric(6, 3),
    dissolved_in_year bigint not null,
    in_force_at_year_end bigint not null,
    refreshed_at timestamptz not null,
    constraint business_by_commune_year_pkey primary key (commune_sk, year),
    constraint business_by_commune_year_adds_up
    check (registered = active_now + suspended_now + dissolved_now + other_now)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(30, 'business', 'Đăng ký doanh nghiệp', 'Business register')
on conflict (source_system_sk) do nothing;

comment on table core.dim_business_kind is 'Loại hình doanh nghiệp và đơn vị phụ thuộc | Kinds of enterprises and dependent units';
comment on column core.dim_business_kind.business_kind_sk is 'Khóa; -1 không xác định, -2 không áp dụng | Key; -1 unknown, -2 not applicable';
comment on column core.dim_business_kind.code is 'Mã loại hình | Code of the kind';
comment on column core.dim_business_kind.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_business_kind.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_business_kind.group_code is 'Nhóm: enterprise doanh nghiệp, dependent_unit đơn vị phụ thuộc | Group: enterprise, dependent_unit';

comment on table core.dim_business_status is 'Tình trạng hoạt động của doanh nghiệp | Status of enterprises';
comment on column core.dim_business_status.business_status_sk is 'Khóa; -1 không xác định, -2 không áp dụng | Key; -1 unknown, -2 not applicable';
comment on column core.dim_business_status.code is 'Mã tình trạng | Code of the status';
comment on column core.dim_business_status.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_business_status.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_business_status.group_code is 'Nhóm: active đang hoạt động, suspended tạm ngừng, dissolved đã giải thể, other khác | Group: active, suspended, dissolved, other';

comment on table core.dim_economic_section is 'Ngành kinh tế cấp 1 theo VSIC 2018 | Sections of VSIC 2018';
comment on column core.dim_economic_section.economic_section_sk is 'Khóa; -1 không xác định, -2 không áp dụng | Key; -1 unknown, -2 not applicable';
comment on column core.dim_economic_section.code is 'Mã ngành cấp 1, A đến U | Code of the section, A to U';
comment on column core.dim_economic_section.first_division is 'Ngành cấp 2 đầu tiên | First division';
comment on column core.dim_economic_section.last_division is 'Ngành cấp 2 cuối cùng | Last division';
comment on column core.dim_economic_section.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_economic_section.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.fact_business is 'Doanh nghiệp và đơn vị phụ thuộc, trạng thái mới nhất; không có tên và mã số | Enterprises and dependent units, latest state; without name and code';
comment on column core.fact_business.register_no is 'Mã số nội bộ trên hệ thống đăng ký | Internal number of the register';
comment on column core.fact_business.business_kind_sk is 'Loại hình | Kind';
comment on column core.fact_business.business_status_sk is 'Tình trạng | Status';
comment on column core.fact_business.commune_sk is 'Xã của trụ sở theo ngày cập nhật, nếu không thì theo ngày đăng ký; -1 không xác định | Commune of the seat on the day of the update, else of the registration; -1 unknown';
comment on column core.fact_business.economic_section_sk is 'Ngành cấp 1 của ngành chính | Section of the main activity';
comment on column core.fact_business.activity_code is 'Mã ngành chính cấp 4 | Main activity, level 4';
comment on column core.fact_business.parent_register_no is 'Mã số nội bộ của doanh nghiệp chủ quản | Internal number of the owning enterprise';
comment on column core.fact_business.registered_on is 'Ngày đăng ký lần đầu | Day of the first registration';
comment on column core.fact_business.dissolved_on is 'Ngày giải thể | Day of dissolution';
comment on column core.fact_business.charter_capital_vnd is 'Vốn điều lệ, đồng | Charter capital, đồng';
comment on column core.fact_business.has_organisation_account is 'Có tài khoản định danh điện tử của tổ chức; trống là chưa rõ | Has an organisation''s electronic identity; empty when not known';
comment on column core.fact_business.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_business.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_business.closed_on is 'Ngày không còn ở nguồn | Day it left the source';
comment on column core.fact_business.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.fact_business.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_business.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_business.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table restricted.business_code is 'Bí danh có khóa của mã số doanh nghiệp | Keyed pseudonyms of enterprise codes';
comment on column restricted.business_code.register_no is 'Mã số nội bộ trên hệ thống đăng ký | Internal number of the register';
comment on column restricted.business_code.key_version is 'Phiên bản khóa | Version of the key';
comment on column restricted.business_code.tax_code_pseudonym is 'Bí danh mã số doanh nghiệp | Pseudonym of the enterprise code';
comment on column restricted.business_code.closed_on is 'Ngày không còn ở nguồn | Day it left the source';
comment on column restricted.business_code.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column restricted.business_code.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column restricted.business_code.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column restricted.business_code.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.business_by_commune_year is 'Doanh nghiệp theo xã và năm đăng ký | Enterprises by commune and year of registration';
comment on column mart.business_by_commune_year.commune_sk is 'Xã của trụ sở; -1 không xác định | Commune of the seat; -1 unknown';
comment on column mart.business_by_commune_year.year is 'Năm | Year';
comment on column mart.business_by_commune_year.commune_code is 'Mã xã | Commune code';
comment on column mart.business_by_commune_year.commune_name is 'Tên xã | Name of the commune';
comment on column mart.business_by_commune_year.registered is 'Doanh nghiệp đăng ký trong năm | Enterprises registered in the year';
comment on column mart.business_by_commune_year.registered_units is 'Chi nhánh, văn phòng, địa điểm đăng ký trong năm | Branches, offices and places registered in the year';
comment on column mart.business_by_commune_year.active_now is 'Trong đó nay đang hoạt động | Of them, active now';
comment on column mart.business_by_commune_year.suspended_now is 'Trong đó nay tạm ngừng | Of them, suspended now';
comment on column mart.business_by_commune_year.dissolved_now is 'Trong đó nay đã giải thể | Of them, dissolved now';
comment on column mart.business_by_commune_year.other_now is 'Trong đó nay tình trạng khác | Of them, in another status now';
comment on column mart.business_by_commune_year.capital_vnd is 'Vốn điều lệ của doanh nghiệp đăng ký trong năm, đồng | Capital of the enterprises registered in the year, đồng';
comment on column mart.business_by_commune_year.with_organisation_account is 'Trong số chưa giải thể: có tài khoản định danh tổ chức | Of those not dissolved: with an organisation''s electronic identity';
comment on column mart.business_by_commune_year.organisation_account_share is 'Tỷ lệ có tài khoản định danh tổ chức trên số chưa giải thể, % | Their share of those not dissolved, %';
comment on column mart.business_by_commune_year.dissolved_in_year is 'Doanh nghiệp giải thể trong năm, đăng ký bất kỳ năm nào | Enterprises dissolved in the year, whenever registered';
comment on column mart.business_by_commune_year.in_force_at_year_end is 'Doanh nghiệp chưa giải thể vào cuối năm | Enterprises not dissolved by the end of the year';
comment on column mart.business_by_commune_year.refreshed_at is 'Thời điểm tính | Computed at';

grant select on core.dim_business_kind to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_business_status to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_economic_section to dx_loader, dx_engineer, dx_analyst;
grant select, insert, update on core.fact_business to dx_loader;
grant select on core.fact_business to dx_engineer, dx_analyst;
grant select, insert, update, delete on restricted.business_code to dx_loader;
grant select, insert, delete on mart.business_by_commune_year to dx_loader;
grant select on mart.business_by_commune_year to dx_engineer, dx_analyst, dx_bi;
