-- VI: Xếp hạng cơ quan trong nhóm cùng loại theo tỷ lệ đúng hạn (Quyết định 766): 2023 và nửa đầu 2024, thay đổi thứ hạng.
-- EN: Agencies ranked within their peer group by the on-time rate (Decision 766): 2023 and the first half of 2024, change of rank.
-- Role: dx_bi
-- Not the annual ranking of Decision 2793: self-assessed and verified scores are not in the warehouse yet. Equal rates share
-- a place (1, 1, 3). Communes are ranked too; take out the last condition.
with rate as (
    select
        m.agency_code,
        max(m.agency_name) as agency_name,
        max(m.agency_kind) as peer_group,
        extract(year from m.month)::integer as year,
        sum(m.on_time_766) as on_time,
        sum(m.on_time_766 + m.overdue_766) as judged
    from mart.dossier_on_time as m
    where m.month between date '2023-01-01' and date '2024-06-01' and m.agency_kind is not null
    group by
        m.agency_code,
        extract(year from m.month)::integer
    having sum(m.on_time_766 + m.overdue_766) > 0
),

ranked as (
    select
        r.*,
        rank() over (partition by r.peer_group, r.year order by r.on_time / r.judged desc) as place,
        count(*) over (partition by r.peer_group, r.year) as peers
    from rate as r
)

select
    n.peer_group,
    n.place,
    n.peers,
    n.agency_code,
    n.agency_name,
    n.judged,
    round(100 * n.on_time / n.judged, 2) as percent_on_time,
    b.place as place_2023,
    b.place - n.place as places_gained
from ranked as n
left join ranked as b on n.agency_code = b.agency_code and b.year = 2023
where n.year = 2024 and n.peer_group <> 'xa-phuong'
order by
    n.peer_group,
    n.place,
    n.agency_code
