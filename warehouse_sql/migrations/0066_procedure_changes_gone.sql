-- As before, but for changes of level that the source has deleted: no version of a procedure rests on them.

create or replace function core.rebuild_procedure_versions(batch bigint, known_at timestamptz)
returns bigint
language plpgsql
as $$
declare
    made_or_changed bigint;
    emptied bigint;
begin
    with change as (
        select distinct on (c.procedure_code, (c.changed_at at time zone 'Asia/Ho_Chi_Minh')::date)
            c.procedure_code,
            (c.changed_at at time zone 'Asia/Ho_Chi_Minh')::date as changed_on,
            c.level_after
        from core.procedure_level_change as c
        where c.closed_on is null
        order by
            c.procedure_code,
            (c.changed_at at time zone 'Asia/Ho_Chi_Minh')::date,
            c.changed_at desc,
            c.change_id desc
    ),

    first_change as (
        select distinct on (c.procedure_code)
            c.procedure_code,
            c.level_before
        from core.procedure_level_change as c
        where c.closed_on is null
        order by
            c.procedure_code,
            c.changed_at,
            c.change_id
    ),

    start as (
        select
            coalesce(k.procedure_code, f.procedure_code) as procedure_code,
            date '1900-01-01' as valid_from,
            case when f.procedure_code is null then k.service_level else f.level_before end as service_level
        from core.procedure_catalogue as k
        full join first_change as f on f.procedure_code = k.procedure_code
        union all
        select
            change.procedure_code,
            change.changed_on,
            change.level_after
        from change
    ),

    span as (
        select
            s.procedure_code,
            s.valid_from,
            s.service_level,
            lead(s.valid_from) over (partition by s.procedure_code order by s.valid_from) as next_from
        from start as s
    ),

    version as (
        select
            s.procedure_code,
            coalesce(k.name, 'Chưa có trong danh mục | Not in the catalogue') as name,
            k.field_code,
            k.performing_level,
            k.time_limit_working_days,
            k.has_fee,
            k.decision,
            s.service_level,
            s.valid_from,
            case
                when s.next_from is not null then s.next_from
                when k.closed_on is not null then greatest(k.closed_on, s.valid_from)
                else date '9999-12-31'
            end as valid_to,
            s.next_from is null and k.closed_on is null as is_current,
            k.procedure_code is null as is_inferred
        from span as s
        left join core.procedure_catalogue as k on k.procedure_code = s.procedure_code
    ),

    written as (
        insert into core.dim_procedure (
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
            loaded_at
        )
        select
            v.procedure_code,
            v.name,
            v.field_code,
            v.performing_level,
            v.time_limit_working_days,
            v.has_fee,
            v.decision,
            v.service_level,
            v.valid_from,
            v.valid_to,
            v.is_current,
            v.is_inferred,
            hashtextextended(v::text, 0) as row_hash,
            batch as first_batch_id,
            batch as last_batch_id,
            known_at as loaded_at
        from version as v
        on conflict (procedure_code, valid_from) do update set
            name = excluded.name,
            field_code = excluded.field_code,
            performing_level = excluded.performing_level,
            time_limit_working_days = excluded.time_limit_working_days,
            has_fee = excluded.has_fee,
            decision = excluded.decision,
            service_level = excluded.service_level,
            valid_to = excluded.valid_to,
            is_current = excluded.is_current,
            is_inferred = excluded.is_inferred,
            row_hash = excluded.row_hash,
            last_batch_id = excluded.last_batch_id,
            loaded_at = excluded.loaded_at
        where dim_procedure.row_hash is distinct from excluded.row_hash
        returning 1
    )

    select count(*) into made_or_changed from written;

    with backed as (
        select
            c.procedure_code,
            (c.changed_at at time zone 'Asia/Ho_Chi_Minh')::date as valid_from
        from core.procedure_level_change as c
        where c.closed_on is null
    ),

    done as (
        update core.dim_procedure as p
        set
            valid_to = p.valid_from,
            is_current = false,
            row_hash = 0,
            last_batch_id = batch,
            loaded_at = known_at
        from (
            select q.procedure_sk
            from core.dim_procedure as q
            left join backed
                on backed.procedure_code = q.procedure_code and backed.valid_from = q.valid_from
            where
                q.valid_from > date '1900-01-01'
                and q.valid_to > q.valid_from
                and backed.procedure_code is null
        ) as orphan
        where p.procedure_sk = orphan.procedure_sk
        returning 1
    )

    select count(*) into emptied from done;

    if made_or_changed + emptied > 0 then
        -- The lock of the load of the dossiers: a version of a dossier has one successor.
        perform pg_advisory_xact_lock(hashtextextended('dx:history:core.fact_dossier', 0));

        insert into core.fact_dossier_history (
            dossier_code,
            registered_on,
            agency_sk,
            procedure_sk,
            field_sk,
            commune_sk,
            received_date_key,
            channel_sk,
            status_sk,
            applicant_kind_sk,
            service_level,
            return_method,
            submitted_through,
            paid_online_reported,
            supplement_limit,
            received_on,
            submitted_at,
            accept_due_at,
            received_at,
            due_at,
            supplement_requested_at,
            supplement_received_at,
            finished_at,
            returned_at,
            refused_at,
            deleted_at,
            source_updated_at,
            loaded_at,
            row_hash,
            first_batch_id,
            last_batch_id,
            has_digitised_component,
            vneid_verified,
            other_code,
            quality_flags,
            known_from,
            known_to
        )
        select
            f.dossier_code,
            f.registered_on,
            f.agency_sk,
            f.procedure_sk,
            f.field_sk,
            f.commune_sk,
            f.received_date_key,
            f.channel_sk,
            f.status_sk,
            f.applicant_kind_sk,
            f.service_level,
            f.return_method,
            f.submitted_through,
            f.paid_online_reported,
            f.supplement_limit,
            f.received_on,
            f.submitted_at,
            f.accept_due_at,
            f.received_at,
            f.due_at,
            f.supplement_requested_at,
            f.supplement_received_at,
            f.finished_at,
            f.returned_at,
            f.refused_at,
            f.deleted_at,
            f.source_updated_at,
            f.loaded_at,
            f.row_hash,
            f.first_batch_id,
            f.last_batch_id,
            f.has_digitised_component,
            f.vneid_verified,
            f.other_code,
            f.quality_flags,
            f.loaded_at as known_from,
            known_at as known_to
        from core.fact_dossier as f
        inner join core.dim_procedure as present on f.procedure_sk = present.procedure_sk
        where
            present.procedure_sk > 0
            and f.loaded_at < known_at
            and exists (
                select
                from core.dim_procedure as right_version
                where
                    right_version.procedure_code = present.procedure_code
                    and right_version.procedure_sk <> present.procedure_sk
                    and core.reference_day(f.received_at, f.submitted_at, f.registered_on) >= right_version.valid_from
                    and core.reference_day(f.received_at, f.submitted_at, f.registered_on) < right_version.valid_to
            );

        update core.fact_dossier as f
        set
            procedure_sk = right_version.procedure_sk,
            last_batch_id = batch,
            loaded_at = known_at
        from core.dim_procedure as present
        inner join core.dim_procedure as right_version
            on
                right_version.procedure_code = present.procedure_code
                and right_version.procedure_sk <> present.procedure_sk
        where
            present.procedure_sk = f.procedure_sk
            and present.procedure_sk > 0
            and core.reference_day(f.received_at, f.submitted_at, f.registered_on) >= right_version.valid_from
            and core.reference_day(f.received_at, f.submitted_at, f.registered_on) < right_version.valid_to;
    end if;
    return made_or_changed + emptied;
end;
$$;
