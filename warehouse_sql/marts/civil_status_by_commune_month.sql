-- Grain: one row per commune or district, month and kind of event. A commune without such an event has no row.
-- Suppression, k = 5, of the protected kinds (core.dim_civil_event_kind.is_protected): deaths, guardianships,
-- recognitions and adoptions, whose small count in a commune tells of a person or a family. Births, marriages and
-- certificates of marital status are counts of what the commune knows anyway, and are shown as they are.
-- 1. A commune's row of a protected kind is small if its events are below 5.
-- 2. Where a district has a small row (same month, same kind), further rows of the district are suppressed with it
--    until at least two are, and they hold together 5 events more than there are rows (a row stands for one event).
--    So what is left when the shown communes are taken from the district's total leaves every suppressed count a range
--    of 5 or more. Which further rows go is decided by a hash of code, month and kind: the smallest would tell a bound.
-- 3. Where all of a district's rows do not suffice for that, the district's row is suppressed too.
-- Late registrations and personal numbers issued say something about the families counted, so they are given for
-- districts only, and only with 5 events or more. There are no totals over kinds, and none of the province.
-- dx:mart name=civil_status_by_commune_month depends=civil_status.viec_ho_tich

delete from mart.civil_status_by_commune_month;

with counted as (
    select
        f.commune_code,
        f.month,
        f.event_kind_sk,
        f.events,
        f.late_registrations,
        f.personal_numbers_issued,
        k.code as event_kind,
        k.name_vi as event_kind_name,
        k.is_protected,
        u.name as unit_name,
        u.parent_code as district_code,
        k.is_protected and f.events < 5 as is_small
    from core.fact_civil_status_month as f
    inner join core.dim_civil_event_kind as k on f.event_kind_sk = k.event_kind_sk
    inner join core.dim_admin_unit as u on f.commune_sk = u.admin_unit_sk
    where f.commune_sk > 0
),

running as (
    select
        c.*,
        bool_or(c.is_small) over (partition by c.district_code, c.month, c.event_kind_sk) as has_small,
        count(*) over earlier as rows_before,
        coalesce(sum(c.events) over earlier, 0) as events_before
    from counted as c
    window earlier as (
        partition by c.district_code, c.month, c.event_kind_sk
        order by
            c.is_small desc,
            md5(c.commune_code || c.month::text || c.event_kind) asc,
            c.commune_code asc
        rows between unbounded preceding and 1 preceding
    )
),

communes as (
    select
        r.*,
        r.is_small or (r.has_small and (r.rows_before < 2 or r.events_before - r.rows_before < 5)) as is_suppressed
    from running as r
),

districts as (
    select
        c.district_code,
        c.month,
        c.event_kind,
        c.event_kind_name,
        c.is_protected,
        sum(c.events) as events,
        sum(c.late_registrations) as late_registrations,
        sum(c.personal_numbers_issued) as personal_numbers_issued,
        bool_or(c.is_suppressed)
        and (
            count(*) filter (where c.is_suppressed) < 2
            or sum(c.events - 1) filter (where c.is_suppressed) < 5
        ) as is_suppressed
    from communes as c
    group by
        c.district_code,
        c.month,
        c.event_kind,
        c.event_kind_name,
        c.is_protected
),

units as (
    select
        'commune' as level,
        c.commune_code as unit_code,
        c.month,
        c.event_kind,
        c.event_kind_name,
        c.unit_name,
        c.district_code,
        c.is_protected,
        c.events,
        null::bigint as late_registrations,
        null::bigint as personal_numbers_issued,
        c.is_suppressed
    from communes as c
    union all
    select
        'district' as level,
        d.district_code as unit_code,
        d.month,
        d.event_kind,
        d.event_kind_name,
        coalesce(u.name, d.district_code) as unit_name,
        d.district_code,
        d.is_protected,
        d.events,
        case when d.events >= 5 then d.late_registrations end as late_registrations,
        case when d.events >= 5 then d.personal_numbers_issued end as personal_numbers_issued,
        d.is_suppressed
    from districts as d
    left join core.dim_admin_unit as u
        on
            d.district_code = u.code
            and u.level = 'district'
            and d.month >= u.valid_from
            and d.month < u.valid_to
)

insert into mart.civil_status_by_commune_month (
    level,
    unit_code,
    month,
    event_kind,
    event_kind_name,
    unit_name,
    district_code,
    is_protected,
    events,
    late_registrations,
    personal_numbers_issued,
    is_suppressed,
    refreshed_at
)
select
    x.level,
    x.unit_code,
    x.month,
    x.event_kind,
    x.event_kind_name,
    x.unit_name,
    x.district_code,
    x.is_protected,
    case when not x.is_suppressed then x.events end as events,
    case when not x.is_suppressed then x.late_registrations end as late_registrations,
    case when not x.is_suppressed then x.personal_numbers_issued end as personal_numbers_issued,
    x.is_suppressed,
    now() as refreshed_at
from units as x;
