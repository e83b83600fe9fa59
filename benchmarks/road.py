"""The product's own road, as a person starts it: ``dx run`` and ``dx replay`` as processes, their steps from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from benchmarks.installation import Target
from benchmarks.measurement import Timed

_STEPS = """
select system || '.' || dataset as dataset, batch_id, kind, extracted, accepted, inserted, updated, unchanged, quarantined,
    duplicate, seconds_extract, seconds_judge, seconds_publish,
    extract(epoch from started_at) as started, extract(epoch from landed_at) as landed,
    extract(epoch from staged_at) as staged, extract(epoch from published_at) as published
from ops.batch
where batch_id > :last
order by batch_id
"""
_LANDED_BATCH = """
select max(batch_id) from ops.batch
where system = 'one_stop' and dataset = :dataset and status = 'published' and kind = 'full'
"""


def run_road(target: Target, *arguments: str) -> tuple[Timed, dict[str, Any]]:
    """Run ``dx`` with these arguments; what it took, and its phases and steps."""
    last = int(str(_scalar(target, "select coalesce(max(batch_id), 0) from ops.batch")))
    began = datetime.now(UTC).timestamp()
    timed = target.dx(*arguments)
    ended = datetime.now(UTC).timestamp()
    with target.warehouse.owner() as connection:
        steps = [
            {name: _plain(value) for name, value in row.items()}
            for row in connection.execute(sa.text(_STEPS), {"last": last}).mappings()
        ]
    detail: dict[str, Any] = {"steps": steps, "phases": phases(began, ended, steps), "busy": busy_seconds(steps)}
    detail["marts"] = _mart_seconds(target, datetime.fromtimestamp(began, UTC))
    return timed, detail


def rows_read(detail: dict[str, Any]) -> int:
    """Rows that the batches of a run extracted."""
    return sum(int(step["extracted"] or 0) for step in detail["steps"])


def rows_written(detail: dict[str, Any]) -> int:
    """Rows that the batches of a run inserted or updated."""
    return sum(int(step["inserted"] or 0) + int(step["updated"] or 0) for step in detail["steps"])


def busy_seconds(steps: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Seconds of each kind of step, added up over the datasets; they go on side by side, so their sum may exceed the wall time."""
    return {
        part: round(sum(float(step[f"seconds_{part}"] or 0) for step in steps), 3)
        for part in ("extract", "judge", "publish")
    }


def phases(began: float, ended: float, steps: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Where the wall time went: the stretches between the marks that the ledger sets. They overlap with nothing and add up.

    Extracting, judging and publishing of different datasets go on side by side; a stretch is named after what was still
    waited for in it.
    """
    marks = [("start of the process", min((s["started"] for s in steps), default=ended))]
    for name, column in (("reading sources", "landed"), ("cleaning, judging", "staged"), ("publishing", "published")):
        marks.append((name, max((s[column] for s in steps if s[column] is not None), default=began)))
    marks.append(("marts, checks, end", ended))
    found: dict[str, float] = {}
    at = began
    for name, until in marks:
        found[name] = round(max(until - at, 0.0), 3)
        at = max(at, until)
    return found


def landed_batch(target: Target, dataset: str) -> int:
    """The batch of the first load."""
    return int(str(_scalar(target, _LANDED_BATCH, dataset=dataset)))


def _mart_seconds(target: Target, since: datetime) -> dict[str, float]:
    """Seconds that each mart computed since an instant took in the database; two are computed side by side."""
    with target.warehouse.owner() as connection:
        found = connection.execute(
            sa.text("select mart, seconds from ops.mart_refresh where refreshed_at >= :since"), {"since": since}
        )
        return {row.mart: float(row.seconds) for row in found}


def _scalar(target: Target, statement: str, **values: object) -> object:
    with target.warehouse.owner() as connection:
        return connection.execute(sa.text(statement), values).scalar_one()


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str | int) else float(str(value))
