"""A tagged batch split into accepted and rejected rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dx_pipeline.judge.tagging import FlagRegister, code_lists, flag_words, rows_with

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
    ) -> None:
        """Flag position per code of the rules that reject and that warn; ``fields``: contract columns."""
        self._critical = critical
        self._warning = warning
        self._selector = register.selector(critical.values())
        self._fields = list(fields)
        self._extra = list(extra)

    def split(self, batch: pa.RecordBatch) -> JudgedBatch:
        """Accepted and rejected rows of one batch."""
        words = flag_words(batch)
        bad = rows_with(words, self._selector)
        if not bad.any():
            return JudgedBatch(
                self._accepted(batch, code_lists(words, self._warning)),
                pa.RecordBatch.from_pylist([], schema=_REJECTED),
            )
        good = ~bad
        warnings = code_lists(words[:, good], self._warning)
        rejected = pa.RecordBatch.from_arrays(
            [
                batch.column("_row").take(pa.array(np.flatnonzero(bad))),
                code_lists(words[:, bad], self._critical),
            ],
            schema=_REJECTED,
        )
        return JudgedBatch(self._accepted(batch.filter(pa.array(good)), warnings), rejected)

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
