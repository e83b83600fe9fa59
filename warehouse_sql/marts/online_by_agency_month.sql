-- Grain: one row per agency and month in which it accepted a dossier. Online is channel 2; one left empty is not.
-- Paid online is a payment of more than 0 đồng, made (da_thanh_toan), by the method truc-tuyen: the flag of the source
-- also stands on dossiers paid in cash. Obligation: a request above 0 đồng that was not cancelled, whatever became of
-- it. Refunded money is no payment.
-- dx:mart name=online_by_agency_month depends=one_stop.ho_so,one_stop.yeu_cau_thanh_toan,one_stop.groups

-- dx:tally adds=received,online,with_obligation,paid,paid_online,flagged_online,flagged_not_online,flagged_but_cash,not_flagged_but_online,amount_vnd,amount_online_vnd,amount_cash_vnd,amount_transfer_vnd,amount_refunded_vnd
create temporary table online_month on commit drop as
with payment as (
    select
        e.dossier_code,
        e.registered_on,
        bool_or(e.amount_vnd > 0 and e.state <> 'huy_thanh_toan') as has_obligation,
        bool_or(e.amount_vnd > 0 and e.state = 'da_thanh_toan') as is_paid,
        bool_or(e.amount_vnd > 0 and e.state = 'da_thanh_toan' and e.method = 'truc-tuyen') as is_paid_online,
        bool_or(e.amount_vnd > 0 and e.state = 'da_thanh_toan' and e.method = 'tien-mat') as is_paid_cash,
        sum(e.amount_vnd) filter (where e.state = 'da_thanh_toan') as amount,
        sum(e.amount_vnd) filter (where e.state = 'da_thanh_toan' and e.method = 'truc-tuyen') as amount_online,
        sum(e.amount_vnd) filter (where e.state = 'da_thanh_toan' and e.method = 'tien-mat') as amount_cash,
        sum(e.amount_vnd) filter (where e.state = 'da_thanh_toan' and e.method = 'chuyen-khoan') as amount_transfer,
        sum(e.amount_vnd) filter (where e.state = 'da_hoan_phi') as amount_refunded
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
        d.channel_sk = 2 as is_online,
        coalesce(d.paid_online_reported in (1, 2), false) as is_flagged,
        coalesce(p.has_obligation, false) as has_obligation,
        coalesce(p.is_paid, false) as is_paid,
        coalesce(p.is_paid_online, false) as is_paid_online,
        coalesce(p.is_paid_cash, false) as is_paid_cash,
        p.amount,
        p.amount_online,
        p.amount_cash,
        p.amount_transfer,
        p.amount_refunded
    from core.fact_dossier as d
    left join payment as p on d.dossier_code = p.dossier_code and d.registered_on = p.registered_on
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
)

select
    d.agency_sk,
    d.month,
    count(*) as received,
    count(*) filter (where d.is_online) as online,
    count(*) filter (where d.has_obligation) as with_obligation,
    count(*) filter (where d.is_paid) as paid,
    count(*) filter (where d.is_paid_online) as paid_online,
    count(*) filter (where d.is_flagged) as flagged_online,
    count(*) filter (where d.is_flagged and not d.is_paid_online) as flagged_not_online,
    count(*) filter (where d.is_flagged and not d.is_paid_online and d.is_paid_cash) as flagged_but_cash,
    count(*) filter (where d.is_paid_online and not d.is_flagged) as not_flagged_but_online,
    coalesce(sum(d.amount), 0) as amount_vnd,
    coalesce(sum(d.amount_online), 0) as amount_online_vnd,
    coalesce(sum(d.amount_cash), 0) as amount_cash_vnd,
    coalesce(sum(d.amount_transfer), 0) as amount_transfer_vnd,
    coalesce(sum(d.amount_refunded), 0) as amount_refunded_vnd
from dossier as d
group by
    d.agency_sk,
    d.month;

delete from mart.online_by_agency_month;

insert into mart.online_by_agency_month (
    agency_code,
    agency_sk,
    agency_name,
    agency_level,
    agency_kind,
    month,
    received,
    online,
    online_rate,
    with_obligation,
    paid,
    paid_online,
    online_payment_rate,
    flagged_online,
    flagged_not_online,
    flagged_but_cash,
    not_flagged_but_online,
    amount_vnd,
    amount_online_vnd,
    amount_cash_vnd,
    amount_transfer_vnd,
    amount_refunded_vnd,
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
        d.month,
        sum(d.received) as received,
        sum(d.online) as online,
        sum(d.with_obligation) as with_obligation,
        sum(d.paid) as paid,
        sum(d.paid_online) as paid_online,
        sum(d.flagged_online) as flagged_online,
        sum(d.flagged_not_online) as flagged_not_online,
        sum(d.flagged_but_cash) as flagged_but_cash,
        sum(d.not_flagged_but_online) as not_flagged_but_online,
        sum(d.amount_vnd) as amount_vnd,
        sum(d.amount_online_vnd) as amount_online_vnd,
        sum(d.amount_cash_vnd) as amount_cash_vnd,
        sum(d.amount_transfer_vnd) as amount_transfer_vnd,
        sum(d.amount_refunded_vnd) as amount_refunded_vnd
    from online_month as d
    inner join core.dim_agency as a on d.agency_sk = a.agency_sk
    group by
        a.agency_code,
        d.month
)

select
    s.agency_code,
    a.agency_sk,
    a.name as agency_name,
    a.level as agency_level,
    a.kind as agency_kind,
    s.month,
    s.received,
    s.online,
    round(100.0 * s.online / s.received, 2) as online_rate,
    s.with_obligation,
    s.paid,
    s.paid_online,
    round(100.0 * s.paid_online / nullif(s.with_obligation, 0), 2) as online_payment_rate,
    s.flagged_online,
    s.flagged_not_online,
    s.flagged_but_cash,
    s.not_flagged_but_online,
    s.amount_vnd,
    s.amount_online_vnd,
    s.amount_cash_vnd,
    s.amount_transfer_vnd,
    s.amount_refunded_vnd,
    now() as refreshed_at
from summed as s
inner join latest_agency as a on s.agency_code = a.agency_code;
