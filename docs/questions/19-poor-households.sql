-- VI: Hộ nghèo không có Internet hoặc điện thoại thông minh theo xã, cạnh tỷ lệ kích hoạt định danh điện tử.
-- EN: Poor households without Internet or smartphone by commune, next to e-ID activation.
-- Role: dx_bi
-- Counts below 5 are not shown (is_suppressed).
select
    m.unit_code,
    m.unit_name,
    m.households as poor_households,
    m.households_without_internet,
    m.households_without_smartphone,
    e.activation_rate as eid_activation_rate,
    t.has_team,
    t.members
from mart.poor_households_by_commune_year as m
left join mart.eid_by_commune_month as e on m.unit_code = e.commune_code and e.month = date '2024-06-01'
left join mart.community_team_by_commune_month as t on m.unit_code = t.commune_code and t.month = date '2024-06-01'
where m.level = 'commune' and m.year = 2024 and m.household_kind = 'poor' and not m.is_suppressed
order by
    m.households_without_internet desc nulls last,
    m.unit_code asc
