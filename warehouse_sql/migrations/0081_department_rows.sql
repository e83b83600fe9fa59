-- What a department sees: the aggregates that all departments share, and of what is an agency's own only its own rows.
-- The departments' roles come from core.dim_agency (ops.sync_department_roles) and follow the identifier of Decision
-- 20/2020/QĐ-TTg, whose parts are the levels: H50 province, H50.05 department or district, H50.21.03 commune. The role
-- of an agency holds those of the agencies below it. The parent that a source writes is not used for this: an error in
-- a catalogue must not open rows to anybody.
-- Nothing is granted on views (they ask with the rights of their owner, and on Citus not at all) nor on partitions.

-- -- shared by all departments ------------------------------------------------------------------------

grant select on mart.service_level_on_date to dx_department;
grant execute on function mart.service_level_on(date) to dx_department;
grant select on mart.eid_by_commune_month to dx_department;
grant select on mart.eid_on_map to dx_department;
grant select on mart.online_by_agency_month to dx_department;
grant select on mart.online_by_commune_month to dx_department;
grant select on mart.digitisation_by_agency_month to dx_department;
grant select on mart.procedure_use_by_year to dx_department;
grant select on mart.infrastructure_by_commune_month to dx_department;
grant select on mart.community_team_by_commune_month to dx_department;
grant select on mart.health_by_commune_month to dx_department;
grant select on mart.education_by_commune_year to dx_department;
grant select on mart.poor_households_by_commune_year to dx_department;
grant select on mart.civil_status_by_commune_month to dx_department;
grant select on mart.land_by_commune to dx_department;
grant select on mart.business_by_commune_year to dx_department;
grant select on mart.staff_by_kind_year to dx_department;
grant select on mart.satisfaction_by_agency_month to dx_department;
grant select on mart.petition_by_agency_month to dx_department;
grant select on mart.field_report_by_commune_month to dx_department;
grant select on mart.socio_economic_indicator to dx_department;
grant select on mart.published_figure to dx_department;

-- -- an agency's own rows of the marts ----------------------------------------------------------------

do $$
declare
    owned record;
begin
    for owned in
        select
            v.mart,
            v.agency_column
        from (
            values
            ('dossier_late_now', 'agency_code'),
            ('waiting_by_step', 'agency_code'),
            ('task_by_lead_agency_month', 'agency_code'),
            ('staff_by_agency_year', 'agency_code'),
            ('dx_budget_by_agency_year', 'agency_code'),
            ('system_compliance', 'owner_agency_code')
        ) as v (mart, agency_column)
    loop
        execute format('alter table mart.%I enable row level security', owned.mart);
        execute format('drop policy if exists %I on mart.%I', owned.mart || '_loader', owned.mart);
        execute format(
            'create policy %I on mart.%I for all to dx_loader using (true) with check (true)',
            owned.mart || '_loader',
            owned.mart
        );
        execute format('drop policy if exists %I on mart.%I', owned.mart || '_own_rows', owned.mart);
        -- As in 0043. The row of the whole province (*) of mart.waiting_by_step is shared.
        execute format(
            'create policy %1$I on mart.%2$I for select using ('
            'not pg_has_role(current_user, ''dx_department'', ''member'') or %3$I = ''*'' or (length(%3$I) <= 40 '
            'and pg_has_role(current_user, to_regrole(quote_ident(''dx_department:'' || %3$I))::oid, ''usage'')))',
            owned.mart || '_own_rows',
            owned.mart,
            owned.agency_column
        );
        execute format('grant select on mart.%I to dx_department', owned.mart);
    end loop;
end;
$$;

-- -- an agency's own rows of the facts ----------------------------------------------------------------

grant usage on schema core to dx_department_analyst;

grant select on core.dim_agency to dx_department_analyst;
grant select on core.dim_procedure to dx_department_analyst;
grant select on core.dim_field to dx_department_analyst;
grant select on core.dim_admin_unit to dx_department_analyst;
grant select on core.dim_date to dx_department_analyst;
grant select on core.dim_channel to dx_department_analyst;
grant select on core.dim_dossier_status to dx_department_analyst;
grant select on core.dim_applicant_kind to dx_department_analyst;
grant select on core.dim_rating to dx_department_analyst;
grant select on core.dim_rating_kind to dx_department_analyst;
grant select on core.dim_petition_kind to dx_department_analyst;
grant select on core.dim_petition_handling to dx_department_analyst;
grant select on core.dim_budget_source to dx_department_analyst;

