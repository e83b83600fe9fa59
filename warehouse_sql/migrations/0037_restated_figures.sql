-- Figures restated after the reforms, ready for reports: electronic identities on each of the four maps of communes,
-- and dossiers by the agency that has the tasks today. Nothing is guessed: what could not be apportioned has rows of
-- its own, and the total of each map or month is that of the facts.

-- Grain: one row per map, month, unit on the map and reason; unit -1 is what could not be apportioned, by reason.
create table if not exists mart.eid_on_map (
    map integer not null,
    month date not null,
    unit_sk integer not null,
    unit_code text not null,
    unit_name text not null,
    reason text not null,
    eligible numeric,
    issued numeric not null,
    activated numeric not null,
    activation_rate numeric(7, 3),
    refreshed_at timestamptz not null,
    constraint eid_on_map_pkey primary key (map, month, unit_sk, reason)
);

-- Grain: one row per month of acceptance and agency of that day; the agency of today stands beside it.
create table if not exists mart.dossier_by_agency_today (
    month date not null,
    agency_sk integer not null,
    agency_code text not null,
    agency_name text not null,
    agency_level text,
    today_agency_code text,
    today_agency_name text,
    reason text not null,
    main_agency_code text,
    possible_agencies text,
    dossiers bigint not null,
    refreshed_at timestamptz not null,
    constraint dossier_by_agency_today_pkey primary key (month, agency_sk)
);

comment on table mart.eid_on_map is 'Định danh điện tử quy về bản đồ 141, 125, 119 hoặc 78 đơn vị cấp xã; số lũy kế, không cộng qua các tháng hay các bản đồ | Electronic identities on the map of 141, 125, 119 or 78 communes; cumulative, never summed over months or maps';
comment on column mart.eid_on_map.map is 'Bản đồ, gọi theo số xã (core.admin_map) | Map, called by its number of communes (core.admin_map)';
comment on column mart.eid_on_map.month is 'Tháng báo cáo (ngày đầu tháng) | Month (its first day)';
comment on column mart.eid_on_map.unit_sk is 'Đơn vị trên bản đồ; -1 là phần không phân bổ được | Unit on the map; -1 is what could not be apportioned';
comment on column mart.eid_on_map.unit_code is 'Mã đơn vị | Code of the unit';
comment on column mart.eid_on_map.unit_name is 'Tên đơn vị | Name of the unit';
comment on column mart.eid_on_map.reason is 'Vì sao không phân bổ được; trống nếu phân bổ được | Why it could not be apportioned; empty text if it could';
comment on column mart.eid_on_map.eligible is 'Số dân đủ điều kiện | Eligible residents';
comment on column mart.eid_on_map.issued is 'Số định danh đã cấp (mức 1 và 2), lũy kế | Identities issued (levels 1 and 2), cumulative';
comment on column mart.eid_on_map.activated is 'Số tài khoản đã kích hoạt, lũy kế | Accounts activated, cumulative';
comment on column mart.eid_on_map.activation_rate is 'Tỷ lệ kích hoạt, % | Activated of issued, %';
comment on column mart.eid_on_map.refreshed_at is 'Thời điểm tính | Computed at';

comment on table mart.dossier_by_agency_today is 'Hồ sơ tiếp nhận theo tháng, theo cơ quan của ngày tiếp nhận và cơ quan hiện nay | Accepted dossiers by month, by the agency of their day and the agency of today';
comment on column mart.dossier_by_agency_today.month is 'Tháng tiếp nhận (ngày đầu tháng) | Month of acceptance (its first day)';
comment on column mart.dossier_by_agency_today.agency_sk is 'Cơ quan của ngày tiếp nhận (phiên bản) | Agency of the day of acceptance (version)';
comment on column mart.dossier_by_agency_today.agency_code is 'Mã định danh khi đó | Its identifier then';
comment on column mart.dossier_by_agency_today.agency_name is 'Tên khi đó | Its name then';
comment on column mart.dossier_by_agency_today.agency_level is 'Cấp | Level of government';
comment on column mart.dossier_by_agency_today.today_agency_code is 'Mã định danh cơ quan hiện nay; trống khi nhiệm vụ bị chia | Identifier of the agency of today; empty when the tasks were split';
comment on column mart.dossier_by_agency_today.today_agency_name is 'Tên cơ quan hiện nay | Name of the agency of today';
comment on column mart.dossier_by_agency_today.reason is 'succeeded, split_share_unknown, closed_without_successor; trống khi không đổi | empty text when unchanged';
comment on column mart.dossier_by_agency_today.main_agency_code is 'Cơ quan nhận phần chính, khi bị chia | Agency that took the main part, when split';
comment on column mart.dossier_by_agency_today.possible_agencies is 'Các cơ quan nhận, khi bị chia | Agencies that took parts, when split';
comment on column mart.dossier_by_agency_today.dossiers is 'Số hồ sơ | Dossiers';
comment on column mart.dossier_by_agency_today.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.eid_on_map to dx_loader;
grant select on mart.eid_on_map to dx_engineer, dx_analyst, dx_bi;
grant select, insert, delete on mart.dossier_by_agency_today to dx_loader;
grant select on mart.dossier_by_agency_today to dx_engineer, dx_analyst, dx_bi;
