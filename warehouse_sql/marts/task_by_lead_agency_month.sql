-- Grain: one row per document, group, lead agency and month from the first known status on, with the status each task
-- had at the month's end. A task counts from the first month in which a status of it is known. Late: due before the
-- month's end (today in the present month), neither carried out nor stopped. Never summed over months.
-- dx:mart name=task_by_lead_agency_month depends=task_tracking.nhiem_vu,one_stop.groups

delete from mart.task_by_lead_agency_month;

insert into mart.task_by_lead_agency_month (
    document_no,
    group_code,
    agency_code,
    agency_sk,
    agency_name,
    month,
    assigned,
    carried_out,
    completed,
    deployed,
    under_way,
    not_begun,
    stopped,
    late,
    late_without_progress,
    refreshed_at
)
with month as (
    select
        m.month::date as month,
        (m.month + interval '1 month' - interval '1 day')::date as last_day
    from (
        select
            min(f.status_on) as first_day,
            max(f.status_on) as latest_day
        from core.fact_task_status as f
    ) as known
    cross join lateral generate_series(
        date_trunc('month', known.first_day::timestamp),
        date_trunc('month', known.latest_day::timestamp),
        interval '1 month'
    ) as m (month)
),

status_then as (
    select distinct on (m.month, f.task_code)
        m.month,
        least(m.last_day, (now() at time zone 'Asia/Ho_Chi_Minh')::date) as last_day,
        f.task_code,
        f.status_code,
        f.share_done
    from month as m
    inner join core.fact_task_status as f on m.last_day >= f.status_on
    order by
        m.month asc,
        f.task_code asc,
        f.status_on desc
),

latest_agency as (
    select distinct on (a.agency_code)
        a.agency_sk,
        a.agency_code,
        a.name
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
),

judged as (
    select
        t.document_no,
        t.group_code,
        t.lead_agency_code,
        s.month,
        s.status_code,
        s.share_done,
        v.carried_out,
        not v.carried_out and s.status_code <> 'dung' and t.due_on < s.last_day as is_late
    from status_then as s
    inner join core.dim_task as t on s.task_code = t.task_code and t.closed_on is null
    inner join core.dim_task_status as v on s.status_code = v.status_code
)

select
    j.document_no,
    j.group_code,
    coalesce(a.agency_code, j.lead_agency_code) as agency_code,
    coalesce(max(a.agency_sk), -1) as agency_sk,
    coalesce(max(a.name), 'Không xác định | Unknown') as agency_name,
    j.month,
    count(*) as assigned,
    count(*) filter (where j.carried_out) as carried_out,
    count(*) filter (where j.status_code in ('hoan_thanh', 'co_ban_hoan_thanh')) as completed,
    count(*) filter (where j.status_code = 'da_trien_khai') as deployed,
    count(*) filter (where j.status_code = 'dang_trien_khai') as under_way,
    count(*) filter (where j.status_code = 'chua_trien_khai') as not_begun,
    count(*) filter (where j.status_code = 'dung') as stopped,
    count(*) filter (where j.is_late) as late,
    count(*) filter (where j.is_late and j.share_done is null) as late_without_progress,
    now() as refreshed_at
from judged as j
left join latest_agency as a on j.lead_agency_code = a.agency_code
group by
    j.document_no,
    j.group_code,
    coalesce(a.agency_code, j.lead_agency_code),
    j.month;
