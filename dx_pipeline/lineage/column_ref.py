"""A column of a table, and where columns come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class ColumnRef:
    """One column of one table; ``table`` is ``schema.table``."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


ColumnSources = Mapping[str, tuple[ColumnRef, ...]]
"""Output column → the columns its value is computed from; none for a constant or a count of rows."""


class LineageError(Exception):
    """The SQL cannot be read; says why."""
