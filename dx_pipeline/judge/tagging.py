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
from dx_pipeline.sql_quoting import identifier

BITS = 63
_WORD = "_flags"
_CODES = pa.list_(pa.string())

Words = npt.NDArray[np.int64]
"""Flags of a batch, shape (words, rows)."""


@dataclass(frozen=True)
class RowRule:
    """A row-level rule in SQL; ``broken`` is None for a rule about repeated values."""

    code: str
    columns: tuple[str, ...]
    broken: str | None
    row_filter: str | None
    """The ``row_condition``: rows outside it are no elements of the rule."""
    domain: str | None
    """Rows the rule looks at: those of ``row_filter`` whose values are not to be ignored."""
    quarantines: bool
    flags: bool


@dataclass(frozen=True)
class RuleFlags:
    """Which flags answer for a rule; None stands for a condition that every row meets."""

    broken: int
    row_filter: int | None
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
        # All broken flags first: they share words, so that few words are looked at per row.
        broken = [self.register.position(self._broken(rule, repeated)) for rule in rules]
        for rule, position in zip(rules, broken, strict=True):
            missing = f"{identifier(rule.columns[0])} is null"
            if rule.domain is not None:
                missing = f"({rule.domain}) and {missing}"
            self.flags[rule.code] = RuleFlags(
                broken=position,
                row_filter=None if rule.row_filter is None else self.register.position(rule.row_filter),
                domain=None if rule.domain is None else self.register.position(rule.domain),
                missing=self.register.position(missing),
            )

    def _broken(self, rule: RowRule, repeated: Mapping[str, str | None]) -> str:
        condition = rule.broken
        if condition is None:
            condition = self._join(rule, repeated[rule.code])
        return condition if rule.domain is None else f"({rule.domain}) and ({condition})"

    def _join(self, rule: RowRule, table: str | None) -> str:
        if table is None:
            return "false"
        on = " and ".join(
            f"{table}.{repeated_column(table, i)} = t.{identifier(name)}" for i, name in enumerate(rule.columns)
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
        shown = [identifier(name) for name in (*columns, *extra)]
        words = [f"{_WORD}{word}" for word in range(self.register.words)]
        inner = [
            "_row",
            *(identifier(name) for name in columns),
            *(f"({expression}) as {identifier(name)}" for name, expression in extra.items()),
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
    which = np.zeros(words.shape[1], dtype=np.int64)
    combinations: list[list[str]] = [[]]
    for number, word in enumerate(words):
        here = {code: at % BITS for code, at in positions.items() if at // BITS == number}
        if not here:
            continue
        mask = np.int64(sum({1 << bit for bit in here.values()}))  # rules may share a flag
        encoded = pa.array(word & mask).dictionary_encode()
        values = encoded.dictionary.to_pylist()
        set_here = [[code for code, bit in here.items() if value >> bit & 1] for value in values]
        pairs = pa.array(which * len(values) + encoded.indices.to_numpy()).dictionary_encode()
        which = pairs.indices.to_numpy().astype(np.int64)
        combinations = [
            combinations[pair // len(values)] + set_here[pair % len(values)] for pair in pairs.dictionary.to_pylist()
        ]
    spelled = pa.array([codes or None for codes in combinations], _CODES)
    return spelled.take(pa.array(which))
