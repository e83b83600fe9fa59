-- VI: Cùng số liệu trên bản đồ 78 đơn vị hiện nay và bản đồ 125 xã, kèm phần không phân bổ được.
-- EN: The same on today's map of 78 units and on the map of 125 communes, with what could not be apportioned.
-- Role: dx_bi
-- unit_unknown: the commune of the report was not found; it is in no total. Other reasons: known, but of no single unit.
select
    m.map,
    m.unit_code,
    m.unit_name,
    m.reason,
    round(m.issued, 1) as issued,
    round(m.activated, 1) as activated,
    m.activation_rate,
    round(sum(m.issued) filter (where m.reason <> 'unit_unknown') over (partition by m.map), 1) as issued_on_map,
    round(sum(m.activated) filter (where m.reason <> 'unit_unknown') over (partition by m.map), 1) as activated_on_map
from mart.eid_on_map as m
where m.month = date '2024-06-01' and m.map in (78, 125)
order by
    m.map asc,
    m.reason desc,
    m.unit_code asc
