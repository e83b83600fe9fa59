"""SQL Server and Oracle through SQLAlchemy, as far as this can be tested without their servers.

The reader itself runs against real PostgreSQL and SQLite; what is sent to SQL Server and Oracle is compiled
with their dialects and compared; driver errors are the drivers' own where the extras are installed.
"""

from __future__ import annotations

import datetime as dt
import re
import socket
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle
from sqlalchemy.dialects.mssql.pymssql import MSDialect_pymssql
from sqlalchemy.dialects.oracle.oracledb import OracleDialect_oracledb
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    ContractError,
    DxError,
    SettingsError,
    SourceDrift,
    SourceUnavailable,
    UnreadableSource,
)
from dx_pipeline.extract import sqlalchemy_source
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.sqlalchemy_dialects import Oracle, SourceDialect, SqlServer
from dx_pipeline.extract.sqlalchemy_source import SqlalchemyReader
from dx_pipeline.extract.window import Window
from dx_pipeline.progress import SilentProgress, listen, listener
from tests.extract_contracts import make_contract

LOW = "2024-01-31T06:00:00"


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


# -- the reader, for real ----------------------------------------------------------------------------


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


@pytest.mark.parametrize(("state", "level"), [(1, "SNAPSHOT"), (0, "READ COMMITTED"), (None, "READ COMMITTED")])
def test_sql_server_is_asked_whether_it_allows_snapshots(state: int | None, level: str) -> None:
    """The statement is run for real, on a SQLite database that looks like SQL Server's catalogue."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.create_function("db_name", 0, lambda: "HoSo")
        raw.executescript("attach ':memory:' as sys; create table sys.databases (name, snapshot_isolation_state)")
        raw.executemany("insert into sys.databases values (?, ?)", [("HoSo", state), ("khac", 1)])
        found, warning = SqlServer().isolation(connection)
    engine.dispose()
    assert found == level
    assert (warning is None) == (state == 1)
    assert warning is None or "allow_snapshot_isolation" in warning


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


# -- what SQL Server and Oracle are sent ---------------------------------------------------------------


def described(contract: Contract, url: str, columns: list[SourceColumn]) -> SqlalchemyReader:
    """A reader that has seen a catalogue with these columns, stored under these names."""
    dialect: SourceDialect = SqlServer() if url.startswith("mssql") else Oracle()
    reader = SqlalchemyReader(contract, url, dialect)
    reader._columns = reader._as_contracted(columns)
    return reader


def compiled(statement: sa.Select[Any], dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
    done = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return " ".join(str(done).split()), dict(done.params)


MSSQL_COLUMNS = [
    SourceColumn("MaHoSo", "varchar(50)"),
    SourceColumn("LePhi", "money"),
    SourceColumn("Ngày nhận]", "datetime"),
    SourceColumn("CapNhat", "datetimeoffset(7)"),
    SourceColumn("DaTra", "bit"),
]


def test_sql_server_statements() -> None:
    contract = make_contract(
        ["MaHoSo", "LePhi", "Ngày nhận]", "CapNhat", "DaTra"],
        table="HoSo", schema="dbo", mode="incremental", cursor="CapNhat",
    )  # fmt: skip
    reader = described(contract, "mssql://u:p@h/db", MSSQL_COLUMNS)
    window = Window("increment", low=LOW)
    assert compiled(reader.rows_statement(window), MSDialect_pymssql(paramstyle="pyformat")) == (
        "SELECT [MaHoSo], convert(varchar(40), [LePhi], 2) AS convert_1, convert(varchar(40), [Ngày nhận]]], 126) AS "
        "convert_2, convert(varchar(40), [CapNhat], 126) AS convert_3, [DaTra] FROM [dbo].[HoSo] WHERE [CapNhat] >= "
        "CAST(%(param_1)s AS DATETIMEOFFSET) OR [CapNhat] IS NULL",
        {"param_1": "2024-01-31T06:00:00+07:00"},
    )
    assert compiled(reader.count_statement(window), mssql.dialect())[0] == (
        "SELECT count_big(*) AS source_rows, convert(varchar(40), sysdatetimeoffset(), 126) AS read_at, "
        "convert(varchar(40), max([CapNhat]), 126) AS greatest FROM [dbo].[HoSo] WHERE [CapNhat] >= CAST(:param_1 AS "
        "DATETIMEOFFSET) OR [CapNhat] IS NULL"
    )
    month = make_contract(["MaHoSo", "Ngày nhận]"], table="HoSo", period="Ngày nhận]")
    period = Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00")
    text, values = compiled(described(month, "mssql://h/db", MSSQL_COLUMNS).rows_statement(period), mssql.dialect())
    assert text.endswith(
        "FROM [HoSo] WHERE [Ngày nhận]]] >= CAST(:param_1 AS DATETIME2) AND [Ngày nhận]]] < CAST(:param_2 AS DATETIME2)"
    )
    assert values == {"param_1": "2024-01-01T00:00:00", "param_2": "2024-02-01T00:00:00"}


def test_oracle_statements_and_folded_names() -> None:
    contract = make_contract(
        ["ma_ho_so", "NgayNhan", "cap_nhat"], table="ho_so", schema="motcua", mode="incremental", cursor="cap_nhat"
    )
    columns = [
        SourceColumn("MA_HO_SO", "varchar(50 char)"),
        SourceColumn("NGAYNHAN", "date"),
        SourceColumn("CAP_NHAT", "timestamptz"),
    ]
    reader = described(contract, "oracle://u:p@h/?service_name=x", columns)
    reader._table = ("MOTCUA", "HO_SO")
    assert [column.name for column in reader.describe()] == ["ma_ho_so", "NgayNhan", "cap_nhat"]
    text, values = compiled(reader.rows_statement(Window("increment", low=LOW)), OracleDialect_oracledb())
    assert text == (
        'SELECT "MA_HO_SO", "NGAYNHAN", to_char("CAP_NHAT", :param_1) AS to_char_1 FROM "MOTCUA"."HO_SO" WHERE '
        '"CAP_NHAT" >= to_timestamp_tz(:param_2, :param_3) OR "CAP_NHAT" IS NULL'
    )
    assert values["param_2"] == "2024-01-31T06:00:00.000000+07:00"
    assert set(values.values()) == {"2024-01-31T06:00:00.000000+07:00", 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM'}
    by_date = make_contract(["ma_ho_so", "NgayNhan"], table="HO_SO", mode="incremental", cursor="NgayNhan")
    reader = described(by_date, "oracle://h/?service_name=x", columns)
    text, values = compiled(reader.rows_statement(Window("increment", low=LOW)), oracle.dialect())
    assert '"NGAYNHAN" >= CAST(to_timestamp(' in text
    assert ") AS DATE) OR " in text
    assert "2024-01-31T06:00:00.000000" in values.values()
    text, _ = compiled(reader.count_statement(Window("full")), oracle.dialect())
    assert 'to_char(CAST(max("NGAYNHAN") AS TIMESTAMP), ' in text
    assert "to_char(systimestamp, " in text
    assert text.endswith('FROM "HO_SO"')


def test_a_query_is_written_as_each_server_takes_it() -> None:
    contract = make_contract(["a"], kind="query", query="select ':x' as a from t -- hết")
    on_oracle = described(contract, "oracle://h/?service_name=x", [SourceColumn("A", "")])
    assert compiled(on_oracle.rows_statement(Window("full")), oracle.dialect())[0] == (
        """SELECT "A" FROM ( select ':x' as a from t -- hết ) q"""
    )
    with_first = make_contract(["a"], kind="query", query="WITH b as (select 1 as a) select a from b")
    with pytest.raises(ContractError, match="SQL Server takes no `with` inside another query"):
        described(with_first, "mssql://h/db", []).rows_statement(Window("full"))
    assert (
        "WITH b"
        in compiled(
            described(with_first, "oracle://h/?service_name=x", []).rows_statement(Window("full")), oracle.dialect()
        )[0]
    )


def test_paging_of_each_server() -> None:
    """How ``holds_at_least`` stops counting: TOP on SQL Server, FETCH FIRST on Oracle."""
    some = sa.select(sa.func.count()).select_from(
        sa.select(sa.literal_column("1").label("one")).select_from(sa.table("t")).limit(5).subquery("s")
    )
    assert compiled(some, mssql.dialect())[0] == "SELECT count(*) AS count_1 FROM (SELECT TOP 5 1 AS one FROM t) AS s"
    assert "FETCH FIRST" in compiled(some, oracle.dialect())[0]


@pytest.mark.parametrize(
    ("declared", "told", "bounds"),
    [
        (mssql.NVARCHAR(50, collation="Vietnamese_CI_AS"), "varchar(50)", None),
        (mssql.DATETIME2(7), "datetime2(7)", "time"),
        (mssql.DATETIMEOFFSET(7), "datetimeoffset(7)", "zoned"),
        (mssql.SMALLDATETIME(), "smalldatetime", "time"),
        (mssql.TIMESTAMP(), "timestamp", None),
        (mssql.BIGINT(), "bigint", "whole"),
        (mssql.BIT(), "bit", None),
        (mssql.MONEY(), "money", None),
        (mssql.DECIMAL(18, 0), "numeric(18,0)", "whole"),
        (mssql.DECIMAL(18, 2), "numeric(18,2)", None),
        (sa.types.NullType(), "", None),
    ],
)
def test_types_of_sql_server(declared: Any, told: str, bounds: str | None) -> None:
    assert SqlServer().type_text(declared, mssql.dialect()) == told
    assert SqlServer().bound_kind(told) == bounds


@pytest.mark.parametrize(
    ("declared", "told", "bounds"),
    [
        (oracle.VARCHAR2(50), "varchar(50 char)", None),
        (oracle.NUMBER(), "numeric", "whole"),
        (oracle.NUMBER(10, 0), "numeric(10,0)", "whole"),
        (oracle.NUMBER(10, 2), "numeric(10,2)", None),
        (oracle.DATE(), "date", "time"),
        (oracle.TIMESTAMP(), "timestamp", "time"),
        (oracle.TIMESTAMP(timezone=True), "timestamptz", "zoned"),
        (oracle.TIMESTAMP(local_timezone=True), "timestamp with local time zone", "zoned"),
        (oracle.RAW(16), "raw(16)", None),
    ],
)
def test_types_of_oracle(declared: Any, told: str, bounds: str | None) -> None:
    assert Oracle().type_text(declared, oracle.dialect()) == told
    assert Oracle().bound_kind(told) == bounds


def test_contract_types_match_the_catalogues_spelling() -> None:
    contract = make_contract(["A:NUMBER(10)", "B:nvarchar(20)", "C:NUMBER"], table="t")
    columns = [SourceColumn("A", "numeric(10,0)"), SourceColumn("B", "varchar(20)"), SourceColumn("C", "numeric")]
    assert check_drift(contract, columns).is_none


def test_values_of_drivers() -> None:
    values = [
        Decimal("1E+2"),
        Decimal("0.10"),
        dt.date(2024, 2, 29),
        dt.time(8, 0, 1),
        True,
        2**70,
        b"\x0a",
        None,
        UUID(int=1),
    ]
    assert sqlalchemy_source._texts(values, SqlServer.true_false) == [
        "100", "0.10", "2024-02-29", "08:00:01", "1", str(2**70), "0A", None, "00000000-0000-0000-0000-000000000001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "error", "codes", "words"),
    [
        (SqlServer(), Exception((208, b"Invalid object name 'x'.DB-Lib error message 20018, severity 16:\nGeneral")),
         ["208"], "Invalid object name 'x'."),
        (SqlServer(), Exception("42S02", "[42S02] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Invalid object "
                                "name 'x'. (208) (SQLExecDirectW)"),
         ["208", "42S02"], "Invalid object name 'x'. (208) (SQLExecDirectW)"),
        (Oracle(), Exception("ORA-00942: table or view does not exist"), ["ORA-00942"],
         "ORA-00942: table or view does not exist"),
        (Oracle(), Exception("DPY-6005: cannot connect (ORA-12541)"), ["ORA-12541", "DPY-6005"],
         "DPY-6005: cannot connect (ORA-12541)"),
    ],
)  # fmt: skip
def test_words_and_codes_of_driver_errors(
    dialect: SourceDialect, error: Exception, codes: list[str], words: str
) -> None:
    assert dialect.codes(error) == codes
    assert sqlalchemy_source._message(error) == words
    assert codes[0] in dialect.faults


# -- drivers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "module", "step"),
    [
        ("mssql://u:geheim@h/db", "pymssql", r"pip install 'dx-pipeline\[mssql\]'"),
        ("oracle://u:geheim@h/?service_name=x", "oracledb", r"pip install 'dx-pipeline\[oracle\]'"),
        ("mssql+pyodbc://u:geheim@h/db", "pyodbc", r"mssql\+pymssql:// and install the extra mssql"),
        ("oracle+khong_co://u:geheim@h/", "khong_co", r"oracle\+oracledb:// and install the extra oracle"),
    ],
)
def test_a_missing_driver_names_the_extra(url: str, module: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    missing = pytest.raises(SettingsError, match=f"the driver {module} that reads")
    with missing as caught, open_source(make_contract(["a"], table="t"), url) as reader:
        reader.describe()
    assert re.search(step, caught.value.next_step)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "url"),
    [("pymssql", "mssql://u:geheim@127.0.0.1:{}/db"), ("oracledb", "oracle://u:geheim@127.0.0.1:{}/?service_name=x")],
)
def test_a_server_that_is_not_there_told_by_the_real_driver(module: str, url: str) -> None:
    pytest.importorskip(module, reason="the extra is not installed")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        away = pytest.raises(SourceUnavailable, match="the source of system one_stop cannot be reached")
        address = url.format(held.getsockname()[1])
        with away as caught, open_source(make_contract(["a"], table="t"), address) as reader:
            reader.describe()
    assert "geheim" not in str(caught.value)
    assert "\n" not in caught.value.what


def test_a_url_that_cannot_be_read() -> None:
    with pytest.raises(SettingsError, match="the URL of the connection of system one_stop cannot be read") as caught:
        open_source(make_contract(["a"], table="t"), "mssql://u:geheim@host:port/db")
    assert "geheim" not in str(caught.value)


def test_oracle_names_are_stored_in_capitals() -> None:
    pytest.importorskip("oracledb", reason="the extra is not installed")
    reader = SqlalchemyReader(make_contract(["a"], table="t"), "oracle://u:p@h/?service_name=x")
    assert [reader._stored(name) for name in ("ma_ho_so", "MaHoSo", "HO SO")] == ["MA_HO_SO", "MaHoSo", "HO SO"]
