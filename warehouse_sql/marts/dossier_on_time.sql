-- Grain: one row per agency and month (local time) in which the agency had an accepted dossier still open, or
-- accepted or ended one. Two rules side by side, and why they differ. A dossier known under two codes counts once
-- (core.duplicate_dossier); deleted ones and those never accepted do not count.
--
-- The rules are told in the included parts.
-- dx:mart name=dossier_on_time depends=one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.thu_tuc,one_stop.ngay_nghi,one_stop.groups

-- dx:include parts/dossier_clock.sql

-- dx:include parts/on_time_period.sql

-- dx:include parts/on_time_dossier.sql

-- dx:include parts/on_time_group.sql

-- Each group in each period from its acceptance to its end (a stopped one to the present: local reports carry it on).
create temporary view on_time_in_period as
select
    g.*,
    p.period as starts_in,
    p.period as ends_in
from on_time_group as g
cross join lateral generate_series(
    g.received_in,
    case
        when g.ended_status <> 8
            then least(greatest(g.ended_in, g.received_in), (select max(t.period) from on_time_period as t))
        else (select max(t.period) from on_time_period as t)
    end
) as p (period);

-- dx:include parts/on_time_verdict.sql

create temporary table on_time_count on commit drop as
select
    j.agency_sk,
    j.ends_in as period,
    j.is_received,
    j.bucket,
    j.local_verdict,
    j.is_stopped_local_only,
    j.is_on_time_766,
    j.cause,
    j.dossiers
from on_time_verdict as j;

delete from mart.dossier_on_time;

insert into mart.dossier_on_time (
    agency_code,
    month,
    agency_sk,
    agency_name,
    agency_level,
    agency_kind,
    period_end,
    received,
    carried_over,
    finished,
    returned,
    in_progress,
    paused,
    early_local,
    on_time_local,
    overdue_local,
    rate_local,
    received_or_handled,
    on_time_766,
    overdue_766,
    not_applicable,
    rate_766,
    stopped_local_only,
    overdue_766_only,
    overdue_local_only,
    differing,
    differing_second_supplement,
    differing_missing_due,
    differing_withdrawn,
    differing_supplement_pause,
    differing_open_at_period_end,
    differing_clock_time,
    refreshed_at
)
with latest_agency as (
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
        p.month,
        max(p.last_day) as period_end,
        sum(c.dossiers) as total,
        coalesce(sum(c.dossiers) filter (where c.is_received), 0) as received,
        coalesce(sum(c.dossiers) filter (where not c.is_received), 0) as carried_over,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'finished'), 0) as finished,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'returned'), 0) as returned,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'in_progress'), 0) as in_progress,
        coalesce(sum(c.dossiers) filter (where c.bucket = 'paused'), 0) as paused,
        coalesce(sum(c.dossiers) filter (where c.local_verdict = 'early'), 0) as early_local,
        coalesce(sum(c.dossiers) filter (where c.local_verdict = 'on_time'), 0) as on_time_local,
        coalesce(sum(c.dossiers) filter (where c.local_verdict = 'overdue'), 0) as overdue_local,
        coalesce(sum(c.dossiers) filter (where c.is_stopped_local_only), 0) as stopped_local_only,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only), 0) as received_or_handled,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only and c.is_on_time_766), 0) as on_time_766,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only and not c.is_on_time_766), 0)
            as overdue_766,
        coalesce(sum(c.dossiers) filter (where not c.is_stopped_local_only and c.is_on_time_766 is null), 0)
            as not_applicable,
        coalesce(sum(c.dossiers) filter (where c.cause is not null and not c.is_on_time_766), 0) as overdue_766_only,
        coalesce(sum(c.dossiers) filter (where c.cause is not null and c.is_on_time_766), 0) as overdue_local_only,
        coalesce(sum(c.dossiers) filter (where c.cause is not null), 0) as differing,
        coalesce(sum(c.dossiers) filter (where c.cause = 'second_supplement'), 0) as differing_second_supplement,
        coalesce(sum(c.dossiers) filter (where c.cause = 'missing_due'), 0) as differing_missing_due,
        coalesce(sum(c.dossiers) filter (where c.cause = 'withdrawn'), 0) as differing_withdrawn,
        coalesce(sum(c.dossiers) filter (where c.cause = 'supplement_pause'), 0) as differing_supplement_pause,
        coalesce(sum(c.dossiers) filter (where c.cause = 'open_at_period_end'), 0) as differing_open_at_period_end,
        coalesce(sum(c.dossiers) filter (where c.cause = 'clock_time'), 0) as differing_clock_time
    from on_time_count as c
    inner join on_time_period as p on c.period = p.period
    inner join core.dim_agency as a on c.agency_sk = a.agency_sk
    group by
        a.agency_code,
        p.month
)

select
    s.agency_code,
    s.month,
    a.agency_sk,
    a.name as agency_name,
    a.level as agency_level,
    a.kind as agency_kind,
    s.period_end,
    s.received,
    s.carried_over,
    s.finished,
    s.returned,
    s.in_progress,
    s.paused,
    s.early_local,
    s.on_time_local,
    s.overdue_local,
    (s.early_local + s.on_time_local) / nullif(s.total, 0) as rate_local,
    s.received_or_handled,
    s.on_time_766,
    s.overdue_766,
    s.not_applicable,
    s.on_time_766 / nullif(s.on_time_766 + s.overdue_766, 0) as rate_766,
    s.stopped_local_only,
    s.overdue_766_only,
    s.overdue_local_only,
    s.differing,
    s.differing_second_supplement,
    s.differing_missing_due,
    s.differing_withdrawn,
    s.differing_supplement_pause,
    s.differing_open_at_period_end,
    s.differing_clock_time,
    now() as refreshed_at
from summed as s
inner join latest_agency as a on s.agency_code = a.agency_code;
