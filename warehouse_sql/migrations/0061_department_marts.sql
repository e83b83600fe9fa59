-- Marts of the other systems: digital infrastructure and community teams by commune and month, tasks by lead agency,
-- compliance of information systems.

-- Grain: one row per commune and month, figures of the month's end.
create table if not exists mart.infrastructure_by_commune_month (
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    district_name text,
    month date not null,
    population bigint not null,
    households bigint not null,
    fixed_broadband_subscriptions bigint not null,
    mobile_broadband_subscriptions bigint not null,
    households_with_internet bigint not null,
    households_with_smartphone bigint not null,
    internet_rate numeric,
    smartphone_rate numeric,
    subscriptions_per_100 numeric,
    source_rows bigint not null,
    refreshed_at timestamptz not null,
    constraint infrastructure_by_commune_month_pkey primary key (commune_sk, month)
);

comment on table mart.infrastructure_by_commune_month is 'Hạ tầng số theo xã và tháng; không cộng qua các tháng | Digital infrastructure by commune and month; never summed over months';
comment on column mart.infrastructure_by_commune_month.commune_sk is 'Xã, -1 không xác định | Commune, -1 not known';
comment on column mart.infrastructure_by_commune_month.commune_code is 'Mã xã | Code of the commune';
comment on column mart.infrastructure_by_commune_month.commune_name is 'Tên xã | Name of the commune';
comment on column mart.infrastructure_by_commune_month.district_name is 'Tên huyện | Name of the district';
comment on column mart.infrastructure_by_commune_month.month is 'Tháng (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.infrastructure_by_commune_month.population is 'Dân số | Population';
comment on column mart.infrastructure_by_commune_month.households is 'Tổng số hộ | Households';
comment on column mart.infrastructure_by_commune_month.fixed_broadband_subscriptions is 'Thuê bao băng rộng cố định | Fixed broadband subscriptions';
comment on column mart.infrastructure_by_commune_month.mobile_broadband_subscriptions is 'Thuê bao băng rộng di động | Mobile broadband subscriptions';
comment on column mart.infrastructure_by_commune_month.households_with_internet is 'Hộ có kết nối Internet | Households with an Internet connection';
comment on column mart.infrastructure_by_commune_month.households_with_smartphone is 'Hộ có điện thoại thông minh | Households with a smartphone';
comment on column mart.infrastructure_by_commune_month.internet_rate is 'Tỷ lệ hộ có Internet, % | Households with Internet, %';
comment on column mart.infrastructure_by_commune_month.smartphone_rate is 'Tỷ lệ hộ có điện thoại thông minh, % | Households with a smartphone, %';
comment on column mart.infrastructure_by_commune_month.subscriptions_per_100 is 'Thuê bao băng rộng trên 100 dân; có thể quá 100 | Broadband subscriptions per 100 residents; may exceed 100';
comment on column mart.infrastructure_by_commune_month.source_rows is 'Số dòng nguồn; hơn 1 chỉ ở dòng -1 | Source rows; more than 1 only in row -1';
comment on column mart.infrastructure_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.infrastructure_by_commune_month to dx_loader;
grant select on mart.infrastructure_by_commune_month to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per commune in force at the month's end and month; every commune of the province is there, also
-- without a team.
create table if not exists mart.community_team_by_commune_month (
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    district_name text,
    month date not null,
    commune_teams bigint not null,
    village_teams bigint not null,
    members bigint not null,
    commune_teams_reported bigint not null,
    village_teams_reported bigint not null,
    has_team boolean not null,
    registers_differ boolean not null,
    population bigint,
    members_per_1000 numeric,
    refreshed_at timestamptz not null,
    constraint community_team_by_commune_month_pkey primary key (commune_sk, month)
);

comment on table mart.community_team_by_commune_month is 'Tổ công nghệ số cộng đồng theo xã cuối tháng: sổ quyết định và báo cáo của huyện đặt cạnh nhau | Community digital technology teams by commune at the month''s end: register of decisions and districts'' reports side by side';
comment on column mart.community_team_by_commune_month.commune_sk is 'Xã, -1 không xác định | Commune, -1 not known';
comment on column mart.community_team_by_commune_month.commune_code is 'Mã xã | Code of the commune';
comment on column mart.community_team_by_commune_month.commune_name is 'Tên xã | Name of the commune';
comment on column mart.community_team_by_commune_month.district_name is 'Tên huyện | Name of the district';
comment on column mart.community_team_by_commune_month.month is 'Tháng (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.community_team_by_commune_month.commune_teams is 'Tổ cấp xã theo quyết định | Commune teams by decision';
comment on column mart.community_team_by_commune_month.village_teams is 'Tổ cấp thôn theo quyết định | Village teams by decision';
comment on column mart.community_team_by_commune_month.members is 'Thành viên theo quyết định | Members by decision';
comment on column mart.community_team_by_commune_month.commune_teams_reported is 'Tổ cấp xã theo báo cáo của huyện | Commune teams in the district''s report';
comment on column mart.community_team_by_commune_month.village_teams_reported is 'Tổ cấp thôn theo báo cáo của huyện | Village teams in the district''s report';
comment on column mart.community_team_by_commune_month.has_team is 'Có tổ cấp xã theo quyết định | Has a commune team by decision';
comment on column mart.community_team_by_commune_month.registers_differ is 'Hai nguồn khác nhau về tổ cấp xã | The two registers differ about the commune team';
comment on column mart.community_team_by_commune_month.population is 'Dân số của tháng; trống khi chưa có báo cáo hạ tầng số | Population of the month; empty where the digital infrastructure has no report';
comment on column mart.community_team_by_commune_month.members_per_1000 is 'Thành viên trên 1.000 dân | Members per 1,000 residents';
comment on column mart.community_team_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.community_team_by_commune_month to dx_loader;
grant select on mart.community_team_by_commune_month to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per document, group, lead agency and month, with the status of each task at the month's end.
create table if not exists mart.task_by_lead_agency_month (
    document_no text not null,
    group_code text not null,
    agency_code text not null,
    agency_sk integer not null,
    agency_name text not null,
    month date not null,
    assigned bigint not null,
    carried_out bigint not null,
    completed bigint not null,
    deployed bigint not null,
    under_way bigint not null,
    not_begun bigint not null,
    stopped bigint not null,
    late bigint not null,
    late_without_progress bigint not null,
    refreshed_at timestamptz not null,
    constraint task_by_lead_agency_month_pkey primary key (document_no, group_code, agency_code, month)
);

