-- Functions of the history: the rows of a table as the warehouse knew them at an instant.
-- Each is one statement, so the planner works it into the question: conditions reach the partitions and their indexes.
-- A function named <something>_as_known(timestamptz) that returns rows of a table or view of core is found by the
-- pipeline, which recomputes a whole report as known at an instant with it.

create or replace function core.dossier_as_known(at timestamptz)
returns setof core.fact_dossier
language sql
stable
as $$
    select
        t.dossier_code,
        t.registered_on,
        t.agency_sk,
        t.procedure_sk,
        t.field_sk,
        t.commune_sk,
        t.received_date_key,
        t.channel_sk,
        t.status_sk,
        t.applicant_kind_sk,
        t.service_level,
        t.return_method,
        t.submitted_through,
        t.paid_online_reported,
        t.supplement_limit,
        t.received_on,
        t.submitted_at,
        t.accept_due_at,
        t.received_at,
        t.due_at,
        t.supplement_requested_at,
        t.supplement_received_at,
        t.finished_at,
        t.returned_at,
        t.refused_at,
        t.deleted_at,
        t.source_updated_at,
        t.loaded_at,
        t.row_hash,
        t.first_batch_id,
        t.last_batch_id,
        t.has_digitised_component,
        t.vneid_verified,
        t.other_code,
        t.quality_flags
    from core.fact_dossier as t
    where t.loaded_at <= at
    union all
    select
        h.dossier_code,
        h.registered_on,
        h.agency_sk,
        h.procedure_sk,
        h.field_sk,
        h.commune_sk,
        h.received_date_key,
        h.channel_sk,
        h.status_sk,
        h.applicant_kind_sk,
        h.service_level,
        h.return_method,
        h.submitted_through,
        h.paid_online_reported,
        h.supplement_limit,
        h.received_on,
        h.submitted_at,
        h.accept_due_at,
        h.received_at,
        h.due_at,
        h.supplement_requested_at,
        h.supplement_received_at,
        h.finished_at,
        h.returned_at,
        h.refused_at,
        h.deleted_at,
        h.source_updated_at,
        h.loaded_at,
        h.row_hash,
        h.first_batch_id,
        h.last_batch_id,
        h.has_digitised_component,
        h.vneid_verified,
        h.other_code,
        h.quality_flags
    from core.fact_dossier_history as h
    where h.known_from <= at and h.known_to > at
$$;

create or replace function core.dossier_event_as_known(at timestamptz)
returns setof core.fact_dossier_event
language sql
stable
as $$
    select
        t.dossier_code,
        t.registered_on,
        t.event_kind_sk,
        t.event_id,
        t.status_sk,
        t.sent_status_sk,
        t.started_at,
        t.occurred_at,
        t.ended_at,
        t.due_at,
        t.previous_due_at,
        t.amount_vnd,
        t.state,
        t.method,
        t.unit_name,
        t.detail,
        t.source_updated_at,
        t.loaded_at,
        t.row_hash,
        t.first_batch_id,
        t.last_batch_id,
        t.quality_flags
    from core.fact_dossier_event as t
    where t.loaded_at <= at
    union all
    select
        h.dossier_code,
        h.registered_on,
        h.event_kind_sk,
        h.event_id,
        h.status_sk,
        h.sent_status_sk,
        h.started_at,
        h.occurred_at,
        h.ended_at,
        h.due_at,
        h.previous_due_at,
        h.amount_vnd,
        h.state,
        h.method,
        h.unit_name,
        h.detail,
        h.source_updated_at,
        h.loaded_at,
        h.row_hash,
        h.first_batch_id,
        h.last_batch_id,
        h.quality_flags
    from core.fact_dossier_event_history as h
    where h.known_from <= at and h.known_to > at
$$;

create or replace function core.dossier_alias_as_known(at timestamptz)
returns setof core.dossier_alias
language sql
stable
as $$
    select
        t.alias_code,
        t.alias_registered_on,
        t.dossier_code,
        t.registered_on,
        t.row_hash,
        t.first_batch_id,
        t.last_batch_id,
        t.loaded_at
    from core.dossier_alias as t
    where t.loaded_at <= at
    union all
    select
        h.alias_code,
        h.alias_registered_on,
        h.dossier_code,
        h.registered_on,
        h.row_hash,
        h.first_batch_id,
        h.last_batch_id,
        h.loaded_at
    from core.dossier_alias_history as h
    where h.known_from <= at and h.known_to > at
$$;

