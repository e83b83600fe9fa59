-- VI: Tỷ lệ nộp trực tuyến theo xã và tháng, khoảng cách đến mục tiêu 70 %, xu hướng so với cùng tháng năm trước.
-- EN: Online submission rate by commune and month; gap to the target of 70 %; trend against the same month a year before.
-- Role: dx_bi
-- 70 % is the target of a province for communes, not a legal one. The day the portals were merged is not in the data,
-- so the trend is shown against June 2023; the month may be any. The row of code -1 is what led to no commune.
select
    m.district_name,
    m.commune_name,
    m.commune_code,
    m.received,
    m.online,
    m.online_rate,
    70 - m.online_rate as points_to_target,
    m.online_rate - b.online_rate as change_in_a_year
from mart.online_by_commune_month as m
left join mart.online_by_commune_month as b
    on m.commune_sk = b.commune_sk and b.month = (m.month - interval '1 year')::date
where m.month = date '2024-06-01'
order by
    m.online_rate,
    m.commune_code
