-- Grain: one row per agency and field with an accepted dossier still open, as of the latest moment the data knows of.
-- Open: status 2 or 4. Paused, waiting for the citizen: 5 or 6; a paused dossier is not overdue. Due: the due date, or
-- without one the procedure's time limit in working days from acceptance; the time of answered supplements is added.
-- The rule of Decision 766 that a second supplement is overdue in any case belongs to the rate, not to the days late.
-- dx:mart name=dossier_late_now depends=one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.thu_tuc,one_stop.ngay_nghi,one_stop.linh_vuc,one_stop.groups

-- dx:include parts/dossier_clock.sql

-- dx:tally adds=dossiers
create temporary table open_dossier on commit drop as
select
    d.dossier_code,
    d.registered_on,
    d.agency_sk,
    d.field_sk,
    d.procedure_sk,
    d.status_sk,
    d.received_on,
    d.due_at,
    greatest(d.supplement_received_at - d.supplement_requested_at, interval '0') as told_wait,
    1::bigint as dossiers
from core.fact_dossier as d
left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
where
    d.status_sk in (2, 4, 5, 6)
    and d.received_on is not null
    and d.deleted_at is null
    and x.dossier_code is null;

delete from mart.dossier_late_now;

insert into mart.dossier_late_now (
    agency_code,
    agency_sk,
    agency_name,
    agency_level,
    agency_kind,
    field_code,
    field_name,
    as_of,
    open,
    paused,
    overdue,
    overdue_over_30_days,
    overdue_days,
    overdue_days_max,
    oldest_due_on,
    oldest_received_on,
    oldest_dossier_code,
    due_in_3_working_days,
    without_due,
    refreshed_at
)
with clock as (
    select
        least(d.latest_at, now()) as as_of,
        (least(d.latest_at, now()) at time zone 'Asia/Ho_Chi_Minh')::date as today
    from dossier_clock as d
),

-- The log of supplements tells more than the columns of the dossier, which stand in when it is silent.
supplement as (
    select
        e.dossier_code,
        e.registered_on,
        sum(greatest(e.ended_at - e.occurred_at, interval '0')) as waited
    from core.fact_dossier_event as e
    inner join open_dossier as o on e.dossier_code = o.dossier_code and e.registered_on = o.registered_on
    where e.event_kind_sk = 2 and e.closed_on is null and e.occurred_at is not null
    group by
        e.dossier_code,
        e.registered_on
),

-- The last moment that still has a given number of working days behind it.
deadline as (
    select
        t.working_day_number,
        (max(t.full_date) + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh' - interval '1 microsecond' as ends_at
    from core.dim_date as t
    where t.full_date is not null
    group by t.working_day_number
),

due as (
    select
        o.*,
        coalesce(o.due_at, l.ends_at) + coalesce(s.waited, o.told_wait, interval '0') as due_now
    from open_dossier as o
    left join supplement as s on o.dossier_code = s.dossier_code and o.registered_on = s.registered_on
    left join core.dim_procedure as p on o.procedure_sk = p.procedure_sk
    left join core.dim_date as r on o.received_on = r.full_date
    left join deadline as l on r.working_day_number + p.time_limit_working_days = l.working_day_number
),

judged as (
    select
        u.agency_sk,
        u.field_sk,
        u.dossier_code,
        u.received_on,
        c.as_of,
        u.status_sk in (2, 4) as is_open,
        u.due_now,
        (u.due_now at time zone 'Asia/Ho_Chi_Minh')::date as due_on,
        u.status_sk in (2, 4) and u.due_now < c.as_of as is_overdue,
        c.today - (u.due_now at time zone 'Asia/Ho_Chi_Minh')::date as days_overdue,
        u.status_sk in (2, 4)
        and u.due_now >= c.as_of
        and due_day.working_day_number <= this_day.working_day_number + 3 as is_due_soon
    from due as u
    cross join clock as c
    inner join core.dim_date as this_day on c.today = this_day.full_date
    left join core.dim_date as due_day on (u.due_now at time zone 'Asia/Ho_Chi_Minh')::date = due_day.full_date
),

latest_agency as (
    select distinct on (a.agency_code)
        a.agency_sk,
        a.agency_code,
        a.name,
        a.level,
        a.kind
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
),

summed as (
    select
        a.agency_code,
        f.field_code,
        max(f.name) as field_name,
        max(j.as_of) as as_of,
        count(*) filter (where j.is_open) as open,
        count(*) filter (where not j.is_open) as paused,
        count(*) filter (where j.is_overdue) as overdue,
        count(*) filter (where j.is_overdue and j.days_overdue > 30) as overdue_over_30_days,
        coalesce(sum(j.days_overdue) filter (where j.is_overdue), 0) as overdue_days,
        max(j.days_overdue) filter (where j.is_overdue) as overdue_days_max,
        (array_agg(j.due_on order by j.due_now, j.dossier_code) filter (where j.is_overdue))[1] as oldest_due_on,
        (array_agg(j.received_on order by j.due_now, j.dossier_code) filter (where j.is_overdue))[1]
            as oldest_received_on,
        (array_agg(j.dossier_code order by j.due_now, j.dossier_code) filter (where j.is_overdue))[1]
            as oldest_dossier_code,
        count(*) filter (where j.is_due_soon) as due_in_3_working_days,
        count(*) filter (where j.is_open and j.due_now is null) as without_due
    from judged as j
    inner join core.dim_agency as a on j.agency_sk = a.agency_sk
    inner join core.dim_field as f on j.field_sk = f.field_sk
    group by
        a.agency_code,
        f.field_code
)

select
    s.agency_code,
    a.agency_sk,
    a.name as agency_name,
    a.level as agency_level,
    a.kind as agency_kind,
    s.field_code,
    s.field_name,
    s.as_of,
    s.open,
    s.paused,
    s.overdue,
    s.overdue_over_30_days,
    s.overdue_days,
    s.overdue_days_max,
    s.oldest_due_on,
    s.oldest_received_on,
    s.oldest_dossier_code,
    s.due_in_3_working_days,
    s.without_due,
    now() as refreshed_at
from summed as s
inner join latest_agency as a on s.agency_code = a.agency_code;
