-- Grain: one row per commune and month (local time) in which reports came; -1 stands for those of no known commune.
-- In time is compared by day. Whether an open report is overdue is asked on the latest day the data knows of.
-- dx:mart name=field_report_by_commune_month depends=field_reports.phan_anh_hien_truong

delete from mart.field_report_by_commune_month;

insert into mart.field_report_by_commune_month (
    month,
    commune_sk,
    commune_code,
    commune_name,
    received,
    handled_in_time,
    handled_late,
    handled_without_due_day,
    open,
    open_overdue,
    in_time_rate,
    rated,
    average_rating,
    possible_reposts,
    as_of,
    refreshed_at
)
with clock as (
    select least(max(greatest(f.received_on, f.handled_on)), current_date) as as_of
    from core.fact_field_report as f
    where f.closed_on is null
),

counted as (
    select
        date_trunc('month', f.received_on::timestamp)::date as month,
        f.commune_sk,
        c.as_of,
        count(*) as received,
        count(*) filter (where f.handled_on <= f.due_on) as handled_in_time,
        count(*) filter (where f.handled_on > f.due_on) as handled_late,
        count(*) filter (where f.handled_on is not null and f.due_on is null) as handled_without_due_day,
        count(*) filter (where f.handled_on is null) as open,
        count(*) filter (where f.handled_on is null and f.due_on < c.as_of) as open_overdue,
        count(f.rating) as rated,
        avg(f.rating) as average_rating,
        count(*) filter (where 'co_the_gui_lai' = any(f.quality_flags)) as possible_reposts
    from core.fact_field_report as f
    cross join clock as c
    where f.closed_on is null
    group by
        date_trunc('month', f.received_on::timestamp)::date,
        f.commune_sk,
        c.as_of
)

select
    c.month,
    c.commune_sk,
    u.code as commune_code,
    u.name as commune_name,
    c.received,
    c.handled_in_time,
    c.handled_late,
    c.handled_without_due_day,
    c.open,
    c.open_overdue,
    round(100.0 * c.handled_in_time / nullif(c.handled_in_time + c.handled_late, 0), 2) as in_time_rate,
    c.rated,
    round(c.average_rating, 2) as average_rating,
    c.possible_reposts,
    c.as_of,
    now() as refreshed_at
from counted as c
inner join core.dim_admin_unit as u on c.commune_sk = u.admin_unit_sk;
