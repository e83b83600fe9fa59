-- An agency has an identifier of each generation. Until the catalogue says which belong together, a dataset that names
-- the old one gets an inferred member of its own. core.unite_agency_identifiers, run by the catalogue's load, makes
-- one agency of the two, so that the star is the same whichever dataset was published first:
--   rows go to the version of the agency that held on their day, and carry its code where they carry one;
--   the inferred member stays, valid on no day, for what was known earlier (core.dim_agency_history).
-- A table that refers to core.dim_agency and is not listed here (a department's own) goes to the version of today.
-- Rows that move keep what they were in the histories of 0076.

create or replace function ops.keep_former(target regclass, condition text, known_at timestamptz)
returns void
language plpgsql
as $$
declare
    history constant regclass := to_regclass(target || '_history');
    listed text;
begin
    if history is null or not exists (
        select from pg_catalog.pg_attribute as a where a.attrelid = history and a.attname = 'known_to'
    ) then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('dx:history:' || target, 0));
    select string_agg(format('%I', a.attname), ', ' order by a.attnum) into listed
    from pg_catalog.pg_attribute as a
    where a.attrelid = target and a.attnum > 0 and not a.attisdropped;
    execute format(
        'insert into %1$s (%2$s, known_from, known_to)'
        ' select %2$s, t.loaded_at, $1 from %3$s as t where %4$s and t.loaded_at < $1',
        history, listed, target, condition
    ) using known_at;
end;
$$;

comment on function ops.keep_former(regclass, text, timestamptz) is 'Chép phiên bản trước của các dòng sắp sửa | Copies the former version of rows about to be changed';
revoke all on function ops.keep_former(regclass, text, timestamptz) from public;
grant execute on function ops.keep_former(regclass, text, timestamptz) to dx_loader;

create or replace function core.unite_agency_identifiers(batch bigint, known_at timestamptz)
returns bigint
language plpgsql
as $$
declare
    moved bigint := 0;
    done bigint;
    place record;
    pair record;
    today constant date := (known_at at time zone 'Asia/Ho_Chi_Minh')::date;
    -- Rows of these are also deleted and added up: the load that runs this compares the whole tables (changes=).
    compared_by_load constant regclass[] := array['core.bridge_task_agency', 'core.fact_staff_year']::regclass[];
