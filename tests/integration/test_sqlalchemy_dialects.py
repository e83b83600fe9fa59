"""What SQL Server and Oracle are sent and how they answer, as far as this can be tested without their servers.

Statements are compiled with their dialects and compared; errors are the drivers' own where the extras are installed.
"""

from __future__ import annotations

import datetime as dt
import re
import socket
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle
from sqlalchemy.dialects.mssql.pymssql import MSDialect_pymssql
from sqlalchemy.dialects.oracle.oracledb import OracleDialect_oracledb

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    ContractError,
    SettingsError,
    SourceUnavailable,
)
from dx_pipeline.extract import sqlalchemy_source
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import SourceColumn, open_source
from dx_pipeline.extract.sqlalchemy_dialects import Oracle, SourceDialect, SqlServer
from dx_pipeline.extract.sqlalchemy_source import SqlalchemyReader
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

LOW = "2024-01-31T06:00:00"


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


def test_oracle_values_that_the_driver_would_cut() -> None:
    columns = [
        SourceColumn("F", "float(126)"),
        SourceColumn("I", "interval day to second"),
        SourceColumn("N", "numeric"),
    ]
    contract = make_contract(["f", "i", "n"], table="T")
    text, _ = compiled(described(contract, "oracle://h/", columns).rows_statement(Window("full")), oracle.dialect())
    assert text == 'SELECT CAST("F" AS NUMBER) AS "F", to_char("I") AS to_char_1, "N" FROM "T"'


def test_extras_bring_the_default_drivers() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    for dialect in (SqlServer, Oracle):
        (needed,) = extras[dialect.extra]
        assert needed.split(">=")[0] == str(dialect.driver).split("+")[1]
