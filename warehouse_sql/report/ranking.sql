-- Places of agencies, districts and communes, with the components that lost the most points.
with lost as (
    select
        s.scope,
        s.unit_code,
        string_agg(
            s.component_number || ' ' || round(s.points_lost, 2)::text, ';'
            order by s.points_lost desc, s.component_number asc
        ) as most_lost
    from (
        select
            s.*,
            row_number() over (
                partition by s.scope, s.unit_code
                order by s.points_lost desc, s.component_number asc
            ) as position
        from mart.indicator_score as s
        where s.set_code = :set and s.period = :period and s.points_lost > 0 and s.component_code <> '*'
    ) as s
    where s.position <= 3
    group by
        s.scope,
        s.unit_code
)

select
    s.scope,
    s.peer_group,
    s.unit_code,
    s.unit_name,
    s.max_points,
    s.score,
    s.points_lost,
    s.percent,
    s.status,
    s.place,
    s.peers,
    s.tied,
    l.most_lost
from mart.indicator_score as s
left join lost as l on s.scope = l.scope and s.unit_code = l.unit_code
where s.set_code = :set and s.period = :period and s.component_code = '*' and s.scope <> 'province'
order by
    s.scope,
    s.peer_group,
    s.place nulls last,
    s.unit_code
