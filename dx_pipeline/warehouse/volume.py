"""Alarms about the amount of data: a run that succeeds although nothing new comes any more, a read half as large."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.warehouse.ledger import Batch

_COMPARED_READS = 5
WHOLE_READS = ("snapshot", "full")


@dataclass(frozen=True)
class VolumeChange:
    """A whole read that differs from the reads before by more than the contract's band."""

    rows: int
    usual: float
    band: float

    @property
    def percent(self) -> float:
        return 100 * (self.rows - self.usual) / self.usual


def volume_change(connection: Connection, contract: Contract, batch: Batch) -> VolumeChange | None:
    """How far a whole read is outside the contract's band; None when it is inside, or nothing is promised."""
    band = contract.volume.band
    if band is None or batch.kind not in WHOLE_READS or batch.extracted is None:
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
                "kinds": list(WHOLE_READS),
                "batch_id": batch.batch_id,
                "reads": _COMPARED_READS,
            },
        ).scalars()
    )
    usual = median(before) if before else 0
    if not usual or abs(batch.extracted - usual) <= band * usual:
        return None
    return VolumeChange(batch.extracted, usual, band)


def volume_alarm(connection: Connection, contract: Contract, batch: Batch) -> str | None:
    """A sentence when a whole read differs from the reads before by more than the contract's band, else None."""
    change = volume_change(connection, contract, batch)
    if change is None:
        return None
    return (
        f"{contract.id}: {change.rows:,} rows were read, usual are {change.usual:,.0f}: a change of"
        f" {change.percent:+.0f} %, the contract allows {100 * change.band:.0f} %"
    )


def silence(connection: Connection, contract: Contract) -> timedelta | None:
    """For how long no row was new or changed, if that is longer than the contract expects, else None."""
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
    return silent


def silence_alarm(connection: Connection, contract: Contract) -> str | None:
    """A sentence when no row was new or changed for longer than the contract expects, else None."""
    silent, expected = silence(connection, contract), contract.volume.new_within
    if silent is None or expected is None:
        return None
    hours = silent.total_seconds() / 3600
    return (
        f"{contract.id}: nothing new or changed for {hours:,.0f} hours, the contract expects something every"
        f" {expected.total_seconds() / 3600:,.0f} hours; the runs succeed, so ask whether the source still delivers"
    )
