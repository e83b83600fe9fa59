-- Procedures that a unit is competent for, by period: temporary tables score_service (procedures in force on the last
-- day, each in the list of one kind of unit), score_service_list (how many a list holds), score_service_unit (whose
-- lists they are) and score_service_used (how many of them had an online dossier). Needs score_period,
-- score_period_month, score_unit, score_member and score_procedure.
--
-- The catalogue names the level that performs a procedure, not the agency. So
--   * a commune's People's Committee is competent for every procedure of level xã, a district's for every one of level
--     huyện: the province announces one list for all of them;
--   * of level tỉnh the fields (lĩnh vực) are the departments': a field is of the department that accepted most of its
--     dossiers of that level in the twelve months up to the end of the period. Two with as many, or no dossier in
--     those months, and the field counts for none;
--   * a district with its communes has both lists, the province all of them;
--   * branches and centres perform procedures of others and have no list: not applicable.

create temporary table score_service on commit drop as
with in_force as (
    select
        p.period,
        d.procedure_code,
        coalesce(max(d.service_level), 0) as service_level,
        max(d.performing_level) as performing_level,
        max(d.field_code) as field_code
    from score_period as p
    inner join core.dim_procedure as d
        on p.ends_on >= d.valid_from and p.ends_on < d.valid_to and d.procedure_sk > 0 and not d.is_inferred
    group by
        p.period,
        d.procedure_code
)

select
    f.period,
    f.procedure_code,
    f.service_level,
    f.field_code,
    case
        when f.performing_level = 'tinh' then 'tinh ' || coalesce(f.field_code, '')
        else coalesce(f.performing_level, '')
    end as list_code
from in_force as f;

create temporary table score_service_list on commit drop as
select
    s.period,
    s.list_code,
    count(*) as procedures,
    count(*) filter (where s.service_level >= 3) as online,
    count(*) filter (where s.service_level = 4) as full_online
from score_service as s
group by
    s.period,
    s.list_code;

create temporary table score_service_unit on commit drop as
with accepted as (
    select
        p.period,
        s.list_code,
        a.agency_code,
        sum(c.dossiers) as dossiers
    from score_procedure as c
    inner join core.dim_agency as a on c.agency_sk = a.agency_sk and a.kind = 'so-ban-nganh'
    inner join score_period as p on c.month > p.ends_on - interval '12 months' and c.month <= p.ends_on
    inner join score_service as s
        on p.period = s.period and c.procedure_code = s.procedure_code and s.list_code like 'tinh %'
    group by
        p.period,
        s.list_code,
        a.agency_code
),

placed as (
    select
        a.*,
        rank() over (partition by a.period, a.list_code order by a.dossiers desc) as place,
        count(*) over (partition by a.period, a.list_code, a.dossiers) as as_many
    from accepted as a
)

select
    'agency' as scope,
    d.agency_code as unit_code,
    d.period,
    d.list_code
from placed as d
where d.place = 1 and d.as_many = 1
union all
select
    u.scope,
    u.unit_code,
    l.period,
    l.list_code
from score_unit as u
inner join score_service_list as l
    on
        u.scope = 'province'
        or u.scope = 'district' and l.list_code in ('huyen', 'xa')
        or u.peer_group = 'quan-huyen district' and l.list_code = 'huyen'
        or u.peer_group = 'xa-phuong commune' and l.list_code = 'xa';

create temporary table score_service_used on commit drop as
with used as (
    select distinct
        p.period,
        c.agency_sk,
        s.procedure_code,
        s.list_code
    from score_procedure as c
    inner join score_period_month as p on c.month = p.month
    inner join score_service as s
        on p.period = s.period and c.procedure_code = s.procedure_code and s.service_level >= 3
    where c.is_filed_online
),

-- Each procedure once, by hashing: count(distinct) would sort them.
used_by_unit as (
    select distinct
        m.scope,
        m.unit_code,
        u.period,
        u.procedure_code
    from used as u
    inner join score_member as m on u.agency_sk = m.agency_sk
    inner join score_service_unit as l
        on m.scope = l.scope and m.unit_code = l.unit_code and u.period = l.period and u.list_code = l.list_code
)

select
    u.scope,
    u.unit_code,
    u.period,
    count(*) as used
from used_by_unit as u
group by
    u.scope,
    u.unit_code,
    u.period;
