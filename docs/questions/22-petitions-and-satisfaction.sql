-- VI: Phản ánh kiến nghị đúng hạn và mức hài lòng theo cơ quan, nửa đầu 2024.
-- EN: Petitions on time and satisfaction by agency, first half of 2024.
-- Role: dx_bi
with petition as (
    select
        m.agency_code,
        max(m.agency_name) as agency_name,
        sum(m.received) as received,
        sum(m.handled_on_time) as on_time,
        sum(m.handled_on_time + m.handled_late + m.waiting_overdue) as judged
    from mart.petition_by_agency_month as m
    where m.month between date '2024-01-01' and date '2024-06-01'
    group by m.agency_code
),

rating as (
    select
        m.agency_code,
        max(m.agency_name) as agency_name,
        sum(m.ratings) as ratings,
        sum(m.very_satisfied + m.satisfied) as satisfied
    from mart.satisfaction_by_agency_month as m
    where m.month between date '2024-01-01' and date '2024-06-01'
    group by m.agency_code
)

select
    coalesce(p.agency_code, r.agency_code) as agency_code,
    coalesce(p.agency_name, r.agency_name) as agency_name,
    p.received as petitions,
    round(100.0 * p.on_time / nullif(p.judged, 0), 2) as percent_on_time,
    r.ratings,
    round(100.0 * r.satisfied / nullif(r.ratings, 0), 2) as percent_satisfied
from petition as p
full join rating as r on p.agency_code = r.agency_code
order by
    percent_on_time,
    agency_code
