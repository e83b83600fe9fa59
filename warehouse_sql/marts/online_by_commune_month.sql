-- Grain: one row per commune of the applicant and month of acceptance; -1 is what led to no commune.
-- Online is channel 2; a channel the source left empty is at the counter under Decision 766, and counted on its own.
-- dx:mart name=online_by_commune_month depends=one_stop.ho_so

-- dx:tally adds=received,online,at_counter,by_post,channel_unknown,received_online_service,full_service_online,through_national_portal,vneid_verified
create temporary table commune_month on commit drop as
select
    d.commune_sk,
    date_trunc('month', d.received_on::timestamp)::date as month,
    count(*) as received,
    count(*) filter (where d.channel_sk = 2) as online,
    count(*) filter (where d.channel_sk = 1) as at_counter,
    count(*) filter (where d.channel_sk = 3) as by_post,
    count(*) filter (where d.channel_sk < 0) as channel_unknown,
    count(*) filter (where d.service_level in (3, 4)) as received_online_service,
    count(*) filter (where d.channel_sk = 2 and d.service_level = 4) as full_service_online,
    count(*) filter (where d.submitted_through = 1) as through_national_portal,
    count(*) filter (where d.vneid_verified) as vneid_verified
from core.fact_dossier as d
left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
group by
    d.commune_sk,
    date_trunc('month', d.received_on::timestamp)::date;

delete from mart.online_by_commune_month;

insert into mart.online_by_commune_month (
    commune_sk,
    commune_code,
    commune_name,
    district_name,
    month,
    received,
    online,
    at_counter,
    by_post,
    channel_unknown,
    online_rate,
    received_online_service,
    full_service_online,
    through_national_portal,
    vneid_verified,
    refreshed_at
)
select
    c.commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    p.name as district_name,
    c.month,
    c.received,
    c.online,
    c.at_counter,
    c.by_post,
    c.channel_unknown,
    round(100.0 * c.online / c.received, 2) as online_rate,
    c.received_online_service,
    c.full_service_online,
    c.through_national_portal,
    c.vneid_verified,
    now() as refreshed_at
from commune_month as c
inner join core.dim_admin_unit as u on c.commune_sk = u.admin_unit_sk
left join core.dim_admin_unit as p on u.parent_sk = p.admin_unit_sk;
