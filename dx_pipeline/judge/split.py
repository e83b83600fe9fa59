"""A tagged batch split into accepted and rejected rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dx_pipeline.judge.tagging import FlagRegister, Words, code_lists, flag_words, rows_with

RELEASED = "released_manually"
"""Warning of a row that was loaded because a person decided so; the codes he overruled stand beside it."""
_CODES = pa.list_(pa.string())
_REJECTED = pa.schema([("_row", pa.int64()), ("reasons", _CODES)])


@dataclass(frozen=True)
class JudgedBatch:
    """Some rows of a judged batch.

    ``accepted``: ``_row`` and ``_row_hash`` int64, ``_warnings`` list<string> (null when none), the
    non-personal columns of the contract, the extra columns. ``rejected``: ``_row`` int64 and ``reasons``
    list<string>. The order of rows is not that of the input.
    """

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch


class Splitter:
    """Splits batches of the tagging query by the flags of critical rules and names what is broken."""

    def __init__(
        self,
        register: FlagRegister,
        critical: Mapping[str, int],
        warning: Mapping[str, int],
        fields: Sequence[pa.Field],
        extra: Sequence[str],
        released: Mapping[int, frozenset[str]] | None = None,
    ) -> None:
        """Flag position per code of the rules that reject and that warn; ``fields``: contract columns.

        ``released``: per ``_row`` the codes that a person has overruled for it; any other code still rejects.
        """
        self._critical = critical
        self._warning = warning
        self._selector = register.selector(critical.values())
        self._fields = list(fields)
        self._extra = list(extra)
        self._released = dict(released or {})

    def split(self, batch: pa.RecordBatch) -> JudgedBatch:
        """Accepted and rejected rows of one batch."""
        words = flag_words(batch)
        bad = rows_with(words, self._selector)
        overruled = self._overruled(batch, words, bad) if self._released else {}
        bad[list(overruled)] = False
        if not bad.any():
            return JudgedBatch(
                self._accepted(batch, _with_overruled(code_lists(words, self._warning), overruled)),
                pa.RecordBatch.from_pylist([], schema=_REJECTED),
            )
        good = ~bad
        places = {int(np.count_nonzero(good[:at])): codes for at, codes in overruled.items()}
        warnings = _with_overruled(code_lists(words[:, good], self._warning), places)
        rejected = pa.RecordBatch.from_arrays(
            [
                batch.column("_row").take(pa.array(np.flatnonzero(bad))),
                code_lists(words[:, bad], self._critical),
            ],
            schema=_REJECTED,
        )
        return JudgedBatch(self._accepted(batch.filter(pa.array(good)), warnings), rejected)

    def _overruled(self, batch: pa.RecordBatch, words: Words, bad: npt.NDArray[np.bool_]) -> dict[int, list[str]]:
        """Positions of the bad rows whose every reason a person has overruled, with those reasons."""
        rows = batch.column("_row").to_numpy()
        wanted = np.flatnonzero(bad & np.isin(rows, list(self._released)))
        reasons = code_lists(words[:, wanted], self._critical).to_pylist()
        return {
            int(at): codes
            for at, codes in zip(wanted, reasons, strict=True)
            if self._released[int(rows[at])].issuperset(codes)
        }

    def _accepted(self, batch: pa.RecordBatch, warnings: pa.Array) -> pa.RecordBatch:
        extra = [batch.schema.field(name) for name in self._extra]
        schema = pa.schema(
            [
                pa.field("_row", pa.int64()),
                pa.field("_row_hash", pa.int64()),
                pa.field("_warnings", _CODES),
                *self._fields,
                *extra,
            ]
        )
        arrays = [warnings if f.name == "_warnings" else batch.column(f.name).cast(f.type) for f in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _with_overruled(warnings: pa.Array, overruled: Mapping[int, list[str]]) -> pa.Array:
    """The warnings of accepted rows, with the mark and the codes of those at the given positions."""
    if not overruled:
        return warnings
    lists = warnings.to_pylist()
    for at, codes in overruled.items():
        lists[at] = [RELEASED, *codes, *(lists[at] or [])]
    return pa.array(lists, _CODES)
