"""The ledger ``ops.batch``: one row per batch, from the first byte read to the published rows.

The database enforces the balance: a batch cannot be published unless
``extracted = accepted + quarantined + duplicate`` and ``accepted = inserted + updated + unchanged``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseError

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # not the text \\u0000, whose backslash JSON doubles
IN_FLIGHT = ("extracting", "landed", "staged")
SETTLED = ("published", "superseded")
"""A batch that is one of these stays it."""


@dataclass(frozen=True)
class Batch:
    """One row of the ledger. Counts are rows; times are instants; ``window_*`` are in the source's terms."""

    batch_id: int
    system: str
    dataset: str
    contract_version: str
    kind: str
    period_month: date | None
    run_id: str | None
    status: str
    window_low: str | None
    window_high: str | None
    watermark: str | None
    source_rows: int | None
    extracted: int | None
    accepted: int | None
    quarantined: int | None
    duplicate: int | None
    inserted: int | None
    updated: int | None
    unchanged: int | None
    closed: int | None
    flagged: int | None
    replay_of: int | None
    superseded_by: int | None
    landing_path: str | None
    message: str | None
    warnings: list[str] | None
    seconds_extract: float | None
    seconds_judge: float | None
    seconds_publish: float | None
    started_at: datetime
    landed_at: datetime | None
    published_at: datetime | None
    finished_at: datetime | None

    @property
    def dataset_id(self) -> str:
        return f"{self.system}.{self.dataset}"

    @property
    def scope(self) -> tuple[str, date | None]:
        """Batches of one scope replace each other: a month, or the running increments."""
        return ("period", self.period_month) if self.period_month else ("running", None)


_COLUMNS = tuple(field.name for field in fields(Batch))
_SELECT = f"select {', '.join(_COLUMNS)} from ops.batch"


def open_batch(
    connection: Connection,
    contract: Contract,
    *,
    kind: str,
    run_id: str | None,
    period_month: date | None = None,
    window: tuple[str | None, str | None] = (None, None),
    replay_of: int | None = None,
) -> Batch:
    """Write the first ledger row of a batch, status ``extracting``."""
    batch_id = connection.execute(
        sa.text(
            "insert into ops.batch (system, dataset, contract_version, kind, period_month, run_id, status,"
            " window_low, window_high, replay_of, started_at)"
            " values (:system, :dataset, :version, :kind, :month, :run_id, 'extracting', :low, :high, :replay_of, now())"
            " returning batch_id"
        ),
        {
            "system": contract.system,
            "dataset": contract.dataset,
            "version": contract.version,
            "kind": kind,
            "month": period_month,
            "run_id": run_id,
            "low": window[0],
            "high": window[1],
            "replay_of": replay_of,
        },
    ).scalar_one()
    return get_batch(connection, batch_id)


def update_batch(connection: Connection, batch_id: int, **values: Any) -> None:
    """Set columns of one ledger row."""
    names = [
        name
        for name in values
        if name in _COLUMNS or name in ("schema_fingerprint", "source_columns", "staged_at", "also_changed")
    ]
    if len(names) != len(values):
        raise ValueError(f"unknown ledger columns: {sorted(set(values) - set(names))}")
    assignments = ", ".join(f"{name} = :{name}" for name in names)
    connection.execute(
        sa.text(f"update ops.batch set {assignments} where batch_id = :batch_id"), {**values, "batch_id": batch_id}
    )


def claim_publishing(connection: Connection, contract: Contract, batch_id: int) -> Batch:
    """First statement of a publishing transaction: no other one publishes the dataset before its end.

    A run holds its datasets by a session that is idle while it works. Should that session be cut off, another run may
    have gone ahead: the batch is given as it is now.
    """
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"dx:publish:{contract.id}"}
    )
    return get_batch(connection, batch_id)


def mark_unfinished(connection: Connection, batch_id: int, *, status: str, message: str, at: datetime) -> None:
    """Note why a batch came no further. One that is published, or replaced, stays so: what ended may have been the
    session that had just committed it, before it could say so."""
    connection.execute(
        sa.text(
            "update ops.batch set status = :status, message = :message, finished_at = :at"
            " where batch_id = :batch_id and status <> all(:settled)"
        ),
        {"batch_id": batch_id, "status": status, "message": message, "at": at, "settled": list(SETTLED)},
    )


def get_batch(connection: Connection, batch_id: int) -> Batch:
    """One batch.

    Raises:
        WarehouseError: there is no such batch.
    """
    row = (
        connection.execute(sa.text(f"{_SELECT} where batch_id = :batch_id"), {"batch_id": batch_id}).mappings().first()
    )
    if row is None:
        raise WarehouseError(f"batch {batch_id} is not in the ledger", next_step="`dx batches` lists the latest ones")
    return _batch(row)


def batch_of_run(connection: Connection, contract: Contract, run_id: str) -> Batch | None:
    """The batch that this run opened for this dataset, if it did."""
    row = (
        connection.execute(
            sa.text(
                f"{_SELECT} where system = :system and dataset = :dataset and run_id = :run_id"
                " order by batch_id desc limit 1"
            ),
            {"system": contract.system, "dataset": contract.dataset, "run_id": run_id},
        )
        .mappings()
        .first()
    )
    return _batch(row) if row else None


def latest_batch(connection: Connection, contract: Contract, statuses: Sequence[str]) -> Batch | None:
    """The newest batch of this dataset in one of the given states."""
    row = (
        connection.execute(
            sa.text(
                f"{_SELECT} where system = :system and dataset = :dataset and status = any(:statuses)"
                " order by batch_id desc limit 1"
            ),
            {"system": contract.system, "dataset": contract.dataset, "statuses": list(statuses)},
        )
        .mappings()
        .first()
    )
    return _batch(row) if row else None


