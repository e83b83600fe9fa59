-- Grain: one row per scope, unit and period: dossiers accepted in the period, as the province has them and as it last
-- sent them to the national portal. The national copy says done more often: statuses 5, 6 and 8 are sent as 9, and a
-- payment in cash is flagged as online. Known causes add up to the gap:
--   sent_as_done = done - done_not_sent - done_sent_otherwise + supplement, payment, stopped and other sent as done
--   flagged_online = paid_online - online_not_flagged + cash_flagged_online + other_flagged_online
-- dx:mart name=national_gap depends=one_stop.ho_so,one_stop.dong_bo_dvcqg,one_stop.yeu_cau_thanh_toan,one_stop.groups

-- dx:include parts/dossier_clock.sql

-- dx:include parts/on_time_period.sql

-- dx:include parts/score_unit.sql

-- dx:tally adds=accepted,done,sent,sent_as_done,done_not_sent,done_sent_otherwise,supplement_sent_as_done,payment_sent_as_done,stopped_sent_as_done,other_sent_as_done,with_obligation,paid_online,flagged_online,cash_flagged_online,other_flagged_online,online_not_flagged
create temporary table gap_month on commit drop as
with message as (
    select distinct on (e.dossier_code, e.registered_on)
        e.dossier_code,
        e.registered_on,
        e.sent_status_sk
    from core.fact_dossier_event as e
    where e.event_kind_sk = 5 and e.closed_on is null
    order by
        e.dossier_code asc,
        e.registered_on asc,
        e.occurred_at desc nulls last,
        e.event_id desc
),

payment as (
    select
        e.dossier_code,
        e.registered_on,
        bool_or(e.amount_vnd > 0 and e.state <> 'huy_thanh_toan') as has_obligation,
        bool_or(e.amount_vnd > 0 and e.state = 'da_thanh_toan' and e.method = 'truc-tuyen') as is_paid_online,
        bool_or(e.amount_vnd > 0 and e.state = 'da_thanh_toan' and e.method = 'tien-mat') as is_paid_cash
    from core.fact_dossier_event as e
    where e.event_kind_sk = 3 and e.closed_on is null
    group by
        e.dossier_code,
        e.registered_on
),

dossier as (
    select
        d.agency_sk,
        date_trunc('month', d.received_on::timestamp)::date as month,
        d.status_sk,
        d.status_sk in (9, 10) as is_done,
        m.dossier_code is not null as is_sent,
        coalesce(m.sent_status_sk in (9, 10), false) as is_sent_done,
        coalesce(p.has_obligation, false) as has_obligation,
        coalesce(p.has_obligation and p.is_paid_online, false) as is_paid_online,
        coalesce(p.is_paid_cash, false) as is_paid_cash,
        coalesce(p.has_obligation and d.paid_online_reported in (1, 2), false) as is_flagged
    from core.fact_dossier as d
    left join message as m on d.dossier_code = m.dossier_code and d.registered_on = m.registered_on
    left join payment as p on d.dossier_code = p.dossier_code and d.registered_on = p.registered_on
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
)

select
    d.agency_sk,
    d.month,
    count(*) as accepted,
    count(*) filter (where d.is_done) as done,
    count(*) filter (where d.is_sent) as sent,
    count(*) filter (where d.is_sent_done) as sent_as_done,
    count(*) filter (where d.is_done and not d.is_sent) as done_not_sent,
    count(*) filter (where d.is_done and d.is_sent and not d.is_sent_done) as done_sent_otherwise,
    count(*) filter (where d.is_sent_done and d.status_sk = 5) as supplement_sent_as_done,
    count(*) filter (where d.is_sent_done and d.status_sk = 6) as payment_sent_as_done,
    count(*) filter (where d.is_sent_done and d.status_sk = 8) as stopped_sent_as_done,
    count(*) filter (where d.is_sent_done and not d.is_done and d.status_sk not in (5, 6, 8)) as other_sent_as_done,
    count(*) filter (where d.has_obligation) as with_obligation,
    count(*) filter (where d.is_paid_online) as paid_online,
    count(*) filter (where d.is_flagged) as flagged_online,
    count(*) filter (where d.is_flagged and not d.is_paid_online and d.is_paid_cash) as cash_flagged_online,
    count(*) filter (where d.is_flagged and not d.is_paid_online and not d.is_paid_cash) as other_flagged_online,
    count(*) filter (where d.is_paid_online and not d.is_flagged) as online_not_flagged
from dossier as d
group by
    d.agency_sk,
    d.month;

delete from mart.national_gap;

insert into mart.national_gap (
    scope,
    unit_code,
    unit_name,
    period_kind,
    period,
    accepted,
    done,
    sent,
    sent_as_done,
    done_not_sent,
    done_sent_otherwise,
    supplement_sent_as_done,
    payment_sent_as_done,
    stopped_sent_as_done,
    other_sent_as_done,
    with_obligation,
    paid_online,
    flagged_online,
    cash_flagged_online,
    other_flagged_online,
    online_not_flagged,
    refreshed_at
)
select
    u.scope,
    u.unit_code,
    u.unit_name,
    p.period_kind,
    p.period,
    sum(b.accepted) as accepted,
    sum(b.done) as done,
    sum(b.sent) as sent,
    sum(b.sent_as_done) as sent_as_done,
    sum(b.done_not_sent) as done_not_sent,
    sum(b.done_sent_otherwise) as done_sent_otherwise,
    sum(b.supplement_sent_as_done) as supplement_sent_as_done,
    sum(b.payment_sent_as_done) as payment_sent_as_done,
    sum(b.stopped_sent_as_done) as stopped_sent_as_done,
    sum(b.other_sent_as_done) as other_sent_as_done,
    sum(b.with_obligation) as with_obligation,
    sum(b.paid_online) as paid_online,
    sum(b.flagged_online) as flagged_online,
    sum(b.cash_flagged_online) as cash_flagged_online,
    sum(b.other_flagged_online) as other_flagged_online,
    sum(b.online_not_flagged) as online_not_flagged,
    now() as refreshed_at
from gap_month as b
inner join score_member as m on b.agency_sk = m.agency_sk
inner join score_unit as u on m.scope = u.scope and m.unit_code = u.unit_code
inner join score_period_month as k on b.month = k.month
inner join score_period as p on k.period = p.period
group by
    u.scope,
    u.unit_code,
    u.unit_name,
    p.period_kind,
    p.period;
