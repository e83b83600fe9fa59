-- Rows behind a score: the temporary view score_row, one row per measure, period, agency and dossier, petition or
-- procedure, with whether it is in the numerator and, where it is not, why. Read by `dx score rows`, never stored.

-- dx:include parts/dossier_clock.sql

-- dx:include parts/on_time_period.sql

-- dx:include parts/on_time_dossier.sql

-- dx:include parts/score_unit.sql

-- dx:include parts/measured_dossier.sql

create temporary view measured_dossier as
select
    r.*,
    r.dossier_code as row_code,
    1::bigint as dossiers
from measured_dossier_row as r;

-- dx:include parts/measured_row.sql

create temporary view on_time_in_period as
select
    n.*,
    1::bigint as dossiers,
    p.period,
    p.starts_in,
    p.ends_in
from on_time_numbered as n
inner join score_period as p
    on n.received_in <= p.ends_in and coalesce(n.ended_in >= p.starts_in or n.received_in >= p.starts_in, true);

-- dx:include parts/on_time_verdict.sql

create temporary view score_row as
with judged as (
    select
        v.period,
        v.agency_sk,
        v.dossier_code as row_code,
        v.is_on_time_766 as is_good,
        case
            when v.is_on_time_766 then null
            when v.is_on_time_766 is null then 'no_due_date_no_limit'
            when v.is_asked_again then 'second_supplement'
            when not v.is_ended and v.waiting_for is not null then 'supplement_asked_late'
            when not v.is_ended then 'open_past_due'
            when not v.has_due then 'over_the_time_limit'
            else 'ended_after_due'
        end as reason,
        v.local_verdict,
        v.cause as difference,
        v.received_on,
        case when v.is_extended then v.extended_due_766 else v.due_766 end as due_at,
        case when v.is_ended then v.end_at end as ended_at
    from on_time_verdict as v
    where not v.is_stopped_local_only
),

dated as (
    select
        m.measure,
        p.period,
        m.agency_sk,
        m.row_code,
        m.is_good,
        m.counted_on,
        m.procedure_sk
    from measured_row as m
    inner join score_period as p on m.counted_on between p.starts_on and p.ends_on
)

select
    k.measure,
    j.period,
    j.agency_sk,
    j.row_code,
    j.is_good,
    j.reason,
    j.local_verdict,
    j.difference,
    j.received_on as counted_on,
    j.due_at,
    j.ended_at
from judged as j
cross join (
    values
    ('on_time'),
    ('dossiers_satisfied')
) as k (measure)
where j.is_good is not null or k.measure = 'on_time'
union all
select
    case when d.measure = 'complained' then 'dossiers_satisfied' else d.measure end,
    d.period,
    d.agency_sk,
    d.row_code,
    d.is_good,
    case when not d.is_good then d.measure end,
    null,
    null,
    d.counted_on,
    null,
    null
from dated as d
union all
select
    'procedures_paid_online',
    d.period,
    d.agency_sk,
    p.procedure_code,
    bool_or(d.is_good),
    case when not bool_or(d.is_good) then 'no_online_payment' end,
    null,
    null,
    null,
    null,
    null
from dated as d
inner join core.dim_procedure as p on d.procedure_sk = p.procedure_sk
where d.measure = 'paid_online' and d.procedure_sk > 0
group by
    d.period,
    d.agency_sk,
    p.procedure_code;
