-- VI: Định danh điện tử cấp, kích hoạt và tỷ lệ kích hoạt của tỉnh, huyện, và các xã dưới 50 %, cuối tháng 6/2024.
-- EN: e-ID issued, activated and activation rate of the province, the districts, and the communes below 50 %, at the end of June 2024.
-- Role: dx_bi
-- Cumulative figures: one month end only, never a sum over months. Reports whose commune was not found may tell of a commune
-- that is there already: they are a row of their own and in no other.
with commune as (
    select
        m.commune_sk > 0 as is_placed,
        coalesce(i.district_name, m.commune_name) as district_name,
        m.commune_code,
        m.commune_name,
        m.issued,
        m.activated
    from mart.eid_by_commune_month as m
    left join mart.infrastructure_by_commune_month as i
        on m.commune_sk = i.commune_sk and m.month = i.month and i.commune_sk > 0
    where m.month = date '2024-06-01'
)

select
    case
        when not c.is_placed then '4 commune not found'
        when grouping(c.district_name) = 1 then '1 province'
        when grouping(c.commune_code) = 1 then '2 district'
        else '3 commune below 50 %'
    end as level,
    c.district_name,
    c.commune_name,
    sum(c.issued) as issued,
    sum(c.activated) as activated,
    round(100.0 * sum(c.activated) / nullif(sum(c.issued), 0), 3) as activation_rate
from commune as c
group by grouping sets (
    (c.is_placed),
    (c.is_placed, c.district_name),
    (c.is_placed, c.district_name, c.commune_code, c.commune_name)
)
having
    case
        when grouping(c.district_name) = 1 then true
        when grouping(c.commune_code) = 1 then c.is_placed
        else c.is_placed and 100.0 * sum(c.activated) < 50 * sum(c.issued)
    end
order by
    level,
    c.district_name,
    c.commune_code
