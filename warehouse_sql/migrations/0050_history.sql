-- What the warehouse used to know. core.<table>_as_known(instant) answers with the rows as they stood at that instant.
--   * Facts: <table>_history holds the former versions only, so a row that never changed is nowhere twice and a first
--     load writes nothing. A version is known from its loaded_at on, until the loaded_at of its successor.
--   * Dimensions that a report reads: <table>_history holds every version from the first on, compared after each load,
--     whichever statement changed them. What stood there when this began counts as known from 1900 on.
-- The load files fill these tables (history= of a step). Nobody may change or delete a row of them.
-- Both are distributed by the same column as the table they belong to, so nothing has to move to be joined.

-- Grain: one row per version of a row of core.fact_dossier that has been overwritten.
create table if not exists core.fact_dossier_history (
    like core.fact_dossier including comments,
    known_from timestamptz not null,
    known_to timestamptz not null,
    constraint fact_dossier_history_pkey primary key (dossier_code, registered_on, known_from),
    constraint fact_dossier_history_interval check (known_from < known_to)
);
create index if not exists fact_dossier_history_by_end on core.fact_dossier_history (known_to);

-- Grain: one row per version of a row of core.fact_dossier_event that has been overwritten.
create table if not exists core.fact_dossier_event_history (
    like core.fact_dossier_event including comments,
    known_from timestamptz not null,
    known_to timestamptz not null,
    constraint fact_dossier_event_history_pkey primary key (
        dossier_code, registered_on, event_kind_sk, event_id, known_from
    ),
    constraint fact_dossier_event_history_interval check (known_from < known_to)
);
create index if not exists fact_dossier_event_history_by_end on core.fact_dossier_event_history (known_to);

-- Grain: one row per version of a row of core.dossier_alias that has been overwritten.
create table if not exists core.dossier_alias_history (
    like core.dossier_alias including comments,
    known_from timestamptz not null,
    known_to timestamptz not null,
    constraint dossier_alias_history_pkey primary key (alias_code, known_from),
    constraint dossier_alias_history_interval check (known_from < known_to)
);
create index if not exists dossier_alias_history_by_end on core.dossier_alias_history (known_to);

-- Grain: one row per row of core.dim_agency and instant from which it read so.
create table if not exists core.dim_agency_history (
    like core.dim_agency including comments,
    known_from timestamptz not null,
    constraint dim_agency_history_pkey primary key (agency_sk, known_from)
);
insert into core.dim_agency_history (
    agency_sk,
    agency_code,
    legacy_code,
    source_code,
    name,
    kind,
    level,
    parent_agency_code,
    province_code,
    district_code,
    commune_code,
    established_on,
    valid_from,
    valid_to,
    is_current,
    is_inferred,
    row_hash,
    first_batch_id,
    last_batch_id,
    loaded_at,
    known_from
)
select
    t.agency_sk,
    t.agency_code,
    t.legacy_code,
    t.source_code,
    t.name,
    t.kind,
    t.level,
    t.parent_agency_code,
    t.province_code,
    t.district_code,
    t.commune_code,
    t.established_on,
    t.valid_from,
    t.valid_to,
    t.is_current,
    t.is_inferred,
    t.row_hash,
    t.first_batch_id,
    t.last_batch_id,
    t.loaded_at,
    timestamptz '1900-01-01 00:00:00+00' as known_from
from core.dim_agency as t
on conflict (agency_sk, known_from) do nothing;

-- Grain: one row per row of core.dim_procedure and instant from which it read so.
create table if not exists core.dim_procedure_history (
    like core.dim_procedure including comments,
    known_from timestamptz not null,
    constraint dim_procedure_history_pkey primary key (procedure_sk, known_from)
);
insert into core.dim_procedure_history (
    procedure_sk,
    procedure_code,
    name,
    field_code,
    performing_level,
    time_limit_working_days,
    has_fee,
    decision,
    service_level,
    valid_from,
    valid_to,
    is_current,
    is_inferred,
    row_hash,
    first_batch_id,
    last_batch_id,
    loaded_at,
    known_from
)
select
    t.procedure_sk,
    t.procedure_code,
    t.name,
    t.field_code,
    t.performing_level,
    t.time_limit_working_days,
    t.has_fee,
    t.decision,
    t.service_level,
    t.valid_from,
    t.valid_to,
    t.is_current,
    t.is_inferred,
    t.row_hash,
    t.first_batch_id,
    t.last_batch_id,
    t.loaded_at,
    timestamptz '1900-01-01 00:00:00+00' as known_from
