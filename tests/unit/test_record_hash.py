"""The hash of a raw record is the same from the quarantine and from the landed rows."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from dx_pipeline.judge.record_hash import NUL_SHOWN, record_hash, record_hash_sql

RECORDS: list[dict[str, str | None]] = [
    {"Ma": "A1", "Tên cột": "Nguyễn Văn A", "So": None},
    {"Ma": "", "Tên cột": None, "So": "5:x"},
    {"Ma": 'O\'Brien "x"', "Tên cột": "📄\n\t", "So": ":"},
    {"Ma": "x\x00y", "Tên cột": "a", "So": "b"},
]


@pytest.mark.parametrize("record", RECORDS)
def test_python_and_duckdb_agree(record: dict[str, str | None]) -> None:
    landed = pa.Table.from_pylist([record], schema=pa.schema([(name, pa.string()) for name in record]))
    with duckdb.connect() as connection:
        connection.register("landed", landed)
        row = connection.execute(f"select {record_hash_sql(list(record), 'l')} from landed as l").fetchone()
    kept = {name: value and value.replace("\x00", NUL_SHOWN) for name, value in record.items()}
    assert row is not None
    assert row[0] == record_hash(kept)


def test_values_do_not_run_into_one_another() -> None:
    hashes = {record_hash(record) for record in ({"a": "bc", "d": ""}, {"a": "b", "d": "c"}, {"a": None, "d": "bc"})}
    assert len(hashes) == 3
