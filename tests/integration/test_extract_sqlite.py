"""SQLite as a source: it types values, not columns, and nothing of them may be lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.window import Window, increment_window, period_window
from tests.extract_contracts import make_contract


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Tài liệu #1.db"


@pytest.fixture
def source(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def read(contract: Contract, path: Path, window: Window = Window("full")) -> tuple[Extraction, list[dict[str, str]]]:
    with open_source(contract, f"sqlite:///{path}") as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table.to_pylist()


def test_values_of_any_type_arrive_as_their_exact_text(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table loai (Id integer primary key, GiaTri)")
    values = [
        None, 1, -9223372036854775808, 0.1, 3.0000000000000004, 1e300, 2.0, "", "Đà\nNẵng", "a\x00b", b"\x00\xff",
        "007",
    ]  # fmt: skip
    source.executemany("insert into loai (GiaTri) values (?)", [[value] for value in values])
    _, rows = read(make_contract(["GiaTri"], table="loai"), path)
    found = [row["GiaTri"] for row in rows]
    assert found[:3] == [None, "1", "-9223372036854775808"]
    assert [float(text) for text in found[3:7]] == [0.1, 3.0000000000000004, 1e300, 2.0]
    assert found[7:] == ["", "Đà\nNẵng", "a\x00b", "00FF", "007"]


def test_text_after_many_nulls(source: sqlite3.Connection, path: Path) -> None:
    """The driver guesses a column's type from its first rows; a late text must not break it."""
    source.execute("create table muon (Id integer primary key, Ma)")
    source.execute(
        "insert into muon select value, case when value = 40000 then 'H50.1' end"
        " from (with recursive n(value) as (select 1 union all select value + 1 from n where value < 40000)"
        " select value from n)"
    )
    extraction, rows = read(make_contract(["Id", "Ma"], table="muon"), path)
    assert extraction.source_rows == 40_000
    assert (rows[0], rows[-1]) == ({"Id": "1", "Ma": None}, {"Id": "40000", "Ma": "H50.1"})


def test_describe(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Id INTEGER not null, Ten VARCHAR(50), x, y DATETIME, z as (Id + 1))")
    with open_source(make_contract(["Id"], table="t"), f"sqlite:///{path}") as reader:
        assert reader.describe() == [
            SourceColumn("Id", "integer", nullable=False),
            SourceColumn("Ten", "varchar(50)"),
            SourceColumn("x", ""),
            SourceColumn("y", "datetime"),
            SourceColumn("z", ""),
        ]
    with open_source(
        make_contract(["a"], kind="query", query="select Id as a, 1 as b from t"), f"sqlite:///{path}"
    ) as q:
        assert q.describe() == [SourceColumn("a", ""), SourceColumn("b", "")]


def test_windows_over_texts_of_time(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Id integer, Luc text)")
    rows = [
        (1, "2024-01-31 23:59:59"), (2, "2024-02-01T00:00:00"), (3, "2024-02-01 08:00"), (4, "2024-02-01"), (5, None),
        (6, "31/12/2024"), (7, "20024-01-01 00:00:00"), (8, "2024-02-01 09:00:00.750"),
    ]  # fmt: skip
    source.executemany("insert into t values (?, ?)", rows)
    contract = make_contract(
        ["Id", "Luc:timestamp"], mode="append", cursor="Luc", period="Luc", lookback=timedelta(hours=1), table="t"
    )
    extraction, found = read(contract, path)
    assert len(found) == 8
    assert extraction.cursor_high == "2024-02-01T09:00:00"
    _, found = read(contract, path, increment_window(contract, "2024-02-01T09:00:00"))
    assert [row["Id"] for row in found] == ["3", "5", "6", "7", "8"]
    period, found = read(contract, path, period_window(contract, date(2024, 2, 1)))
    assert [row["Id"] for row in found] == ["2", "3", "4", "8"]
    assert period.cursor_high is None


