-- Grain: one row per set of indicators, component (* is the whole set), scope, unit and period. Components that the
-- warehouse does not measure have no row: core.dim_indicator_component says why.
--
-- Score = maximum × min(1, share / target). A denominator of 0 is not applicable: neither 0 nor full points, and it
-- lowers the maximum. Shares carry 30 decimals and places are compared at 20, so that equal scores stay equal
-- whatever their parts; nothing is rounded for display here. Weights, targets and validity come from
-- core.dim_indicator_component. Places: within the peer group, equal scores share one (1, 1, 3). No place: an
-- excluded unit, one without a component that applies, and one to which less than ranked_from_share of the measured
-- points apply.
-- dx:mart name=indicator_score depends=one_stop.ho_so,one_stop.ho_so_bo_sung,one_stop.thu_tuc,one_stop.ngay_nghi,one_stop.groups,one_stop.yeu_cau_thanh_toan,one_stop.giay_to_ket_qua,one_stop.dong_bo_dvcqg,one_stop.thay_doi_muc_do_thu_tuc,service_centre.phan_anh_kien_nghi,service_centre.danh_gia_hai_long,eid.dinh_danh_xa_thang,task_tracking.nhiem_vu

-- dx:include parts/dossier_clock.sql

-- dx:include parts/on_time_period.sql

-- dx:include parts/on_time_dossier.sql

-- dx:include parts/score_unit.sql

-- dx:include parts/measured_dossier.sql

-- The dossiers are read once and counted three times, a month at the finest: alike in what is asked of them when they
-- are accepted, alike in what is asked when they are finished, and by procedure. A million become some ten thousand
-- rows. What a row is not counted by is null in it.

-- dx:tally adds=dossiers,filed_online,with_obligation,paid_online
create temporary table score_dossier on commit drop as
with measured as (
    select
        r.agency_sk,
        r.procedure_sk,
        date_trunc('month', r.received_on::timestamp)::date as received_on,
        date_trunc('month', r.finished_on::timestamp)::date as finished_on,
        r.is_online,
        r.is_vneid_verified,
        r.has_component,
        r.is_sent,
        r.has_result,
        r.has_obligation,
        r.is_paid_online
    from measured_dossier_row as r
)

select
    grouping(m.procedure_sk) = 0 as is_by_procedure,
    m.agency_sk,
    m.procedure_sk,
    m.received_on,
    m.finished_on,
    m.is_online,
    m.is_vneid_verified,
    m.has_component,
    m.is_sent,
    m.has_result,
    m.has_obligation,
    m.is_paid_online,
    count(*) as dossiers,
    count(*) filter (where m.is_online) as filed_online,
    count(*) filter (where m.has_obligation) as with_obligation,
    count(*) filter (where m.has_obligation and m.is_paid_online) as paid_online
from measured as m
group by grouping sets (
    (
        m.agency_sk,
        m.received_on,
        m.is_online,
        m.is_vneid_verified,
        m.is_sent,
        m.has_obligation,
        m.is_paid_online
    ),
    (m.agency_sk, m.finished_on, m.has_component, m.has_result),
    (m.agency_sk, m.procedure_sk, m.received_on)
);

create temporary view measured_dossier as
select
    null::text as row_code,
    r.agency_sk,
    -2 as procedure_sk,
    r.received_on,
    r.finished_on,
    r.is_online,
    r.is_vneid_verified,
    r.has_component,
    r.is_sent,
    r.has_result,
    r.has_obligation,
    r.is_paid_online,
    r.dossiers
from score_dossier as r
where not r.is_by_procedure;

-- dx:include parts/measured_row.sql

-- dx:include parts/on_time_group.sql

-- Each group in each period that it was accepted or handled in, or open through.
create temporary view on_time_in_period as
select
    g.*,
    p.period_kind,
    p.period,
    p.starts_in,
    p.ends_in
