-- Civil status (hộ tịch): the entries in a schema nobody reads, counts in core for engineers, and counts with small
-- cells suppressed in a mart for everybody else. Analysts do not get the counts in core: those are not suppressed.

-- Grain: one row per kind of civil status event. A protected kind is one whose small counts tell of a person.
create table if not exists core.dim_civil_event_kind (
    event_kind_sk smallint primary key,
    code text not null unique,
    name_vi text not null,
    name_en text not null,
    is_protected boolean not null
);

insert into core.dim_civil_event_kind (event_kind_sk, code, name_vi, name_en, is_protected)
values
(-2, 'not_applicable', 'Không áp dụng', 'Not applicable', true),
(-1, 'unknown', 'Không xác định', 'Unknown', true),
(1, 'KS', 'Khai sinh', 'Birth', false),
(2, 'KH', 'Kết hôn', 'Marriage', false),
(3, 'KT', 'Khai tử', 'Death', true),
(4, 'XN', 'Xác nhận tình trạng hôn nhân', 'Certificate of marital status', false),
(5, 'GH', 'Giám hộ', 'Guardianship', true),
(6, 'NCN', 'Nhận cha mẹ con, nuôi con nuôi', 'Recognition of parents, adoption', true)
on conflict (event_kind_sk) do nothing;

-- Grain: one row per entry of a register book. No number of the book, no personal number, no day.
create table if not exists restricted.civil_status_event (
    event_hash bytea not null,
    commune_code text not null,
    commune_sk integer not null,
    month date not null
        constraint civil_status_event_is_month check (month = date_trunc('month', month::timestamp)::date),
    event_kind_sk smallint not null,
    is_late boolean not null,
    has_personal_number boolean not null,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint civil_status_event_pkey primary key (event_hash)
);

alter table restricted.civil_status_event add constraint civil_status_event_kind_fkey
foreign key (event_kind_sk) references core.dim_civil_event_kind (event_kind_sk);

alter table restricted.civil_status_event add constraint civil_status_event_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per commune, month and kind of event that has an event. Counts add up over all three.
create table if not exists core.fact_civil_status_month (
    commune_code text not null,
    month date not null
        constraint fact_civil_status_month_is_month check (month = date_trunc('month', month::timestamp)::date),
    event_kind_sk smallint not null,
    commune_sk integer not null,
    events bigint not null,
    late_registrations bigint not null,
    personal_numbers_issued bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_civil_status_month_pkey primary key (commune_code, month, event_kind_sk),
    constraint fact_civil_status_month_parts_within_events check (
        events > 0 and late_registrations between 0 and events and personal_numbers_issued between 0 and events
    )
);

alter table core.fact_civil_status_month add constraint fact_civil_status_month_kind_fkey
foreign key (event_kind_sk) references core.dim_civil_event_kind (event_kind_sk);

