-- Grain: one row per procedure in force and year in which any dossier was accepted; a procedure without one is there
-- with zeros. The level of service is the present one. The source names no owner of a procedure, so the agency that
-- accepted most of its dossiers in the year stands beside the level of government that performs it.
-- dx:mart name=procedure_use_by_year depends=one_stop.ho_so,one_stop.thu_tuc,one_stop.thay_doi_muc_do_thu_tuc,one_stop.linh_vuc,one_stop.groups

-- dx:tally adds=received,online
create temporary table procedure_year on commit drop as
select
    d.procedure_sk,
    d.agency_sk,
    extract(year from d.received_on)::smallint as year,
    count(*) as received,
    count(*) filter (where d.channel_sk = 2) as online
from core.fact_dossier as d
left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
group by
    d.procedure_sk,
    d.agency_sk,
    extract(year from d.received_on)::smallint;

delete from mart.procedure_use_by_year;

insert into mart.procedure_use_by_year (
    procedure_code,
    year,
    procedure_name,
    field_code,
    field_name,
    performing_level,
    service_level,
    has_fee,
    received,
    online,
    agencies,
    main_agency_code,
    main_agency_name,
    refreshed_at
)
with by_agency as (
    select
        p.procedure_code,
        c.year,
        a.agency_code,
        sum(c.received) as received,
        sum(c.online) as online
    from procedure_year as c
    inner join core.dim_procedure as p on c.procedure_sk = p.procedure_sk
    inner join core.dim_agency as a on c.agency_sk = a.agency_sk
    group by
        p.procedure_code,
        c.year,
        a.agency_code
),

summed as (
    select
        b.procedure_code,
        b.year,
        sum(b.received) as received,
        sum(b.online) as online,
        count(*) as agencies,
        (array_agg(b.agency_code order by b.received desc, b.agency_code asc))[1] as main_agency_code
    from by_agency as b
    group by
        b.procedure_code,
        b.year
),

latest_agency as (
    select distinct on (a.agency_code)
        a.agency_code,
        a.name
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
),

any_year as (
    select distinct c.year
    from procedure_year as c
)

select
    p.procedure_code,
    y.year,
    p.name as procedure_name,
    p.field_code,
    f.name as field_name,
    p.performing_level,
    p.service_level,
    p.has_fee,
    coalesce(s.received, 0) as received,
    coalesce(s.online, 0) as online,
    coalesce(s.agencies, 0) as agencies,
    s.main_agency_code,
    a.name as main_agency_name,
    now() as refreshed_at
from core.dim_procedure as p
cross join any_year as y
left join summed as s on p.procedure_code = s.procedure_code and y.year = s.year
left join latest_agency as a on s.main_agency_code = a.agency_code
left join core.dim_field as f on p.field_code = f.field_code and f.is_current
where p.is_current and p.procedure_sk > 0;