from core.dim_procedure as t
on conflict (procedure_sk, known_from) do nothing;

-- Grain: one row per row of core.dim_date and instant from which it read so.
create table if not exists core.dim_date_history (
    like core.dim_date including comments,
    known_from timestamptz not null,
    constraint dim_date_history_pkey primary key (date_key, known_from)
);
insert into core.dim_date_history (
    date_key,
    full_date,
    year,
    half,
    quarter,
    month,
    month_start,
    month_end,
    day_of_month,
    iso_year,
    iso_week,
    weekday,
    weekday_name,
    is_weekend,
    is_holiday,
    holiday_name,
    is_working_day,
    working_day_number,
    known_from
)
select
    t.date_key,
    t.full_date,
    t.year,
    t.half,
    t.quarter,
    t.month,
    t.month_start,
    t.month_end,
    t.day_of_month,
    t.iso_year,
    t.iso_week,
    t.weekday,
    t.weekday_name,
    t.is_weekend,
    t.is_holiday,
    t.holiday_name,
    t.is_working_day,
    t.working_day_number,
    timestamptz '1900-01-01 00:00:00+00' as known_from
from core.dim_date as t
on conflict (date_key, known_from) do nothing;

comment on table core.fact_dossier_history is 'Các phiên bản trước của hồ sơ, đã bị ghi đè | Former versions of dossiers, overwritten since';
comment on column core.fact_dossier_history.known_from is 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version';
comment on column core.fact_dossier_history.known_to is 'Cho đến lúc có phiên bản kế tiếp | Until this instant, that of the next version';
comment on table core.fact_dossier_event_history is 'Các phiên bản trước của sự kiện hồ sơ, đã bị ghi đè | Former versions of events of dossiers, overwritten since';
comment on column core.fact_dossier_event_history.known_from is 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version';
comment on column core.fact_dossier_event_history.known_to is 'Cho đến lúc có phiên bản kế tiếp | Until this instant, that of the next version';
comment on table core.dossier_alias_history is 'Các phiên bản trước của mã trùng, đã bị ghi đè | Former versions of codes of one dossier, overwritten since';
comment on column core.dossier_alias_history.known_from is 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version';
comment on column core.dossier_alias_history.known_to is 'Cho đến lúc có phiên bản kế tiếp | Until this instant, that of the next version';
comment on table core.dim_agency_history is 'Cơ quan: mọi phiên bản theo thời điểm kho biết | Agencies: every version by the instant the warehouse knew it';
comment on column core.dim_agency_history.known_from is 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version';
comment on table core.dim_procedure_history is 'Thủ tục: mọi phiên bản theo thời điểm kho biết | Procedures: every version by the instant the warehouse knew it';
comment on column core.dim_procedure_history.known_from is 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version';
comment on table core.dim_date_history is 'Ngày: mọi phiên bản theo thời điểm kho biết | Days: every version by the instant the warehouse knew it';
comment on column core.dim_date_history.known_from is 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version';

grant select, insert on core.fact_dossier_history to dx_loader;
grant select on core.fact_dossier_history to dx_engineer, dx_analyst;
grant select, insert on core.fact_dossier_event_history to dx_loader;
grant select on core.fact_dossier_event_history to dx_engineer, dx_analyst;
grant select, insert on core.dossier_alias_history to dx_loader;
grant select on core.dossier_alias_history to dx_engineer, dx_analyst;
grant select, insert on core.dim_agency_history to dx_loader;
grant select on core.dim_agency_history to dx_engineer, dx_analyst;
grant select, insert on core.dim_procedure_history to dx_loader;
grant select on core.dim_procedure_history to dx_engineer, dx_analyst;
grant select, insert on core.dim_date_history to dx_loader;
grant select on core.dim_date_history to dx_engineer, dx_analyst;