grant select on core.fact_dossier to dx_department_analyst;
grant select on core.fact_petition to dx_department_analyst;
grant select on core.fact_satisfaction to dx_department_analyst;
grant select on core.fact_budget to dx_department_analyst;

-- Facts with an agency's own rows, and the column that tells whose they are.
create or replace function ops.owned_facts()
returns table (fact text, agency_column text)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    values
    ('fact_dossier', 'agency_sk'),
    ('fact_petition', 'agency_sk'),
    ('fact_satisfaction', 'code_agency_sk'),
    ('fact_budget', 'agency_sk')
$$;

do $$
declare
    owned record;
begin
    for owned in select f.fact from ops.owned_facts() as f loop
        execute format('alter table core.%I enable row level security', owned.fact);
        execute format('drop policy if exists %I on core.%I', owned.fact || '_loader', owned.fact);
        execute format(
            'create policy %I on core.%I for all to dx_loader using (true) with check (true)',
            owned.fact || '_loader',
            owned.fact
        );
        -- Constant, so that the planner drops it: who reads the whole province pays nothing for the policies.
        execute format('drop policy if exists %I on core.%I', owned.fact || '_whole_province', owned.fact);
        execute format(
            'create policy %I on core.%I for select to dx_engineer, dx_analyst using (true)',
            owned.fact || '_whole_province',
            owned.fact
        );
    end loop;
end;
$$;

-- Makes what is missing: a role for each agency of the catalogue, what it holds, and its policies on the facts. Facts
-- name an agency by the key of its version; each department has a policy with the keys of its versions, so that the
-- index of the agency serves it (the server applies it to whom pg_has_role(..., 'usage') is true for). Run by the
-- owner; gives the number of things made.
create or replace function ops.sync_department_roles()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    agency record;
    owned record;
    group_role text;
    wanted text;
    present text;
    made integer := 0;
begin
    -- A policy locks its table; a load that holds it goes first, and the next call makes what is missing.
    perform set_config('lock_timeout', '10s', true);
    for agency in
        select
            a.agency_code as code,
            'dx_department:' || a.agency_code as role_name,
            'own_rows_' || a.agency_code as policy,
            array_agg(a.agency_sk order by a.agency_sk) as keys,
            case
                when a.agency_code !~ '\.' then 'dx_level:province'
                when a.agency_code ~ '\..*\.' then
                    case when bool_or(a.level = 'commune') then 'dx_level:commune' else 'dx_level:department' end
                when bool_or(a.level = 'district') then 'dx_level:district'
                else 'dx_level:department'
            end as level_role,
            'dx_department:' || nullif(regexp_replace(a.agency_code, '\.?[^.]+$', ''), '') as above
        from core.dim_agency as a
        where a.agency_sk > 0 and a.agency_code ~ '^[A-Za-z][A-Za-z0-9]{0,9}(\.[A-Za-z0-9]{1,9}){0,2}$'
        group by a.agency_code
        having bool_or(not a.is_inferred)
        order by a.agency_code
    loop
        if to_regrole(quote_ident(agency.role_name)) is null then
            perform ops.create_department_role(agency.code);
            made := made + 1;
        end if;
        foreach group_role in array array['dx_department', agency.level_role] loop
            if not pg_has_role(agency.role_name, group_role, 'usage') then
                execute format('grant %I to %I with inherit true, set false', group_role, agency.role_name);
                made := made + 1;
            end if;
        end loop;
        if
            to_regrole(quote_ident(agency.above)) is not null
            and not pg_has_role(agency.above, agency.role_name, 'usage')
        then
            execute format('grant %I to %I with inherit true, set false', agency.role_name, agency.above);
            made := made + 1;
        end if;
        for owned in select f.fact, f.agency_column from ops.owned_facts() as f loop
            wanted := format('(%I = ANY (%L::integer[]))', owned.agency_column, agency.keys);
            select p.qual into present
            from pg_policies as p
            where p.schemaname = 'core' and p.tablename = owned.fact and p.policyname = agency.policy;
            if present is null then
                execute format(
                    'create policy %I on core.%I for select to %I using %s',
                    agency.policy, owned.fact, agency.role_name, wanted
                );
                made := made + 1;
            elsif present <> wanted then
                execute format('alter policy %I on core.%I using %s', agency.policy, owned.fact, wanted);
                made := made + 1;
            end if;
        end loop;
    end loop;
    return made;
end;
$$;

revoke all on function ops.owned_facts() from public;
revoke all on function ops.sync_department_roles() from public;
