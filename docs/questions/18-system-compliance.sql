-- VI: Hệ thống nào chưa kết nối EMC, IPv6, LGSP hoặc chưa có cấp độ an toàn được duyệt, theo đơn vị chủ quản.
-- EN: Which systems are not on EMC, IPv6, LGSP or have no approved security level, by owner.
-- Role: dx_bi
select
    m.owner_agency_name,
    m.system_code,
    m.system_name,
    m.security_level,
    m.missing,
    m.not_known
from mart.system_compliance as m
where not m.complies
order by
    m.owner_agency_name,
    m.system_code
