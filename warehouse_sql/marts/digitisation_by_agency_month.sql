-- Grain: one row per agency and month in which it finished a dossier (status 9 or 10).
-- Digitised: a digitised component and an electronic result with its file, both (Decision 766, indicator 4.2).
-- Whether digitised papers were used again is not in the data the one-stop system gives.
-- dx:mart name=digitisation_by_agency_month depends=one_stop.ho_so,one_stop.giay_to_ket_qua,one_stop.groups

-- dx:tally adds=finished,with_component,with_electronic_result,digitised,vneid_verified
create temporary table digitisation_month on commit drop as
with result as (
    select
        e.dossier_code,
        e.registered_on
    from core.fact_dossier_event as e
    where e.event_kind_sk = 4 and e.closed_on is null and e.state = 'co_tep'
    group by
        e.dossier_code,
        e.registered_on
),

finished as (
    select
        d.agency_sk,
        date_trunc(
            'month', coalesce(d.finished_at, d.returned_at, d.source_updated_at) at time zone 'Asia/Ho_Chi_Minh'
        )::date as month,
        coalesce(d.has_digitised_component, false) as has_component,
        r.dossier_code is not null as has_result,
        d.vneid_verified
    from core.fact_dossier as d
    left join result as r on d.dossier_code = r.dossier_code and d.registered_on = r.registered_on
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    where d.status_sk in (9, 10) and d.received_on is not null and d.deleted_at is null and x.dossier_code is null
)

select
    f.agency_sk,
    f.month,
    count(*) as finished,
    count(*) filter (where f.has_component) as with_component,
    count(*) filter (where f.has_result) as with_electronic_result,
    count(*) filter (where f.has_component and f.has_result) as digitised,
    count(*) filter (where f.vneid_verified) as vneid_verified
from finished as f
group by
    f.agency_sk,
    f.month;

delete from mart.digitisation_by_agency_month;

insert into mart.digitisation_by_agency_month (
    agency_code,
    agency_sk,
    agency_name,
    agency_level,
    agency_kind,
    month,
    finished,
    with_component,
    with_electronic_result,
    digitised,
    electronic_result_rate,
    digitised_rate,
    vneid_verified,
    refreshed_at
)
with latest_agency as (
    select distinct on (a.agency_code)
        a.agency_sk,
        a.agency_code,
        a.name,
        a.level,
        a.kind
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
),

summed as (
    select
        a.agency_code,
        f.month,
        sum(f.finished) as finished,
        sum(f.with_component) as with_component,
        sum(f.with_electronic_result) as with_electronic_result,
        sum(f.digitised) as digitised,
        sum(f.vneid_verified) as vneid_verified
    from digitisation_month as f
    inner join core.dim_agency as a on f.agency_sk = a.agency_sk
    group by
        a.agency_code,
        f.month
)

select
    s.agency_code,
    a.agency_sk,
    a.name as agency_name,
    a.level as agency_level,
    a.kind as agency_kind,
    s.month,
    s.finished,
    s.with_component,
    s.with_electronic_result,
    s.digitised,
    round(100.0 * s.with_electronic_result / s.finished, 2) as electronic_result_rate,
    round(100.0 * s.digitised / s.finished, 2) as digitised_rate,
    s.vneid_verified,
    now() as refreshed_at
from summed as s
inner join latest_agency as a on s.agency_code = a.agency_code;
