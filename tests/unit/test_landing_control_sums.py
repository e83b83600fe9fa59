"""Control sums of Parquet files: what they hold, and what is left out when memory does not suffice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dx_pipeline.landing import control_sums
from dx_pipeline.landing.control_sums import sums_of_files


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two parts: keys with a copy and a null, amounts with a text that is no number, local and UTC times."""
    times = [datetime(2024, 6, day, 17, 30, tzinfo=UTC) for day in (30, 1, 2)]
    parts = [
        pa.table({"_row": [0, 1], "Ma": ["a", "b"], "SoTien": ["100", "x"], "Luc": pa.array(times[:2])}),
        pa.table({"_row": [2, 3], "Ma": ["b", None], "SoTien": ["0.5", None], "Luc": pa.array([times[2], None])}),
    ]
    paths = [tmp_path / f"part-{number}.parquet" for number in range(2)]
    for path, part in zip(paths, parts, strict=True):
        pq.write_table(part, path)
    return paths


def test_rows_keys_sums_and_the_ends_of_the_cursor(files: list[Path]) -> None:
    found = sums_of_files(files, key=["Ma"], totals={"amount": "SoTien"}, cursor=("at", "Luc"))
    assert (found["rows"], found["distinct_keys"]) == ("4", "2")
    assert Decimal(str(found["sum(amount)"])) == Decimal("100.5")
    assert (found["min(at)"], found["max(at)"]) == ("2024-06-01 17:30:00", "2024-06-30 17:30:00")


def test_only_the_rows_asked_for(files: list[Path]) -> None:
    found = sums_of_files(files, key=[], totals={"amount": "SoTien"}, cursor=None, rows=[2, 3])
    assert found["rows"] == "2"
    assert Decimal(str(found["sum(amount)"])) == Decimal("0.5")
    assert sums_of_files(files, key=[], totals={}, cursor=None, rows=[2]) == {"rows": "1"}


def test_a_cursor_of_texts_has_no_ends(files: list[Path]) -> None:
    assert set(sums_of_files(files, key=[], totals={}, cursor=("code", "Ma"))) == {"rows"}


def test_many_keys_are_counted_on_the_disk_or_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "many.parquet"
    keys = pa.array([f"{number:040d}" for number in range(400_000)])
    pq.write_table(pa.table({"Ma": keys, "SoTien": pa.array([1] * 400_000)}), path)
    monkeypatch.setattr(control_sums, "MEMORY", "16MB")
    found = sums_of_files([path], key=["Ma"], totals={"amount": "SoTien"}, cursor=None)
    assert found["rows"] == "400000"
    assert Decimal(str(found["sum(amount)"])) == 400_000
    assert found.get("distinct_keys", "400000") == "400000"
