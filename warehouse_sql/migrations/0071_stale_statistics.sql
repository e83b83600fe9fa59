-- Planner statistics of tables that were filled since they were last taken. Autovacuum takes them too, but minutes
-- later: marts are computed right after a load, and a plan made for an empty table can take minutes instead of seconds.

-- Of the named tables, takes statistics of those that have none, or of which a part has grown by a fifth. Names that
-- are no table of core or restricted are passed over. Returns how many were taken. One caller at a time: who waited
-- finds them fresh.
create or replace function ops.refresh_statistics(table_names text[])
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    stale record;
    taken integer := 0;
begin
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.refresh_statistics', 0));
    for stale in
        with named as (
            select to_regclass(n.name) as relation
            from unnest(table_names) as n (name)
        ),

        -- A view stands for the tables it reads.
        read as (
            select n.relation::oid as relation
            from named as n
            union
            select d.refobjid
            from named as n
            inner join pg_catalog.pg_rewrite as r on r.ev_class = n.relation::oid
            inner join pg_catalog.pg_depend as d
                on
                    d.classid = 'pg_rewrite'::regclass
                    and d.objid = r.oid
                    and d.refclassid = 'pg_class'::regclass
        )

        select t.oid::regclass as relation
        from read as n
        inner join pg_catalog.pg_class as t on t.oid = n.relation and t.relkind in ('r', 'p')
        inner join pg_catalog.pg_namespace as s on s.oid = t.relnamespace and s.nspname in ('core', 'restricted')
        where exists (
            -- The table, or it and its partitions. Autovacuum never takes those of a partitioned table as a whole.
            select
            from pg_catalog.pg_partition_tree(t.oid) as p
            inner join pg_catalog.pg_class as c on c.oid = p.relid
            inner join pg_catalog.pg_namespace as cs on cs.oid = c.relnamespace
            where
                (not p.isleaf or pg_relation_size(c.oid) > 0)
                and (
                    not exists (
                        select
                        from pg_catalog.pg_stats as q
                        where q.schemaname = cs.nspname and q.tablename = c.relname
                    )
                    or (
                        p.isleaf
                        and pg_relation_size(c.oid) / current_setting('block_size')::bigint > 1.2 * c.relpages + 4
                    )
                )
        )
    loop
        perform ops.analyze_table(stale.relation);
        taken := taken + 1;
    end loop;
    return taken;
end;
$$;

revoke all on function ops.refresh_statistics(text[]) from public;
grant execute on function ops.refresh_statistics(text[]) to dx_loader;
