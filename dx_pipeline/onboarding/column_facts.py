"""What a sample shows of one column: how full it is, how its values differ, what form they have."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.reading import as_text
from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.clean.times import DEFAULT_TIMEZONE
from dx_pipeline.contract.model import Column
from dx_pipeline.extract.physical_type import base_type
from dx_pipeline.extract.source import SourceColumn
from dx_pipeline.onboarding.naming import name_words

FEW = 400  # distinct values that are looked at one by one
# Texts that people write where there is no value.
_NO_VALUE = frozenset("n/a na null none nan nil - -- --- ? không khong chưa có không có không rõ".split()) | {
    "không có",
    "chưa có",
    "không rõ",
    "khong co",
}
_WHOLE = frozenset("tinyint smallint mediumint integer bigint".split())
_FLOAT = frozenset(("real", "double precision", "float"))
_TIME = frozenset("timestamp timestamptz datetime".split())


@dataclass(frozen=True)
class Trial:
    """How a cleaner fared: the share of the filled values it read, and the least and greatest number or time."""

    share: float
    bounds: tuple[str, str] | None = None


@dataclass(frozen=True)
class ColumnFacts:
    """A column of a sample: ``array`` as the reader gives it, ``text`` as trimmed text with null for blank."""

    source: SourceColumn
    array: pa.Array
    text: pa.Array
    is_file: bool

    @classmethod
    def of(cls, source: SourceColumn, array: pa.Array, *, is_file: bool) -> ColumnFacts:
        text = pc.utf8_trim_whitespace(as_text(array))
        blank = pc.equal(pc.binary_length(text), 0)
        return cls(source, array, pc.if_else(blank, pa.scalar(None, pa.string()), text), is_file)

    @cached_property
    def words(self) -> tuple[str, ...]:
        return name_words(self.source.name)

    @property
    def rows(self) -> int:
        return len(self.text)

    @property
    def filled(self) -> int:
        return int(len(self.text) - self.text.null_count)

    @property
    def null_share(self) -> float:
        return self.text.null_count / self.rows if self.rows else 0.0

    @cached_property
    def counts(self) -> list[tuple[str, int]]:
        """The distinct texts with their counts, most frequent first; at most ``FEW`` of a column that has more.

        Of more, those at even distances in alphabetical order: the same ones each time.
        """
        counted = self.text.drop_null().value_counts()
        values, counts = counted.field(0), counted.field(1)
        if len(values) > FEW:
            order = pc.sort_indices(values)
            chosen = order.take(pa.array(np.linspace(0, len(values) - 1, FEW, dtype=np.int64)))
            values, counts = values.take(chosen), counts.take(chosen)
        pairs = zip(values.to_pylist(), counts.to_pylist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    @cached_property
    def distinct(self) -> int:
        return int(pc.count_distinct(self.text, mode="only_valid").as_py())

    @cached_property
    def some(self) -> pa.Array:
        """Distinct texts, at most ``FEW``."""
        return pa.array([text for text, _ in self.counts], pa.string())

    @cached_property
    def null_texts(self) -> tuple[str, ...]:
        """Texts such as ``N/A`` that stand for an empty value, if the column holds any beside real values."""
        found = sorted(text for text, _ in self.counts if text.casefold() in _NO_VALUE)
        return tuple(found) if len(found) < self.distinct else ()

    @cached_property
    def values(self) -> list[str]:
        """The texts of ``some`` that are values."""
        return [text for text, _ in self.counts if text not in self.null_texts]

    @property
    def declared(self) -> str:
        """``whole``, ``decimal``, ``float``, ``bool``, ``time``, ``day``, ``uuid`` or ``text``."""
        kind = base_type(self.source.type_text)
        if self.is_file or not kind or self.source.type_text.endswith("[]"):
            return "text"
        if self.source.type_text in ("boolean", "tinyint(1)", "bit(1)"):
            return "bool"
        known = (("whole", _WHOLE), ("float", _FLOAT), ("time", _TIME), ("day", {"date"}), ("decimal", {"numeric"}))
        return next((name for name, kinds in known if kind in kinds), "uuid" if kind == "uuid" else "text")

    def matching(self, pattern: str) -> float:
        """Share of the distinct values looked at that match the whole pattern."""
        found = sum(re.fullmatch(pattern, value) is not None for value in self.values)
        return found / len(self.values) if self.values else 0.0

    def forms(self) -> str:
        """The usual form of the values, digits as 9 and letters as a: ``9999-99-99 99:99:99``."""
        shapes = Counter(re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", value)) for value in self.values)
        return " , ".join(shape for shape, _ in shapes.most_common(2) if len(shape) <= 32)

    def try_type(self, semantic_type: str, options: dict[str, object], *, enough: float) -> Trial:
        """Read the column with the cleaner of a semantic type.

        A few distinct values are tried first, and the whole sample only if those promise ``enough``.
        """
        column = Column(
            "tried", self.source.name, semantic_type, "string", options={**options, "null_values": self.null_texts}
        )
        kind = SEMANTIC_TYPES[semantic_type]
        if self.filled == 0:
            return Trial(0.0)
        # A typed value may be read otherwise than its text: a number has lost its leading zeros.
        some = self.some if pa.types.is_string(self.array.type) else self.array.drop_null().slice(0, FEW)
        few = kind.clean(some, column)
        if few.unreadable is not None:
            share = few.unreadable.null_count / len(some)
            if share < enough / 2:
                return Trial(share)
        done = kind.clean(self.array, column)
        unread = 0 if done.unreadable is None else len(self.array) - done.unreadable.null_count
        return Trial(1 - unread / self.filled, _bounds(done.value))


def _bounds(values: pa.Array) -> tuple[str, str] | None:
    if pa.types.is_string(values.type) or pa.types.is_boolean(values.type) or values.null_count == len(values):
        return None
    if pa.types.is_timestamp(values.type):
        values = pc.local_timestamp(values.cast(pa.timestamp("us", DEFAULT_TIMEZONE)))
    found = pc.min_max(values)
    return str(found["min"].as_py()), str(found["max"].as_py())
