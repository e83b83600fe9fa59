"""What must hold in every snapshot a reader can get while loads publish: nothing is half there.

Each check is one statement, so one snapshot, and gives a line for each thing that is torn.
"""

from __future__ import annotations

import psycopg

# The newest batch that published rows of the fact: all of its rows are there, or the ledger does not know it yet.
# An older batch's rows may have been overwritten since; the newest one's cannot.
BATCH_WHOLLY_SEEN = """
with newest as (
    select b.batch_id, b.inserted + b.updated as written
    from ops.batch as b
    where b.system = 'one_stop' and b.dataset = 'ho_so' and b.status = 'published' and b.inserted + b.updated > 0
    order by b.batch_id desc
    limit 1
),

seen as (
    select
        count(*) filter (where d.last_batch_id = n.batch_id) as rows,
        count(*) filter (where d.last_batch_id > n.batch_id) as unknown_rows
    from core.fact_dossier as d
    cross join newest as n
)

select format('batch %s published %s dossiers, %s are seen and %s of a batch the ledger does not know',
    n.batch_id, n.written, s.rows, s.unknown_rows)
from newest as n
cross join seen as s
where s.rows <> n.written or s.unknown_rows > 0
"""
# A mart that says it was computed from the newest batch adds up to the fact; one that is older may not, and says so.
MART_ADDS_UP = """
with newest as (
    select max(b.batch_id) as batch_id
    from ops.batch as b
    where
        b.system = 'one_stop' and b.dataset = 'ho_so' and b.status = 'published'
        and b.inserted + b.updated + b.closed + b.also_changed > 0
),

fact as (
    select count(*) as received
    from core.fact_dossier as d
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    where d.received_on is not null and d.deleted_at is null and x.dossier_code is null
)

select format('mart.online_by_agency_month counts %s dossiers, the fact %s', m.received, f.received)
from (select coalesce(sum(o.received), 0) as received from mart.online_by_agency_month as o) as m
cross join fact as f
cross join newest as n
inner join ops.mart_refresh as r on r.mart = 'online_by_agency_month'
where position(format('one_stop.ho_so %s,', n.batch_id) in r.inputs) > 0 and m.received <> f.received
"""
# All rows of a mart are of one refresh, the one that the register names.
MARTS_OF_ONE_REFRESH = """
select format('mart.%s has rows of %s refreshes, %s of them registered', m.mart, m.refreshes, m.registered)
from (
    select
        r.mart,
        count(distinct o.refreshed_at) as refreshes,
        count(distinct o.refreshed_at) filter (where o.refreshed_at = r.refreshed_at) as registered
    from ops.mart_refresh as r
    inner join (
        select 'online_by_agency_month' as mart, a.refreshed_at from mart.online_by_agency_month as a
        union all
        select 'dossier_on_time', a.refreshed_at from mart.dossier_on_time as a
        union all
        select 'waiting_by_step', a.refreshed_at from mart.waiting_by_step as a
        union all
        select 'digitisation_by_agency_month', a.refreshed_at from mart.digitisation_by_agency_month as a
    ) as o on r.mart = o.mart
    group by r.mart
) as m
where m.refreshes <> 1 or m.registered <> 1
"""
CHECKS = {
    "a batch is wholly there or not at all": BATCH_WHOLLY_SEEN,
    "a mart of the newest batch adds up to the fact": MART_ADDS_UP,
    "a mart has rows of one refresh": MARTS_OF_ONE_REFRESH,
}
STATE = """
select format('%s/%s', (select max(batch_id) from ops.batch where status = 'published'),
    (select max(refreshed_at) from ops.mart_refresh))
"""


def torn(connection: psycopg.Connection) -> list[str]:
    """What a reader would see half done now; the connection is rolled back."""
    found: list[str] = []
    for statement in CHECKS.values():
        found += [str(row[0]) for row in connection.execute(statement.encode()).fetchall()]
        connection.rollback()
    return found


def state(connection: psycopg.Connection) -> str:
    """Newest published batch and refresh: tells two looks apart between which something was published."""
    row = connection.execute(STATE.encode()).fetchone()
    connection.rollback()
    assert row is not None
    return str(row[0])
