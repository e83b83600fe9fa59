-- Grain: one row per agency and month (local time) in which it received petitions.
-- Decision 766/QĐ-TTg, indicator 5.2: 15 working days to resolve, 5 to ask for more, 2 to refuse or forward, and 2
-- more to publish; a petition that nobody handled has the 15. What is not handled is overdue or waiting on the latest
-- day that the petitions know of. Satisfaction with handling: all less those dissatisfied, raised again or overdue,
-- each once.
-- dx:mart name=petition_by_agency_month depends=service_centre.phan_anh_kien_nghi,one_stop.ngay_nghi,one_stop.groups

delete from mart.petition_by_agency_month;

insert into mart.petition_by_agency_month (
    month,
    agency_sk,
    agency_code,
    agency_name,
    received,
    handled_on_time,
    handled_late,
    waiting,
    waiting_overdue,
    on_time_rate,
    published,
    published_on_time,
    rated,
    dissatisfied,
    raised_again,
    handling_satisfaction,
    as_of,
    refreshed_at
)
with clock as (
    select least(max(greatest(f.received_on, f.handled_on, f.published_on)), current_date) as as_of
    from core.fact_petition as f
    where f.closed_on is null
),

judged as (
    select
        date_trunc('month', d.received_on::timestamp)::date as month,
        d.agency_sk,
        c.as_of,
        d.is_on_time,
        d.is_on_time is null and d.due_on < c.as_of as is_waiting_overdue,
        d.published_on,
        d.published_on <= d.publish_due_on as is_published_on_time,
        r.is_satisfied,
        coalesce(f.raised_again, false) as is_raised_again
    from core.petition_deadline as d
    inner join core.fact_petition as f on d.petition_code = f.petition_code
    inner join core.dim_rating as r on f.rating_code = r.rating_code
    cross join clock as c
),

counted as (
    select
        j.month,
        j.agency_sk,
        j.as_of,
        count(*) as received,
        count(*) filter (where j.is_on_time) as handled_on_time,
        count(*) filter (where not j.is_on_time) as handled_late,
        count(*) filter (where j.is_on_time is null and not j.is_waiting_overdue) as waiting,
        count(*) filter (where j.is_waiting_overdue) as waiting_overdue,
        count(j.published_on) as published,
        count(*) filter (where j.is_published_on_time) as published_on_time,
        count(j.is_satisfied) as rated,
        count(*) filter (where not j.is_satisfied) as dissatisfied,
        count(*) filter (where j.is_raised_again) as raised_again,
        count(*) filter (
            where
            not coalesce(j.is_satisfied, true)
            or j.is_raised_again
            or not coalesce(j.is_on_time, true)
            or j.is_waiting_overdue
        ) as unsatisfactory
    from judged as j
    group by
        j.month,
        j.agency_sk,
        j.as_of
)

select
    c.month,
    c.agency_sk,
    a.agency_code,
    a.name as agency_name,
    c.received,
    c.handled_on_time,
    c.handled_late,
    c.waiting,
    c.waiting_overdue,
    round(
        100.0 * c.handled_on_time / nullif(c.handled_on_time + c.handled_late + c.waiting_overdue, 0), 2
    ) as on_time_rate,
    c.published,
    c.published_on_time,
    c.rated,
    c.dissatisfied,
    c.raised_again,
    round(100.0 * (c.received - c.unsatisfactory) / c.received, 2) as handling_satisfaction,
    c.as_of,
    now() as refreshed_at
from counted as c
inner join core.dim_agency as a on c.agency_sk = a.agency_sk;