alter table core.fact_civil_status_month add constraint fact_civil_status_month_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per unit (commune or district), month and kind of event. The rule of suppression stands in
-- warehouse_sql/marts/civil_status_by_commune_month.sql.
create table if not exists mart.civil_status_by_commune_month (
    level text not null
        constraint civil_status_by_commune_month_level_known check (level in ('commune', 'district')),
    unit_code text not null,
    month date not null,
    event_kind text not null,
    event_kind_name text not null,
    unit_name text not null,
    district_code text not null,
    is_protected boolean not null,
    events bigint,
    late_registrations bigint,
    personal_numbers_issued bigint,
    is_suppressed boolean not null,
    refreshed_at timestamptz not null,
    constraint civil_status_by_commune_month_pkey primary key (level, unit_code, month, event_kind),
    constraint civil_status_by_commune_month_suppressed check (is_suppressed = (events is null)),
    constraint civil_status_by_commune_month_no_small_cell check (is_suppressed or not is_protected or events >= 5),
    constraint civil_status_by_commune_month_parts_of_districts check (
        num_nonnulls(late_registrations, personal_numbers_issued)
        = case when level = 'district' and events >= 5 then 2 else 0 end
    )
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(33, 'civil_status', 'Hộ tịch điện tử', 'Electronic civil status register')
on conflict (source_system_sk) do nothing;

comment on table core.dim_civil_event_kind is 'Loại việc hộ tịch | Kinds of civil status events';
comment on column core.dim_civil_event_kind.event_kind_sk is 'Khóa | Key';
comment on column core.dim_civil_event_kind.code is 'Mã: KS khai sinh, KH kết hôn, KT khai tử, XN xác nhận tình trạng hôn nhân, GH giám hộ, NCN nhận cha mẹ con, nuôi con nuôi | Code: KS birth, KH marriage, KT death, XN certificate of marital status, GH guardianship, NCN recognition of parents, adoption';
comment on column core.dim_civil_event_kind.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_civil_event_kind.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_civil_event_kind.is_protected is 'Số nhỏ có thể nói về một người: không đưa ra khi dưới 5 | A small count may tell of a person: not shown below 5';

comment on table restricted.civil_status_event is 'Việc hộ tịch, không số quyển, không số định danh, không ngày; vẫn là dữ liệu cá nhân | Civil status events, without book, personal number or day; still personal data';
comment on column restricted.civil_status_event.event_hash is 'SHA-256 của mã xã, quyển sổ và số đăng ký | SHA-256 of commune code, book and number';
comment on column restricted.civil_status_event.commune_code is 'Mã xã nơi đăng ký | Code of the commune of registration';
comment on column restricted.civil_status_event.commune_sk is 'Xã có hiệu lực ngày đăng ký | Commune in force on the day of registration';
comment on column restricted.civil_status_event.month is 'Tháng đăng ký (ngày đầu tháng) | Month of registration (its first day)';
comment on column restricted.civil_status_event.event_kind_sk is 'Loại việc | Kind of event';
comment on column restricted.civil_status_event.is_late is 'Khai sinh, khai tử quá hạn | Birth or death registered late';
comment on column restricted.civil_status_event.has_personal_number is 'Khai sinh được cấp số định danh đúng mẫu | Birth with a well-formed personal number issued';
comment on column restricted.civil_status_event.closed_on is 'Ngày không còn trong tệp | Day it left the files';
comment on column restricted.civil_status_event.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column restricted.civil_status_event.row_hash is 'Băm nội dung dòng nguồn và xã tìm được | Hash of the content of the source row and the commune found';
comment on column restricted.civil_status_event.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column restricted.civil_status_event.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column restricted.civil_status_event.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_civil_status_month is 'Số việc hộ tịch theo xã, tháng, loại việc, chưa che ô nhỏ | Civil status events by commune, month and kind, small cells not suppressed';
comment on column core.fact_civil_status_month.commune_code is 'Mã xã | Commune code';
comment on column core.fact_civil_status_month.month is 'Tháng đăng ký (ngày đầu tháng) | Month of registration (its first day)';
comment on column core.fact_civil_status_month.event_kind_sk is 'Loại việc | Kind of event';
comment on column core.fact_civil_status_month.commune_sk is 'Xã có hiệu lực trong tháng, -1 là không rõ | Commune in force in the month, -1 when not found';
comment on column core.fact_civil_status_month.events is 'Số việc | Events';
comment on column core.fact_civil_status_month.late_registrations is 'Số việc quá hạn, chỉ khai sinh và khai tử | Late registrations, of births and deaths only';
comment on column core.fact_civil_status_month.personal_numbers_issued is 'Số khai sinh được cấp số định danh đúng mẫu | Births with a well-formed personal number issued';
comment on column core.fact_civil_status_month.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_civil_status_month.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_civil_status_month.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.civil_status_by_commune_month is 'Số việc hộ tịch theo xã, huyện, tháng; khai tử, giám hộ, nhận con dưới 5 không hiện | Civil status events by commune, district and month; deaths, guardianships and adoptions below 5 not shown';
comment on column mart.civil_status_by_commune_month.level is 'Cấp: commune xã, district huyện | Level: commune, district';
comment on column mart.civil_status_by_commune_month.unit_code is 'Mã đơn vị hành chính | Code of the unit';
comment on column mart.civil_status_by_commune_month.month is 'Tháng đăng ký (ngày đầu tháng) | Month of registration (its first day)';
comment on column mart.civil_status_by_commune_month.event_kind is 'Loại việc | Code of the kind of event';
comment on column mart.civil_status_by_commune_month.event_kind_name is 'Tên loại việc | Name of the kind, in Vietnamese';
comment on column mart.civil_status_by_commune_month.unit_name is 'Tên đơn vị | Name of the unit';
comment on column mart.civil_status_by_commune_month.district_code is 'Mã huyện | District code';
comment on column mart.civil_status_by_commune_month.is_protected is 'Loại việc mà số nhỏ không hiện | Kind whose small counts are not shown';
comment on column mart.civil_status_by_commune_month.events is 'Số việc; trống khi bị che | Events; empty when suppressed';
comment on column mart.civil_status_by_commune_month.late_registrations is 'Số việc quá hạn, chỉ ở cấp huyện và từ 5 việc | Late registrations, of districts with 5 events or more only';
comment on column mart.civil_status_by_commune_month.personal_numbers_issued is 'Số khai sinh được cấp số định danh, chỉ ở cấp huyện và từ 5 việc | Births with a personal number issued, of districts with 5 events or more only';
comment on column mart.civil_status_by_commune_month.is_suppressed is 'Bị che vì nhỏ, hoặc để không suy ra được ô nhỏ khác | Suppressed, being small or lest another small cell can be computed';
comment on column mart.civil_status_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select on core.dim_civil_event_kind to dx_loader, dx_engineer, dx_analyst, dx_bi;
grant select, insert, update, delete on restricted.civil_status_event to dx_loader;
grant select, insert, update, delete on core.fact_civil_status_month to dx_loader;
grant select on core.fact_civil_status_month to dx_engineer;
grant select, insert, delete on mart.civil_status_by_commune_month to dx_loader;
grant select on mart.civil_status_by_commune_month to dx_engineer, dx_analyst, dx_bi;
