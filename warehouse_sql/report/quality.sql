-- Rows read and rejected of each dataset up to the moment of the report: all parts of an increment, the last snapshot.
with batch as (
    select
        b.system || '.' || b.dataset as dataset,
        b.batch_id,
        b.kind,
        b.extracted,
        b.quarantined,
        b.duplicate,
        coalesce(b.flagged, 0) as flagged,
        b.published_at,
        max(b.batch_id) filter (where b.kind in ('snapshot', 'full')) over (partition by b.system, b.dataset)
            as last_snapshot
    from ops.batch as b
    where b.status = 'published' and b.published_at <= cast(:known_at as timestamptz)
)

select
    b.dataset,
    sum(b.extracted) as extracted,
    sum(b.quarantined) as rejected,
    sum(b.duplicate) as duplicate,
    sum(b.flagged) as flagged,
    max(b.batch_id) as last_batch,
    to_char(max(b.published_at) at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI') as last_published
from batch as b
where b.last_snapshot is null or b.batch_id >= b.last_snapshot
group by b.dataset
order by b.dataset
