"""What is planted in a department's system, and the truth about it: one Parquet row per planted row, one JSON summary.

``critical``: the row is quarantined. ``warning``: it is loaded and flagged. ``duplicate``: it is a copy or an older
version, counted and left out. ``repair``: the cleaner mends it silently. ``clean``: it looks odd and is right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

Verdict = Literal["critical", "warning", "duplicate", "repair", "clean"]

TRUTH_SCHEMA: Final = pa.schema(
    [
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("source_id", pa.int64(), nullable=False),  # "id" of the row at the source
        pa.field("row_key", pa.string(), nullable=False),  # the key the quarantine knows the row by
        pa.field("code", pa.string(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("source_column", pa.string(), nullable=False),
        pa.field("expected_value", pa.string()),  # repairs: the value after cleaning
    ]
)


@dataclass(frozen=True)
class Kind:
    """One planted kind: the verdict it must get, how many rows carry it, where and what it is."""

    dataset: str
    verdict: Verdict
    code: str
    rows: int
    column: str
    what: str


class TruthBook:
    """Collects what was planted in one system and writes it down beside the sandbox."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = {(kind.dataset, kind.code): kind for kind in kinds}
        self._rows: list[dict[str, Any]] = []
        self.counts: Counter[tuple[str, str]] = Counter()

    def rows_wanted(self, dataset: str, code: str) -> int:
        """How many rows of that kind to plant."""
        return self._kinds[dataset, code].rows

    def add(
        self, dataset: str, code: str, source_id: int, *, row_key: str | None = None, expected: str | None = None
    ) -> None:
        """Note one planted row; its key in the quarantine is its id unless said otherwise."""
        kind = self._kinds[dataset, code]
        self.counts[dataset, code] += 1
        self._rows.append(
            {
                "dataset": dataset,
                "source_id": source_id,
                "row_key": row_key or str(source_id),
                "code": code,
                "verdict": kind.verdict,
                "source_column": kind.column,
                "expected_value": expected,
            }
        )

    def write(self, folder: Path, rows: Mapping[str, int]) -> None:
        """Write ``truth.parquet`` and, last, ``truth.json``, whose presence says that the build went through.

        Args:
            rows: rows of each dataset at the source.
        """
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(self._rows, schema=TRUTH_SCHEMA), folder / "truth.parquet")
        tables = {}
        for dataset, count in rows.items():
            by_verdict: Counter[str] = Counter()
            for (of, code), carriers in self.counts.items():
                if of == dataset:
                    by_verdict[self._kinds[of, code].verdict] += carriers
            tables[dataset] = {
                "rows": count,
                "quarantined": by_verdict["critical"],
                "duplicate": by_verdict["duplicate"],
                "accepted": count - by_verdict["critical"] - by_verdict["duplicate"],
                "warned": by_verdict["warning"],
            }
        planted = [
            {
                "dataset": kind.dataset,
                "code": kind.code,
                "verdict": kind.verdict,
                "rows": self.counts[kind.dataset, kind.code],
                "rate": round(self.counts[kind.dataset, kind.code] / rows[kind.dataset], 5),
                "what": kind.what,
            }
            for kind in self._kinds.values()
        ]
        summary = {"tables": tables, "planted": planted}
        (folder / "truth.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
