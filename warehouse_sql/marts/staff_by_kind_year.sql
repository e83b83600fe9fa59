-- Grain: one row per kind of agency and year, of the agencies that the catalogue has on 30 June.
-- Suppression, k = 5. What mart.staff_by_agency_year hides must not come out as the difference between this total and
-- the agencies shown there. So a qualification is shown here if no agency of the kind hides it, or if those that do
-- are two or more and hold together 5 persons or more in each part. There is no total over kinds.
-- dx:mart name=staff_by_kind_year depends=staff.can_bo,one_stop.groups

delete from mart.staff_by_kind_year;

insert into mart.staff_by_kind_year (
    agency_kind,
    year,
    agencies,
    staff,
    dx_full_time,
    dx_part_time,
    security_contacts,
    with_degree,
    without_degree,
    with_computer_skill,
    without_computer_skill,
    refreshed_at
)
with counted as (
    select
        a.kind as agency_kind,
        f.agency_code,
        f.year,
        sum(f.staff) as staff,
        sum(f.dx_full_time) as dx_full_time,
        sum(f.dx_part_time) as dx_part_time,
        sum(f.security_contacts) as security_contacts,
        sum(f.with_degree) as with_degree,
        sum(f.without_degree) as without_degree,
        sum(f.with_computer_skill) as with_computer_skill,
        sum(f.without_computer_skill) as without_computer_skill,
        least(sum(f.with_degree), sum(f.without_degree)) < 5 as degree_hidden,
        least(sum(f.with_computer_skill), sum(f.without_computer_skill)) < 5 as skill_hidden
    from core.fact_staff_year as f
    inner join core.dim_agency as a on f.agency_sk = a.agency_sk
    where f.agency_sk > 0 and not a.is_inferred and a.kind is not null
    group by
        a.kind,
        f.agency_code,
        f.year
),

summed as (
    select
        c.agency_kind,
        c.year,
        count(*) as agencies,
        sum(c.staff) as staff,
        sum(c.dx_full_time) as dx_full_time,
        sum(c.dx_part_time) as dx_part_time,
        sum(c.security_contacts) as security_contacts,
        sum(c.with_degree) as with_degree,
        sum(c.without_degree) as without_degree,
        sum(c.with_computer_skill) as with_computer_skill,
        sum(c.without_computer_skill) as without_computer_skill,
        least(sum(c.with_degree), sum(c.without_degree)) >= 5
        and (
            count(*) filter (where c.degree_hidden) = 0
            or (
                count(*) filter (where c.degree_hidden) > 1
                and least(
                    sum(c.with_degree) filter (where c.degree_hidden),
                    sum(c.without_degree) filter (where c.degree_hidden)
                ) >= 5
            )
        ) as shows_degree,
        least(sum(c.with_computer_skill), sum(c.without_computer_skill)) >= 5
        and (
            count(*) filter (where c.skill_hidden) = 0
            or (
                count(*) filter (where c.skill_hidden) > 1
                and least(
                    sum(c.with_computer_skill) filter (where c.skill_hidden),
                    sum(c.without_computer_skill) filter (where c.skill_hidden)
                ) >= 5
            )
        ) as shows_skill
    from counted as c
    group by
        c.agency_kind,
        c.year
)

select
    s.agency_kind,
    s.year,
    s.agencies,
    s.staff,
    s.dx_full_time,
    s.dx_part_time,
    s.security_contacts,
    case when s.shows_degree then s.with_degree end as with_degree,
    case when s.shows_degree then s.without_degree end as without_degree,
    case when s.shows_skill then s.with_computer_skill end as with_computer_skill,
    case when s.shows_skill then s.without_computer_skill end as without_computer_skill,
    now() as refreshed_at
from summed as s;
