-- Monthly partitions of the facts, made by the loader at run time without owning anything.
-- The functions run with the rights of their owner (security definer), so each of them
--   * pins search_path, names every object with its schema and formats identifiers with %I;
--   * accepts only a table of schema core or restricted that is partitioned by RANGE on one date column, or on a
--     smallint column and one date column. The second form gives each kind of row (events of one source table) months
--     of its own, on one partition level, so that a first load of one kind never meets the indexes of another.
-- Partitions live in core_partition, whose USAGE nobody but the owner has: they are reached through their parent.

-- Name of the date column that a monthly partitioned table is cut by; an error for any other table.
create or replace function ops.monthly_partition_column(parent regclass)
returns name
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    column_name name;
begin
    select a.attname
    into column_name
    from pg_catalog.pg_partitioned_table as p
    inner join pg_catalog.pg_class as c on c.oid = p.partrelid
    inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    inner join pg_catalog.pg_attribute as a on a.attrelid = p.partrelid and a.attnum = p.partattrs[p.partnatts - 1]
    where
        p.partrelid = parent
        and p.partstrat = 'r'
        and (
            p.partnatts = 1
            or p.partnatts = 2
            and exists (
                select
                from pg_catalog.pg_attribute as l
                where l.attrelid = p.partrelid and l.attnum = p.partattrs[0] and l.atttypid = 'smallint'::regtype
            )
        )
        and a.atttypid = 'date'::regtype
        and n.nspname in ('core', 'restricted');
    if column_name is null then
        raise exception '% is not a table of core or restricted partitioned by month of one date column', parent
            using errcode = 'invalid_parameter_value';
    end if;
    return column_name;
end;
$$;

-- Name of the smallint column that comes before the date in the partition key; null when there is none.
create or replace function ops.partition_kind_column(parent regclass)
returns name
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select a.attname
    from pg_catalog.pg_partitioned_table as p
    inner join pg_catalog.pg_attribute as a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
    where p.partrelid = parent and p.partnatts = 2
$$;

-- Name of the partition that holds one month of a table: fact_dossier, 2024-06-15 -> fact_dossier_2024_06;
-- of a kind: fact_dossier_event, 2024-06-15, 3 -> fact_dossier_event_k3_2024_06.
create or replace function ops.monthly_partition_name(parent regclass, month date, kind smallint default null)
returns name
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select (c.relname || coalesce('_k' || kind, '') || to_char(month::timestamp, '"_"YYYY"_"MM'))::name
    from pg_catalog.pg_class as c
    where c.oid = parent
$$;

-- Bounds of a partition as SQL text: ('2024-06-01') or ('3', '2024-06-01').
create or replace function ops.partition_bound(day date, kind smallint default null)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when kind is null then format('(%L)', day) else format('(%L, %L)', kind, day) end
$$;

-- An error when a kind is given for a table without kinds, or none for a table with them.
create or replace function ops.check_partition_kind(parent regclass, kind smallint)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (ops.partition_kind_column(parent) is null) <> (kind is null) then
        raise exception 'a kind belongs to the partitions of % if and only if its partition key starts with one', parent
            using errcode = 'invalid_parameter_value';
    end if;
end;
$$;

-- The months of the list whose partition does not exist yet, as first days, ascending.
create or replace function ops.missing_months(parent regclass, months date[], kind smallint default null)
returns date[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(m.month order by m.month), '{}')
    from (
        select distinct date_trunc('month', u.day::timestamp)::date as month
        from unnest(months) as u (day)
        where u.day is not null
    ) as m
    where not exists (
        select
        from pg_catalog.pg_inherits as i
        inner join pg_catalog.pg_class as c on c.oid = i.inhrelid
        where i.inhparent = parent and c.relname = ops.monthly_partition_name(parent, m.month, kind)
    )
$$;

-- Makes the partition of one month if it is not there; true when it was made.
create or replace function ops.create_monthly_partition(parent regclass, month date, kind smallint default null)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    first_day date;
begin
    perform ops.monthly_partition_column(parent);
    perform ops.check_partition_kind(parent, kind);
    perform pg_advisory_xact_lock(parent::oid::bigint);
    first_day := (ops.missing_months(parent, array[month], kind))[1];
    if first_day is null then
        return false;
    end if;
    execute format(
        'create table core_partition.%I partition of %s for values from %s to %s',
        ops.monthly_partition_name(parent, first_day, kind),
        parent,
        ops.partition_bound(first_day, kind),
        ops.partition_bound((first_day + interval '1 month')::date, kind)
    );
    return true;
end;
$$;

-- First half of a load into new months: makes stage.fresh__<table>, a partitioned table shaped like the parent but
-- without index, key or foreign key, holding a partition for each month the parent lacks. Null when it lacks none.
-- Fill it in the same transaction (with wal_level=minimal the rows then skip the log), next call
-- ops.attach_fresh_partitions. The parent's months that exist already are left to the ordinary upsert.
create or replace function ops.begin_fresh_partitions(parent regclass, months date[], kind smallint default null)
returns regclass
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    cut_by constant name := ops.monthly_partition_column(parent);
    kind_column constant name := ops.partition_kind_column(parent);
    shell_name constant name := ('fresh__' || (select c.relname from pg_catalog.pg_class as c where c.oid = parent));
    wanted date[];
    first_day date;
    next_day date;
    partition_name name;
