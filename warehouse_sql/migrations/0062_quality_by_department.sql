-- Quality by department, read from the ledger at the moment it is asked: a batch that was held or failed changes no
-- mart. Counts and reasons only: never a key, a raw record or a message. The functions run with their owner's rights,
-- so that BI needs no right to the ledger, on Citus too; the views are for tools that list tables.

create or replace function mart.quality_by_dataset_week_now()
returns table (
    system text,
    dataset text,
    department_code text,
    department_name text,
    week date,
    batches_published bigint,
    batches_held bigint,
    batches_failed bigint,
    rules_found_something bigint,
    rows_read bigint,
    rows_accepted bigint,
    rows_rejected bigint,
    rows_duplicate bigint,
    rows_flagged bigint,
    rejected_share numeric,
    last_published_at timestamptz,
    last_changed_at timestamptz,
    is_latest_week boolean
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with batch as (
        select
            b.*,
            date_trunc(
                'week', coalesce(b.published_at, b.finished_at, b.started_at) at time zone 'Asia/Ho_Chi_Minh'
            )::date as week
        from ops.batch as b
        where b.status in ('published', 'held', 'failed')
    ),

    -- A snapshot reads everything again: only the last one of a week is counted, parts of an increment are added up.
    counted as (
        select
            b.*,
            b.status = 'published'
            and (
                b.kind not in ('snapshot', 'full')
                or b.batch_id = max(b.batch_id) filter (where b.status = 'published' and b.kind in ('snapshot', 'full'))
                    over (partition by b.system, b.dataset, b.week)
            ) as is_counted
        from batch as b
    ),

    rule as (
        select
            b.system,
            b.dataset,
            b.week,
            count(distinct r.code) as rules
        from counted as b
        inner join ops.rule_result as r on b.batch_id = r.batch_id
        where b.is_counted and not r.passed
        group by
            b.system,
            b.dataset,
            b.week
    ),

    owner as (
        select distinct on (q.system, q.dataset)
            q.system,
            q.dataset,
            q.owner_agency
        from ops.quarantine as q
        where q.owner_agency is not null
        group by
            q.system,
            q.dataset,
            q.owner_agency
        order by
            q.system,
            q.dataset,
            count(*) desc,
            q.owner_agency
    ),

    agency as (
        select distinct on (a.agency_code)
            a.agency_code,
            a.name
        from core.dim_agency as a
        order by
            a.agency_code,
            a.valid_from desc
    ),

    overall as (
        select
            b.system,
            b.dataset,
            max(b.published_at) filter (where b.status = 'published') as last_published_at,
            max(b.published_at) filter (where b.status = 'published' and b.inserted + b.updated + b.closed > 0)
                as last_changed_at,
            max(b.week) as latest_week
        from batch as b
        group by
            b.system,
            b.dataset
    ),

    summed as (
        select
            b.system,
            b.dataset,
            b.week,
            count(*) filter (where b.status = 'published') as batches_published,
            count(*) filter (where b.status = 'held') as batches_held,
            count(*) filter (where b.status = 'failed') as batches_failed,
            sum(b.extracted) filter (where b.is_counted)::bigint as rows_read,
            sum(b.accepted) filter (where b.is_counted)::bigint as rows_accepted,
            sum(b.quarantined) filter (where b.is_counted)::bigint as rows_rejected,
            sum(b.duplicate) filter (where b.is_counted)::bigint as rows_duplicate,
            sum(b.flagged) filter (where b.is_counted)::bigint as rows_flagged
        from counted as b
        group by
            b.system,
            b.dataset,
            b.week
    )

    select
        s.system,
        s.dataset,
        o.owner_agency,
        a.name,
        s.week,
        s.batches_published,
        s.batches_held,
        s.batches_failed,
        coalesce(r.rules, 0),
        s.rows_read,
        s.rows_accepted,
        s.rows_rejected,
        s.rows_duplicate,
        s.rows_flagged,
        round(100.0 * s.rows_rejected / nullif(s.rows_read, 0), 2),
        v.last_published_at,
        v.last_changed_at,
        s.week = v.latest_week
    from summed as s
    inner join overall as v on s.system = v.system and s.dataset = v.dataset
    left join rule as r on s.system = r.system and s.dataset = r.dataset and s.week = r.week
    left join owner as o on s.system = o.system and s.dataset = o.dataset
    left join agency as a on o.owner_agency = a.agency_code
$$;

create or replace function mart.quality_open_reason_now()
returns table (
    system text,
    dataset text,
    department_code text,
    department_name text,
    reason text,
    reason_vi text,
    reason_en text,
    open_rows bigint,
    oldest_seen timestamptz
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with waiting as (
        select
            q.system,
            q.dataset,
            q.owner_agency,
            c.code,
            count(*) as open_rows,
            min(q.first_seen) as oldest_seen
        from ops.quarantine as q
        cross join lateral unnest(q.reasons) as c (code)
        where q.status = 'open'
        group by
            q.system,
            q.dataset,
            q.owner_agency,
            c.code
    ),

    message as (
        select distinct on (b.system, b.dataset, r.code)
            b.system,
            b.dataset,
            r.code,
            r.message_vi,
            r.message_en
        from ops.rule_result as r
        inner join ops.batch as b on r.batch_id = b.batch_id
        order by
            b.system,
            b.dataset,
            r.code,
            r.batch_id desc
    ),

    agency as (
        select distinct on (a.agency_code)
            a.agency_code,
            a.name
        from core.dim_agency as a
        order by
            a.agency_code,
            a.valid_from desc
    )

    select
        w.system,
        w.dataset,
        w.owner_agency,
        a.name,
        w.code,
        m.message_vi,
        m.message_en,
        w.open_rows,
        w.oldest_seen
    from waiting as w
    left join message as m on w.system = m.system and w.dataset = m.dataset and w.code = m.code
    left join agency as a on w.owner_agency = a.agency_code
$$;

revoke all on function mart.quality_by_dataset_week_now() from public;
revoke all on function mart.quality_open_reason_now() from public;
grant execute on function mart.quality_by_dataset_week_now() to dx_loader, dx_engineer, dx_analyst, dx_bi;
grant execute on function mart.quality_open_reason_now() to dx_loader, dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per dataset and week (its Monday, local) in which a batch of it was published, held or failed.
create or replace view mart.quality_by_dataset_week with (security_invoker = true) as
select
    q.system,
    q.dataset,
    q.department_code,
    q.department_name,
    q.week,
    q.batches_published,
    q.batches_held,
    q.batches_failed,
    q.rules_found_something,
    q.rows_read,
    q.rows_accepted,
    q.rows_rejected,
    q.rows_duplicate,
    q.rows_flagged,
    q.rejected_share,
    q.last_published_at,
    q.last_changed_at,
    q.is_latest_week
from mart.quality_by_dataset_week_now() as q;

-- Grain: one row per dataset, department and reason for which rejected rows wait to be mended. A row with two reasons
-- is in two rows.
create or replace view mart.quality_open_reason with (security_invoker = true) as
select
    q.system,
    q.dataset,
    q.department_code,
    q.department_name,
    q.reason,
    q.reason_vi,
    q.reason_en,
    q.open_rows,
    q.oldest_seen
from mart.quality_open_reason_now() as q;

comment on view mart.quality_by_dataset_week is 'Chất lượng và độ mới của từng tập dữ liệu theo tuần, đọc từ sổ cái khi hỏi | Quality and freshness of each dataset by week, read from the ledger when asked';
comment on column mart.quality_by_dataset_week.system is 'Hệ thống nguồn | Source system';
comment on column mart.quality_by_dataset_week.dataset is 'Tập dữ liệu | Dataset';
comment on column mart.quality_by_dataset_week.department_code is 'Cơ quan phải sửa dòng bị loại; trống khi chưa có dòng nào | Agency that mends rejected rows; empty when there was none yet';
comment on column mart.quality_by_dataset_week.department_name is 'Tên cơ quan | Its name';
comment on column mart.quality_by_dataset_week.week is 'Thứ Hai của tuần | Monday of the week';
comment on column mart.quality_by_dataset_week.batches_published is 'Số lô đã công bố | Batches published';
comment on column mart.quality_by_dataset_week.batches_held is 'Số lô bị giữ vì phá thỏa thuận dữ liệu | Batches held because they broke the contract';
comment on column mart.quality_by_dataset_week.batches_failed is 'Số lô hỏng | Batches that failed';
comment on column mart.quality_by_dataset_week.rules_found_something is 'Số quy tắc có vi phạm | Rules that found something';
comment on column mart.quality_by_dataset_week.rows_read is 'Số dòng đã đọc; bản chụp chỉ tính lần cuối trong tuần | Rows read; of snapshots only the last of the week';
comment on column mart.quality_by_dataset_week.rows_accepted is 'Số dòng đạt | Rows accepted';
comment on column mart.quality_by_dataset_week.rows_rejected is 'Số dòng bị loại | Rows rejected';
comment on column mart.quality_by_dataset_week.rows_duplicate is 'Số dòng trùng | Rows that were duplicates';
comment on column mart.quality_by_dataset_week.rows_flagged is 'Số dòng đạt nhưng có cảnh báo | Accepted rows with a warning';
comment on column mart.quality_by_dataset_week.rejected_share is 'Tỷ lệ bị loại, % | Share rejected, %';
comment on column mart.quality_by_dataset_week.last_published_at is 'Công bố lần cuối lúc | Last published at';
comment on column mart.quality_by_dataset_week.last_changed_at is 'Lần cuối có dữ liệu mới hoặc thay đổi | Last time anything was new or changed';
comment on column mart.quality_by_dataset_week.is_latest_week is 'Tuần mới nhất của tập dữ liệu | Latest week of the dataset';

comment on view mart.quality_open_reason is 'Dòng bị loại đang chờ sửa theo cơ quan và lý do | Rejected rows that wait to be mended, by department and reason';
comment on column mart.quality_open_reason.system is 'Hệ thống nguồn | Source system';
comment on column mart.quality_open_reason.dataset is 'Tập dữ liệu | Dataset';
comment on column mart.quality_open_reason.department_code is 'Cơ quan phải sửa | Agency that has to mend them';
comment on column mart.quality_open_reason.department_name is 'Tên cơ quan | Its name';
comment on column mart.quality_open_reason.reason is 'Mã lý do | Code of the reason';
comment on column mart.quality_open_reason.reason_vi is 'Lý do, tiếng Việt | Reason in Vietnamese';
comment on column mart.quality_open_reason.reason_en is 'Lý do, tiếng Anh | Reason in English';
comment on column mart.quality_open_reason.open_rows is 'Số dòng đang chờ | Rows waiting';
comment on column mart.quality_open_reason.oldest_seen is 'Dòng lâu nhất thấy từ | Oldest one seen since';

grant select on mart.quality_by_dataset_week to dx_loader, dx_engineer, dx_analyst, dx_bi;
grant select on mart.quality_open_reason to dx_loader, dx_engineer, dx_analyst, dx_bi;
