-- Grain: one row per commune and year, from the commune's first registration on; commune_sk -1 is not known.
-- registered, active_now to other_now, capital_vnd and the accounts follow the enterprises registered in that year and
-- add up over communes and years. dissolved_in_year counts by the year of dissolution. in_force_at_year_end is a stock:
-- it adds up over communes, never over years; an enterprise that was dissolved on a day not known is in none of them.
-- dx:mart name=business_by_commune_year depends=business.doanh_nghiep

delete from mart.business_by_commune_year;

insert into mart.business_by_commune_year (
    commune_sk,
    year,
    commune_code,
    commune_name,
    registered,
    registered_units,
    active_now,
    suspended_now,
    dissolved_now,
    other_now,
    capital_vnd,
    with_organisation_account,
    organisation_account_share,
    dissolved_in_year,
    in_force_at_year_end,
    refreshed_at
)
with business as (
    select
        f.commune_sk,
        f.charter_capital_vnd,
        f.has_organisation_account,
        extract(year from f.registered_on)::integer as year,
        extract(year from f.dissolved_on)::integer as year_of_end,
        k.group_code = 'enterprise' as is_enterprise,
        st.group_code as status_group
    from core.fact_business as f
    inner join core.dim_business_kind as k on f.business_kind_sk = k.business_kind_sk
    inner join core.dim_business_status as st on f.business_status_sk = st.business_status_sk
    where f.closed_on is null
),

calendar as (
    select
        span.commune_sk,
        y.year
    from (
        select
            b.commune_sk,
            min(b.year) as first_year,
            (select max(greatest(x.year, x.year_of_end)) from business as x) as last_year
        from business as b
        group by b.commune_sk
    ) as span
    cross join lateral generate_series(span.first_year, span.last_year) as y (year)
),

cohort as (
    select
        b.commune_sk,
        b.year,
        count(*) filter (where b.is_enterprise) as registered,
        count(*) filter (where not b.is_enterprise) as registered_units,
        count(*) filter (where b.is_enterprise and b.status_group = 'active') as active_now,
        count(*) filter (where b.is_enterprise and b.status_group = 'suspended') as suspended_now,
        count(*) filter (where b.is_enterprise and b.status_group = 'dissolved') as dissolved_now,
        count(*) filter (
            where b.is_enterprise and b.status_group not in ('active', 'suspended', 'dissolved')
        ) as other_now,
        sum(b.charter_capital_vnd) filter (where b.is_enterprise) as capital_vnd,
        count(*) filter (
            where b.is_enterprise and b.status_group <> 'dissolved' and b.has_organisation_account
        ) as with_organisation_account,
        count(*) filter (
            where b.is_enterprise and b.status_group = 'dissolved' and b.year_of_end is null
        ) as ended_some_day
    from business as b
    group by
        b.commune_sk,
        b.year
),

ended as (
    select
        b.commune_sk,
        b.year_of_end as year,
        count(*) as dissolved_in_year
    from business as b
    where b.is_enterprise and b.year_of_end is not null
    group by
        b.commune_sk,
        b.year_of_end
),

counted as (
    select
        y.commune_sk,
        y.year,
        coalesce(c.registered, 0) as registered,
        coalesce(c.registered_units, 0) as registered_units,
        coalesce(c.active_now, 0) as active_now,
        coalesce(c.suspended_now, 0) as suspended_now,
        coalesce(c.dissolved_now, 0) as dissolved_now,
        coalesce(c.other_now, 0) as other_now,
        coalesce(c.capital_vnd, 0) as capital_vnd,
        coalesce(c.with_organisation_account, 0) as with_organisation_account,
        coalesce(c.ended_some_day, 0) as ended_some_day,
        coalesce(e.dissolved_in_year, 0) as dissolved_in_year
    from calendar as y
    left join cohort as c on y.commune_sk = c.commune_sk and y.year = c.year
    left join ended as e on y.commune_sk = e.commune_sk and y.year = e.year
)

select
    t.commune_sk,
    t.year,
    u.code as commune_code,
    u.name as commune_name,
    t.registered,
    t.registered_units,
    t.active_now,
    t.suspended_now,
    t.dissolved_now,
    t.other_now,
    t.capital_vnd,
    t.with_organisation_account,
    round(
        100.0 * t.with_organisation_account / nullif(t.registered - t.dissolved_now, 0),
        3
    ) as organisation_account_share,
    t.dissolved_in_year,
    sum(t.registered - t.ended_some_day - t.dissolved_in_year) over (
        partition by t.commune_sk
        order by t.year
    ) as in_force_at_year_end,
    now() as refreshed_at
from counted as t
inner join core.dim_admin_unit as u on t.commune_sk = u.admin_unit_sk;