begin
    perform ops.check_partition_kind(parent, kind);
    perform pg_advisory_xact_lock(parent::oid::bigint);
    wanted := ops.missing_months(parent, months, kind);
    if cardinality(wanted) = 0 then
        return null;
    end if;
    execute format(
        'create table stage.%I (like %s including defaults including storage) partition by range (%s%I)',
        shell_name,
        parent,
        coalesce(quote_ident(kind_column) || ', ', ''),
        cut_by
    );
    execute format('grant select, insert on stage.%I to dx_loader', shell_name);
    foreach first_day in array wanted loop
        next_day := (first_day + interval '1 month')::date;
        partition_name := ops.monthly_partition_name(parent, first_day, kind);
        -- The check repeats the bounds: it makes ATTACH trust the rows instead of reading them again.
        execute format(
            'create table core_partition.%1$I (like %2$s including defaults including storage, '
            'constraint fresh_month_bounds check (%3$I is not null and %3$I >= %4$L and %3$I < %5$L%6$s))',
            partition_name,
            parent,
            cut_by,
            first_day,
            next_day,
            case
                when kind is not null then format(' and %1$I is not null and %1$I = %2$L', kind_column, kind)
                else ''
            end
        );
        execute format(
            'alter table stage.%I attach partition core_partition.%I for values from %s to %s',
            shell_name,
            partition_name,
            ops.partition_bound(first_day, kind),
            ops.partition_bound(next_day, kind)
        );
    end loop;
    return format('stage.%I', shell_name)::regclass;
end;
$$;

-- Second half: takes each fresh partition out of the shell, builds the parent's indexes on it, and hangs it under the
-- parent, which checks the foreign keys by one join per key. Drops the shell. Returns the number of partitions.
create or replace function ops.attach_fresh_partitions(parent regclass)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set maintenance_work_mem = '256MB'
as $$
declare
    shell_name constant name := ('fresh__' || (select c.relname from pg_catalog.pg_class as c where c.oid = parent));
    shell regclass;
    fresh record;
    index_definition record;
    attached integer := 0;
begin
    perform ops.monthly_partition_column(parent);
    shell := to_regclass(format('stage.%I', shell_name));
    if shell is null then
        raise exception 'no fresh partitions of % were begun in this transaction', parent
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    for fresh in
        select
            c.relname,
            c.oid::regclass as relation,
            pg_get_expr(c.relpartbound, c.oid) as bounds
        from pg_catalog.pg_inherits as i
        inner join pg_catalog.pg_class as c on c.oid = i.inhrelid
        where i.inhparent = shell
        order by c.relname
    loop
        execute format('alter table %s detach partition %s', shell, fresh.relation);
        for index_definition in
            select
                x.indisprimary,
                k.conname,
                pg_get_constraintdef(k.oid) as constraint_definition,
                regexp_replace(
                    pg_get_indexdef(x.indexrelid),
                    '^CREATE (UNIQUE )?INDEX .* ON (ONLY )?\S+ ',
                    ''
                ) as body,
                x.indisunique
            from pg_catalog.pg_index as x
            left join pg_catalog.pg_constraint as k
                on k.conindid = x.indexrelid and k.conrelid = parent and k.contype in ('p', 'u')
            where x.indrelid = parent
            order by x.indisprimary desc, x.indexrelid
        loop
            if index_definition.constraint_definition is not null then
                execute format(
                    'alter table %s add %s',
                    fresh.relation,
                    index_definition.constraint_definition
                );
            else
                execute format(
                    'create %s index on %s %s',
                    case when index_definition.indisunique then 'unique' else '' end,
                    fresh.relation,
                    index_definition.body
                );
            end if;
        end loop;
        execute format('alter table %s attach partition %s %s', parent, fresh.relation, fresh.bounds);
        execute format('alter table %s drop constraint fresh_month_bounds', fresh.relation);
        attached := attached + 1;
    end loop;
    execute format('drop table %s', shell);
    return attached;
end;
$$;

-- Refreshes the planner statistics of a warehouse table; its owner is the only other one who could.
-- A small sample is enough and keeps a fact of 50 partitions within a second or two.
create or replace function ops.analyze_table(target regclass)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set default_statistics_target = '20'
as $$
begin
    if not exists (
        select
        from pg_catalog.pg_class as c
        inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        where c.oid = target and n.nspname in ('core', 'mart', 'restricted')
    ) then
        raise exception '% is not a table of core, mart or restricted', target
            using errcode = 'invalid_parameter_value';
    end if;
    execute format('analyze %s', target);
end;
$$;

revoke all on function ops.monthly_partition_column(regclass) from public;
revoke all on function ops.partition_kind_column(regclass) from public;
revoke all on function ops.monthly_partition_name(regclass, date, smallint) from public;
revoke all on function ops.partition_bound(date, smallint) from public;
revoke all on function ops.check_partition_kind(regclass, smallint) from public;
revoke all on function ops.missing_months(regclass, date[], smallint) from public;
revoke all on function ops.create_monthly_partition(regclass, date, smallint) from public;
revoke all on function ops.begin_fresh_partitions(regclass, date[], smallint) from public;
revoke all on function ops.attach_fresh_partitions(regclass) from public;
revoke all on function ops.analyze_table(regclass) from public;

grant execute on function ops.monthly_partition_column(regclass) to dx_loader;
grant execute on function ops.partition_kind_column(regclass) to dx_loader;
grant execute on function ops.monthly_partition_name(regclass, date, smallint) to dx_loader;
grant execute on function ops.partition_bound(date, smallint) to dx_loader;
grant execute on function ops.check_partition_kind(regclass, smallint) to dx_loader;
grant execute on function ops.missing_months(regclass, date[], smallint) to dx_loader;
grant execute on function ops.create_monthly_partition(regclass, date, smallint) to dx_loader;
grant execute on function ops.begin_fresh_partitions(regclass, date[], smallint) to dx_loader;
grant execute on function ops.attach_fresh_partitions(regclass) to dx_loader;
grant execute on function ops.analyze_table(regclass) to dx_loader;
