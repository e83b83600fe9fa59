-- Planner statistics of tables that were filled since they were last taken. Autovacuum takes them too, but minutes
-- later: marts are computed right after a load, and a plan made for an empty table can take minutes instead of seconds.

-- Takes statistics of what has none or has grown by a fifth: of a table, of its partitions, or of the tables that a
-- view reads. A name that is none of core or restricted is passed over. Returns how many were taken. One caller at a
-- time: who waited finds them fresh. The sample is small, because the first read of a fresh page also writes it (hint
-- bits under checksums). Autovacuum never takes those of a partitioned table as a whole.
create or replace function ops.refresh_statistics(table_name text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set default_statistics_target = '5'
as $$
declare
    stale record;
    alone text := case when current_setting('server_version_num')::integer >= 180000 then 'only' else '' end;
    taken integer := 0;
begin
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.refresh_statistics', 0));
    for stale in
        with read as (
            select to_regclass(table_name)::oid as relation
            union
            select d.refobjid
            from pg_catalog.pg_rewrite as r
            inner join pg_catalog.pg_depend as d
                on
                    d.classid = 'pg_rewrite'::regclass
                    and d.objid = r.oid
                    and d.refclassid = 'pg_class'::regclass
            where r.ev_class = to_regclass(table_name)::oid
        ),

        part as (
            select
                t.oid as root,
                c.oid as relation,
                p.isleaf,
                not exists (
                    select
                    from pg_catalog.pg_stats as q
                    where q.schemaname = cs.nspname and q.tablename = c.relname
                ) as has_none,
                pg_relation_size(c.oid) / current_setting('block_size')::bigint as pages,
                c.relpages
            from read as n
            inner join pg_catalog.pg_class as t on t.oid = n.relation and t.relkind in ('r', 'p')
            inner join pg_catalog.pg_namespace as s on s.oid = t.relnamespace and s.nspname in ('core', 'restricted')
            cross join lateral pg_catalog.pg_partition_tree(t.oid) as p
            inner join pg_catalog.pg_class as c on c.oid = p.relid
            inner join pg_catalog.pg_namespace as cs on cs.oid = c.relnamespace
        ),

        stale_part as (
            select
                p.root,
                p.relation,
                p.isleaf
            from part as p
            where p.isleaf and p.pages > 0 and (p.has_none or p.pages > 1.2 * p.relpages + 4)
        )

        -- The parts before the whole; an empty table is left alone.
        select
            q.relation::regclass as relation,
            '' as alone
        from stale_part as q
        union all
        select
            p.relation::regclass,
            alone
        from part as p
        where
            not p.isleaf
            and p.relation = p.root
            and (
                exists (select from stale_part as q where q.root = p.root)
                or (p.has_none and exists (select from part as o where o.root = p.root and o.isleaf and o.pages > 0))
            )
        order by 2
    loop
        execute format('analyze %s %s', stale.alone, stale.relation);
        taken := taken + 1;
    end loop;
    return taken;
end;
$$;

revoke all on function ops.refresh_statistics(text) from public;
grant execute on function ops.refresh_statistics(text) to dx_loader;
