"""The one query that judges every row of a batch, and how its answer is read.

Each question a rule asks of a row (broken? in the rule's domain? value missing?) is a *flag*: one bit of
one of the ``_flags`` columns of the query. A bigint has 63 usable bits; more flags take more columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dx_pipeline.judge.deduplicate import JUDGED, repeated_column
from dx_pipeline.judge.row_hash import quoted

BITS = 63
_WORD = "_flags"

Words = npt.NDArray[np.int64]
"""Flags of a batch, shape (words, rows)."""


@dataclass(frozen=True)
class RowRule:
    """A row-level rule in SQL; ``broken`` is None for a rule about repeated values."""

    code: str
    columns: tuple[str, ...]
    broken: str | None
    domain: str | None
    filtered: bool
    """Has a ``row_condition``, so that rows outside it do not count as its elements."""
    quarantines: bool
    flags: bool


@dataclass(frozen=True)
class RuleFlags:
    """Which flags answer for a rule; ``domain`` is None when the rule applies to every row."""

    broken: int
    domain: int | None
    missing: int


class FlagRegister:
    """Distinct flag conditions, in the order they were first asked for."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def position(self, condition: str) -> int:
        """Position of a SQL condition, registering it if it is new."""
        return self._positions.setdefault(condition, len(self._positions))

    @property
    def words(self) -> int:
        """Number of flag columns."""
        return -(-len(self._positions) // BITS)

    def columns_sql(self) -> list[str]:
        """The flag columns as SQL select items."""
        conditions = list(self._positions)
        items = []
        for word in range(self.words):
            part = conditions[word * BITS : (word + 1) * BITS]
            bits = [f"case when {condition} then {1 << bit} else 0 end" for bit, condition in enumerate(part)]
            items.append(f"({' + '.join(bits)})::bigint as {_WORD}{word}")
        return items

    def selector(self, positions: Iterable[int]) -> list[int]:
        """Per flag column the bits of these positions."""
        masks = [0] * self.words
        for position in positions:
            masks[position // BITS] |= 1 << (position % BITS)
        return masks


class TaggingQuery:
    """SQL of the tagging pass over the view ``judged``."""

    def __init__(self, rules: Sequence[RowRule], repeated: Mapping[str, str | None]) -> None:
        """``repeated``: per code of a uniqueness rule the table of its repeated values, or None."""
        self.register = FlagRegister()
        self.flags: dict[str, RuleFlags] = {}
        self._joins: list[str] = []
        self.register.position("false")  # so that a suite without row rules has a flag column too
        for rule in rules:
            self.flags[rule.code] = self._add(rule, repeated)

    def _add(self, rule: RowRule, repeated: Mapping[str, str | None]) -> RuleFlags:
        broken = rule.broken
        if broken is None:
            broken = self._join(rule, repeated[rule.code])
        missing = f"{quoted(rule.columns[0])} is null"
        domain = None
        if rule.domain is not None:
            broken = f"({rule.domain}) and ({broken})"
            missing = f"({rule.domain}) and {missing}"
            domain = self.register.position(rule.domain)
        return RuleFlags(self.register.position(broken), domain, self.register.position(missing))

    def _join(self, rule: RowRule, table: str | None) -> str:
        if table is None:
            return "false"
        on = " and ".join(
            f"{table}.{repeated_column(table, i)} = t.{quoted(name)}" for i, name in enumerate(rule.columns)
        )
        self._joins.append(f"left join {table} on {on}")
        return f"{repeated_column(table, 0)} is not null"

    def sql(self, columns: Sequence[str], extra: Mapping[str, str], row_hash: str) -> str:
        """Rows with ``_row``, ``_row_hash``, the columns, the extra columns and the flag columns.

        Args:
            columns: columns of ``judged`` to return.
            extra: SQL expression over ``judged`` per extra column.
            row_hash: SQL expression over columns and extra columns.
        """
        shown = [quoted(name) for name in (*columns, *extra)]
        words = [f"{_WORD}{word}" for word in range(self.register.words)]
        inner = [
            "_row",
            *(quoted(name) for name in columns),
            *(f"({expression}) as {quoted(name)}" for name, expression in extra.items()),
            *self.register.columns_sql(),
        ]
        return (
            f"select _row, {row_hash} as _row_hash, {', '.join([*shown, *words])} from "
            f"(select {', '.join(inner)} from {JUDGED} as t {' '.join(self._joins)}) as tagged"
        )


def flag_words(batch: pa.RecordBatch) -> Words:
    """Flags of a batch that the tagging query returned."""
    names = [name for name in batch.schema.names if name.startswith(_WORD)]
    return np.vstack([batch.column(name).to_numpy() for name in names])


def rows_with(words: Words, selector: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Rows that have any flag of the selector."""
    found = np.zeros(words.shape[1], dtype=np.bool_)
    for word, mask in zip(words, selector, strict=True):
        if mask:
            found |= (word & mask) != 0
    return found


def code_lists(words: Words, positions: Mapping[str, int]) -> pa.Array:
    """Per row the codes whose flag is set, as list<string>; null where none is.

    Rows repeat few combinations of flags, so only the distinct combinations are spelled out.
    """
    rows = words.shape[1]
    selector = np.zeros(words.shape[0], dtype=np.int64)
    for position in positions.values():
        selector[position // BITS] |= 1 << (position % BITS)
    relevant = words & selector[:, None]
    marked = np.flatnonzero(relevant.any(axis=0))
    combinations, which = np.unique(relevant[:, marked], axis=1, return_inverse=True)
    spelled = [
        [code for code, at in positions.items() if int(combination[at // BITS]) >> (at % BITS) & 1]
        for combination in combinations.T
    ]
    index = np.zeros(rows, dtype=np.int64)
    index[marked] = which.ravel()
    unmarked = np.ones(rows, dtype=np.bool_)
    unmarked[marked] = False
    return pa.array(spelled, pa.list_(pa.string())).take(pa.array(index, mask=unmarked))
