-- VI: Tỷ lệ và số tiền thanh toán trực tuyến theo cơ quan; hồ sơ đánh dấu trực tuyến nhưng nộp tiền mặt.
-- EN: Online payment rate and amount by agency; dossiers marked as paid online but paid in cash.
-- Role: dx_bi
select
    m.agency_code,
    m.agency_name,
    sum(m.with_obligation) as with_obligation,
    sum(m.paid_online) as paid_online,
    round(100.0 * sum(m.paid_online) / nullif(sum(m.with_obligation), 0), 2) as percent_online,
    sum(m.amount_vnd) as amount_vnd,
    sum(m.amount_online_vnd) as amount_online_vnd,
    sum(m.flagged_not_online) as flagged_not_online,
    sum(m.flagged_but_cash) as flagged_but_cash
from mart.online_by_agency_month as m
where m.month between date '2024-01-01' and date '2024-06-01'
group by
    m.agency_code,
    m.agency_name
having sum(m.with_obligation) > 0
order by
    flagged_but_cash desc,
    percent_online asc,
    m.agency_code asc
