-- Assessed places of the year as they were last published; why a unit has none, as it was known then.
with published as (
    select
        v.version,
        v.published_at,
        v.published_by,
        v.note,
        v.content,
        v.content ->> 'set_code' as set_code,
        v.content ->> 'agency_code' as agency_code,
        v.content ->> 'component_code' as component_code
    from mart.published_version as v
    where
        v.subject = 'assessment_ranking'
        and v.period = cast(:year as text)
        and v.version = (
            select max(x.version)
            from mart.published_version as x
            where
                x.subject = 'assessment_ranking'
                and x.period = cast(:year as text)
                and x.published_at <= cast(:known_at as timestamptz)
        )
),

left_out as (
    select
        p.set_code,
        p.agency_code,
        string_agg(p.component_code, ', ' order by p.component_code) as components,
        sum(cast(p.content ->> 'max_points' as numeric)) as points
    from published as p
    where p.component_code <> '*' and not cast(p.content ->> 'is_applicable' as boolean)
    group by
        p.set_code,
        p.agency_code
)

select
    p.version,
    to_char(p.published_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD') as published_on,
    p.published_by,
    p.note,
    p.set_code,
    p.agency_code,
    p.content ->> 'agency_name' as agency_name,
    p.content ->> 'peer_group' as peer_group,
    cast(p.content ->> 'max_points' as numeric) as max_points,
    cast(p.content ->> 'self_score' as numeric) as self_score,
    cast(p.content ->> 'verified_score' as numeric) as verified_score,
    cast(p.content ->> 'percent' as numeric) as percent,
    p.content ->> 'status' as status,
    cast(p.content ->> 'place' as integer) as place,
    cast(p.content ->> 'peers' as integer) as peers,
    cast(p.content ->> 'tied' as integer) as tied,
    l.components as not_applicable,
    l.points as points_not_applicable,
    (
        select x.reason
        from core.ranking_exclusion as x
        where
            p.content ->> 'status' = 'excluded'
            and x.set_code = p.set_code
            and x.unit_code = p.agency_code
            and x.loaded_at <= p.published_at
            and x.valid_from <= make_date(cast(:year as integer), 12, 31)
            and x.valid_to > make_date(cast(:year as integer), 1, 1)
        order by x.loaded_at desc
        limit 1
    ) as exclusion_reason
from published as p
left join left_out as l on p.set_code = l.set_code and p.agency_code = l.agency_code
where p.component_code = '*'
order by
    p.set_code,
    peer_group,
    place nulls last,
    p.agency_code
