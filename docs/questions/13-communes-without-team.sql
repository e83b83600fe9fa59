-- VI: Xã không có tổ công nghệ số cộng đồng theo quyết định; thành viên trên 1.000 dân; nơi hai nguồn khác nhau (100 và 115).
-- EN: Communes without a community digital team by decision; members per 1,000 people; where the registers differ (100 against 115).
-- Role: dx_bi
-- The 25 communes without a team come first. Villages without a team cannot be told: no source lists all villages.
select
    m.district_name,
    m.commune_name,
    m.commune_code,
    m.has_team,
    m.commune_teams_reported,
    m.registers_differ,
    m.village_teams,
    m.members,
    m.population,
    m.members_per_1000,
    sum(m.commune_teams) over () as teams_by_decision,
    sum(m.commune_teams_reported) over () as teams_reported
from mart.community_team_by_commune_month as m
where m.month = date '2024-06-01'
order by
    m.has_team,
    m.members_per_1000,
    m.commune_code
limit 40