def latest_delivery(connection: Connection, contract: Contract, batch: Batch) -> Batch | None:
    """The newest published batch that speaks for all that this one speaks for: the same month, or a whole snapshot.

    None for an increment, which speaks for the rows it holds and no others.
    """
    if contract.load.mode != "snapshot" and batch.period_month is None:
        return None
    row = (
        connection.execute(
            sa.text(
                f"{_SELECT} where system = :system and dataset = :dataset and status = 'published'"
                " and period_month is not distinct from cast(:month as date) order by batch_id desc limit 1"
            ),
            {"system": contract.system, "dataset": contract.dataset, "month": batch.period_month},
        )
        .mappings()
        .first()
    )
    return _batch(row) if row else None


def published_before(connection: Connection, contract: Contract, batch: Batch) -> bool:
    """True if an earlier batch of the dataset with rows was published."""
    return bool(
        connection.execute(
            sa.text(
                "select exists (select from ops.batch where system = :system and dataset = :dataset"
                " and status = 'published' and batch_id < :batch_id and accepted > 0)"
            ),
            {"system": contract.system, "dataset": contract.dataset, "batch_id": batch.batch_id},
        ).scalar_one()
    )


def whole_read_left(connection: Connection, contract: Contract) -> bool:
    """True if the newest batch of the running increments is a read of all that died or failed before it was published."""
    newest = connection.execute(
        sa.text(
            "select kind, status from ops.batch where system = :system and dataset = :dataset and period_month is null"
            " order by batch_id desc limit 1"
        ),
        {"system": contract.system, "dataset": contract.dataset},
    ).one_or_none()
    return newest is not None and newest.kind == "full" and newest.status in (*IN_FLIGHT, "failed")


def watermark(connection: Connection, contract: Contract) -> str | None:
    """How far the cursor has been read and published; None before the first load.

    A held or interrupted batch never moves it, so its rows are read again. A month re-delivered does not move
    it either.
    """
    return connection.execute(
        sa.text(
            "select watermark from ops.batch where system = :system and dataset = :dataset and status = 'published'"
            " and kind in ('increment', 'full') and watermark is not null order by batch_id desc limit 1"
        ),
        {"system": contract.system, "dataset": contract.dataset},
    ).scalar()


def list_batches(
    connection: Connection,
    *,
    dataset_ids: Sequence[str] | None = None,
    run_id: str | None = None,
    status: str | None = None,
    limit: int = 30,
) -> list[Batch]:
    """Batches, newest first."""
    conditions, parameters = ["true"], {"limit": limit}  # type: tuple[list[str], dict[str, Any]]
    if dataset_ids:
        conditions.append("system || '.' || dataset = any(:ids)")
        parameters["ids"] = list(dataset_ids)
    if run_id:
        conditions.append("run_id = :run_id")
        parameters["run_id"] = run_id
    if status:
        conditions.append("status = :status")
        parameters["status"] = status
    rows = connection.execute(
        sa.text(f"{_SELECT} where {' and '.join(conditions)} order by batch_id desc limit :limit"), parameters
    ).mappings()
    return [_batch(row) for row in rows]


def supersede_older(connection: Connection, batch: Batch) -> list[Batch]:
    """Mark older unfinished batches of the same dataset and scope as replaced by this one."""
    rows = connection.execute(
        sa.text(
            "update ops.batch set status = 'superseded', superseded_by = :batch_id, finished_at = now(),"
            " message = coalesce(message, 'run ended before publishing') where system = :system and dataset = :dataset"
            " and batch_id < :batch_id and status in ('extracting', 'landed', 'staged', 'failed', 'held')"
            " and period_month is not distinct from cast(:month as date)"
            f" returning {', '.join(_COLUMNS)}"
        ),
        {"batch_id": batch.batch_id, "system": batch.system, "dataset": batch.dataset, "month": batch.period_month},
    ).mappings()
    return [_batch(row) for row in rows]


def record_rule_results(connection: Connection, batch_id: int, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Store the result of every expectation of a batch (replaces those of an earlier try)."""
    connection.execute(sa.text("delete from ops.rule_result where batch_id = :batch_id"), {"batch_id": batch_id})
    if not outcomes:
        return
    connection.execute(
        sa.text(
            "insert into ops.rule_result (batch_id, code, expectation_type, severity, passed, evaluated, unexpected,"
            " missing, message_vi, message_en, gx_result) values (:batch_id, :code, :type, :severity, :passed,"
            " :evaluated, :unexpected, :missing, :message_vi, :message_en, cast(:gx_result as jsonb))"
        ),
        [{**outcome, "batch_id": batch_id, "gx_result": _storable_json(outcome["gx_result"])} for outcome in outcomes],
    )


def rule_results(connection: Connection, batch_id: int) -> list[tuple[str, str, bool, str]]:
    """Code, severity, passed and English message of every rule of a batch, by code."""
    rows = connection.execute(
        sa.text(
            "select code, severity, passed, message_en from ops.rule_result where batch_id = :batch_id order by code"
        ),
        {"batch_id": batch_id},
    )
    return [(row.code, row.severity, row.passed, row.message_en) for row in rows]


def _storable_json(value: object) -> str:
    """JSON for a jsonb column: a NUL character, which PostgreSQL cannot store, becomes U+2400 (␀)."""
    return _ESCAPED_NUL.sub(r"\1\\u2400", json.dumps(value, default=str))


def _batch(row: sa.RowMapping) -> Batch:
    return Batch(**{name: row[name] for name in _COLUMNS})