begin
    for pair in
        select
            old.agency_sk,
            i.agency_code
        from core.agency_identifier as i
        inner join core.dim_agency as old on i.identifier = old.agency_code
        where
            i.identifier <> i.agency_code
            and old.is_inferred
            and old.is_current
            and exists (select from core.dim_agency as known where known.agency_code = i.agency_code)
        order by old.agency_sk
    loop
        -- The lock of the load of the dossiers: a version of a dossier has one successor.
        perform pg_advisory_xact_lock(hashtextextended('dx:history:core.fact_dossier', 0));

        execute (
            select
                format(
                    'insert into core.fact_dossier_history (%1$s, known_from, known_to)'
                    ' select %1$s, loaded_at, $1 from core.fact_dossier where agency_sk = $2 and loaded_at < $1',
                    string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                )
            from pg_attribute as a
            where a.attrelid = 'core.fact_dossier'::regclass and a.attnum > 0 and not a.attisdropped
        ) using known_at, pair.agency_sk;

        for place in
            select
                c.conrelid::regclass as relation,
                a.attname as surrogate,
                coalesce(listed.day, format('date %L', today)) as day,
                listed.day is not null or to_regclass(c.conrelid::regclass || '_history') is not null as is_stamped
            from pg_constraint as c
            inner join pg_attribute as a on c.conrelid = a.attrelid and c.conkey[1] = a.attnum
            left join (
                values
                ('core.fact_dossier', 'core.reference_day(t.received_at, t.submitted_at, t.registered_on)'),
                ('core.fact_staff_year', 'make_date(t.year, 6, 30)'),
                ('core.fact_budget', 'make_date(t.year, 12, 31)'),
                ('core.fact_indicator_listed', 'make_date(t.year, 12, 31)'),
                ('core.fact_indicator_reported', 'make_date(t.year, 12, 31)'),
                ('core.fact_field_report', 't.received_on'),
                ('core.fact_petition', 't.received_on'),
                ('core.fact_satisfaction', 't.registered_on'),
                ('core.fact_service_transaction_day', 't.day'),
                ('core.fact_agency_readiness', $day$(t.source_updated_at at time zone 'Asia/Ho_Chi_Minh')::date$day$),
                ('core.dim_information_system', $day$(t.source_updated_at at time zone 'Asia/Ho_Chi_Minh')::date$day$),
                ('core.dim_task', 't.assigned_on'),
                (
                    'core.bridge_task_agency',
                    '(select k.assigned_on from core.dim_task as k where k.task_code = t.task_code)'
                )
            ) as listed (relation, day) on c.conrelid = to_regclass(listed.relation)
            where
                c.contype = 'f'
                and c.confrelid = 'core.dim_agency'::regclass
                and c.conparentid = 0
                and cardinality(c.conkey) = 1
            union all
            select
                'restricted.staff_member'::regclass as relation,
                'agency_sk' as surrogate,
                'make_date(t.year, 6, 30)' as day,
                true as is_stamped
        loop
            if place.relation not in ('core.fact_dossier'::regclass, compared_by_load[1], compared_by_load[2]) then
                perform ops.keep_former(
                    place.relation, format('t.%I = %s', place.surrogate, pair.agency_sk), known_at
                );
            end if;
            execute format(
                'update %1$s as t set %2$I = coalesce(('
                ' select v.agency_sk from core.dim_agency as v'
                ' where v.agency_code = $1 and v.valid_from <= coalesce(%3$s, $2)'
                ' and v.valid_to > coalesce(%3$s, $2)), -1)'
                || case when place.is_stamped then ', last_batch_id = $3, loaded_at = $4' else '' end
                || ' where t.%2$I = $5',
                place.relation,
                place.surrogate,
                place.day
            ) using pair.agency_code, today, batch, known_at, pair.agency_sk;
            get diagnostics done = row_count;
            moved := moved + done;
        end loop;

        update core.dim_agency
        set
            valid_to = valid_from,
            is_current = false,
            last_batch_id = batch,
            loaded_at = known_at
        where agency_sk = pair.agency_sk;
    end loop;

    -- Codes, where rows carry one beside the key; also those of an inferred member that was itself completed.
    for place in
        select *
        from (
            values
            ('core.dim_information_system', 'owner_agency_code'),
            ('core.dim_task', 'lead_agency_code'),
            ('core.fact_field_report', 'handler_agency_code'),
            ('core.fact_petition', 'agency_code'),
            ('restricted.staff_member', 'agency_code')
        ) as listed (relation, code)
    loop
        perform ops.keep_former(
            place.relation::regclass,
            format(
                't.%I in (select i.identifier from core.agency_identifier as i where i.identifier <> i.agency_code)',
                place.code
            ),
            known_at
        );
        execute format(
            'update %1$s as t set %2$I = i.agency_code, last_batch_id = $1, loaded_at = $2'
            ' from core.agency_identifier as i where t.%2$I = i.identifier and i.identifier <> i.agency_code',
            place.relation,
            place.code
        ) using batch, known_at;
        get diagnostics done = row_count;
        moved := moved + done;
    end loop;

    -- Where the code is part of the key, rows of both identifiers become one.
    delete from core.bridge_task_agency as old
    using core.agency_identifier as i, core.bridge_task_agency as known
    where
        old.agency_code = i.identifier
        and i.identifier <> i.agency_code
        and known.task_code = old.task_code
        and known.agency_code = i.agency_code
        and known.role = old.role
        and (known.closed_on is null or old.closed_on is not null);

    delete from core.bridge_task_agency as known
    using core.agency_identifier as i, core.bridge_task_agency as old
    where
        old.agency_code = i.identifier
        and i.identifier <> i.agency_code
        and known.task_code = old.task_code
        and known.agency_code = i.agency_code
        and known.role = old.role;

    update core.bridge_task_agency as t
    set
        agency_code = i.agency_code,
        last_batch_id = batch,
        loaded_at = known_at
    from core.agency_identifier as i
    where t.agency_code = i.identifier and i.identifier <> i.agency_code;
    get diagnostics done = row_count;
    moved := moved + done;

    insert into core.fact_staff_year as f (
        agency_code,
        year,
        rank_group,
        agency_sk,
        staff,
        dx_full_time,
        dx_part_time,
        security_contacts,
        with_degree,
        without_degree,
        with_computer_skill,
        without_computer_skill,
        first_batch_id,
        last_batch_id,
        loaded_at
    )
    select
        i.agency_code,
        old.year,
        old.rank_group,
        max(old.agency_sk) as agency_sk,
        sum(old.staff) as staff,
        sum(old.dx_full_time) as dx_full_time,
        sum(old.dx_part_time) as dx_part_time,
        sum(old.security_contacts) as security_contacts,
        sum(old.with_degree) as with_degree,
        sum(old.without_degree) as without_degree,
        sum(old.with_computer_skill) as with_computer_skill,
        sum(old.without_computer_skill) as without_computer_skill,
        min(old.first_batch_id) as first_batch_id,
        batch as last_batch_id,
        known_at as loaded_at
    from core.fact_staff_year as old
    inner join core.agency_identifier as i on old.agency_code = i.identifier and i.identifier <> i.agency_code
    group by
        i.agency_code,
        old.year,
        old.rank_group
    on conflict (agency_code, year, rank_group) do update
        set
            staff = f.staff + excluded.staff,
            dx_full_time = f.dx_full_time + excluded.dx_full_time,
            dx_part_time = f.dx_part_time + excluded.dx_part_time,
            security_contacts = f.security_contacts + excluded.security_contacts,
            with_degree = f.with_degree + excluded.with_degree,
            without_degree = f.without_degree + excluded.without_degree,
            with_computer_skill = f.with_computer_skill + excluded.with_computer_skill,
            without_computer_skill = f.without_computer_skill + excluded.without_computer_skill,
            last_batch_id = excluded.last_batch_id,
            loaded_at = excluded.loaded_at;
    get diagnostics done = row_count;
    moved := moved + done;

    delete from core.fact_staff_year as old
    using core.agency_identifier as i
    where old.agency_code = i.identifier and i.identifier <> i.agency_code;

    return moved;
end;
$$;

revoke all on function core.unite_agency_identifiers(bigint, timestamptz) from public;
grant execute on function core.unite_agency_identifiers(bigint, timestamptz) to dx_loader;

-- The loader keeps what it publishes; of this bridge it takes away the second of two rows for one agency.
grant delete on core.bridge_task_agency to dx_loader;
