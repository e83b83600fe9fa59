-- VI: Tỷ lệ đúng hạn theo cơ quan và tháng, theo Quyết định 766 và theo cách tính địa phương, kèm lý do chênh lệch.
-- EN: On-time rate by agency and month, by Decision 766 and by the local rule, with the difference explained.
-- Role: dx_bi
-- Agencies of the province, second quarter of 2024; leave out the condition on agency_level for all.
-- The field of administration is not in this mart: the rules are computed by agency only.
select
    m.agency_code,
    m.agency_name,
    to_char(m.month, 'YYYY-MM') as month,
    m.received_or_handled,
    round(100 * m.rate_766, 2) as percent_766,
    round(100 * m.rate_local, 2) as percent_local,
    m.differing,
    m.differing_second_supplement as second_supplement,
    m.differing_missing_due as missing_due,
    m.differing_withdrawn as withdrawn,
    m.differing_supplement_pause as supplement_pause,
    m.differing_open_at_period_end as open_at_period_end,
    m.differing_clock_time as clock_time
from mart.dossier_on_time as m
where m.month between date '2024-04-01' and date '2024-06-01' and m.agency_level = 'province'
order by
    m.agency_code,
    m.month
