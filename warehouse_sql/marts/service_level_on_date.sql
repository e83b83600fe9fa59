-- Grain: one row per stretch of days during which no procedure of the catalogue changed its level of service.
-- Inferred procedures, which no catalogue has named yet, do not count. A procedure that left the catalogue counts
-- until that day. The catalogue does not tell when a procedure was introduced: the first level counts from 1900 on.
-- dx:mart name=service_level_on_date depends=one_stop.thu_tuc,one_stop.thay_doi_muc_do_thu_tuc

delete from mart.service_level_on_date;

insert into mart.service_level_on_date (
    valid_from,
    valid_to,
    partial_count,
    full_count,
    info_count,
    unknown_count,
    total,
    refreshed_at
)
with step as (
    -- A version adds one on its first day and takes one away on the first day after it.
    select
        p.valid_from as day,
        p.service_level,
        1 as change
    from core.dim_procedure as p
    where p.procedure_sk > 0 and not p.is_inferred and p.valid_to > p.valid_from
    union all
    select
        p.valid_to,
        p.service_level,
        -1
    from core.dim_procedure as p
    where p.procedure_sk > 0 and not p.is_inferred and p.valid_to > p.valid_from and p.valid_to < date '9999-12-31'
),

daily as (
    select
        s.day,
        coalesce(sum(s.change) filter (where s.service_level = 3), 0) as partial_change,
        coalesce(sum(s.change) filter (where s.service_level = 4), 0) as full_change,
        coalesce(sum(s.change) filter (where s.service_level = 2), 0) as info_change,
        coalesce(sum(s.change) filter (where coalesce(s.service_level, 0) not in (2, 3, 4)), 0) as unknown_change,
        sum(s.change) as total_change
    from step as s
    group by s.day
)

select
    d.day as valid_from,
    lead(d.day, 1, date '9999-12-31') over by_day as valid_to,
    sum(d.partial_change) over by_day as partial_count,
    sum(d.full_change) over by_day as full_count,
    sum(d.info_change) over by_day as info_count,
    sum(d.unknown_change) over by_day as unknown_count,
    sum(d.total_change) over by_day as total,
    now() as refreshed_at
from daily as d
where
    d.partial_change <> 0
    or d.full_change <> 0
    or d.info_change <> 0
    or d.unknown_change <> 0
window by_day as (order by d.day);
