-- Digital infrastructure, community digital technology teams, information systems and agencies' readiness: what the
-- department of information and communications (Sở TT&TT) keeps. source_row_id is the id of the row at the source.

-- Grain: one row per commune and month. Figures of the month's end: they add up over communes, never over months.
create table if not exists core.fact_infrastructure_month (
    month date not null
        constraint fact_infrastructure_month_is_month check (month = date_trunc('month', month::timestamp)::date),
    commune_code text not null,
    commune_sk integer not null,
    fixed_broadband_subscriptions bigint not null,
    mobile_broadband_subscriptions bigint not null,
    households bigint not null,
    households_with_internet bigint not null,
    households_with_smartphone bigint not null,
    population bigint not null,
    source_row_id bigint not null,
    source_updated_at timestamptz not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_infrastructure_month_pkey primary key (commune_code, month)
);

alter table core.fact_infrastructure_month add constraint fact_infrastructure_month_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Where a team is known from. Where two registers differ, the one with the smaller priority is published.
create table if not exists core.dim_team_register (
    register_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null,
    priority smallint not null
);

insert into core.dim_team_register (register_sk, code, name_vi, name_en, priority)
values
(-2, 'not_applicable', 'Không áp dụng', 'Not applicable', 99),
(-1, 'unknown', 'Không xác định', 'Unknown', 99),
(1, 'decision', 'Sổ quyết định thành lập của Sở TT&TT', 'Register of decisions, department of information', 1),
(2, 'district_report', 'Báo cáo của các huyện', 'Reports of the districts', 2);

-- Grain: one row per team and register. Two registers that tell of one team give two rows: sum over one register only.
create table if not exists core.fact_community_team (
    register_sk smallint not null,
    team_code text not null,
    level text not null
        constraint fact_community_team_level_known check (level in ('commune', 'village')),
    commune_code text not null,
    commune_sk integer not null,
    village_name text,
    members bigint not null,
    decision text,
    established_on date,
    dissolved_on date,
    reported_on date,
    reported_by text not null,
    closed_on date,
    source_row_id bigint not null,
    source_updated_at timestamptz not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_community_team_pkey primary key (register_sk, team_code)
);

