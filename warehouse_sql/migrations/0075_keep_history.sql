-- One way to keep what the warehouse used to know of a table: ops.keep_history makes <table>_history and the function
-- <table without fact_>_as_known(instant) beside it. The loads fill a history wherever they find one.
--   * A history holds former versions only: what was overwritten or taken out, from the instant it was known to the one
--     of its successor. A row that never changed is nowhere twice, and a first load writes nothing.
--   * Whoever may read the table may read its history; nobody may change or delete a row of it.
-- It may be called again, and must be after a column was added.

create or replace function ops.keep_history(target regclass)
returns void
language plpgsql
as $$
declare
    schema_name text;
    table_name text;
    history text;
    as_known text;
    key_columns text;
    listed text;
    missing record;
    reader text;
    vi text;
    en text;
begin
    select n.nspname, c.relname into strict schema_name, table_name
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.oid = target;

    history := format('%I.%I', schema_name, table_name || '_history');
    as_known := format('%I.%I', schema_name, regexp_replace(table_name, '^fact_', '') || '_as_known');

    select string_agg(format('%I', a.attname), ', ' order by array_position(i.indkey::int2[], a.attnum))
    into key_columns
    from pg_catalog.pg_index as i
    inner join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
    where i.indrelid = target and i.indisprimary;
    if key_columns is null then
        raise exception 'table % has no primary key, so its versions cannot be told apart', target;
    end if;
    if not exists (
        select from pg_catalog.pg_attribute as a where a.attrelid = target and a.attname = 'loaded_at'
    ) then
        raise exception 'table % has no loaded_at, the instant from which a row is known', target;
    end if;

    execute format(
        'create table if not exists %s (like %s including comments, known_from timestamptz not null, '
        'known_to timestamptz not null, constraint %I primary key (%s, known_from), '
        'constraint %I check (known_from < known_to))',
        history, target, table_name || '_history_pkey', key_columns, table_name || '_history_interval'
    );
    execute format('create index if not exists %I on %s (known_to)', table_name || '_history_by_end', history);

    for missing in
        select a.attname, format_type(a.atttypid, a.atttypmod) as kind, col_description(target, a.attnum) as told
        from pg_catalog.pg_attribute as a
        where
            a.attrelid = target
            and a.attnum > 0
            and not a.attisdropped
            and not exists (
                select
                from pg_catalog.pg_attribute as h
                where h.attrelid = history::regclass and h.attname = a.attname and not h.attisdropped
            )
        order by a.attnum
    loop
        execute format('alter table %s add column %I %s', history, missing.attname, missing.kind);
        execute format('comment on column %s.%I is %L', history, missing.attname, missing.told);
    end loop;

    vi := split_part(coalesce(obj_description(target), table_name), ' | ', 1);
    en := coalesce(nullif(split_part(obj_description(target), ' | ', 2), ''), table_name);
    execute format(
        'comment on table %s is %L',
        history, 'Các phiên bản trước, đã bị thay: ' || vi || ' | Former versions, replaced since: ' || en
    );
    execute format(
        'comment on column %s.known_from is %L',
        history, 'Kho biết phiên bản này từ lúc | From this instant the warehouse knew this version'
    );
    execute format(
        'comment on column %s.known_to is %L',
        history,
        'Cho đến lúc có phiên bản kế tiếp hoặc dòng không còn | Until this instant, that of the next version or its end'
    );

    select string_agg(format('%I', a.attname), ', ' order by a.attnum) into listed
    from pg_catalog.pg_attribute as a
    where a.attrelid = target and a.attnum > 0 and not a.attisdropped;
    execute format(
        'create or replace function %s(at timestamptz) returns setof %s language sql stable as $known$'
        ' select %s from %s where loaded_at <= at union all'
        ' select %s from %s where known_from <= at and known_to > at $known$',
        as_known, target, listed, target, listed, history
    );
    execute format(
        'comment on function %s(timestamptz) is %L',
        as_known, vi || ', như kho biết tại một thời điểm | ' || en || ', as known at an instant'
    );
    execute format('revoke all on function %s(timestamptz) from public', as_known);
    execute format('grant select, insert on %s to dx_loader', history);
    execute format('grant execute on function %s(timestamptz) to dx_loader', as_known);
    foreach reader in array array['dx_engineer', 'dx_analyst', 'dx_bi'] loop
        if has_table_privilege(reader, target, 'select') then
            execute format('grant select on %s to %I', history, reader);
            execute format('grant execute on function %s(timestamptz) to %I', as_known, reader);
        end if;
    end loop;
end;
$$;

comment on function ops.keep_history(regclass) is 'Giữ các phiên bản trước của một bảng | Keeps the former versions of a table';
revoke all on function ops.keep_history(regclass) from public;
