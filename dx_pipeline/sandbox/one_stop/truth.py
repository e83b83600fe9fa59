"""The truth about what was planted: one Parquet row per planted row, and a JSON summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dx_pipeline.sandbox.one_stop.faults import BY_CODE
from dx_pipeline.sandbox.one_stop.working_days import Int64s

TRUTH_SCHEMA: Final = pa.schema(
    [
        pa.field("table", pa.string(), nullable=False),
        pa.field("source_id", pa.int64(), nullable=False),  # "Id" of the row
        pa.field("ma_ho_so", pa.string()),  # the dossier's true code, also where the row lost it
        pa.field("code", pa.string(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("source_column", pa.string()),
        pa.field("expected_value", pa.string()),  # repairs and legacy text: the value after cleaning
        pa.field("expected_month", pa.string()),  # tricky rows: the reporting month, yyyy-MM
        pa.field("note", pa.string()),
    ]
)


class TruthWriter:
    """Streams truth rows to ``one_stop_truth.parquet``; the file appears only when complete."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "one_stop_truth.parquet"
        self.summary_path = folder / "truth.json"
        self.counts: Counter[str] = Counter()
        self._partial = folder / ".one_stop_truth.parquet.partial"
        self._writer: pq.ParquetWriter | None = None
        self._pending: list[pa.Table] = []

    def __enter__(self) -> TruthWriter:
        self._writer = pq.ParquetWriter(self._partial, TRUTH_SCHEMA, compression="zstd")
        return self

    def add(
        self,
        code: str,
        ids: Int64s,
        dossier_codes: pa.Array,
        *,
        column: str | None = None,
        expected: pa.Array | None = None,
        month: pa.Array | None = None,
        note: str | None = None,
        counted: bool = True,
    ) -> None:
        """Record planted rows of one kind; ``counted`` is False for the partner of a pair."""
        size = int(ids.size)
        if not size:
            return
        fault = BY_CODE[code]
        self.counts[code] += size if counted else 0
        none = pa.nulls(size, pa.string())

        def same(text: str | None) -> pa.Array:
            return pa.repeat(pa.scalar(text, pa.string()), size)

        self._pending.append(
            pa.table(
                [
                    same(fault.table),
                    pa.array(ids),
                    dossier_codes,
                    same(code),
                    same(fault.verdict),
                    same(column or fault.column),
                    none if expected is None else expected,
                    none if month is None else month,
                    same(note),
                ],
                schema=TRUTH_SCHEMA,
            )
        )

    def flush(self) -> None:
        """Write what is pending as one row group."""
        if self._pending and self._writer is not None:
            self._writer.write_table(pa.concat_tables(self._pending).combine_chunks())
            self._pending.clear()

    def summary(self, content: Mapping[str, Any]) -> None:
        """Write ``truth.json`` beside the Parquet file."""
        self.summary_path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()
        if self._writer is not None:
            self._writer.close()
        if kind is None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)


def month_texts(days: Int64s, yyyymmdd: Int64s) -> pa.Array:
    """``yyyy-MM`` of each date given as the number yyyymmdd (``days`` gives the length)."""
    assert days.size == yyyymmdd.size
    return pa.array([f"{value // 10_000}-{value // 100 % 100:02d}" for value in yyyymmdd.tolist()], pa.string())


def at(values: pa.Array, positions: Int64s) -> pa.Array:
    """The values at the given positions."""
    return values.take(pa.array(np.asarray(positions, dtype=np.int64)))
