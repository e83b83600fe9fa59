-- VI: Tỷ lệ số hóa theo cơ quan, và điểm mất theo Quyết định 766 (kết quả điện tử 6 điểm, số hóa 4 điểm, mục tiêu 80 %).
-- EN: Digitisation rate by unit, and points lost under Decision 766 (electronic results 6 points, digitised 4 points, target 80 %).
-- Role: dx_bi
-- Re-use of digitised data is not in what the one-stop system gives, so its 2 points are not told here.
select
    m.agency_code,
    m.agency_name,
    sum(m.finished) as finished,
    round(100.0 * sum(m.with_electronic_result) / sum(m.finished), 2) as percent_electronic_result,
    round(100.0 * sum(m.digitised) / sum(m.finished), 2) as percent_digitised,
    round(6 - 6.0 * sum(m.with_electronic_result) / sum(m.finished), 2) as points_lost_of_6,
    round(4 - 4 * least(1, sum(m.digitised) / sum(m.finished) / 0.8), 2) as points_lost_of_4
from mart.digitisation_by_agency_month as m
where m.month between date '2024-01-01' and date '2024-06-01'
group by
    m.agency_code,
    m.agency_name
order by
    points_lost_of_4 desc,
    points_lost_of_6 desc,
    m.agency_code asc
