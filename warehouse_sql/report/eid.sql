-- Electronic identities by commune at the last report of the period.
select
    coalesce(i.district_name, '') as district_name,
    m.commune_code,
    m.commune_name,
    m.commune_sk > 0 as is_placed,
    m.issued,
    m.activated,
    m.eligible
from mart.eid_by_commune_month as m
left join mart.infrastructure_by_commune_month as i
    on m.commune_sk = i.commune_sk and m.month = i.month and i.commune_sk > 0
where m.month = (
    select max(x.month)
    from mart.eid_by_commune_month as x
    where x.month between cast(:starts_on as date) and cast(:month as date)
)
order by
    district_name,
    m.commune_code
