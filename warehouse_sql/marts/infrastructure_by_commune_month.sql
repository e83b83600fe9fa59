-- Grain: one row per commune and month, figures of the month's end; -1 stands for all rows of a month whose commune was
-- not found. Figures add up over communes, never over months.
-- dx:mart name=infrastructure_by_commune_month depends=digital_infrastructure.ha_tang_so

delete from mart.infrastructure_by_commune_month;

insert into mart.infrastructure_by_commune_month (
    commune_sk,
    commune_code,
    commune_name,
    district_name,
    month,
    population,
    households,
    fixed_broadband_subscriptions,
    mobile_broadband_subscriptions,
    households_with_internet,
    households_with_smartphone,
    internet_rate,
    smartphone_rate,
    subscriptions_per_100,
    source_rows,
    refreshed_at
)
with counted as (
    select
        i.commune_sk,
        i.month,
        sum(i.population) as population,
        sum(i.households) as households,
        sum(i.fixed_broadband_subscriptions) as fixed_broadband_subscriptions,
        sum(i.mobile_broadband_subscriptions) as mobile_broadband_subscriptions,
        sum(i.households_with_internet) as households_with_internet,
        sum(i.households_with_smartphone) as households_with_smartphone,
        count(*) as source_rows
    from core.fact_infrastructure_month as i
    where i.closed_on is null
    group by
        i.commune_sk,
        i.month
)

select
    c.commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    p.name as district_name,
    c.month,
    c.population,
    c.households,
    c.fixed_broadband_subscriptions,
    c.mobile_broadband_subscriptions,
    c.households_with_internet,
    c.households_with_smartphone,
    round(100.0 * c.households_with_internet / nullif(c.households, 0), 3) as internet_rate,
    round(100.0 * c.households_with_smartphone / nullif(c.households, 0), 3) as smartphone_rate,
    round(
        100.0 * (c.fixed_broadband_subscriptions + c.mobile_broadband_subscriptions) / nullif(c.population, 0), 3
    ) as subscriptions_per_100,
    c.source_rows,
    now() as refreshed_at
from counted as c
inner join core.dim_admin_unit as u on c.commune_sk = u.admin_unit_sk
left join core.dim_admin_unit as p on u.parent_sk = p.admin_unit_sk;