alter table core.fact_community_team add constraint fact_community_team_register_fkey
foreign key (register_sk) references core.dim_team_register (register_sk);
alter table core.fact_community_team add constraint fact_community_team_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per information system, its latest state. A flag is empty when the source does not say.
create table if not exists core.dim_information_system (
    system_code text primary key,
    name text not null,
    kind text not null,
    owner_agency_code text,
    owner_agency_sk integer not null references core.dim_agency (agency_sk),
    security_level smallint
        constraint dim_information_system_level_known check (security_level between 1 and 5),
    uses_ipv6 boolean,
    connected_to_emc boolean,
    connected_to_lgsp boolean,
    url text,
    closed_on date,
    source_updated_at timestamptz not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- Grain: one row per agency, its latest state.
create table if not exists core.fact_agency_readiness (
    agency_code text not null,
    agency_sk integer not null,
    on_state_network boolean not null,
    digital_staff text,
    security_staff text,
    closed_on date,
    source_updated_at timestamptz not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_agency_readiness_pkey primary key (agency_code)
);

alter table core.fact_agency_readiness add constraint fact_agency_readiness_agency_fkey
foreign key (agency_sk) references core.dim_agency (agency_sk);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(2, 'digital_infrastructure', 'Hạ tầng số và tổ công nghệ số cộng đồng', 'Digital infrastructure and community teams')
on conflict (source_system_sk) do nothing;

comment on table core.fact_infrastructure_month is 'Hạ tầng số theo xã và tháng; không cộng qua các tháng | Digital infrastructure by commune and month; never summed over months';
comment on column core.fact_infrastructure_month.month is 'Tháng báo cáo (ngày đầu tháng) | Month (its first day)';
comment on column core.fact_infrastructure_month.commune_code is 'Mã xã | Commune code';
comment on column core.fact_infrastructure_month.commune_sk is 'Xã có hiệu lực cuối tháng | Commune in force at the month''s end';
comment on column core.fact_infrastructure_month.fixed_broadband_subscriptions is 'Thuê bao băng rộng cố định | Fixed broadband subscriptions';
comment on column core.fact_infrastructure_month.mobile_broadband_subscriptions is 'Thuê bao băng rộng di động | Mobile broadband subscriptions';
comment on column core.fact_infrastructure_month.households is 'Tổng số hộ | Households';
comment on column core.fact_infrastructure_month.households_with_internet is 'Hộ có kết nối Internet | Households with an Internet connection';
comment on column core.fact_infrastructure_month.households_with_smartphone is 'Hộ có điện thoại thông minh | Households with a smartphone';
comment on column core.fact_infrastructure_month.population is 'Dân số | Population';

comment on table core.dim_team_register is 'Nguồn ghi nhận tổ công nghệ số cộng đồng, kèm thứ tự ưu tiên | Registers of community digital technology teams, with their priority';
comment on column core.dim_team_register.register_sk is 'Khóa | Key';
comment on column core.dim_team_register.code is 'Mã nguồn | Code of the register';
comment on column core.dim_team_register.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_team_register.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_team_register.priority is 'Thứ tự ưu tiên khi các nguồn khác nhau, nhỏ trước | Priority where registers differ, smallest first';

comment on table core.fact_community_team is 'Tổ công nghệ số cộng đồng, mỗi dòng một tổ trong một nguồn; chỉ cộng trong một nguồn | Community digital technology teams, one row per team and register; sum over one register only';
comment on column core.fact_community_team.register_sk is 'Nguồn ghi nhận | Register that tells of the team';
comment on column core.fact_community_team.team_code is 'Mã tổ, hoặc mã dòng báo cáo | Code of the team, or of the line of the report';
comment on column core.fact_community_team.level is 'Cấp: commune xã, village thôn | Level: commune, village';
comment on column core.fact_community_team.commune_code is 'Mã xã | Commune code';
comment on column core.fact_community_team.commune_sk is 'Xã có hiệu lực ngày cập nhật | Commune in force on the day of the last update';
comment on column core.fact_community_team.village_name is 'Tên thôn; các xã có thể có thôn trùng tên | Village; communes may have villages of one name';
comment on column core.fact_community_team.members is 'Số thành viên | Members';
comment on column core.fact_community_team.decision is 'Quyết định thành lập | Decision that set up the team';
comment on column core.fact_community_team.established_on is 'Ngày thành lập; trống với báo cáo | Day set up; empty for reports';
comment on column core.fact_community_team.dissolved_on is 'Ngày giải thể | Day dissolved';
comment on column core.fact_community_team.reported_on is 'Ngày báo cáo | Day of the report';
comment on column core.fact_community_team.reported_by is 'Nơi ghi nhận: mã nguồn | Who tells of it: code of the register';
comment on column core.fact_community_team.closed_on is 'Ngày không còn ở nguồn | Day it left the source';

comment on table core.dim_information_system is 'Hệ thống thông tin của tỉnh | Information systems of the province';
comment on column core.dim_information_system.system_code is 'Mã hệ thống | Code of the system';
comment on column core.dim_information_system.name is 'Tên hệ thống | Name of the system';
comment on column core.dim_information_system.kind is 'Loại: cong_ttdt, cong_dvc, csdl, nghiep_vu, nen_tang | Kind: portal, public-service portal, database, business system, platform';
comment on column core.dim_information_system.owner_agency_code is 'Mã cơ quan chủ quản | Identifier of the owner';
comment on column core.dim_information_system.owner_agency_sk is 'Cơ quan chủ quản | Agency that owns the system';
comment on column core.dim_information_system.security_level is 'Cấp độ an toàn thông tin đã phê duyệt, 1..5; trống nếu chưa | Approved security level, 1..5; empty if none';
comment on column core.dim_information_system.uses_ipv6 is 'Đã chuyển đổi IPv6; trống là chưa rõ | Converted to IPv6; empty when not known';
comment on column core.dim_information_system.connected_to_emc is 'Đã kết nối hệ thống giám sát EMC; trống là chưa rõ | Connected to the monitoring centre EMC; empty when not known';
comment on column core.dim_information_system.connected_to_lgsp is 'Đã kết nối nền tảng LGSP; trống là chưa rõ | Connected to the platform LGSP; empty when not known';
comment on column core.dim_information_system.url is 'Địa chỉ trên mạng | Address on the web';
comment on column core.dim_information_system.closed_on is 'Ngày không còn ở nguồn | Day it left the source';

comment on table core.fact_agency_readiness is 'Cơ quan: mạng truyền số liệu chuyên dùng, cán bộ chuyển đổi số và an toàn thông tin | Agencies: the state network, staff for digital transformation and security';
comment on column core.fact_agency_readiness.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column core.fact_agency_readiness.agency_sk is 'Cơ quan | Agency';
comment on column core.fact_agency_readiness.on_state_network is 'Đã kết nối mạng truyền số liệu chuyên dùng | Connected to the state data-transmission network';
comment on column core.fact_agency_readiness.digital_staff is 'Cán bộ chuyển đổi số: chuyen_trach, kiem_nhiem, chua_co; trống là chưa rõ | Digital staff: full time, part time, none; empty when not known';
comment on column core.fact_agency_readiness.security_staff is 'Cán bộ an toàn thông tin: chuyen_trach, kiem_nhiem, chua_co; trống là chưa rõ | Security staff: full time, part time, none; empty when not known';
comment on column core.fact_agency_readiness.closed_on is 'Ngày không còn ở nguồn | Day it left the source';

comment on column core.fact_infrastructure_month.source_row_id is 'Số thứ tự dòng ở nguồn | Number of the row at the source';
comment on column core.fact_infrastructure_month.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_infrastructure_month.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_infrastructure_month.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_infrastructure_month.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_infrastructure_month.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_infrastructure_month.loaded_at is 'Thời điểm nạp | Loaded at';

comment on column core.fact_community_team.source_row_id is 'Số thứ tự dòng ở nguồn | Number of the row at the source';
comment on column core.fact_community_team.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_community_team.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_community_team.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_community_team.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_community_team.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_community_team.loaded_at is 'Thời điểm nạp | Loaded at';

comment on column core.dim_information_system.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.dim_information_system.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.dim_information_system.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.dim_information_system.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dim_information_system.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dim_information_system.loaded_at is 'Thời điểm nạp | Loaded at';

comment on column core.fact_agency_readiness.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_agency_readiness.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_agency_readiness.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_agency_readiness.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_agency_readiness.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_agency_readiness.loaded_at is 'Thời điểm nạp | Loaded at';

grant select, insert, update on core.fact_infrastructure_month to dx_loader;
grant select on core.fact_infrastructure_month to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_community_team to dx_loader;
grant select on core.fact_community_team to dx_engineer, dx_analyst;
grant select, insert, update on core.dim_information_system to dx_loader;
grant select on core.dim_information_system to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_agency_readiness to dx_loader;
grant select on core.fact_agency_readiness to dx_engineer, dx_analyst;
grant select on core.dim_team_register to dx_loader, dx_engineer, dx_analyst;
