-- Grain: one row per information system in use, its latest state. A flag the source leaves empty is not known, not no.
-- dx:mart name=system_compliance depends=digital_infrastructure.he_thong_thong_tin,one_stop.groups

delete from mart.system_compliance;

insert into mart.system_compliance (
    system_code,
    system_name,
    system_kind,
    owner_agency_code,
    owner_agency_name,
    security_level,
    has_security_level,
    uses_ipv6,
    connected_to_emc,
    connected_to_lgsp,
    missing,
    not_known,
    complies,
    refreshed_at
)
select
    s.system_code,
    s.name as system_name,
    s.kind as system_kind,
    s.owner_agency_code,
    a.name as owner_agency_name,
    s.security_level,
    s.security_level is not null as has_security_level,
    s.uses_ipv6,
    s.connected_to_emc,
    s.connected_to_lgsp,
    concat_ws(
        ', ',
        case when not s.uses_ipv6 then 'IPv6' end,
        case when not s.connected_to_emc then 'EMC' end,
        case when not s.connected_to_lgsp then 'LGSP' end,
        case when s.security_level is null then 'cấp độ an toàn | security level' end
    ) as missing,
    concat_ws(
        ', ',
        case when s.uses_ipv6 is null then 'IPv6' end,
        case when s.connected_to_emc is null then 'EMC' end,
        case when s.connected_to_lgsp is null then 'LGSP' end
    ) as not_known,
    coalesce(s.uses_ipv6 and s.connected_to_emc and s.connected_to_lgsp, false)
    and s.security_level is not null as complies,
    now() as refreshed_at
from core.dim_information_system as s
inner join core.dim_agency as a on s.owner_agency_sk = a.agency_sk
where s.closed_on is null;