def test_a_cursor_ahead_of_the_clock_is_held_back(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Luc text)")
    source.execute("insert into t values ('9999-12-31 00:00:00')")
    contract = make_contract(["Luc:timestamp"], mode="append", cursor="Luc", table="t")
    high = read(contract, path)[0].cursor_high
    assert high is not None
    assert datetime.fromisoformat(high) < datetime.now() + timedelta(days=1)


def test_integer_cursor(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Id integer, x text)")
    source.executemany("insert into t values (?, 'a')", [[n] for n in (1, 2, 10)] + [[None]])
    contract = make_contract(["Id:integer"], mode="append", cursor="Id", table="t")
    extraction, rows = read(contract, path, increment_window(contract, "2"))
    assert sorted(str(row["Id"]) for row in rows) == ["10", "2", "None"]
    assert extraction.cursor_high == "10"


def test_empty_table(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Id integer)")
    contract = make_contract(["Id"], table="t")
    extraction, rows = read(contract, path)
    assert (extraction.source_rows, rows, extraction.schema.types) == (0, [], [pa.string()])
    with open_source(contract, f"sqlite:///{path}") as reader:
        assert reader.is_empty()


def test_one_snapshot_while_others_write(source: sqlite3.Connection, path: Path) -> None:
    source.execute("pragma journal_mode = wal")
    source.execute("create table t (Id integer)")
    source.executemany("insert into t values (?)", [[n] for n in range(40_000)])
    contract = make_contract(["Id"], table="t")
    with open_source(contract, f"sqlite:///{path}") as reader:
        extraction = reader.extract(Window("full"))
        total = next(extraction.batches).num_rows
        source.execute("insert into t values (-1)")
        source.execute("delete from t where Id > 39000")
        total += sum(batch.num_rows for batch in extraction.batches)
    assert total == extraction.source_rows == 40_000


def test_refusals(source: sqlite3.Connection, path: Path, tmp_path: Path) -> None:
    source.execute("create table t (Id integer)")
    with pytest.raises(SourceDrift, match="khong_co does not exist in the source"):
        read(make_contract(["Id"], table="khong_co"), path)
    missing = open_source(make_contract(["Id"], table="khong_co"), f"sqlite:///{path}")
    with missing as reader, pytest.raises(SourceDrift, match="khong_co does not exist in the source"):
        reader.describe()
    with pytest.raises(SourceDrift, match="lacks a column of the contract"):
        read(make_contract(["Id", "Gone"], table="t"), path)
    with pytest.raises(ContractError, match="refuses the query"):
        read(make_contract(["Id"], kind="query", query="select from"), path)
    with pytest.raises(SourceUnavailable, match="the SQLite file is not there"):
        read(make_contract(["Id"], table="t"), tmp_path / "gone.db")
    assert not (tmp_path / "gone.db").exists()
    (tmp_path / "text.db").write_bytes(b"not a database" * 100)
    with pytest.raises(UnreadableSource, match="not a database"):
        read(make_contract(["Id"], table="t"), tmp_path / "text.db")


def test_text_that_is_not_utf8_names_the_column(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Id integer, Ten text)")
    source.execute("insert into t values (1, cast(x'd0ce' as text))")
    with pytest.raises(UnreadableSource, match="column Ten of t is not UTF-8"):
        read(make_contract(["Id", "Ten"], table="t"), path)


def test_locked_database(source: sqlite3.Connection, path: Path) -> None:
    source.execute("create table t (Id integer)")
    source.close()
    # In another process: file locks do not keep two SQLite libraries of one process apart.
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('begin exclusive'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(SourceUnavailable, match="locked"):
            read(make_contract(["Id"], table="t"), path)


def test_names_of_all_kinds(source: sqlite3.Connection, path: Path) -> None:
    source.execute('create table "Hồ sơ; --" ("Mã số" text, "a""b" text, "select" text)')
    source.execute('insert into "Hồ sơ; --" values (1, 2, 3)')
    contract = make_contract(["Mã số", 'a"b', "select"], table="Hồ sơ; --")
    assert read(contract, path)[1] == [{"Mã số": "1", 'a"b': "2", "select": "3"}]
