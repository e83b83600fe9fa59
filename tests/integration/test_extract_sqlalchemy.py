"""The reader of SQL Server and Oracle, run for real against PostgreSQL and SQLite."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    ContractError,
    DxError,
    SourceDrift,
    SourceUnavailable,
    UnreadableSource,
)
from dx_pipeline.extract import sqlalchemy_source
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.shape import primary_key
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.sqlalchemy_dialects import SourceDialect
from dx_pipeline.extract.sqlalchemy_source import SqlalchemyReader
from dx_pipeline.extract.window import Window
from dx_pipeline.progress import SilentProgress, listen, listener
from tests.extract_contracts import make_contract


class Postgres(SourceDialect):
    """A standard server: nothing differs but the names of its errors."""

    faults = {"42501": "permission", "22012": "value", "57014": "stopped", "28P01": "entry"}

    def codes(self, error: BaseException) -> list[str]:
        return [str(getattr(error, "sqlstate", ""))]


class Sqlite(SourceDialect):
    """Times are text, the clock is in UTC, and there is one isolation level."""

    def isolation(self, connection: sa.Connection) -> tuple[str | None, str | None]:
        return None, "no snapshots here"

    def moment(self, moment: dt.datetime, timezone: str, type_text: str) -> ColumnElement[Any]:
        return sa.literal(moment.isoformat(sep=" "), sa.String)

    def now(self) -> ColumnElement[Any]:
        return sa.func.strftime("%Y-%m-%dT%H:%M:%SZ", "now")


def read(reader: SqlalchemyReader, contract: Contract, window: Window = Window("full")) -> tuple[Extraction, list[Any]]:
    with reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, [tuple(row.values()) for row in table.to_pylist()]


@pytest.fixture
def dossiers(source_url: str) -> str:
    with psycopg.connect(source_url.replace("+psycopg", "")) as connection:
        connection.execute(
            'create table ho_so ("MaHoSo" text primary key, "NgayNhan" timestamp, "LePhi" numeric(12,2),'
            ' "DungHan" boolean, "Tep" bytea, "Khac" uuid, "He_So" double precision, "CapNhat" timestamptz, n bigint)'
        )
        connection.execute(
            "insert into ho_so values"
            " ('H1', '2024-01-31 08:00:00.5', 1234567890.10, true, '\\xdead', '00000000-0000-0000-0000-00000000000a',"
            " 0.1, '2024-01-31 08:00+07', 1),"
            " ('H2', null, null, null, null, null, null, '2024-02-01 09:00+07', 2),"
            " ('H3', '9999-12-31', 0, false, '', null, 1e20, null, null)"
        )
    return source_url


def test_rows_arrive_as_exact_text(dossiers: str) -> None:
    contract = make_contract(
        ["MaHoSo", "NgayNhan", "LePhi", "DungHan", "Tep", "Khac", "He_So", "n"], table="ho_so", schema="public"
    )
    extraction, rows = read(SqlalchemyReader(contract, dossiers, Postgres()), contract)
    assert sorted(rows) == [
        ("H1", "2024-01-31T08:00:00.500000", "1234567890.10", "true", "DEAD", "00000000-0000-0000-0000-00000000000a",
         "0.1", "1"),
        ("H2", None, None, None, None, None, None, "2"),
        ("H3", "9999-12-31T00:00:00", "0.00", "false", "", None, "1e+20", None),
    ]  # fmt: skip
    assert extraction.source_rows == 3
    assert extraction.position["server_version"].startswith(("16", "17", "18"))


def test_catalogue_tells_types_and_names_in_the_contracts_spelling(dossiers: str) -> None:
    contract = make_contract(["mahoso:text", "LEPHI:numeric(12,2)", "n:integer"], table="ho_so", left_out=("TEP",))
    with SqlalchemyReader(contract, dossiers, Postgres()) as reader:
        columns = reader.describe()
        assert SourceColumn("mahoso", "text", False) in columns
        assert primary_key(columns) == ("mahoso",)
        drift = check_drift(contract, columns)
        assert drift.missing == ()
        assert set(drift.added) == {"NgayNhan", "DungHan", "Khac", "He_So", "CapNhat"}
        assert [(c.column, c.kind) for c in drift.changed] == [("n", "widened")]
        assert reader.holds_at_least(3)
        assert not reader.holds_at_least(4)
        assert not reader.is_empty()
    assert sorted(read(reader, contract)[1]) == [("H1", "1234567890.10", "1"), ("H2", None, "2"), ("H3", "0.00", None)]


def test_window_and_watermark(dossiers: str) -> None:
    contract = make_contract(["MaHoSo", "CapNhat:timestamptz"], table="ho_so", mode="incremental", cursor="CapNhat")

    class Zoned(Postgres):
        def moment(self, moment: dt.datetime, timezone: str, type_text: str) -> ColumnElement[Any]:
            assert type_text == "timestamptz"
            return sa.cast(sa.literal(f"{moment.isoformat()}+07:00", sa.String), sa.TIMESTAMP(timezone=True))

    extraction, rows = read(
        SqlalchemyReader(contract, dossiers, Zoned()), contract, Window("increment", low="2024-02-01T09:00:00")
    )
    assert sorted(row[0] for row in rows) == ["H2", "H3"]  # H3 has no cursor: every increment reads it
    assert extraction.cursor_high == "2024-02-01T09:00:00"
    by_time = make_contract(["MaHoSo", "NgayNhan:timestamp"], table="ho_so", mode="incremental", cursor="NgayNhan")
    extraction, _ = read(SqlalchemyReader(by_time, dossiers, Postgres()), by_time)
    assert extraction.cursor_high is not None
    assert extraction.cursor_high < "9999"  # never later than the server's clock
    by_number = make_contract(["MaHoSo", "n:bigint"], table="ho_so", mode="incremental", cursor="n")
    extraction, rows = read(SqlalchemyReader(by_number, dossiers, Postgres()), by_number, Window("increment", low="2"))
    assert sorted(rows) == [("H2", "2"), ("H3", None)]
    assert extraction.cursor_high == "2"
    month = make_contract(["MaHoSo", "NgayNhan:timestamp"], table="ho_so", period="NgayNhan")
    january = Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00")
    assert [row[0] for row in read(SqlalchemyReader(month, dossiers, Postgres()), month, january)[1]] == ["H1"]
    text = make_contract(["MaHoSo"], table="ho_so", mode="incremental", cursor="MaHoSo")
    with pytest.raises(ContractError, match="column MaHoSo is text in the source and cannot bound a read as timestamp"):
        read(SqlalchemyReader(text, dossiers, Postgres()), text)


def test_count_and_rows_are_one_snapshot(dossiers: str) -> None:
    contract = make_contract(["MaHoSo"], table="ho_so")
    with SqlalchemyReader(contract, dossiers, Postgres()) as reader:
        extraction = reader.extract(Window("full"))
        with psycopg.connect(dossiers.replace("+psycopg", "")) as other:
            other.execute("insert into ho_so select 'N' || i from generate_series(1, 50) as i")
        assert sum(batch.num_rows for batch in extraction.batches) == extraction.source_rows == 3


def test_rows_stream_in_batches(dossiers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlalchemy_source, "BATCH_ROWS", 1000)
    contract = make_contract(
        ["i"], kind="query", query="select i, '50%' as p, ':x' as c from generate_series(1, 10500) as i"
    )
    with SqlalchemyReader(contract, dossiers, Postgres()) as reader:
        assert [column.name for column in reader.describe()] == ["i", "p", "c"]
        sizes = [batch.num_rows for batch in reader.extract(Window("full")).batches]
    assert sizes == [1000] * 10 + [500]
    percent = make_contract(
        ["c", "p"], kind="query", query="with a as (select '50%' as p, ':x' as c) select * from a -- q"
    )
    assert read(SqlalchemyReader(percent, dossiers, Postgres()), percent)[1] == [(":x", "50%")]


def test_faults_of_the_source(dossiers: str) -> None:
    def fails(contract: Contract, kind: type[DxError], words: str, url: str = dossiers) -> None:
        with pytest.raises(kind, match=words) as caught:
            read(SqlalchemyReader(contract, url, Postgres()), contract)
        assert caught.value.next_step
        password = sa.make_url(url).password
        assert password
        assert password not in str(caught.value)

    fails(make_contract(["x"], table="khong_co"), SourceDrift, "khong_co does not exist in the source")
    fails(make_contract(["x"], kind="query", query="select 1 / 0 as x"), UnreadableSource, "division by zero")
    fails(make_contract(["x"], kind="query", query="select x frm y"), ContractError, "refuses the query")
    fails(make_contract(["x"], kind="query", query="delete from ho_so"), ContractError, "only select or with")
    wrong = sa.make_url(dossiers).set(password="falsch-geheim").render_as_string(hide_password=False)
    fails(make_contract(["x"], table="ho_so"), SourceUnavailable, "cannot be reached", wrong)


def test_sqlite_through_the_same_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute('create table "hồ sơ" (ma text, so real, luc text)')
        connection.executemany(
            'insert into "hồ sơ" values (?, ?, ?)', [("a", 1.5, "2024-01-31 08:00:00"), (None, None, None)]
        )
    contract = make_contract(["MA", "so", "luc"], table="hồ sơ", mode="incremental", cursor="luc")
    reader = SqlalchemyReader(contract, f"sqlite:///{path}", Sqlite())
    with pytest.raises(ContractError, match="luc is text in the source"):
        read(reader, contract)
    query = make_contract(["ma", "luc"], kind="query", query='select * from "hồ sơ"', mode="incremental", cursor="luc")
    for low, rows in (("2024-01-31T08:00:00", 2), ("2024-01-31T08:00:01", 1)):
        found = read(SqlalchemyReader(query, f"sqlite:///{path}", Sqlite()), query, Window("increment", low=low))
        assert len(found[1]) == rows
    assert read(SqlalchemyReader(query, f"sqlite:///{path}", Sqlite()), query)[0].cursor_high == "2024-01-31T08:00:00"


def test_a_table_that_is_stored_in_capitals_is_found(dossiers: str) -> None:
    with psycopg.connect(dossiers.replace("+psycopg", "")) as connection:
        connection.execute('create table "GIAY_TO" ("MA_GIAY" text, "ten" text)')
        connection.execute("""insert into "GIAY_TO" values ('g1', 'Giấy')""")
    contract = make_contract(["ma_giay", "Ten"], table="giay_to")
    assert read(SqlalchemyReader(contract, dossiers, Postgres()), contract)[1] == [("g1", "Giấy")]


def test_names_that_differ_only_in_case_are_not_guessed(dossiers: str) -> None:
    with psycopg.connect(dossiers.replace("+psycopg", "")) as connection:
        connection.execute('create table hai ("Ma" text, "MA" text)')
    contract = make_contract(["ma"], table="hai")
    with SqlalchemyReader(contract, dossiers, Postgres()) as reader:
        assert check_drift(contract, reader.describe()).missing == ("ma",)


def test_a_missing_snapshot_is_warned_of(tmp_path: Path) -> None:
    class Heard(SilentProgress):
        told: list[tuple[str, str]] = []

        def warn(self, dataset_id: str, message: str) -> None:
            self.told.append((dataset_id, message))

    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a)")
    contract = make_contract(["a"], table="t")
    before = listener()
    listen(Heard())
    try:
        read(SqlalchemyReader(contract, f"sqlite:///{path}", Sqlite()), contract)
    finally:
        listen(before)
    assert Heard.told == [("one_stop.ho_so", "no snapshots here")]