from on_time_group as g
inner join score_period as p
    on g.received_in <= p.ends_in and coalesce(g.ended_in >= p.starts_in or g.received_in >= p.starts_in, true);

-- dx:include parts/on_time_verdict.sql

-- Temporary tables have no statistics: the planner would sort tens of thousands of rows where hashing them is enough.
set local enable_sort = off;
set local enable_mergejoin = off;

create temporary table score_month on commit drop as
select
    m.measure,
    m.agency_sk,
    date_trunc('month', m.counted_on::timestamp)::date as month,
    coalesce(sum(m.dossiers) filter (where m.is_good), 0) as numerator,
    sum(m.dossiers) as denominator
from measured_row as m
group by
    m.measure,
    m.agency_sk,
    date_trunc('month', m.counted_on::timestamp)::date;

create temporary table score_procedure on commit drop as
select
    c.agency_sk,
    c.received_on as month,
    p.procedure_code,
    sum(c.filed_online) > 0 as is_filed_online,
    sum(c.with_obligation) > 0 as has_obligation,
    sum(c.paid_online) > 0 as is_paid_online,
    sum(c.dossiers) as dossiers
from score_dossier as c
inner join core.dim_procedure as p on c.procedure_sk = p.procedure_sk
where c.is_by_procedure and c.procedure_sk > 0
group by
    c.agency_sk,
    c.received_on,
    p.procedure_code;

-- dx:include parts/score_service.sql

create temporary table score_measure on commit drop as
with counted as (
    select
        c.measure,
        m.scope,
        m.unit_code,
        p.period,
        sum(c.numerator) as numerator,
        sum(c.denominator) as denominator
    from score_month as c
    inner join score_member as m on c.agency_sk = m.agency_sk
    inner join score_period_month as p on c.month = p.month
    group by
        c.measure,
        m.scope,
        m.unit_code,
        p.period
),

agency_judged as (
    select
        v.agency_sk,
        v.period,
        sum(v.dossiers) filter (where v.is_on_time_766) as on_time,
        sum(v.dossiers) filter (where v.is_on_time_766 is not null) as judged
    from on_time_verdict as v
    where not v.is_stopped_local_only
    group by
        v.agency_sk,
        v.period
),

judged as (
    select
        m.scope,
        m.unit_code,
        v.period,
        sum(v.on_time) as on_time,
        sum(v.judged) as judged
    from agency_judged as v
    inner join score_member as m on v.agency_sk = m.agency_sk
    group by
        m.scope,
        m.unit_code,
        v.period
),

-- Each procedure once, by hashing: count(distinct) would sort them.
with_obligation as (
    select
        m.scope,
        m.unit_code,
        p.period,
        c.procedure_code,
        bool_or(c.is_paid_online) as is_paid_online
    from score_procedure as c
    inner join score_member as m on c.agency_sk = m.agency_sk
    inner join score_period_month as p on c.month = p.month
    where c.has_obligation
    group by
        m.scope,
        m.unit_code,
        p.period,
        c.procedure_code
),

paid_procedure as (
    select
        c.scope,
        c.unit_code,
        c.period,
        count(*) filter (where c.is_paid_online) as numerator,
        count(*) as denominator
    from with_obligation as c
    group by
        c.scope,
        c.unit_code,
        c.period
),

-- Only units of which something was counted in the period: the others were not there, or did nothing.
service as (
    select
        u.scope,
        u.unit_code,
        u.period,
        sum(l.procedures) as procedures,
        sum(l.online) as online,
        sum(l.full_online) as full_online
    from score_service_unit as u
    inner join score_service_list as l on u.period = l.period and u.list_code = l.list_code
    where exists (
        select 1
        from counted as c
        where c.scope = u.scope and c.unit_code = u.unit_code and c.period = u.period
    )
    group by
        u.scope,
        u.unit_code,
        u.period
),

