-- Rows that measures count by a day of their own: the temporary view measured_row, one row per measure and petition or
-- row of measured_dossier, with whether it is in the numerator and for how many dossiers it stands. Needs
-- parts/measured_dossier.sql and measured_dossier, made of its rows (row_code and dossiers beside their columns). The
-- measures on_time and dossiers_satisfied are judged at the end of a period instead and come from
-- parts/on_time_verdict.sql; procedures_* and services_* count procedures.
--
--   synchronised        accepted dossiers: sent to the national portal at least once
--   filed_online        accepted dossiers: channel 2; one left empty is at the counter. Whether the procedure demands
-- a
--                       paper result is not in the catalogue, so that condition of 3.3 is not applied
--   vneid_verified      accepted dossiers: of an account verified through VNeID
--   paid_online         accepted dossiers with a request above 0 đồng that was not cancelled: paid by truc-tuyen
--   electronic_result   finished dossiers: a result with its file
--   digitised           finished dossiers: a digitised component and a result with its file
--   petitions_on_time   petitions handled, or waiting past their limit: handled within it (15, 5, 2 working days)
--   petitions_satisfied petitions: not dissatisfied, not raised again, not late
--   petitions_about_procedures, petitions_about_staff
--                       petitions: of that kind (followed, no points)
--   complained          dossiers (by the day of the first one): rated not satisfied, or subject of a petition

create temporary view measured_row as
with petition_clock as (
    select least(max(greatest(f.received_on, f.handled_on, f.published_on)), current_date) as as_of
    from core.fact_petition as f
    where f.closed_on is null
),

petition as (
    select
        d.petition_code,
        d.agency_sk,
        d.received_on,
        f.petition_kind_code,
        d.is_on_time,
        d.is_on_time is null and d.due_on < c.as_of as is_waiting_overdue,
        coalesce(r.is_satisfied, true) and not coalesce(f.raised_again, false) as is_content
    from core.petition_deadline as d
    inner join core.fact_petition as f on d.petition_code = f.petition_code
    inner join core.dim_rating as r on f.rating_code = r.rating_code
    cross join petition_clock as c
),

complaint as (
    select
        s.dossier_code,
        s.rated_on as complained_on
    from core.satisfaction_checked as s
    where s.rating_code = 'khong_hai_long'
    union all
    select
        f.dossier_code,
        f.received_on
    from core.fact_petition as f
    where f.closed_on is null and f.dossier_code is not null
)

select
    m.measure,
    d.row_code,
    d.agency_sk,
    d.procedure_sk,
    m.counted_on,
    m.is_good,
    d.dossiers
from measured_dossier as d
cross join lateral (
    values
    ('synchronised', d.received_on, d.is_sent),
    ('filed_online', d.received_on, d.is_online),
    ('vneid_verified', d.received_on, d.is_vneid_verified),
    ('paid_online', case when d.has_obligation then d.received_on end, d.is_paid_online),
    ('electronic_result', d.finished_on, d.has_result),
    ('digitised', d.finished_on, d.has_result and d.has_component)
) as m (measure, counted_on, is_good)
where m.counted_on is not null
union all
select
    m.measure,
    p.petition_code,
    p.agency_sk,
    -2,
    p.received_on,
    m.is_good,
    1
from petition as p
cross join lateral (
    values
    ('petitions_on_time', case when p.is_waiting_overdue then false else p.is_on_time end),
    ('petitions_satisfied', p.is_content and coalesce(p.is_on_time, true) and not p.is_waiting_overdue),
    ('petitions_about_procedures', p.petition_kind_code = 'thu_tuc'),
    ('petitions_about_staff', p.petition_kind_code = 'can_bo')
) as m (measure, is_good)
where m.is_good is not null
union all
select
    'complained',
    d.dossier_code,
    max(d.agency_sk),
    -2,
    min(c.complained_on),
    false,
    1
from complaint as c
inner join core.fact_dossier as d on c.dossier_code = d.dossier_code
left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
group by d.dossier_code;
