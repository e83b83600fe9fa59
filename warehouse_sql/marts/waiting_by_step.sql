-- Grain: one row per period (month or year in which the step ended), agency or the whole province, unit that did the
-- step, and status the dossier had when it ended. Time in the citizen's hands (a supplement asked for and not yet
-- answered) is taken off. Median and 90th percentile are those of the durations rounded to a tenth of a day, so that
-- one pass over the steps is enough: steps alike in a tenth of a day are counted together. Seconds are whole.
-- Steps without a beginning or an end, of deleted or doubly known dossiers, do not count.
-- dx:mart name=waiting_by_step depends=one_stop.qua_trinh_xu_ly,one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.groups

set local enable_sort = off;
-- Right after a first load the tables have no statistics, and a nested loop over all steps would never end.
set local enable_nestloop = off;

create temporary table waiting_tally on commit drop as
with supplement as (
    select
        e.dossier_code,
        e.registered_on,
        e.occurred_at as asked_at,
        -- Requests that overlap are not taken off twice.
        least(
            coalesce(e.ended_at, timestamptz '9999-12-31 00:00:00+00'),
            lead(e.occurred_at, 1, timestamptz '9999-12-31 00:00:00+00') over (
                partition by e.dossier_code, e.registered_on order by e.occurred_at, e.event_id
            )
        ) as answered_at
    from core.fact_dossier_event as e
    where e.event_kind_sk = 2 and e.occurred_at is not null
),

paused_step as (
    select
        e.dossier_code,
        e.registered_on,
        e.event_id,
        sum(
            extract(epoch from least(s.answered_at, e.occurred_at) - greatest(s.asked_at, e.started_at))::bigint
        ) as paused_seconds
    from core.fact_dossier_event as e
    inner join supplement as s on e.dossier_code = s.dossier_code and e.registered_on = s.registered_on
    where
        e.event_kind_sk = 1
        and s.asked_at < e.occurred_at
        and s.answered_at > e.started_at
    group by
        e.dossier_code,
        e.registered_on,
        e.event_id
),

step as (
    select
        d.agency_sk,
        coalesce(e.unit_name, '-') as unit_name,
        e.status_sk,
        date_trunc('month', e.occurred_at at time zone 'Asia/Ho_Chi_Minh')::date as month,
        e.occurred_at > e.due_at as is_late,
        coalesce(p.paused_seconds, 0)::bigint as paused_seconds,
        greatest(
            extract(epoch from e.occurred_at - e.started_at)::bigint - coalesce(p.paused_seconds, 0)::bigint, 0
        ) as seconds
    from core.fact_dossier_event as e
    inner join core.fact_dossier as d on e.dossier_code = d.dossier_code and e.registered_on = d.registered_on
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    left join paused_step as p
        on e.dossier_code = p.dossier_code and e.registered_on = p.registered_on and e.event_id = p.event_id
    where
        e.event_kind_sk = 1
        and e.started_at is not null
        and e.occurred_at is not null
        and d.deleted_at is null
        and x.dossier_code is null
)

select
    a.agency_code,
    t.unit_name,
    t.status_sk,
    t.month,
    ((t.seconds + 4320) / 8640)::integer as tenths,
    count(*) as steps,
    count(*) filter (where t.is_late) as late_steps,
    sum(t.seconds)::bigint as seconds_total,
    sum(t.paused_seconds)::bigint as paused_seconds_total
from step as t
inner join core.dim_agency as a on t.agency_sk = a.agency_sk
group by
    a.agency_code,
    t.unit_name,
    t.status_sk,
    t.month,
    ((t.seconds + 4320) / 8640)::integer;

set local enable_sort = on;
set local enable_nestloop = on;

delete from mart.waiting_by_step;

insert into mart.waiting_by_step (
    period_kind,
    period,
    scope,
    agency_code,
    agency_name,
    unit_name,
    step_status,
    step_status_name,
    steps,
    late_steps,
    days_total,
    mean_days,
    median_days,
    p90_days,
    paused_days_total,
    refreshed_at
)
with spread as (
    select
        p.period_kind,
        date_trunc(p.period_kind, t.month::timestamp)::date as period,
        s.scope,
        case when s.scope = 'agency' then t.agency_code else '*' end as agency_code,
        t.unit_name,
        t.status_sk,
        t.tenths,
        sum(t.steps) as steps,
        sum(t.late_steps) as late_steps,
        sum(t.seconds_total)::bigint as seconds_total,
        sum(t.paused_seconds_total)::bigint as paused_seconds_total
    from waiting_tally as t
    cross join (values ('month'), ('year')) as p (period_kind)
    cross join (values ('agency'), ('province')) as s (scope)
    group by
        p.period_kind,
        date_trunc(p.period_kind, t.month::timestamp)::date,
        s.scope,
        case when s.scope = 'agency' then t.agency_code else '*' end,
        t.unit_name,
        t.status_sk,
        t.tenths
),

ranked as (
    select
        s.*,
        sum(s.steps) over (
            partition by s.period_kind, s.period, s.agency_code, s.unit_name, s.status_sk order by s.tenths
        ) as steps_up_to,
        sum(s.steps) over (
            partition by s.period_kind, s.period, s.agency_code, s.unit_name, s.status_sk
        ) as steps_in_all
    from spread as s
),

latest_agency as (
    select distinct on (a.agency_code)
        a.agency_code,
        a.name
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
)

select
    r.period_kind,
    r.period,
    r.scope,
    r.agency_code,
    coalesce(max(a.name), 'Toàn tỉnh | Whole province') as agency_name,
    r.unit_name,
    r.status_sk as step_status,
    max(v.name_vi) as step_status_name,
    sum(r.steps) as steps,
    sum(r.late_steps) as late_steps,
    round(sum(r.seconds_total) / 86400, 3) as days_total,
    round(sum(r.seconds_total) / 86400 / sum(r.steps), 2) as mean_days,
    round(min(r.tenths) filter (where r.steps_up_to >= 0.5 * r.steps_in_all) / 10.0, 1) as median_days,
    round(min(r.tenths) filter (where r.steps_up_to >= 0.9 * r.steps_in_all) / 10.0, 1) as p90_days,
    round(sum(r.paused_seconds_total) / 86400, 3) as paused_days_total,
    now() as refreshed_at
from ranked as r
inner join core.dim_dossier_status as v on r.status_sk = v.status_sk
left join latest_agency as a on r.agency_code = a.agency_code
group by
    r.period_kind,
    r.period,
    r.scope,
    r.agency_code,
    r.unit_name,
    r.status_sk;
