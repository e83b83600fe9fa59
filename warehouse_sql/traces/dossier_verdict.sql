-- One dossier under both on-time rules: the temporary view dossier_verdict, one row per period it counts in, with what
-- decided. The dossier is named by the setting dx.dossier. Read by `dx score explain`, never stored.

-- dx:include parts/dossier_clock.sql

-- dx:include parts/on_time_period.sql

-- dx:include parts/on_time_dossier.sql

-- dx:include parts/score_unit.sql

create temporary view on_time_in_period as
select
    n.*,
    1::bigint as dossiers,
    p.period_kind,
    p.period,
    p.starts_in,
    p.ends_in,
    m.ends_before,
    m.last_day
from on_time_numbered as n
inner join score_period as p
    on n.received_in <= p.ends_in and coalesce(n.ended_in >= p.starts_in or n.received_in >= p.starts_in, true)
inner join on_time_period as m on p.ends_in = m.period
where n.dossier_code = current_setting('dx.dossier');

-- dx:include parts/on_time_verdict.sql

create temporary view dossier_verdict as
select
    v.dossier_code,
    a.agency_code,
    a.name as agency_name,
    p.procedure_code,
    p.name as procedure_name,
    p.time_limit_working_days,
    d.status_sk as status_code,
    s.name_vi as status_vi,
    s.name_en as status_en,
    v.period_kind,
    v.period,
    v.ends_in,
    v.received_on,
    v.due_at,
    v.due_766,
    v.extended_due_766,
    v.end_at,
    v.first_asked_at,
    v.first_answered_at,
    v.second_asked_at,
    v.ends_before,
    v.last_day,
    v.ended_status,
    v.has_due,
    v.is_ended,
    v.is_asked_again,
    v.is_extended,
    v.waiting_for,
    case when v.paused_in <= v.ends_in then d.source_updated_at end as paused_at,
    v.first_answered_at <= v.end_at as is_answered_before_end,
    v.is_stopped_local_only,
    v.is_on_time_766,
    v.local_verdict,
    v.cause
from on_time_verdict as v
inner join core.fact_dossier as d on v.dossier_code = d.dossier_code and v.registered_on = d.registered_on
inner join core.dim_agency as a on d.agency_sk = a.agency_sk
inner join core.dim_procedure as p on d.procedure_sk = p.procedure_sk
inner join core.dim_dossier_status as s on d.status_sk = s.status_sk;
