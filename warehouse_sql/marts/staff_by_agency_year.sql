-- Grain: one row per agency and year, as of 30 June. Never summed over years.
-- Suppression, k = 5. How many people an agency has, and how many look after digital transformation and security, are
-- facts of the agency's organisation and are shown. A degree and computer skills are a person's: both parts (with,
-- without) are shown only where each holds 5 persons or more, else neither. That hides "all have one" too, which would
-- tell of each of them. Those whose qualification is not known are in no part. Totals over agencies stand in
-- mart.staff_by_kind_year, which hides what could be computed from both; there are none by rank. Two years of an agency
-- may differ by one person.
-- dx:mart name=staff_by_agency_year depends=staff.can_bo,one_stop.groups

delete from mart.staff_by_agency_year;

insert into mart.staff_by_agency_year (
    agency_code,
    year,
    agency_sk,
    agency_name,
    agency_kind,
    is_in_catalogue,
    staff,
    dx_full_time,
    dx_part_time,
    security_contacts,
    has_dx_and_security,
    with_degree,
    without_degree,
    is_degree_suppressed,
    with_computer_skill,
    without_computer_skill,
    is_computer_skill_suppressed,
    refreshed_at
)
with counted as (
    select
        f.agency_code,
        f.year,
        max(f.agency_sk) as agency_sk,
        sum(f.staff) as staff,
        sum(f.dx_full_time) as dx_full_time,
        sum(f.dx_part_time) as dx_part_time,
        sum(f.security_contacts) as security_contacts,
        sum(f.with_degree) as with_degree,
        sum(f.without_degree) as without_degree,
        sum(f.with_computer_skill) as with_computer_skill,
        sum(f.without_computer_skill) as without_computer_skill,
        least(sum(f.with_degree), sum(f.without_degree)) < 5 as is_degree_suppressed,
        least(sum(f.with_computer_skill), sum(f.without_computer_skill)) < 5 as is_computer_skill_suppressed
    from core.fact_staff_year as f
    group by
        f.agency_code,
        f.year
)

select
    c.agency_code,
    c.year,
    c.agency_sk,
    a.name as agency_name,
    a.kind as agency_kind,
    c.agency_sk > 0 and not a.is_inferred as is_in_catalogue,
    c.staff,
    c.dx_full_time,
    c.dx_part_time,
    c.security_contacts,
    c.dx_full_time + c.dx_part_time > 0 and c.security_contacts > 0 as has_dx_and_security,
    case when not c.is_degree_suppressed then c.with_degree end as with_degree,
    case when not c.is_degree_suppressed then c.without_degree end as without_degree,
    c.is_degree_suppressed,
    case when not c.is_computer_skill_suppressed then c.with_computer_skill end as with_computer_skill,
    case when not c.is_computer_skill_suppressed then c.without_computer_skill end as without_computer_skill,
    c.is_computer_skill_suppressed,
    now() as refreshed_at
from counted as c
inner join core.dim_agency as a on c.agency_sk = a.agency_sk;
