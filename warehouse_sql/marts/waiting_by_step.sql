-- Grain: one row per period (month or year in which the step ended), agency or the whole province, unit that did the
-- step, and status the dossier had when it ended. Time in the citizen's hands (a supplement asked for and not yet
-- answered) is taken off. Median and 90th percentile are those of the durations rounded to a tenth of a day, so that
-- one pass over the steps is enough: steps alike in a tenth of a day are counted together. Seconds are whole.
-- Steps without a beginning or an end, of deleted or doubly known dossiers, do not count.
-- dx:mart name=waiting_by_step depends=one_stop.qua_trinh_xu_ly,one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.groups

set local enable_sort = off;
-- Right after a first load the tables have no statistics, and a nested loop over all steps would never end.
set local enable_nestloop = off;

-- Supplements are few and hang on the dossier as arrays: the steps, by far the most rows, are read and joined once.
-- dx:tally adds=steps,late_steps,seconds_total,paused_seconds_total
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
    where e.event_kind_sk = 2 and e.closed_on is null and e.occurred_at is not null
),

pause as (
    select
        s.dossier_code,
        s.registered_on,
        array_agg(s.asked_at) as asked_at,
        array_agg(s.answered_at) as answered_at
    from supplement as s
    group by
        s.dossier_code,
        s.registered_on
),

dossier as (
    select
        d.dossier_code,
        d.registered_on,
        d.agency_sk,
        p.asked_at,
        p.answered_at
    from core.fact_dossier as d
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    left join pause as p on d.dossier_code = p.dossier_code and d.registered_on = p.registered_on
    where d.deleted_at is null and x.dossier_code is null
    offset 0 -- noqa: AM09
),

step as (
    select
        d.agency_sk,
        e.unit_name,
        e.status_sk,
        date_trunc('month', e.occurred_at at time zone 'Asia/Ho_Chi_Minh')::date as month,
        e.occurred_at > e.due_at as is_late,
        date_part('epoch', e.occurred_at - e.started_at)::bigint as seconds,
        case
            when d.asked_at is not null
                then (
                    select
                        coalesce(
                            sum(
                                date_part(
                                    'epoch', least(s.answered_at, e.occurred_at) - greatest(s.asked_at, e.started_at)
                                )::bigint
                            ),
                            0
                        )::bigint
                    from unnest(d.asked_at, d.answered_at) as s (asked_at, answered_at)
                    where s.asked_at < e.occurred_at and s.answered_at > e.started_at
                )
            else 0
        end as paused_seconds
    from core.fact_dossier_event as e
    inner join dossier as d on e.dossier_code = d.dossier_code and e.registered_on = d.registered_on
    where e.event_kind_sk = 1 and e.closed_on is null and e.started_at is not null and e.occurred_at is not null
    offset 0 -- noqa: AM09
)

select
    t.agency_sk,
    t.unit_name,
    t.status_sk,
    t.month,
    ((greatest(t.seconds - t.paused_seconds, 0) + 4320) / 8640)::integer as tenths,
    count(*) as steps,
    count(*) filter (where t.is_late) as late_steps,
    -- Whole numbers far below 2^53: exact, and half the memory of a sum of bigint, which is kept as numeric.
    sum(greatest(t.seconds - t.paused_seconds, 0)::double precision)::bigint as seconds_total,
    sum(t.paused_seconds::double precision)::bigint as paused_seconds_total
from step as t
group by
    t.agency_sk,
    t.unit_name,
    t.status_sk,
    t.month,
    ((greatest(t.seconds - t.paused_seconds, 0) + 4320) / 8640)::integer;

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
with month_agency as (
    select
        a.agency_code,
        coalesce(t.unit_name, '-') as unit_name,
        t.status_sk,
        t.month,
        t.tenths,
        t.steps,
        t.late_steps,
        t.seconds_total,
        t.paused_seconds_total
    from waiting_tally as t
    inner join core.dim_agency as a on t.agency_sk = a.agency_sk
),

month_province as (
    select
        t.unit_name,
        t.status_sk,
        t.month,
        t.tenths,
        sum(t.steps)::bigint as steps,
        sum(t.late_steps)::bigint as late_steps,
        sum(t.seconds_total)::bigint as seconds_total,
        sum(t.paused_seconds_total)::bigint as paused_seconds_total
    from month_agency as t
    group by
        t.unit_name,
        t.status_sk,
        t.month,
        t.tenths
),

spread as (
    select
        'month' as period_kind,
        t.month as period,
        'agency' as scope,
        t.*
    from month_agency as t
    union all
    select
        'month',
        t.month,
        'province',
        '*',
        t.*
    from month_province as t
    union all
    select
        'year',
        date_trunc('year', t.month::timestamp)::date,
        'agency',
        t.*
    from month_agency as t
    union all
    select
        'year',
        date_trunc('year', t.month::timestamp)::date,
        'province',
        '*',
        t.*
    from month_province as t
),

gathered as (
    select
        s.period_kind,
        s.period,
        s.scope,
        s.agency_code,
        s.unit_name,
        s.status_sk,
        array_agg(s.tenths) as tenths,
        array_agg(s.steps) as steps_by_tenths,
        sum(s.steps) as steps,
        sum(s.late_steps) as late_steps,
        sum(s.seconds_total) as seconds_total,
        sum(s.paused_seconds_total) as paused_seconds_total
    from spread as s
    group by
        s.period_kind,
        s.period,
        s.scope,
        s.agency_code,
        s.unit_name,
        s.status_sk
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
    g.period_kind,
    g.period,
    g.scope,
    g.agency_code,
    coalesce(a.name, 'Toàn tỉnh | Whole province') as agency_name,
    g.unit_name,
    g.status_sk as step_status,
    v.name_vi as step_status_name,
    g.steps,
    g.late_steps,
    round(g.seconds_total / 86400, 3) as days_total,
    round(g.seconds_total / 86400 / g.steps, 2) as mean_days,
    p.median_days,
    p.p90_days,
    round(g.paused_seconds_total / 86400, 3) as paused_days_total,
    now() as refreshed_at
from gathered as g
inner join core.dim_dossier_status as v on g.status_sk = v.status_sk
left join latest_agency as a on g.agency_code = a.agency_code
cross join lateral (
    select
        round(min(c.tenths) filter (where 2 * c.steps_up_to >= g.steps) / 10.0, 1) as median_days,
        round(min(c.tenths) filter (where 10 * c.steps_up_to >= 9 * g.steps) / 10.0, 1) as p90_days
    from (
        select
            u.tenths,
            sum(u.steps) over (order by u.tenths) as steps_up_to
        from unnest(g.tenths, g.steps_by_tenths) as u (tenths, steps)
    ) as c
) as p;
