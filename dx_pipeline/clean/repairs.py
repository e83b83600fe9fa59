"""What the cleaner changed, counted by column and by the way it was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from dx_pipeline.clean.batch import NOTE_SUFFIX

RepairCounts = Counter[tuple[str, str]]
"""Rows by column and note."""


@dataclass(frozen=True)
class Repair:
    """How often the cleaner changed values of a column, and in what way."""

    column: str
    note: str
    rows: int


def count_notes(cleaned: pa.RecordBatch, found: RepairCounts) -> None:
    """Add the notes of one cleaned batch."""
    for field in cleaned.schema:
        notes = cleaned.column(field.name) if field.name.endswith(NOTE_SUFFIX) else None
        if notes is not None and notes.null_count < len(notes):
            for counted in notes.drop_null().value_counts().to_pylist():
                found[field.name.removesuffix(NOTE_SUFFIX), counted["values"]] += counted["counts"]


def in_order(found: Mapping[tuple[str, str], int], schema: pa.Schema) -> tuple[Repair, ...]:
    """The counts in the order of the columns, then of the notes."""
    order = {name: position for position, name in enumerate(schema.names)}
    by_column = sorted(found.items(), key=lambda item: (order[item[0][0] + NOTE_SUFFIX], item[0][1]))
    return tuple(Repair(column, note, rows) for (column, note), rows in by_column)