create or replace function core.dim_agency_as_known(at timestamptz)
returns setof core.dim_agency
language sql
stable
as $$
    select distinct on (h.agency_sk)
        h.agency_sk,
        h.agency_code,
        h.legacy_code,
        h.source_code,
        h.name,
        h.kind,
        h.level,
        h.parent_agency_code,
        h.province_code,
        h.district_code,
        h.commune_code,
        h.established_on,
        h.valid_from,
        h.valid_to,
        h.is_current,
        h.is_inferred,
        h.row_hash,
        h.first_batch_id,
        h.last_batch_id,
        h.loaded_at
    from core.dim_agency_history as h
    where h.known_from <= at
    order by
        h.agency_sk asc,
        h.known_from desc
$$;

create or replace function core.dim_procedure_as_known(at timestamptz)
returns setof core.dim_procedure
language sql
stable
as $$
    select distinct on (h.procedure_sk)
        h.procedure_sk,
        h.procedure_code,
        h.name,
        h.field_code,
        h.performing_level,
        h.time_limit_working_days,
        h.has_fee,
        h.decision,
        h.service_level,
        h.valid_from,
        h.valid_to,
        h.is_current,
        h.is_inferred,
        h.row_hash,
        h.first_batch_id,
        h.last_batch_id,
        h.loaded_at
    from core.dim_procedure_history as h
    where h.known_from <= at
    order by
        h.procedure_sk asc,
        h.known_from desc
$$;

create or replace function core.dim_date_as_known(at timestamptz)
returns setof core.dim_date
language sql
stable
as $$
    select distinct on (h.date_key)
        h.date_key,
        h.full_date,
        h.year,
        h.half,
        h.quarter,
        h.month,
        h.month_start,
        h.month_end,
        h.day_of_month,
        h.iso_year,
        h.iso_week,
        h.weekday,
        h.weekday_name,
        h.is_weekend,
        h.is_holiday,
        h.holiday_name,
        h.is_working_day,
        h.working_day_number
    from core.dim_date_history as h
    where h.known_from <= at
    order by
        h.date_key asc,
        h.known_from desc
$$;

create or replace function core.duplicate_dossier_as_known(at timestamptz)
returns setof core.duplicate_dossier
language sql
stable
as $$
    select
        a.alias_code as dossier_code,
        a.alias_registered_on as registered_on,
        a.dossier_code as kept_dossier_code,
        a.registered_on as kept_registered_on
    from core.dossier_alias_as_known(at) as a
    inner join core.dossier_as_known(at) as kept
        on a.dossier_code = kept.dossier_code and a.registered_on = kept.registered_on and kept.deleted_at is null
    inner join core.dossier_as_known(at) as other
        on a.alias_code = other.dossier_code and a.alias_registered_on = other.registered_on
$$;

comment on function core.dossier_as_known(timestamptz) is 'Hồ sơ như kho biết tại một thời điểm | Dossiers as the warehouse knew them at an instant';
comment on function core.dossier_event_as_known(timestamptz) is 'Sự kiện hồ sơ như kho biết tại một thời điểm | Events of dossiers as known at an instant';
comment on function core.dossier_alias_as_known(timestamptz) is 'Mã trùng như kho biết tại một thời điểm | Codes of one dossier as known at an instant';
comment on function core.dim_agency_as_known(timestamptz) is 'Cơ quan như kho biết tại một thời điểm | Agencies as known at an instant';
comment on function core.dim_procedure_as_known(timestamptz) is 'Thủ tục như kho biết tại một thời điểm | Procedures as known at an instant';
comment on function core.dim_date_as_known(timestamptz) is 'Lịch ngày làm việc như kho biết tại một thời điểm | Calendar of working days as known at an instant';
comment on function core.duplicate_dossier_as_known(timestamptz) is 'Bản ghi trùng như kho biết tại một thời điểm | Records to leave out as known at an instant';

revoke all on function core.dossier_as_known(timestamptz) from public;
grant execute on function core.dossier_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.dossier_event_as_known(timestamptz) from public;
grant execute on function core.dossier_event_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.dossier_alias_as_known(timestamptz) from public;
grant execute on function core.dossier_alias_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.dim_agency_as_known(timestamptz) from public;
grant execute on function core.dim_agency_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.dim_procedure_as_known(timestamptz) from public;
grant execute on function core.dim_procedure_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.dim_date_as_known(timestamptz) from public;
grant execute on function core.dim_date_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
revoke all on function core.duplicate_dossier_as_known(timestamptz) from public;
grant execute on function core.duplicate_dossier_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
