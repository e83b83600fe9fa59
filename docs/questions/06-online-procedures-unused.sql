-- VI: Thủ tục cung cấp trực tuyến mà năm nay không có hồ sơ trực tuyến nào, theo cấp thực hiện và lĩnh vực.
-- EN: Procedures offered online that had no online dossier this year, by owner.
-- Role: dx_bi
-- The catalogue names no owning agency: level of government and field stand for it. The list itself is in the mart.
select
    m.performing_level,
    m.field_name,
    count(*) as offered_online,
    count(*) filter (where m.online = 0) as without_online_dossier,
    count(*) filter (where m.online = 0 and m.received > 0) as of_these_used_at_the_counter,
    count(*) filter (where m.online = 0 and m.service_level = 4) as of_these_full_service
from mart.procedure_use_by_year as m
where m.year = 2024 and m.service_level in (3, 4)
group by
    m.performing_level,
    m.field_name
having count(*) filter (where m.online = 0) > 0
order by
    without_online_dossier desc,
    m.performing_level asc,
    m.field_name asc
