-- Procedures behind components 3.1 and 3.2: the temporary view service_row, one row per measure and procedure that the
-- unit is competent for, with whether it is in the numerator. The settings dx.unit and dx.period name unit and period.
-- Read by `dx score rows`, never stored.

-- dx:include parts/dossier_clock.sql

-- dx:include parts/on_time_period.sql

-- dx:include parts/score_unit.sql

-- dx:include parts/measured_dossier.sql

create temporary table score_procedure on commit drop as
select
    r.agency_sk,
    date_trunc('month', r.received_on::timestamp)::date as month,
    p.procedure_code,
    bool_or(r.is_online) as is_filed_online,
    count(*) as dossiers
from measured_dossier_row as r
inner join core.dim_procedure as p on r.procedure_sk = p.procedure_sk
where r.procedure_sk > 0
group by
    r.agency_sk,
    date_trunc('month', r.received_on::timestamp)::date,
    p.procedure_code;

-- dx:include parts/score_service.sql

create temporary table service_filed on commit drop as
select distinct c.procedure_code
from score_procedure as c
inner join score_member as m on c.agency_sk = m.agency_sk
inner join score_period_month as p on c.month = p.month
where
    c.is_filed_online
    and m.unit_code = current_setting('dx.unit')
    and p.period = current_setting('dx.period');

create temporary view service_row as
with competent as (
    select
        u.unit_code,
        u.period,
        s.procedure_code,
        s.service_level,
        s.procedure_code in (select f.procedure_code from service_filed as f) as is_used_online
    from score_service_unit as u
    inner join score_service as s on u.period = s.period and u.list_code = s.list_code
    where u.unit_code = current_setting('dx.unit') and u.period = current_setting('dx.period')
)

select
    k.measure,
    c.period,
    c.unit_code,
    c.procedure_code as row_code,
    k.is_good,
    case when not k.is_good then k.measure end as reason
from competent as c
cross join lateral (
    values
    ('services_online', c.service_level >= 3, true),
    ('services_full', c.service_level = 4, c.service_level >= 3),
    ('services_with_online_dossier', c.is_used_online, c.service_level >= 3)
) as k (measure, is_good, is_counted)
where k.is_counted;
