-- Grain: one row per map, month, unit on the map and reason; unit -1 is what could not be apportioned.
-- The commune of a report is the one of the last day of its month. Cumulative: never add up over months or maps.
-- dx:mart name=eid_on_map depends=eid.dinh_danh_xa_thang

delete from mart.eid_on_map;

insert into mart.eid_on_map (
    map,
    month,
    unit_sk,
    unit_code,
    unit_name,
    reason,
    eligible,
    issued,
    activated,
    activation_rate,
    refreshed_at
)
with reported as (
    select
        f.month,
        (f.month + interval '1 month' - interval '1 day')::date as on_day,
        f.commune_sk,
        f.eligible_residents as eligible,
        f.issued_level_1 + f.issued_level_2 as issued,
        f.activated_level_1 + f.activated_level_2 as activated
    from core.fact_eid_month as f
    where f.closed_on is null
),

apportioned as (
    select
        m.map,
        r.month,
        coalesce(b.to_sk, -1) as unit_sk,
        case when b.to_sk is null then 'unit_unknown' else coalesce(b.reason, '') end as reason,
        r.eligible * coalesce(b.share, 1) as eligible,
        r.issued * coalesce(b.share, 1) as issued,
        r.activated * coalesce(b.share, 1) as activated
    from reported as r
    cross join core.admin_map as m
    left join core.bridge_admin_map as b
        on
            r.commune_sk = b.from_sk
            and m.map = b.map
            and r.on_day >= b.valid_from
            and r.on_day < b.valid_to
),

restated as (
    select
        a.map,
        a.month,
        a.unit_sk,
        a.reason,
        sum(a.eligible) as eligible,
        sum(a.issued) as issued,
        sum(a.activated) as activated
    from apportioned as a
    group by
        a.map,
        a.month,
        a.unit_sk,
        a.reason
)

select
    s.map,
    s.month,
    s.unit_sk,
    u.code as unit_code,
    u.name as unit_name,
    s.reason,
    s.eligible,
    s.issued,
    s.activated,
    round(100.0 * s.activated / nullif(s.issued, 0), 3) as activation_rate,
    now() as refreshed_at
from restated as s
inner join core.dim_admin_unit as u on s.unit_sk = u.admin_unit_sk;
