-- VI: Hộ tịch, đất đai, doanh nghiệp chiếm bao nhiêu trong tổng số hồ sơ của năm?
-- EN: What share of the year's dossiers are civil status, land and business procedures?
-- Role: dx_bi
-- HT civil status; DD land; DN and HKD enterprises and household businesses. Procedures that left the catalogue are not counted.
select
    m.field_code,
    m.field_name,
    sum(m.received) as received,
    round(100.0 * sum(m.received) / sum(sum(m.received)) over (), 2) as percent_of_all,
    round(100.0 * sum(m.online) / nullif(sum(m.received), 0), 2) as percent_online,
    m.field_code in ('HT', 'DD', 'DN', 'HKD') as is_asked_for,
    round(
        100.0 * sum(sum(m.received)) filter (where m.field_code in ('HT', 'DD', 'DN', 'HKD')) over ()
        / sum(sum(m.received)) over (),
        2
    ) as percent_of_the_three
from mart.procedure_use_by_year as m
where m.year = 2024
group by
    m.field_code,
    m.field_name
order by
    received desc,
    m.field_code asc