-- A stock: the last report of the period.
eid as (
    select
        p.period,
        u.code as commune_code,
        sum(f.activated_level_1 + f.activated_level_2) as activated,
        sum(f.issued_level_1 + f.issued_level_2) as issued,
        sum(f.eligible_residents) as eligible
    from score_period as p
    inner join core.fact_eid_month as f
        on f.month = (
            select max(x.month)
            from core.fact_eid_month as x
            where x.month between p.starts_on and p.ends_on and x.closed_on is null
        )
    inner join core.dim_admin_unit as u on f.commune_sk = u.admin_unit_sk
    where f.closed_on is null and f.commune_sk > 0
    group by
        p.period,
        u.code
),

eid_unit as (
    select
        k.scope,
        k.unit_code,
        e.period,
        sum(e.activated) as activated,
        sum(e.issued) as issued,
        sum(e.eligible) as eligible
    from eid as e
    left join score_unit as c on e.commune_code = c.commune_code and c.scope = 'commune'
    cross join lateral (
        values
        ('province', '*'),
        ('district', c.district_code),
        ('commune', c.unit_code)
    ) as k (scope, unit_code)
    where k.unit_code is not null
    group by
        k.scope,
        k.unit_code,
        e.period
),

task as (
    select
        p.period,
        t.group_code,
        count(*) filter (where s.carried_out) as carried_out,
        count(*) as assigned
    from score_period as p
    cross join lateral (
        select distinct on (f.task_code)
            f.task_code,
            f.status_code
        from core.fact_task_status as f
        where f.status_on <= p.ends_on
        order by
            f.task_code asc,
            f.status_on desc
    ) as f
    inner join core.dim_task as t
        on f.task_code = t.task_code and t.closed_on is null and t.document_no = '1982/QĐ-UBND'
    inner join core.dim_task_status as s on f.status_code = s.status_code
    group by
        p.period,
        t.group_code
)

select
    c.measure,
    c.scope,
    c.unit_code,
    c.period,
    c.numerator,
    c.denominator,
    case when c.measure = 'filed_online' then s.numerator end as factor_numerator
from counted as c
left join counted as s
    on s.measure = 'synchronised' and c.scope = s.scope and c.unit_code = s.unit_code and c.period = s.period
union all
select
    x.measure,
    j.scope,
    j.unit_code,
    j.period,
    x.numerator,
    j.judged,
    null
from judged as j
left join counted as c
    on c.measure = 'complained' and j.scope = c.scope and j.unit_code = c.unit_code and j.period = c.period
cross join lateral (
    values
    ('on_time', coalesce(j.on_time, 0)),
    ('dossiers_satisfied', greatest(coalesce(j.on_time, 0) - coalesce(c.denominator, 0), 0))
) as x (measure, numerator)
union all
select
    'procedures_paid_online',
    c.scope,
    c.unit_code,
    c.period,
    c.numerator,
    c.denominator,
    null
from paid_procedure as c
union all
select
    x.measure,
    s.scope,
    s.unit_code,
    s.period,
    x.numerator,
    x.denominator,
    null
from service as s
left join score_service_used as u on s.scope = u.scope and s.unit_code = u.unit_code and s.period = u.period
cross join lateral (
    values
    ('services_online', s.online, s.procedures),
    ('services_full', s.full_online, s.online),
    ('services_with_online_dossier', coalesce(u.used, 0), s.online)
) as x (measure, numerator, denominator)
union all
select
    x.measure,
    e.scope,
    e.unit_code,
    e.period,
    x.numerator,
    x.denominator,
    null
from eid_unit as e
cross join lateral (
    values
    ('eid_activated', e.activated, e.issued),
    ('eid_issued', e.issued, e.eligible)
) as x (measure, numerator, denominator)
union all
select
    'tasks_' || lower(t.group_code),
    'province',
    '*',
    t.period,
    t.carried_out,
    t.assigned,
    null
from task as t;

-- dx:include parts/score_component.sql
