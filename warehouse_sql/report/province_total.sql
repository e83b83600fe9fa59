-- The province's score in all, with the period before.
select
    s.period,
    s.ends_on,
    s.max_points,
    s.score,
    s.points_lost,
    s.percent
from mart.indicator_score as s
where s.set_code = :set and s.component_code = '*' and s.scope = 'province' and s.period = any(:periods)
order by s.starts_on
