-- Grain: one row per commune and month; -1 stands for all rows of the month whose commune was not found.
-- Health records are cumulative: a facility whose records fell against its own report before is counted in
-- facilities_with_fewer_records. Cards registered at hospitals belong to people of many communes, so only those at
-- commune stations are held against the population, which is known where the digital infrastructure of the month is.
-- dx:mart name=health_by_commune_month depends=health.co_so_kcb,digital_infrastructure.ha_tang_so

delete from mart.health_by_commune_month;

insert into mart.health_by_commune_month (
    month,
    commune_sk,
    commune_code,
    commune_name,
    facilities,
    stations,
    beds,
    health_records,
    facilities_with_fewer_records,
    insurance_cards,
    station_cards,
    population,
    records_per_resident,
    cards_over_population,
    refreshed_at
)
with reported as (
    select
        f.*,
        lag(f.health_records) over (partition by f.facility_code order by f.month) as records_before
    from core.fact_health_month as f
    where f.closed_on is null
),

counted as (
    select
        r.month,
        r.commune_sk,
        count(*) as facilities,
        count(*) filter (where r.level = 'commune') as stations,
        sum(r.beds) as beds,
        sum(r.health_records) as health_records,
        count(*) filter (where r.health_records < r.records_before) as facilities_with_fewer_records,
        sum(r.insurance_cards) as insurance_cards,
        coalesce(sum(r.insurance_cards) filter (where r.level = 'commune'), 0) as station_cards
    from reported as r
    group by
        r.month,
        r.commune_sk
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
    c.month,
    c.commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    c.facilities,
    c.stations,
    c.beds,
    c.health_records,
    c.facilities_with_fewer_records,
    c.insurance_cards,
    c.station_cards,
    p.population,
    round(c.health_records / nullif(p.population, 0), 4) as records_per_resident,
    c.station_cards > p.population as cards_over_population,
    now() as refreshed_at
from counted as c
inner join core.dim_admin_unit as u on c.commune_sk = u.admin_unit_sk
left join residents as p on c.month = p.month and c.commune_sk = p.commune_sk;
