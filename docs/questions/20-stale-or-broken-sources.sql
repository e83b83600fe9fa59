-- VI: Nguồn nào cũ, thiếu hoặc vi phạm thỏa thuận; tỷ lệ dòng bị loại của từng đơn vị và lý do.
-- EN: Which source is stale, incomplete or broke its contract; what share of each department's rows was rejected, and why.
-- Role: dx_bi
-- The latest week of each dataset. Stale: nothing published for 7 days; what a contract promises is told by `dx status`.
with reason as (
    select
        r.system,
        r.dataset,
        sum(r.open_rows) as open_rows,
        string_agg(r.reason || ' ' || r.open_rows, ', ' order by r.open_rows desc, r.reason asc) as reasons
    from mart.quality_open_reason as r
    group by
        r.system,
        r.dataset
)

select
    coalesce(w.department_code, '-') as department_code,
    w.system,
    w.dataset,
    w.last_published_at is null or w.last_published_at < now() - interval '7 days' as is_stale,
    w.batches_held,
    w.batches_failed,
    w.rows_read,
    w.rows_rejected,
    w.rejected_share,
    r.reasons
from mart.quality_by_dataset_week as w
left join reason as r on w.system = r.system and w.dataset = r.dataset
where w.is_latest_week
order by
    w.rejected_share desc nulls last,
    w.system asc,
    w.dataset asc
