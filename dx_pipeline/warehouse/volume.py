"""Alarms about the amount of data: a run that succeeds although nothing new comes any more, a read half as large."""

from __future__ import annotations

from datetime import timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.warehouse.ledger import Batch

_COMPARED_READS = 5
_WHOLE_READS = ("snapshot", "full")


def volume_alarm(connection: Connection, contract: Contract, batch: Batch) -> str | None:
    """A sentence when a whole read differs from the reads before by more than the contract's band, else None."""
    band = contract.volume.band
    if band is None or batch.kind not in _WHOLE_READS or batch.extracted is None:
        return None
    before = list(
        connection.execute(
            sa.text(
                "select b.extracted from ops.batch as b where b.system = :system and b.dataset = :dataset"
                " and b.status = 'published' and b.kind = any(:kinds) and b.batch_id < :batch_id"
                " order by b.batch_id desc limit :reads"
            ),
            {
                "system": contract.system,
                "dataset": contract.dataset,
                "kinds": list(_WHOLE_READS),
                "batch_id": batch.batch_id,
                "reads": _COMPARED_READS,
            },
        ).scalars()
    )
    usual = median(before) if before else 0
    if not usual or abs(batch.extracted - usual) <= band * usual:
        return None
    return (
        f"{contract.id}: {batch.extracted:,} rows were read, usual are {usual:,.0f}: a change of"
        f" {100 * (batch.extracted - usual) / usual:+.0f} %, the contract allows {100 * band:.0f} %"
    )


def silence_alarm(connection: Connection, contract: Contract) -> str | None:
    """A sentence when no row was new or changed for longer than the contract expects, else None."""
    expected = contract.volume.new_within
    if expected is None:
        return None
    silent: timedelta | None = connection.execute(
        sa.text(
            "select now() - max(b.published_at) from ops.batch as b where b.system = :system and b.dataset = :dataset"
            " and b.status = 'published' and b.inserted + b.updated + b.closed > 0"
        ),
        {"system": contract.system, "dataset": contract.dataset},
    ).scalar_one()
    if silent is None or silent <= expected:
        return None
    hours = silent.total_seconds() / 3600
    return (
        f"{contract.id}: nothing new or changed for {hours:,.0f} hours, the contract expects something every"
        f" {expected.total_seconds() / 3600:,.0f} hours; the runs succeed, so ask whether the source still delivers"
    )
