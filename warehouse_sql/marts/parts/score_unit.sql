-- Units and periods that scores are given for: temporary tables score_member, score_unit, score_period and, with the
-- periods each month is part of, score_period_month. Needs parts/on_time_period.sql.
--
-- Scopes: province (*), all agencies; district, the district's and its communes' agencies by the district's code;
-- agency, one agency of province or district level; commune, the agency of one commune. Peer groups are kind and
-- level; an agency that the catalogue does not know has none and is not ranked. Periods: months, quarters, halves and
-- years from January two years before the latest moment the data knows.

create temporary table score_member on commit drop as
select
    a.agency_sk,
    s.scope,
    s.unit_code
from core.dim_agency as a
cross join lateral (
    values
    ('province', '*'),
    (case when a.level in ('district', 'commune') and a.district_code is not null then 'district' end, a.district_code),
    (case when a.level = 'commune' then 'commune' else 'agency' end, a.agency_code)
) as s (scope, unit_code)
where s.scope is not null and (a.agency_sk > 0 or s.scope = 'province');

create temporary table score_unit on commit drop as
with latest as (
    select distinct on (a.agency_code)
        a.agency_code,
        a.name,
        a.kind,
        a.level,
        a.district_code,
        a.commune_code
    from core.dim_agency as a
    where a.agency_sk > 0
    order by
        a.agency_code asc,
        a.valid_from desc
),

district as (
    select distinct on (u.code)
        u.code,
        u.name
    from core.dim_admin_unit as u
    where u.level = 'district'
    order by
        u.code asc,
        u.valid_from desc
)

select
    case when l.level = 'commune' then 'commune' else 'agency' end as scope,
    l.agency_code as unit_code,
    l.name as unit_name,
    l.kind || ' ' || l.level as peer_group,
    l.district_code,
    l.commune_code
from latest as l
union all
select
    'district' as scope,
    l.district_code as unit_code,
    max(d.name) as unit_name,
    'district' as peer_group,
    max(l.district_code) as district_code,
    null as commune_code
from latest as l
left join district as d on l.district_code = d.code
where l.level in ('district', 'commune') and l.district_code is not null
group by l.district_code
union all
select
    'province',
    '*',
    'Toàn tỉnh',
    null,
    null,
    null;

create temporary table score_period on commit drop as
with month as (
    select
        p.period as month_number,
        p.month,
        p.last_day,
        extract(year from p.month)::integer as year
    from on_time_period as p
    where p.month >= (select date_trunc('year', max(t.month)::timestamp) - interval '2 years' from on_time_period as t)
)

select
    k.period_kind,
    k.period,
    min(m.month_number) as starts_in,
    max(m.month_number) as ends_in,
    min(m.month) as starts_on,
    max(m.last_day) as ends_on
from month as m
cross join lateral (
    values
    ('month', to_char(m.month, 'YYYY-MM')),
    ('quarter', m.year || '-Q' || extract(quarter from m.month)),
    ('half', m.year || '-H' || case when extract(month from m.month) <= 6 then 1 else 2 end),
    ('year', m.year::text)
) as k (period_kind, period)
group by
    k.period_kind,
    k.period;

-- What is counted by month finds its periods by an equal month here, and not by comparing it with every period.
create temporary table score_period_month on commit drop as
select
    m.month,
    p.period
from on_time_period as m
inner join score_period as p on m.period between p.starts_in and p.ends_in;
