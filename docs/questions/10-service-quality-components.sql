-- VI: Các thành phần của Quyết định 766 mà kho tính được, theo cơ quan: tử số, mẫu số, điểm mất.
-- EN: The components of Decision 766 that the warehouse can compute, by agency: numerator, denominator, points lost.
-- Role: dx_bi
-- Not the score: the other components, the national figure beside it and the rules of scoring are not in the warehouse yet.
-- 48 of 100 points are told; a denominator of 0 is not applicable and stays empty. 3.3 counts channel 2 without the share
-- that was synchronised; 3.6 takes the target of 30 % of the implementation of 2022 to 2024. Row * is the province.
with component as (
    select
        m.agency_code,
        '2.1 on time' as component,
        20 as max_points,
        1.0 as target,
        sum(m.on_time_766) as numerator,
        sum(m.on_time_766 + m.overdue_766) as denominator
    from mart.dossier_on_time as m
    where m.month between date '2024-01-01' and date '2024-06-01'
    group by m.agency_code
    union all
    select
        m.agency_code,
        c.component,
        c.max_points,
        c.target,
        sum(c.numerator),
        sum(c.denominator)
    from mart.online_by_agency_month as m
    cross join lateral (
        values
        ('3.3 filed online', 6, 0.5, m.online, m.received),
        ('3.6 paid online', 6, 0.3, m.paid_online, m.with_obligation)
    ) as c (component, max_points, target, numerator, denominator)
    where m.month between date '2024-01-01' and date '2024-06-01'
    group by
        m.agency_code,
        c.component,
        c.max_points,
        c.target
    union all
    select
        m.agency_code,
        c.component,
        c.max_points,
        c.target,
        sum(c.numerator),
        sum(m.finished)
    from mart.digitisation_by_agency_month as m
    cross join lateral (
        values
        ('4.1 electronic result', 6, 1.0, m.with_electronic_result),
        ('4.2 digitised', 4, 0.8, m.digitised)
    ) as c (component, max_points, target, numerator)
    where m.month between date '2024-01-01' and date '2024-06-01'
    group by
        m.agency_code,
        c.component,
        c.max_points,
        c.target
    union all
    select
        m.agency_code,
        '5.2 petitions on time',
        6,
        1.0,
        sum(m.handled_on_time),
        sum(m.handled_on_time + m.handled_late + m.waiting_overdue)
    from mart.petition_by_agency_month as m
    where m.month between date '2024-01-01' and date '2024-06-01'
    group by m.agency_code
)

select
    coalesce(c.agency_code, '*') as agency_code,
    c.component,
    c.max_points,
    sum(c.numerator) as numerator,
    sum(c.denominator) as denominator,
    round(100.0 * sum(c.numerator) / nullif(sum(c.denominator), 0), 2) as percent,
    round(c.max_points * (1 - least(1, sum(c.numerator) / nullif(sum(c.denominator), 0) / c.target)), 2) as points_lost
from component as c
group by grouping sets (
    (c.component, c.max_points, c.target),
    (c.agency_code, c.component, c.max_points, c.target)
)
having c.agency_code is null or c.agency_code in (select a.agency_code from mart.dossier_on_time as a where a.agency_level = 'province')
order by
    agency_code,
    c.component
