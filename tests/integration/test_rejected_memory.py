"""Rejected rows are numbered within a cap of memory, and without it when they do not fit: the same rows either way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration import staging
from dx_pipeline.orchestration.staging import RejectedRows, write_cleaned
from tests.faults.small_project import HEADER, SmallProject

ROWS = 60_000


def rejected_keys(root: Path) -> list[tuple[int, str]]:
    """Row number and key of every row, all rejected; each code comes twice."""
    project = SmallProject(root)
    project.add_csv("so_nho", "muc", HEADER)
    contract = load_catalog([root], strict=True).contract("so_nho.muc")
    store = LandingStore(root / "landing")
    codes = [f"M{number // 2:06}" for number in range(ROWS)]
    table = pa.table({"Ma": codes, "Ten": ["tên dài " * 40] * ROWS, "SoTien": [str(n) for n in range(ROWS)]})
    manifest = store.write(
        system="so_nho", dataset="muc", batch_id=1, schema=table.schema, batches=table.to_batches(8_192), facts={}
    )
    cleaned = root / "cleaned.parquet"
    write_cleaned(contract, store, manifest, cleaned, 8_192)
    rejected = RejectedRows()
    rejected.add(
        pa.record_batch({"_row": pa.array(range(ROWS), pa.int64()), "reasons": pa.array([["code_conflict"]] * ROWS)})
    )
    found = [
        (row["_row"], row["row_key"])
        for batch in rejected.records(contract, manifest, [cleaned], 8_192)
        for row in batch.to_pylist()
    ]
    return sorted(found)


def test_the_same_rows_with_and_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roomy = rejected_keys(tmp_path / "roomy")
    tried: list[bool] = []
    numbered = staging._numbered

    def counted(sql: str, rejected: pa.Table, batch_rows: int, config: dict[str, str]) -> Iterator[pa.RecordBatch]:
        tried.append("memory_limit" in config)
        return numbered(sql, rejected, batch_rows, config)

    monkeypatch.setattr(staging, "REJECTED_MEMORY", "12MB")
    monkeypatch.setattr(staging, "_numbered", counted)
    assert rejected_keys(tmp_path / "narrow") == roomy
    assert tried == [True, False]
    assert [row for row, _ in roomy] == list(range(ROWS))
    assert roomy[:4] == [(0, "M000000"), (1, "M000000#2"), (2, "M000001"), (3, "M000001#2")]
