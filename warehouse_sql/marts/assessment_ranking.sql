-- Grain: one row per set, year, agency and component (* is the whole set) that the agency or its verifiers have scored.
-- A component that does not apply lowers the maximum. Ranked are agencies of which every component that applies is
-- verified; equal percentages share a place (1, 1, 3). Excluded agencies have none, which is not 0 points.
-- dx:mart name=assessment_ranking depends=one_stop.groups

delete from mart.assessment_ranking;

insert into mart.assessment_ranking (
    set_code,
    year,
    agency_code,
    component_code,
    agency_name,
    peer_group,
    max_points,
    self_score,
    verified_score,
    is_applicable,
    evidence,
    remark,
    points_lost,
    percent,
    status,
    place,
    peers,
    tied,
    refreshed_at
)
with newest as (
    select distinct on (e.set_code, e.year, e.agency_code, e.component_code, e.stage) e.*
    from core.assessment_entry as e
    order by
        e.set_code asc,
        e.year asc,
        e.agency_code asc,
        e.component_code asc,
        e.stage asc,
        e.entered_at desc
),

round as (
    select distinct
        n.set_code,
        n.year,
        n.agency_code
    from newest as n
),

component as (
    select
        r.set_code,
        r.year,
        r.agency_code,
        c.component_code,
        c.max_points,
        s.score as self_score,
        v.score as verified_score,
        s.evidence,
        v.remark,
        v.stage is not null as is_verified,
        coalesce(v.is_applicable, s.is_applicable, true) as is_applicable
    from round as r
    inner join core.dim_indicator_component as c on r.set_code = c.set_code and c.max_points > 0
    left join newest as s
        on
            r.set_code = s.set_code
            and r.year = s.year
            and r.agency_code = s.agency_code
            and c.component_code = s.component_code
            and s.stage = 'self'
    left join newest as v
        on
            r.set_code = v.set_code
            and r.year = v.year
            and r.agency_code = v.agency_code
            and c.component_code = v.component_code
            and v.stage = 'verified'
),

agency as (
    select distinct on (a.agency_code)
        a.agency_code,
        a.name,
        a.kind || ' ' || a.level as peer_group
    from core.dim_agency as a
    where a.agency_sk > 0
    order by
        a.agency_code asc,
        a.valid_from desc
),

total as (
    select
        c.set_code,
        c.year,
        c.agency_code,
        sum(c.max_points) filter (where c.is_applicable) as max_points,
        sum(c.self_score) filter (where c.is_applicable) as self_score,
        sum(c.verified_score) filter (where c.is_applicable) as verified_score,
        bool_and(c.is_verified) as is_verified
    from component as c
    group by
        c.set_code,
        c.year,
        c.agency_code
),

judged as (
    select
        t.*,
        a.name as agency_name,
        a.peer_group,
        round(100 * t.verified_score::numeric(60, 30) / nullif(t.max_points, 0), 20) as percent,
        case
            when
                exists (
                    select 1
                    from core.ranking_exclusion as x
                    where
                        x.set_code = t.set_code
                        and x.unit_code = t.agency_code
                        and x.valid_from <= make_date(t.year, 12, 31)
                        and x.valid_to > make_date(t.year, 1, 1)
                )
                then 'excluded'
            when t.is_verified and t.max_points > 0 then 'verified'
            else 'incomplete'
        end as status
    from total as t
    inner join agency as a on t.agency_code = a.agency_code
),

ranked as (
    select
        j.set_code,
        j.year,
        j.agency_code,
        rank() over (peer order by j.percent desc) as place,
        count(*) over peer as peers,
        count(*) over (partition by j.set_code, j.year, j.peer_group, j.percent) as tied
    from judged as j
    where j.status = 'verified' and j.peer_group is not null
    window peer as (partition by j.set_code, j.year, j.peer_group)
)

select
    c.set_code,
    c.year,
    c.agency_code,
    c.component_code,
    j.agency_name,
    j.peer_group,
    c.max_points,
    c.self_score,
    c.verified_score,
    c.is_applicable,
    c.evidence,
    c.remark,
    case when c.is_applicable then c.max_points - c.verified_score end as points_lost,
    null as percent,
    j.status,
    null as place,
    null as peers,
    null as tied,
    now() as refreshed_at
from component as c
inner join judged as j on c.set_code = j.set_code and c.year = j.year and c.agency_code = j.agency_code
union all
select
    j.set_code,
    j.year,
    j.agency_code,
    '*' as component_code,
    j.agency_name,
    j.peer_group,
    j.max_points,
    j.self_score,
    j.verified_score,
    true as is_applicable,
    null as evidence,
    null as remark,
    case when j.status = 'verified' then j.max_points - j.verified_score end as points_lost,
    case when j.status = 'verified' then j.percent end as percent,
    j.status,
    r.place,
    r.peers,
    r.tied,
    now() as refreshed_at
from judged as j
left join ranked as r on j.set_code = r.set_code and j.year = r.year and j.agency_code = r.agency_code;
