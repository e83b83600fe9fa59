"""What has been kept long enough, by the settings ``DX_RETENTION_...``: landed rows, raw records, pseudonyms, left-overs.

Never removed, however old: landed batches that are open (not published, held, failed) or being replayed, the latest
published batch of each dataset (and of each month read apart), raw records that a department still has to mend, open
rows of a restricted table from which counts are made. 0 days means: kept for good.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import DatasetBusy
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.operation_log import note_operation

_CLOSED = (
    "raw_record <> '{}' and (status in ('released', 'gone') and released_at < :before"
    " or status = 'discarded' and last_seen < :before)"
)


@dataclass(frozen=True)
class RetentionLine:
    """One kind of thing: after how many days it goes, how many go, how many older ones are still needed."""

    what: str
    days: int
    number: int
    kept: int = 0


@dataclass(frozen=True)
class RetentionPlan:
    """What goes. ``batches``: (system, dataset, batch id) of the landing zone; ``work``: folders."""

    lines: tuple[RetentionLine, ...]
    now: datetime
    batches: tuple[tuple[str, str, int], ...]
    work: tuple[Path, ...]


def make_plan(
    warehouse: Warehouse, settings: Settings, landing: LandingStore, *, now: datetime | None = None
) -> RetentionPlan:
    """What would be removed now (or at another time)."""
    with warehouse.owner() as connection:
        moment = now or connection.exec_driver_sql("select now()").scalar_one()
        old, kept = _old_landings(connection, landing, moment - timedelta(days=settings.retention_landing_days))
        if settings.retention_landing_days == 0:
            old, kept = [], 0
        work = _old_work(connection, settings, moment)
        lines = [
            RetentionLine("landing", settings.retention_landing_days, len(old), kept),
            RetentionLine("work", settings.retention_work_days, len(work)),
            RetentionLine(
                "ops.quarantine.raw_record",
                settings.retention_quarantine_days,
                _count(connection, f"ops.quarantine where {_CLOSED}", settings.retention_quarantine_days, moment),
            ),
            *(
                RetentionLine(
                    table,
                    settings.retention_restricted_days,
                    _count(connection, f"{table} where {condition}", settings.retention_restricted_days, moment),
                )
                for table, condition in _restricted(connection).items()
            ),
            RetentionLine(
                "ops.read_audit",
                settings.retention_audit_days,
                _count(connection, "ops.read_audit where at < :before", settings.retention_audit_days, moment),
            ),
        ]
    return RetentionPlan(tuple(lines), moment, tuple(old), tuple(work))


def carry_out(warehouse: Warehouse, settings: Settings, landing: LandingStore, plan: RetentionPlan) -> RetentionPlan:
    """Remove what the plan says; what a run works on at the moment waits for the next time. Returns what was done."""
    done: dict[str, int] = {"landing": 0, "work": 0}
    for system, dataset, batch_id in plan.batches:
        try:
            with warehouse.dataset_lock(f"{system}.{dataset}", timeout_seconds=1):
                landing.discard(system, dataset, batch_id)
                done["landing"] += 1
        except DatasetBusy:
            continue
    for path in plan.work:
        shutil.rmtree(path, ignore_errors=True)
        done["work"] += not path.exists()
    with warehouse.owner() as connection:
        days = settings.retention_quarantine_days
        done["ops.quarantine.raw_record"] = _change(
            connection, f"update ops.quarantine set raw_record = '{{}}' where {_CLOSED}", days, plan.now
        )
        for table, condition in _restricted(connection).items():
            statement = f"delete from {table} where {condition}"
            done[table] = _change(connection, statement, settings.retention_restricted_days, plan.now)
        for part in ("kind = 'read'", "kind = 'request'"):
            statement = (
                f"delete from ops.read_audit as a where a.at < :before and a.{part}"
                " and not exists (select from ops.read_audit as r where r.request_id = a.audit_id)"
            )
            removed = _change(connection, statement, settings.retention_audit_days, plan.now)
            done["ops.read_audit"] = done.get("ops.read_audit", 0) + removed
        lines = tuple(replace(line, number=done[line.what]) for line in plan.lines)
        told = {line.what: {"days": line.days, "removed": line.number, "kept": line.kept} for line in lines}
        note_operation(connection, "retention", told)
    return replace(plan, lines=lines)


def _old_landings(
    connection: Connection, landing: LandingStore, before: datetime
) -> tuple[list[tuple[str, str, int]], int]:
    """Landed batches that may go, and the number of older ones that are still needed."""
    rows = connection.execute(
        sa.text(
            "with latest as (select distinct on (system, dataset, period_month) coalesce(replay_of, batch_id) as needed"
            " from ops.batch where status = 'published' and landing_path is not null and coalesce(extracted, 0) > 0"
            " order by system, dataset, period_month, batch_id desc),"
            " open as (select coalesce(replay_of, batch_id) as needed from ops.batch"
            " where status not in ('published', 'superseded'))"
            " select b.system, b.dataset, b.batch_id, b.batch_id in (select needed from latest)"
            " or b.batch_id in (select needed from open) as is_needed from ops.batch as b"
            " where b.landing_path is not null and b.replay_of is null and b.landed_at < :before order by b.batch_id"
        ),
        {"before": before},
    ).all()
    landed = [row for row in rows if landing.batch_dir(row[0], row[1], row[2]).is_dir()]
    return [(row[0], row[1], row[2]) for row in landed if not row[3]], sum(row[3] for row in landed)


def _old_work(connection: Connection, settings: Settings, now: datetime) -> list[Path]:
    """Work folders of batches that are over, left behind by killed runs."""
    if settings.retention_work_days == 0:
        return []
    open_batches = set(
        connection.exec_driver_sql(
            "select batch_id::text from ops.batch where status in ('extracting', 'landed', 'staged')"
        ).scalars()
    )
    limit = (now - timedelta(days=settings.retention_work_days)).timestamp()
    return [
        path
        for path in sorted(settings.work_root.glob("*"))
        if path.is_dir() and not path.is_symlink() and path.name not in open_batches and path.stat().st_mtime < limit
    ]


def _restricted(connection: Connection) -> dict[str, str]:
    """Table of ``restricted`` → which rows may go: closed ones where rows are closed, else those last loaded before."""
    rows = connection.exec_driver_sql(
        "select format('%%I.%%I', n.nspname, c.relname), bool_or(a.attname = 'closed_on'), bool_or(a.attname = 'loaded_at')"
        " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where n.nspname = 'restricted' and c.relkind in ('r', 'p') and not c.relispartition group by 1 order by 1"
    )
    found = {}
    for table, closes, loads in rows:
        if closes:
            found[table] = "closed_on < cast(:before as date)"
        elif loads:
            found[table] = "loaded_at < :before"
    return found


def _count(connection: Connection, rest: str, days: int, now: datetime) -> int:
    if days == 0:
        return 0
    return int(
        connection.execute(sa.text(f"select count(*) from {rest}"), {"before": now - timedelta(days=days)}).scalar_one()
    )


def _change(connection: Connection, statement: str, days: int, now: datetime) -> int:
    if days == 0:
        return 0
    counted = f"with changed as ({statement} returning 1) select count(*) from changed"
    return int(connection.execute(sa.text(counted), {"before": now - timedelta(days=days)}).scalar_one())
