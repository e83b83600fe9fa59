-- Grain: one row per commune and month; -1 stands for all rows of the month whose commune was not found.
-- Cumulative counts: add up over communes, never over months. is_drop tells of a count below the report before.
-- dx:mart name=eid_by_commune_month depends=eid.dinh_danh_xa_thang

delete from mart.eid_by_commune_month;

insert into mart.eid_by_commune_month (
    month,
    commune_sk,
    commune_code,
    commune_name,
    source_rows,
    eligible,
    issued,
    activated,
    activation_rate,
    coverage_rate,
    issued_before,
    activated_before,
    is_drop,
    refreshed_at
)
with counted as (
    select
        f.month,
        f.commune_sk,
        count(*) as source_rows,
        sum(f.eligible_residents) as eligible,
        sum(f.issued_level_1 + f.issued_level_2) as issued,
        sum(f.activated_level_1 + f.activated_level_2) as activated
    from core.fact_eid_month as f
    where f.closed_on is null
    group by
        f.month,
        f.commune_sk
),

compared as (
    select
        c.*,
        lag(c.issued) over (partition by c.commune_sk order by c.month) as issued_before,
        lag(c.activated) over (partition by c.commune_sk order by c.month) as activated_before
    from counted as c
)

select
    c.month,
    c.commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    c.source_rows,
    c.eligible,
    c.issued,
    c.activated,
    round(100.0 * c.activated / nullif(c.issued, 0), 3) as activation_rate,
    round(100.0 * c.issued / nullif(c.eligible, 0), 3) as coverage_rate,
    c.issued_before,
    c.activated_before,
    c.commune_sk > 0
    and (coalesce(c.issued < c.issued_before, false) or coalesce(c.activated < c.activated_before, false)) as is_drop,
    now() as refreshed_at
from compared as c
inner join core.dim_admin_unit as u on c.commune_sk = u.admin_unit_sk;
