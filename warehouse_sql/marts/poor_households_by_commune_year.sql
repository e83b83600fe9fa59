-- Grain: one row per commune or district, year and kind of household. A commune without such a household has no row.
-- Suppression, k = 5. A row shows all of its counts or none.
-- 1. A commune's row is small if its households, those without Internet or those without a smartphone are below 5.
-- 2. Where a district has a small row (same year, same kind), further rows of the district are suppressed with it until
--    at least two are, and they hold together 5 or more without Internet, 5 without a smartphone, and 5 households more
--    than there are rows (a row stands for one household at least: five rows of five households would each be one). So
--    what is left when the shown communes are taken from the district's total leaves every suppressed count a range of
--    5 or more. Which further rows go is decided by a hash of code, year and kind: the smallest would tell a bound.
-- 3. Where all of a district's rows do not suffice for that, the district's row is suppressed too.
-- There are no totals over kinds, and none of the province. Knowing that a row is among the small ones narrows it
-- down; this mart does not say which of the suppressed rows are.
-- dx:mart name=poor_households_by_commune_year depends=poor_households.ho_ngheo

delete from mart.poor_households_by_commune_year;

with counted as (
    select
        f.*,
        u.name as unit_name,
        u.parent_code as district_code,
        least(f.households, f.households_without_internet, f.households_without_smartphone) < 5 as is_small
    from core.fact_poor_household_year as f
    inner join core.dim_admin_unit as u on f.commune_sk = u.admin_unit_sk
    where f.commune_sk > 0
),

running as (
    select
        c.*,
        bool_or(c.is_small) over (partition by c.district_code, c.year, c.household_kind) as has_small,
        count(*) over earlier as rows_before,
        coalesce(sum(c.households) over earlier, 0) as households_before,
        coalesce(sum(c.households_without_internet) over earlier, 0) as without_internet_before,
        coalesce(sum(c.households_without_smartphone) over earlier, 0) as without_smartphone_before
    from counted as c
    window earlier as (
        partition by c.district_code, c.year, c.household_kind
        order by
            c.is_small desc,
            md5(c.commune_code || c.year::text || c.household_kind) asc,
            c.commune_code asc
        rows between unbounded preceding and 1 preceding
    )
),

communes as (
    select
        r.*,
        r.is_small
        or (
            r.has_small
            and (
                r.rows_before < 2
                or least(
                    r.households_before - r.rows_before,
                    r.without_internet_before,
                    r.without_smartphone_before
                ) < 5
            )
        ) as is_suppressed
    from running as r
),

districts as (
    select
        c.district_code,
        c.year,
        c.household_kind,
        sum(c.households) as households,
        sum(c.members) as members,
        sum(c.households_without_internet) as households_without_internet,
        sum(c.households_without_smartphone) as households_without_smartphone,
        bool_or(c.is_suppressed)
        and (
            count(*) filter (where c.is_suppressed) < 2
            or least(
                sum(c.households - 1) filter (where c.is_suppressed),
                sum(c.households_without_internet) filter (where c.is_suppressed),
                sum(c.households_without_smartphone) filter (where c.is_suppressed)
            ) < 5
        ) as is_suppressed
    from communes as c
    group by
        c.district_code,
        c.year,
        c.household_kind
),

units as (
    select
        'commune' as level,
        c.commune_code as unit_code,
        c.year,
        c.household_kind,
        c.unit_name,
        c.district_code,
        c.households,
        c.members,
        c.households_without_internet,
        c.households_without_smartphone,
        c.is_suppressed
    from communes as c
    union all
    select
        'district' as level,
        d.district_code as unit_code,
        d.year,
        d.household_kind,
        coalesce(u.name, d.district_code) as unit_name,
        d.district_code,
        d.households,
        d.members,
        d.households_without_internet,
        d.households_without_smartphone,
        d.is_suppressed
    from districts as d
    left join core.dim_admin_unit as u
        on
            d.district_code = u.code
            and u.level = 'district'
            and make_date(d.year::integer, 6, 30) >= u.valid_from
            and make_date(d.year::integer, 6, 30) < u.valid_to
)

insert into mart.poor_households_by_commune_year (
    level,
    unit_code,
    year,
    household_kind,
    unit_name,
    district_code,
    households,
    members,
    households_without_internet,
    households_without_smartphone,
    is_suppressed,
    refreshed_at
)
select
    x.level,
    x.unit_code,
    x.year,
    x.household_kind,
    x.unit_name,
    x.district_code,
    case when not x.is_suppressed then x.households end as households,
    case when not x.is_suppressed then x.members end as members,
    case when not x.is_suppressed then x.households_without_internet end as households_without_internet,
    case when not x.is_suppressed then x.households_without_smartphone end as households_without_smartphone,
    x.is_suppressed,
    now() as refreshed_at
from units as x;
