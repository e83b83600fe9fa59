"""Parquet files as a source: types, nested fields, several files that differ, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, UnreadableSource
from dx_pipeline.extract import parquet_columns, parquet_source
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

PLAIN = {
    "id": pa.array([1, 2], pa.int32()),
    "Tên": ["Hướng Hóa", None],
    "loai": pa.array(["a", "a"]).dictionary_encode(),
    "lon": pa.array(["x", "y"], pa.large_string()),
    "ngay": [dt.date(2024, 6, 30), None],
    "luc": pa.array([dt.datetime(2024, 6, 30, 8), None], pa.timestamp("ns", "UTC")),
    "so": [1.5, float("nan")],
    "tien": pa.array([Decimal("1.10"), None], pa.decimal128(12, 2)),
    "co": [True, None],
    "u": pa.array([2**64 - 1, 0], pa.uint64()),
    "gio": [dt.time(8, 30), None],
    "tep": [b"abc", None],
    "trong": pa.nulls(2),
}
NESTED = {"id": [1, 2], "noi": [{"xa": "19330", "to": {"so": 4}}, None], "the": [["a", "b"], []]}


def register(columns: list[str], **more: Any) -> Contract:
    return make_contract(columns, kind="parquet", **{"path": "*.parquet", **more})


def read(contract: Contract, folder: Path) -> tuple[Extraction, pa.Table]:
    with open_source(contract, folder.as_uri()) as reader:
        refuse_drift(contract, check_drift(contract, reader.describe()))
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table


def write(folder: Path, columns: dict[str, Any], name: str = "a.parquet", **options: Any) -> Path:
    path = folder / name
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_types_are_kept_or_become_text(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    _, table = read(register(list(PLAIN)), tmp_path)
    assert dict(zip(table.schema.names, map(str, table.schema.types), strict=True)) == {
        "id": "int64", "Tên": "string", "loai": "string", "lon": "string", "ngay": "date32[day]",
        "luc": "timestamp[ns, tz=UTC]", "so": "double", "tien": "decimal128(12, 2)", "co": "bool", "u": "string",
        "gio": "string", "tep": "string", "trong": "string",
    }  # fmt: skip
    first, second = table.select(["id", "Tên", "loai", "lon", "ngay", "tien", "u", "gio", "tep", "trong"]).to_pylist()
    assert tuple(first.values()) == (
        1, "Hướng Hóa", "a", "x", dt.date(2024, 6, 30), Decimal("1.10"), "18446744073709551615", "08:30:00.000000", "abc", None,
    )  # fmt: skip
    assert tuple(second.values()) == (2, None, "a", "y", None, None, "0", None, None, None)


def test_fields_of_structs_lists_and_whole_structs(tmp_path: Path) -> None:
    write(tmp_path, NESTED)
    with open_source(register(["id"]), tmp_path.as_uri()) as reader:
        assert [column.name for column in reader.describe()] == ["id", "noi.xa", "noi.to.so", "the"]
    _, table = read(register(["noi.to.so", "noi.xa", "the"]), tmp_path)
    assert [tuple(row.values()) for row in table.to_pylist()] == [(4, "19330", '["a","b"]'), (None, None, "[]")]
    _, table = read(register(["noi"]), tmp_path)
    assert table.to_pylist() == [{"noi": '{"xa":"19330","to":{"so":4}}'}, {"noi": None}]
    with pytest.raises(UnreadableSource, match=r"the in a.parquet holds lists or objects, which source.nested: refuse"):
        read(register(["the"], nested="refuse"), tmp_path)


def test_a_column_that_changes_its_type_between_files_is_text(tmp_path: Path) -> None:
    write(tmp_path, {"id": [1], "x": [1]}, "2024-01.parquet")
    write(tmp_path, {"x": ["N/A"], "id": [2], "moi": [1]}, "2024-02.parquet")
    extraction, table = read(register(["id", "x"], null_values=("N/A",)), tmp_path)
    assert table.to_pylist() == [{"id": 1, "x": "1"}, {"id": 2, "x": None}]
    assert [(file["name"], file["rows"]) for file in extraction.position["files"]] == [
        ("2024-01.parquet", 1), ("2024-02.parquet", 1),
    ]  # fmt: skip
    with pytest.raises(SourceDrift, match="2024-01.parquet lacks the column moi"):
        read(register(["id", "moi"]), tmp_path)


def test_row_groups_are_read_in_batches(tmp_path: Path) -> None:
    write(tmp_path, {"id": range(20_000)}, row_group_size=5_000)
    with open_source(register(["id"]), tmp_path.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        sizes = [batch.num_rows for batch in extraction.batches]
    assert sizes == [5_000] * 4


def test_a_text_that_stands_for_many_is_written_out_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_columns, "BATCH_BYTES", 100_000)
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 3_000), ["x" * 1_000])
    path = write(tmp_path, {"id": column})
    assert path.stat().st_size < 5_000
    with open_source(register(["id"]), tmp_path.as_uri()) as reader:
        batches = list(reader.extract(Window("full")).batches)
    assert sum(batch.num_rows for batch in batches) == 3_000
    assert max(batch.nbytes for batch in batches) < 120_000
    monkeypatch.setattr(parquet_source, "FREE_UNFOLDING", 1_000_000)
    with pytest.raises(UnreadableSource, match="it unfolds to more than 200 times its size"):
        read(register(["id"]), tmp_path)


def test_refused_with_one_message(tmp_path: Path) -> None:
    whole = write(tmp_path, PLAIN).read_bytes()
    for body, words in [
        (whole[:-3], "its end is missing: it was cut off"),
        (whole[:20] + whole[60:], "cannot be read as Parquet"),
        (whole[4:], "does not begin as one"),
        (b"PARE" + whole[4:], "it is encrypted"),
        (whole[:-8] + b"\xff\xff\xff\x7fPAR1", "table of contents is larger"),
        (b"<html>", "is a web page"),
        (b"", "is empty"),
    ]:
        (tmp_path / "a.parquet").write_bytes(body)
        with pytest.raises(UnreadableSource, match=words) as caught:
            read(register(["id", "Tên"]), tmp_path)
        assert caught.value.what.startswith("one_stop.ho_so: a.parquet ")
        assert caught.value.next_step


def test_bytes_that_are_no_text_and_names_twice(tmp_path: Path) -> None:
    write(tmp_path, {"id": [b"\xff\x00"]})
    with pytest.raises(UnreadableSource, match="it holds bytes that are no UTF-8 text"):
        read(register(["id"]), tmp_path)
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["id", "id"]), tmp_path / "a.parquet")
    with pytest.raises(UnreadableSource, match="it has the column 'id' more than once"):
        read(register(["id"]), tmp_path)


def test_a_missing_column_and_a_period(tmp_path: Path) -> None:
    write(tmp_path, {"id": [1]})
    with pytest.raises(SourceDrift, match="column ten is missing"):
        read(register(["id", "ten"]), tmp_path)
    with open_source(register(["id"]), tmp_path.as_uri()) as reader, pytest.raises(ContractError, match="read whole"):
        reader.extract(Window("period"))