comment on table mart.task_by_lead_agency_month is 'Nhiệm vụ được giao theo văn bản, nhóm, cơ quan chủ trì và tháng; không cộng qua các tháng | Tasks by document, group, lead agency and month; never summed over months';
comment on column mart.task_by_lead_agency_month.document_no is 'Văn bản giao nhiệm vụ | Document that assigns the tasks';
comment on column mart.task_by_lead_agency_month.group_code is 'Nhóm: CHUNG chung, CQS chính quyền số, KTS kinh tế số, XHS xã hội số | Group: general, digital government, digital economy, digital society';
comment on column mart.task_by_lead_agency_month.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.task_by_lead_agency_month.agency_sk is 'Khóa phiên bản mới nhất của cơ quan | Key of the latest version of the agency';
comment on column mart.task_by_lead_agency_month.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.task_by_lead_agency_month.month is 'Tháng (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.task_by_lead_agency_month.assigned is 'Được giao | Assigned';
comment on column mart.task_by_lead_agency_month.carried_out is 'Đã thực hiện, như số liệu công bố đếm | Carried out, as the published figures count';
comment on column mart.task_by_lead_agency_month.completed is 'Hoàn thành hoặc cơ bản hoàn thành | Done or basically done';
comment on column mart.task_by_lead_agency_month.deployed is 'Đã triển khai | Deployed';
comment on column mart.task_by_lead_agency_month.under_way is 'Đang triển khai | Under way';
comment on column mart.task_by_lead_agency_month.not_begun is 'Chưa triển khai | Not begun';
comment on column mart.task_by_lead_agency_month.stopped is 'Dừng thực hiện | Stopped';
comment on column mart.task_by_lead_agency_month.late is 'Quá hạn, chưa thực hiện | Overdue and not carried out';
comment on column mart.task_by_lead_agency_month.late_without_progress is 'Quá hạn và không ghi tiến độ | Overdue without a note of progress';
comment on column mart.task_by_lead_agency_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.task_by_lead_agency_month to dx_loader;
grant select on mart.task_by_lead_agency_month to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per information system in use, its latest state.
create table if not exists mart.system_compliance (
    system_code text not null,
    system_name text not null,
    system_kind text not null,
    owner_agency_code text,
    owner_agency_name text not null,
    security_level smallint,
    has_security_level boolean not null,
    uses_ipv6 boolean,
    connected_to_emc boolean,
    connected_to_lgsp boolean,
    missing text not null,
    not_known text not null,
    complies boolean not null,
    refreshed_at timestamptz not null,
    constraint system_compliance_pkey primary key (system_code)
);

comment on table mart.system_compliance is 'Hệ thống thông tin: cấp độ an toàn, IPv6, EMC, LGSP theo đơn vị chủ quản | Information systems: security level, IPv6, EMC and LGSP, by owner';
comment on column mart.system_compliance.system_code is 'Mã hệ thống | Code of the system';
comment on column mart.system_compliance.system_name is 'Tên hệ thống | Name of the system';
comment on column mart.system_compliance.system_kind is 'Loại: cong_ttdt cổng thông tin, cong_dvc cổng dịch vụ công, nghiep_vu nghiệp vụ, csdl cơ sở dữ liệu, nen_tang nền tảng | Kind: portal, service portal, line of business, database, platform';
comment on column mart.system_compliance.owner_agency_code is 'Mã đơn vị chủ quản; trống khi nguồn không ghi | Identifier of the owner; empty when the source does not say';
comment on column mart.system_compliance.owner_agency_name is 'Tên đơn vị chủ quản | Name of the owner';
comment on column mart.system_compliance.security_level is 'Cấp độ an toàn được duyệt 1..5; trống khi chưa được duyệt | Approved security level 1..5; empty when none';
comment on column mart.system_compliance.has_security_level is 'Có cấp độ an toàn được duyệt | Has an approved security level';
comment on column mart.system_compliance.uses_ipv6 is 'Đã chuyển đổi IPv6; trống là chưa rõ | On IPv6; empty is not known';
comment on column mart.system_compliance.connected_to_emc is 'Kết nối giám sát EMC; trống là chưa rõ | Monitored by EMC; empty is not known';
comment on column mart.system_compliance.connected_to_lgsp is 'Kết nối LGSP; trống là chưa rõ | Connected to LGSP; empty is not known';
comment on column mart.system_compliance.missing is 'Còn thiếu (đã biết là không có) | What is missing (known not to be there)';
comment on column mart.system_compliance.not_known is 'Chưa rõ | What is not known';
comment on column mart.system_compliance.complies is 'Đủ cả bốn | Has all four';
comment on column mart.system_compliance.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.system_compliance to dx_loader;
grant select on mart.system_compliance to dx_engineer, dx_analyst, dx_bi;
