-- Grain: one row per commune and school year; -1 stands for all rows of the year whose commune was not found.
-- A school year is a state of its own: add up over communes, never over years.
-- dx:mart name=education_by_commune_year depends=education.truong_hoc

delete from mart.education_by_commune_year;

insert into mart.education_by_commune_year (
    school_year,
    commune_sk,
    commune_code,
    commune_name,
    schools,
    classes,
    pupils,
    pupils_with_id,
    id_rate,
    teachers,
    pupils_per_class,
    pupils_per_teacher,
    refreshed_at
)
with counted as (
    select
        f.school_year,
        f.commune_sk,
        count(*) as schools,
        sum(f.classes) as classes,
        sum(f.pupils) as pupils,
        sum(f.pupils_with_id) as pupils_with_id,
        sum(f.teachers) as teachers
    from core.fact_school_year as f
    where f.closed_on is null
    group by
        f.school_year,
        f.commune_sk
)

select
    c.school_year,
    c.commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    c.schools,
    c.classes,
    c.pupils,
    c.pupils_with_id,
    round(100.0 * c.pupils_with_id / nullif(c.pupils, 0), 3) as id_rate,
    c.teachers,
    round(c.pupils / nullif(c.classes, 0), 2) as pupils_per_class,
    round(c.pupils / nullif(c.teachers, 0), 2) as pupils_per_teacher,
    now() as refreshed_at
from counted as c
inner join core.dim_admin_unit as u on c.commune_sk = u.admin_unit_sk;
