-- Grain: one row per commune in force at the month's end and month, from the first team to the latest news of one; a
-- commune without a team is there with zeros. -1 stands for teams whose commune is not in force that day.
-- Two registers side by side, never added up: the register of decisions is published, the districts' reports are the
-- check on it. A report counts from its day on. Which villages exist is not known here, only which have a team.
-- dx:mart name=community_team_by_commune_month depends=digital_infrastructure.to_cong_nghe_so,digital_infrastructure.to_cong_nghe_so_bao_cao,digital_infrastructure.ha_tang_so

delete from mart.community_team_by_commune_month;

insert into mart.community_team_by_commune_month (
    commune_sk,
    commune_code,
    commune_name,
    district_name,
    month,
    commune_teams,
    village_teams,
    members,
    commune_teams_reported,
    village_teams_reported,
    has_team,
    registers_differ,
    population,
    members_per_1000,
    refreshed_at
)
with month as (
    select
        m.month::date as month,
        (m.month + interval '1 month' - interval '1 day')::date as last_day
    from (
        select
            min(coalesce(t.established_on, t.reported_on)) as first_day,
            max((t.source_updated_at at time zone 'Asia/Ho_Chi_Minh')::date) as latest_day
        from core.fact_community_team as t
    ) as known
    cross join lateral generate_series(
        date_trunc('month', known.first_day::timestamp),
        date_trunc('month', known.latest_day::timestamp),
        interval '1 month'
    ) as m (month)
),

commune as (
    select
        u.admin_unit_sk as commune_sk,
        u.code,
        m.month
    from month as m
    inner join core.dim_admin_unit as u on m.last_day >= u.valid_from and m.last_day < u.valid_to
    where
        u.level = 'commune'
        and u.province_code in (
            select c.province_code
            from core.dim_admin_unit as c
            inner join core.fact_community_team as t on c.admin_unit_sk = t.commune_sk
        )
),

counted as (
    select
        coalesce(c.commune_sk, -1) as commune_sk,
        m.month,
        count(*) filter (where r.code = 'decision' and t.level = 'commune') as commune_teams,
        count(*) filter (where r.code = 'decision' and t.level = 'village') as village_teams,
        coalesce(sum(t.members) filter (where r.code = 'decision'), 0) as members,
        count(*) filter (where r.code = 'district_report' and t.level = 'commune') as commune_teams_reported,
        count(*) filter (where r.code = 'district_report' and t.level = 'village') as village_teams_reported
    from core.fact_community_team as t
    inner join core.dim_team_register as r on t.register_sk = r.register_sk
    inner join month as m
        on
            coalesce(t.established_on, t.reported_on) <= m.last_day
            and coalesce(t.dissolved_on, t.closed_on, date '9999-12-31') > m.last_day
    left join commune as c on t.commune_code = c.code and m.month = c.month
    group by
        coalesce(c.commune_sk, -1),
        m.month
),

residents as (
    select
        i.month,
        i.commune_sk,
        max(i.population) as population
    from core.fact_infrastructure_month as i
    where i.commune_sk > 0 and i.closed_on is null
    group by
        i.month,
        i.commune_sk
)

select
    u.admin_unit_sk as commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    d.name as district_name,
    k.month,
    coalesce(n.commune_teams, 0) as commune_teams,
    coalesce(n.village_teams, 0) as village_teams,
    coalesce(n.members, 0) as members,
    coalesce(n.commune_teams_reported, 0) as commune_teams_reported,
    coalesce(n.village_teams_reported, 0) as village_teams_reported,
    coalesce(n.commune_teams, 0) > 0 as has_team,
    (coalesce(n.commune_teams, 0) > 0) <> (coalesce(n.commune_teams_reported, 0) > 0) as registers_differ,
    p.population,
    round(1000.0 * coalesce(n.members, 0) / nullif(p.population, 0), 2) as members_per_1000,
    now() as refreshed_at
from (
    select
        c.commune_sk,
        c.month
    from commune as c
    union
    select
        t.commune_sk,
        t.month
    from counted as t
) as k
inner join core.dim_admin_unit as u on k.commune_sk = u.admin_unit_sk
left join core.dim_admin_unit as d on u.parent_sk = d.admin_unit_sk
left join counted as n on k.commune_sk = n.commune_sk and k.month = n.month
left join residents as p on k.commune_sk = p.commune_sk and k.month = p.month;
