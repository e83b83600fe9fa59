-- Poor households: the rows in a schema nobody reads, counts in core for engineers, and counts with small cells
-- suppressed in a mart for everybody else. Analysts get the mart and not the counts in core: those are not suppressed.

-- Grain: one row per household and year. No name, no identity number, no birth date, no ethnicity.
create table if not exists restricted.poor_household (
    household_hash bytea not null,
    year smallint not null,
    commune_code text not null,
    commune_sk integer not null,
    household_kind text not null
        constraint poor_household_kind_known check (household_kind in ('poor', 'near_poor', 'no_longer_poor')),
    members smallint not null,
    has_internet boolean,
    has_smartphone boolean,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint poor_household_pkey primary key (household_hash, year)
);

-- Grain: one row per commune, year and kind of household that has a household. Never summed over years.
create table if not exists core.fact_poor_household_year (
    commune_code text not null,
    year smallint not null,
    household_kind text not null
        constraint fact_poor_household_year_kind_known
        check (household_kind in ('poor', 'near_poor', 'no_longer_poor')),
    commune_sk integer not null,
    households bigint not null,
    members bigint not null,
    households_without_internet bigint not null,
    households_without_smartphone bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_poor_household_year_pkey primary key (commune_code, year, household_kind)
);

alter table core.fact_poor_household_year add constraint fact_poor_household_year_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per unit (commune or district), year and kind of household. The rule of suppression stands in
-- warehouse_sql/marts/poor_households_by_commune_year.sql.
create table if not exists mart.poor_households_by_commune_year (
    level text not null
        constraint poor_households_by_commune_year_level_known check (level in ('commune', 'district')),
    unit_code text not null,
    year smallint not null,
    household_kind text not null,
    unit_name text not null,
    district_code text not null,
    households bigint,
    members bigint,
    households_without_internet bigint,
    households_without_smartphone bigint,
    is_suppressed boolean not null,
    refreshed_at timestamptz not null,
    constraint poor_households_by_commune_year_pkey primary key (level, unit_code, year, household_kind),
    constraint poor_households_by_commune_year_all_or_nothing check (
        num_nulls(households, members, households_without_internet, households_without_smartphone)
        = case when is_suppressed then 4 else 0 end
    ),
    constraint poor_households_by_commune_year_no_small_cell check (
        is_suppressed or least(households, households_without_internet, households_without_smartphone) >= 5
    )
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(26, 'poor_households', 'Hộ nghèo, hộ cận nghèo', 'Poor and near-poor households')
on conflict (source_system_sk) do nothing;

comment on table restricted.poor_household is 'Hộ nghèo, cận nghèo từng năm, không tên, không số giấy tờ; vẫn là dữ liệu cá nhân | Poor and near-poor households by year, without name or identity number; still personal data';
comment on column restricted.poor_household.household_hash is 'SHA-256 của mã hộ | SHA-256 of the household''s code';
comment on column restricted.poor_household.year is 'Năm của danh sách | Year of the list';
comment on column restricted.poor_household.commune_code is 'Mã xã | Commune code';
comment on column restricted.poor_household.commune_sk is 'Xã có hiệu lực ngày 30/6 của năm | Commune in force on 30 June of the year';
comment on column restricted.poor_household.household_kind is 'Loại hộ: poor nghèo, near_poor cận nghèo, no_longer_poor thoát nghèo | Kind: poor, near_poor, no_longer_poor';
comment on column restricted.poor_household.members is 'Số nhân khẩu | Members';
comment on column restricted.poor_household.has_internet is 'Có dùng Internet; trống là chưa rõ | Uses the Internet; empty when not known';
comment on column restricted.poor_household.has_smartphone is 'Có điện thoại thông minh; trống là chưa rõ | Has a smartphone; empty when not known';
comment on column restricted.poor_household.closed_on is 'Ngày không còn trong danh sách | Day it left the list';
comment on column restricted.poor_household.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column restricted.poor_household.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column restricted.poor_household.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column restricted.poor_household.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column restricted.poor_household.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_poor_household_year is 'Số hộ nghèo, cận nghèo theo xã và năm, chưa che ô nhỏ; không cộng qua các năm | Poor and near-poor households by commune and year, small cells not suppressed; never summed over years';
comment on column core.fact_poor_household_year.commune_code is 'Mã xã | Commune code';
comment on column core.fact_poor_household_year.year is 'Năm | Year';
comment on column core.fact_poor_household_year.household_kind is 'Loại hộ: poor nghèo, near_poor cận nghèo, no_longer_poor thoát nghèo | Kind: poor, near_poor, no_longer_poor';
comment on column core.fact_poor_household_year.commune_sk is 'Xã có hiệu lực ngày 30/6 của năm | Commune in force on 30 June of the year';
comment on column core.fact_poor_household_year.households is 'Số hộ | Households';
comment on column core.fact_poor_household_year.members is 'Số nhân khẩu | Members';
comment on column core.fact_poor_household_year.households_without_internet is 'Số hộ không dùng Internet | Households that do not use the Internet';
comment on column core.fact_poor_household_year.households_without_smartphone is 'Số hộ không có điện thoại thông minh | Households without a smartphone';
comment on column core.fact_poor_household_year.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_poor_household_year.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_poor_household_year.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.poor_households_by_commune_year is 'Số hộ nghèo, cận nghèo theo xã, huyện và năm, đã che ô nhỏ hơn 5 | Poor and near-poor households by commune, district and year, cells below 5 suppressed';
comment on column mart.poor_households_by_commune_year.level is 'Cấp: commune xã, district huyện | Level: commune, district';
comment on column mart.poor_households_by_commune_year.unit_code is 'Mã đơn vị hành chính | Code of the unit';
comment on column mart.poor_households_by_commune_year.year is 'Năm | Year';
comment on column mart.poor_households_by_commune_year.household_kind is 'Loại hộ: poor nghèo, near_poor cận nghèo, no_longer_poor thoát nghèo | Kind: poor, near_poor, no_longer_poor';
comment on column mart.poor_households_by_commune_year.unit_name is 'Tên đơn vị | Name of the unit';
comment on column mart.poor_households_by_commune_year.district_code is 'Mã huyện | District code';
comment on column mart.poor_households_by_commune_year.households is 'Số hộ; trống khi bị che | Households; empty when suppressed';
comment on column mart.poor_households_by_commune_year.members is 'Số nhân khẩu; trống khi bị che | Members; empty when suppressed';
comment on column mart.poor_households_by_commune_year.households_without_internet is 'Số hộ không dùng Internet; trống khi bị che | Households that do not use the Internet; empty when suppressed';
comment on column mart.poor_households_by_commune_year.households_without_smartphone is 'Số hộ không có điện thoại thông minh; trống khi bị che | Households without a smartphone; empty when suppressed';
comment on column mart.poor_households_by_commune_year.is_suppressed is 'Bị che vì nhỏ, hoặc để không suy ra được ô nhỏ khác | Suppressed, being small or lest another small cell can be computed';
comment on column mart.poor_households_by_commune_year.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, update, delete on restricted.poor_household to dx_loader;
grant select, insert, update, delete on core.fact_poor_household_year to dx_loader;
grant select on core.fact_poor_household_year to dx_engineer;
grant select, insert, delete on mart.poor_households_by_commune_year to dx_loader;
grant select on mart.poor_households_by_commune_year to dx_engineer, dx_analyst, dx_bi;
