-- Assessed places of the year as they were last published.
select
    v.version,
    to_char(v.published_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD') as published_on,
    v.content ->> 'agency_code' as agency_code,
    v.content ->> 'agency_name' as agency_name,
    v.content ->> 'peer_group' as peer_group,
    cast(v.content ->> 'max_points' as numeric) as max_points,
    cast(v.content ->> 'self_score' as numeric) as self_score,
    cast(v.content ->> 'verified_score' as numeric) as verified_score,
    cast(v.content ->> 'percent' as numeric) as percent,
    v.content ->> 'status' as status,
    cast(v.content ->> 'place' as integer) as place,
    cast(v.content ->> 'peers' as integer) as peers
from mart.published_version as v
where
    v.subject = 'assessment_ranking'
    and v.period = cast(:year as text)
    and v.content ->> 'component_code' = '*'
    and v.version = (
        select max(x.version)
        from mart.published_version as x
        where
            x.subject = 'assessment_ranking'
            and x.period = cast(:year as text)
            and x.published_at <= cast(:known_at as timestamptz)
    )
order by
    peer_group,
    place nulls last,
    agency_code
