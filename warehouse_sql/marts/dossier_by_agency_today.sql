-- Grain: one row per month of acceptance and agency of that day, with the agency that has its tasks today.
-- A fact keeps the agency of its day; an agency whose tasks were split is given to none of its successors.
-- dx:mart name=dossier_by_agency_today depends=one_stop.ho_so,one_stop.groups

-- dx:tally adds=dossiers
create temporary table accepted_month on commit drop as
select
    date_trunc('month', d.received_on::timestamp)::date as month,
    d.agency_sk,
    count(*) as dossiers
from core.fact_dossier as d
where d.received_on is not null and d.deleted_at is null
group by
    date_trunc('month', d.received_on::timestamp)::date,
    d.agency_sk;

delete from mart.dossier_by_agency_today;

insert into mart.dossier_by_agency_today (
    month,
    agency_sk,
    agency_code,
    agency_name,
    agency_level,
    today_agency_code,
    today_agency_name,
    reason,
    main_agency_code,
    possible_agencies,
    dossiers,
    refreshed_at
)
select
    c.month,
    c.agency_sk,
    a.agency_code,
    a.name as agency_name,
    a.level as agency_level,
    t.today_agency_code,
    t.today_agency_name,
    coalesce(t.reason, '') as reason,
    case when t.is_split then t.main_agency_code end as main_agency_code,
    t.possible_agencies,
    c.dossiers,
    now() as refreshed_at
from accepted_month as c
inner join core.dim_agency as a on c.agency_sk = a.agency_sk
inner join core.agency_today as t on c.agency_sk = t.agency_sk;
