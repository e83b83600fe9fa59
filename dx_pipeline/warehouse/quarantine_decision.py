"""Decisions of people about rejected rows, ``ops.quarantine_decision``: added to, never changed.

The newest decision about a row as it is (key and hash of the record) counts. A row that changed at the source is
another record: no decision about the old one touches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract

DecisionKind = Literal["release", "discard", "reopen"]


@dataclass(frozen=True)
class Decision:
    """One decision as it was recorded."""

    decision_id: int
    quarantine_id: int
    row_key: str
    record_hash: str
    decision: DecisionKind
    reasons: list[str]
    explanation: str
    decided_by: str
    login: str
    decided_at: datetime


_COLUMNS = ", ".join(Decision.__dataclass_fields__)


def record_decision(
    connection: Connection,
    quarantine_id: int,
    kind: DecisionKind,
    *,
    record_hash: str,
    explanation: str,
    decided_by: str,
    login: str,
) -> None:
    """Write a decision about a row of the quarantine, and show a discarded or reopened row as such."""
    connection.execute(
        sa.text(
            "insert into ops.quarantine_decision (quarantine_id, system, dataset, row_key, record_hash, decision,"
            " reasons, explanation, decided_by, login) select q.quarantine_id, q.system, q.dataset, q.row_key,"
            " :record_hash, :kind, q.reasons, :explanation, :decided_by, :login from ops.quarantine as q"
            " where q.quarantine_id = :quarantine_id"
        ),
        {
            "quarantine_id": quarantine_id,
            "record_hash": record_hash,
            "kind": kind,
            "explanation": explanation,
            "decided_by": decided_by,
            "login": login,
        },
    )
    if kind == "discard":
        _move(connection, quarantine_id, "open", "discarded")
    else:
        _move(connection, quarantine_id, "discarded", "open")


def _move(connection: Connection, quarantine_id: int, before: str, after: str) -> None:
    connection.execute(
        sa.text("update ops.quarantine set status = :after where quarantine_id = :id and status = :before"),
        {"id": quarantine_id, "before": before, "after": after},
    )


def decisions_about(connection: Connection, quarantine_ids: Sequence[int]) -> list[Decision]:
    """All decisions about these rows, oldest first."""
    rows = connection.execute(
        sa.text(f"select {_COLUMNS} from ops.quarantine_decision where quarantine_id = any(:ids) order by decision_id"),
        {"ids": list(quarantine_ids)},
    ).mappings()
    return [_decision(row) for row in rows]


def released_decisions(connection: Connection, contract: Contract) -> list[Decision]:
    """Rows of a dataset that are to be accepted: those whose newest decision is a release."""
    rows = connection.execute(
        sa.text(
            f"with newest as (select distinct on (row_key, record_hash) {_COLUMNS} from ops.quarantine_decision"
            " where system = :system and dataset = :dataset order by row_key, record_hash, decision_id desc)"
            f" select {_COLUMNS} from newest where decision = 'release' order by decision_id"
        ),
        {"system": contract.system, "dataset": contract.dataset},
    ).mappings()
    return [_decision(row) for row in rows]


def _decision(row: Any) -> Decision:
    return Decision(**dict(row))
