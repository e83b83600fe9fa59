-- Scores from score_measure and the components in force: fills mart.indicator_score, components and totals, with
-- places.

create temporary table score_component on commit drop as
with unit_period as (
    select distinct
        m.scope,
        m.unit_code,
        m.period
    from score_measure as m
),

component as (
    select
        c.*,
        p.period_kind,
        p.period,
        p.starts_on,
        p.ends_on
    from core.dim_indicator_component as c
    inner join core.dim_indicator_set as s on c.set_code = s.set_code
    inner join score_period as p on s.valid_from <= p.ends_on and s.valid_to > p.ends_on
    where c.measure is not null
),

measured as (
    select
        c.set_code,
        c.revision,
        c.component_code,
        c.component_number,
        c.measure,
        u.scope,
        u.unit_code,
        c.period_kind,
        c.period,
        c.starts_on,
        c.ends_on,
        c.target,
        c.max_points,
        coalesce(m.numerator, 0) as numerator,
        coalesce(m.denominator, 0) as denominator,
        case
            when c.measure = 'filed_online'
                then round(m.factor_numerator::numeric(60, 30) / nullif(m.denominator, 0), 30)
        end as factor,
        round(
            m.numerator::numeric(60, 30)
            / nullif(m.denominator, 0)
            * coalesce(m.factor_numerator::numeric(60, 30) / nullif(m.denominator, 0), 1),
            30
        ) as rate
    from component as c
    inner join unit_period as u
        on c.period = u.period and (cardinality(c.scopes) = 0 or u.scope = any(c.scopes))
    left join score_measure as m
        on c.measure = m.measure and u.scope = m.scope and u.unit_code = m.unit_code and u.period = m.period
)

select
    m.*,
    round(m.max_points * least(1, m.rate / m.target), 30) as score,
    case
        when m.denominator = 0 then 'not_applicable'
        when m.max_points > 0 then 'scored'
        else 'followed'
    end as status
from measured as m;

delete from mart.indicator_score;

insert into mart.indicator_score (
    set_code,
    component_code,
    component_number,
    measure,
    scope,
    unit_code,
    unit_name,
    peer_group,
    period_kind,
    period,
    starts_on,
    ends_on,
    numerator,
    denominator,
    factor,
    rate,
    target,
    max_points,
    score,
    points_lost,
    percent,
    status,
    place,
    peers,
    tied,
    set_revision,
    refreshed_at
)
select
    c.set_code,
    c.component_code,
    c.component_number,
    c.measure,
    c.scope,
    c.unit_code,
    u.unit_name,
    u.peer_group,
    c.period_kind,
    c.period,
    c.starts_on,
    c.ends_on,
    c.numerator,
    c.denominator,
    c.factor,
    c.rate,
    c.target,
    c.max_points,
    case when c.status = 'scored' then c.score end as score,
    case when c.status = 'scored' then c.max_points - c.score end as points_lost,
    null as percent,
    c.status,
    null as place,
    null as peers,
    null as tied,
    c.revision as set_revision,
    now() as refreshed_at
from score_component as c
inner join score_unit as u on c.scope = u.scope and c.unit_code = u.unit_code;

insert into mart.indicator_score (
    set_code,
    component_code,
    scope,
    unit_code,
    unit_name,
    peer_group,
    period_kind,
    period,
    starts_on,
    ends_on,
    max_points,
    score,
    points_lost,
    percent,
    status,
    place,
    peers,
    tied,
    set_revision,
    refreshed_at
)
with total as (
    select
        c.set_code,
        c.revision,
        c.scope,
        c.unit_code,
        c.period_kind,
        c.period,
        c.starts_on,
        c.ends_on,
        sum(c.max_points) as measured_points,
        sum(c.max_points) filter (where c.status = 'scored') as max_points,
        sum(c.score) filter (where c.status = 'scored') as score
    from score_component as c
    group by
        c.set_code,
        c.revision,
        c.scope,
        c.unit_code,
        c.period_kind,
        c.period,
        c.starts_on,
        c.ends_on
    having max(c.max_points) > 0
),

judged as (
    select
        t.*,
        u.unit_name,
        u.peer_group,
        round(100 * t.score::numeric(60, 30) / nullif(t.max_points, 0), 20) as percent,
        case
            when
                exists (
                    select 1
                    from core.ranking_exclusion as x
                    where
                        x.set_code = t.set_code
                        and x.unit_code = t.unit_code
                        and x.valid_from <= t.ends_on
                        and x.valid_to > t.ends_on
                )
                then 'excluded'
            when t.max_points is null then 'not_applicable'
            when t.max_points < s.ranked_from_share * t.measured_points then 'not_ranked'
            else 'scored'
        end as status
    from total as t
    inner join core.dim_indicator_set as s on t.set_code = s.set_code
    inner join score_unit as u on t.scope = u.scope and t.unit_code = u.unit_code
),

ranked as (
    select
        j.set_code,
        j.scope,
        j.unit_code,
        j.period,
        rank() over (peer order by j.percent desc) as place,
        count(*) over peer as peers,
        count(*) over (partition by j.set_code, j.scope, j.peer_group, j.period, j.percent) as tied
    from judged as j
    where j.status = 'scored' and j.peer_group is not null
    window peer as (partition by j.set_code, j.scope, j.peer_group, j.period)
)

select
    j.set_code,
    '*' as component_code,
    j.scope,
    j.unit_code,
    j.unit_name,
    j.peer_group,
    j.period_kind,
    j.period,
    j.starts_on,
    j.ends_on,
    j.max_points,
    j.score,
    j.max_points - j.score as points_lost,
    j.percent,
    j.status,
    r.place,
    r.peers,
    r.tied,
    j.revision as set_revision,
    now() as refreshed_at
from judged as j
left join ranked as r
    on j.set_code = r.set_code and j.scope = r.scope and j.unit_code = r.unit_code and j.period = r.period;
