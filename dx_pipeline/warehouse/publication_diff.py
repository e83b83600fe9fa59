"""What differs between two states of a published report, and which batches made it differ.

The batches are not guessed: the report is computed as known right after a batch, and compared with how it was right
before. A range of batches that leaves the period as it was is not looked into further, so that a few computations tell
apart hundreds of batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.publication import Rows, Subject, rows_as_known


@dataclass(frozen=True)
class Cell:
    """One cell that differs; a row that is only on one side has None for all its cells on the other."""

    row_key: str
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Effect:
    """A batch, what the ledger counted of it, and the cells of the period it changed (None: cannot be told)."""

    batch_id: int
    dataset: str
    kind: str
    published_at: datetime
    inserted: int
    updated: int
    closed: int
    cells: int | None


@dataclass(frozen=True)
class Explanation:
    """Which batches changed a report between two instants, in order.

    ``unexplained`` cells differ although no batch changed them: another SQL of the report, or tables in ``read_as_now``.
    """

    effects: list[Effect]
    unexplained: int
    read_as_now: tuple[str, ...]
    batches: int


def compare(before: Rows, after: Rows) -> list[Cell]:
    """All cells that differ, by row and column."""
    cells: list[Cell] = []
    for key in sorted({*before, *after}):
        old, new = before.get(key, {}), after.get(key, {})
        for column in dict.fromkeys([*old, *new]):
            if old.get(column) != new.get(column):
                cells.append(Cell(key, column, old.get(column), new.get(column)))
    return cells


def explain(
    warehouse: Warehouse,
    subject: Subject,
    period: str,
    *,
    before: tuple[Rows, datetime],
    after: tuple[Rows, datetime],
    datasets: Sequence[str],
    on_step: Callable[[int], None] = lambda computed: None,
) -> Explanation:
    """Attribute the difference of two states to the batches published between them.

    Args:
        before, after: the rows of each state and the instant they were known at.
        datasets: those that fill a table the report reads.
        on_step: is told after each computation how many were made.
    """
    with warehouse.loader() as connection:
        batches = _batches_between(connection, before[1], after[1], datasets)
        start, present = rows_as_known(connection, subject, period, before[1])
        connection.rollback()
    if present:
        return Explanation(batches, len(compare(before[0], after[0])), present, len(batches))
    states: dict[int, Rows] = {0: start}

    def state(position: int) -> Rows:
        if position not in states:
            with warehouse.loader() as connection:
                at = batches[position - 1].published_at
                states[position] = rows_as_known(connection, subject, period, at)[0]
                connection.rollback()
            on_step(len(states))
        return states[position]

    effects: list[Effect] = []

    def look(low: int, high: int) -> None:
        if state(low) == state(high):
            return
        if high - low == 1:
            told = batches[high - 1]
            cells = len(compare(state(low), state(high)))
            effects.append(Effect(**{**told.__dict__, "cells": cells}))
            return
        middle = (low + high) // 2
        look(low, middle)
        look(middle, high)

    if batches:
        look(0, len(batches))
    unexplained = len(compare(before[0], start)) + len(compare(state(len(batches)), after[0]))
    return Explanation(effects, unexplained, (), len(batches))


def _batches_between(connection: Connection, after: datetime, until: datetime, datasets: Sequence[str]) -> list[Effect]:
    rows = connection.execute(
        sa.text(
            "select b.batch_id, b.system || '.' || b.dataset as dataset, b.kind, b.published_at, b.inserted, b.updated,"
            " b.closed from ops.batch as b where b.status = 'published' and b.published_at > :after"
            " and b.published_at <= :until and b.system || '.' || b.dataset = any(:names)"
            " and b.inserted + b.updated + coalesce(b.closed, 0) + b.also_changed > 0 order by b.published_at, b.batch_id"
        ),
        {"after": after, "until": until, "names": list(datasets)},
    )
    return [Effect(**row, cells=None) for row in rows.mappings()]
