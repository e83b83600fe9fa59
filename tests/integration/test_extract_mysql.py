"""MySQL and MariaDB as a source, on a real MariaDB server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pyarrow as pa
import pymysql
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import AccessRefused, ContractError, SourceDrift, SourceUnavailable
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.shape import primary_key
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.window import Window, increment_window, period_window
from tests.extract_contracts import make_contract
from tests.mariadb import RunningMariadb, running_mariadb

FULL = Window("full")


@pytest.fixture(scope="module")
def mariadb() -> Iterator[RunningMariadb]:
    with running_mariadb() as server:
        yield server


@pytest.fixture
def database(mariadb: RunningMariadb) -> tuple[str, str]:
    return mariadb.create_database()


@pytest.fixture
def url(database: tuple[str, str]) -> str:
    return database[1]


@pytest.fixture
def source(mariadb: RunningMariadb, database: tuple[str, str]) -> Iterator[pymysql.cursors.Cursor]:
    with mariadb.connect(database[0]) as connection, connection.cursor() as cursor:
        cursor.execute("set sql_mode = ''")
        yield cursor


def read(contract: Contract, url: str, window: Window = FULL) -> tuple[Extraction, list[dict[str, str]]]:
    with open_source(contract, url) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table.to_pylist()


def dossiers(source: pymysql.cursors.Cursor, count: int = 10) -> Contract:
    source.execute(
        "create table ho_so (Id bigint primary key, MaHoSo varchar(50), ChuHoSo varchar(150), NgayCapNhat datetime)"
        " engine=innodb"
    )
    source.execute(
        "insert into ho_so select seq, concat('H50.1-', seq), 'Nguyễn Văn A',"
        f" timestamp '2024-02-01 00:00:00' + interval seq minute from seq_1_to_{count}"
    )
    return make_contract(
        ["Id:bigint", "MaHoSo:varchar(50)", "NgayCapNhat:datetime"],
        mode="incremental",
        cursor="NgayCapNhat",
        lookback=timedelta(minutes=2),
        period="NgayCapNhat",
        table="ho_so",
    )


def test_full_read(source: pymysql.cursors.Cursor, url: str) -> None:
    extraction, rows = read(dossiers(source), url)
    assert extraction.source_rows == 10
    assert extraction.cursor_high == "2024-02-01T00:10:00.000000"
    assert rows[0] == {"Id": "1", "MaHoSo": "H50.1-1", "NgayCapNhat": "2024-02-01 00:01:00"}
    assert "MariaDB" in extraction.position["server_version"]


def test_describe(source: pymysql.cursors.Cursor, url: str) -> None:
    contract = dossiers(source)
    source.execute("alter table ho_so add Phi int(11) unsigned not null, add Moi tinyint(1), add Gia decimal(12,2)")
    with open_source(contract, url.replace("mysql+pymysql", "mariadb")) as reader:
        assert reader.describe() == [
            SourceColumn("Id", "bigint", nullable=False),
            SourceColumn("MaHoSo", "varchar(50)"),
            SourceColumn("ChuHoSo", "varchar(150)"),
            SourceColumn("NgayCapNhat", "datetime"),
            SourceColumn("Phi", "integer unsigned", nullable=False),
            SourceColumn("Moi", "tinyint(1)"),
            SourceColumn("Gia", "numeric(12,2)"),
        ]
        assert primary_key(reader.describe()) == ("Id",)


def test_increment_and_period(source: pymysql.cursors.Cursor, url: str) -> None:
    contract = dossiers(source)
    source.execute("insert into ho_so values (99, 'x', null, null), (100, 'y', null, '2024-01-31 23:59:59')")
    _, rows = read(contract, url, increment_window(contract, "2024-02-01T00:09:00"))
    assert [row["Id"] for row in rows] == ["7", "8", "9", "10", "99"]
    january, rows = read(contract, url, period_window(contract, date(2024, 1, 1)))
    assert [row["Id"] for row in rows] == ["100"]
    assert january.cursor_high is None


def test_zero_dates_and_a_year_ahead_survive(source: pymysql.cursors.Cursor, url: str) -> None:
    contract = dossiers(source, 2)
    source.execute(
        "insert into ho_so values (20, 'a', '', '0000-00-00 00:00:00'), (21, 'b', '', '9999-12-31 23:59:59')"
    )
    before = datetime.now() - timedelta(days=1)
    extraction, rows = read(contract, url)
    assert [row["NgayCapNhat"] for row in rows[2:]] == ["0000-00-00 00:00:00", "9999-12-31 23:59:59"]
    assert extraction.cursor_high is not None
    assert before < datetime.fromisoformat(extraction.cursor_high) < datetime.now() + timedelta(days=1)


def test_every_type_arrives_exactly(source: pymysql.cursors.Cursor, url: str) -> None:
    source.execute(
        "create table loai (a tinyint(1), b bigint unsigned, c decimal(30,10), d float, e double, f bit(10),"
        " g varbinary(4), h text, i json, j enum('một phần','toàn trình'), k date, l time, m timestamp null, n year,"
        " o varchar(9) character set latin1, p datetime(6), q blob, r char(4), s set('x','y'))"
    )
    source.execute(
        "insert into loai values (1, 18446744073709551615, '12345678901234567890.0123456789', 16777216, 0.1,"
        " b'1000000001',"
        " x'00ff', 'Đà Nẵng 🏛', '{\"a\": 1}', 'một phần', '0000-00-00', '838:59:59', '2024-01-31 12:00:00', 2024, 'é',"
        " '2024-01-01 00:00:00.123456', x'', 'ab', 'x,y')"
    )
    source.execute("insert into loai () values ()")
    contract = make_contract(list("abcdefghijklmnopqrs"), table="loai")
    _, rows = read(contract, url)
    first = rows[0]
    assert first.pop("m") is not None
    assert float(first.pop("d")) == 16777216
    assert first == {
        "a": "1", "b": "18446744073709551615", "c": "12345678901234567890.0123456789", "e": "0.1", "f": "513",
        "g": "00FF", "h": "Đà Nẵng 🏛", "i": '{"a": 1}', "j": "một phần", "k": "0000-00-00", "l": "838:59:59",
        "n": "2024", "o": "é", "p": "2024-01-01 00:00:00.123456", "q": "", "r": "ab", "s": "x,y",
    }  # fmt: skip
    assert set(rows[1].values()) == {None}


def test_timestamp_columns_are_told_in_local_time(source: pymysql.cursors.Cursor, url: str) -> None:
    source.execute("set time_zone = '+00:00'")
    source.execute("create table su_kien (Id int, Luc timestamp)")
    source.execute("insert into su_kien values (1, '2024-01-31 17:00:00')")
    contract = make_contract(["Id", "Luc:timestamp"], mode="append", cursor="Luc", table="su_kien")
    extraction, rows = read(contract, url)
    assert rows == [{"Id": "1", "Luc": "2024-02-01 00:00:00"}]
    assert extraction.cursor_high == "2024-02-01T00:00:00.000000"


def test_integer_cursor_and_text_cursor(source: pymysql.cursors.Cursor, url: str) -> None:
    dossiers(source)
    contract = make_contract(["Id:bigint"], mode="append", cursor="Id", table="ho_so")
    extraction, rows = read(contract, url, increment_window(contract, "9"))
    assert ([row["Id"] for row in rows], extraction.cursor_high) == (["9", "10"], "10")
    text = make_contract(["Id", "MaHoSo"], mode="append", cursor="MaHoSo", table="ho_so")
    with pytest.raises(ContractError, match="column MaHoSo is text in the source and cannot bound a read"):
        read(text, url)


def test_query_source(source: pymysql.cursors.Cursor, url: str) -> None:
    dossiers(source)
    query = "select Id, concat(MaHoSo, ' 100%', ':x') as Ma, NgayCapNhat from ho_so where Id % 2 = 0 -- even"
    contract = make_contract(
        ["Id", "Ma", "NgayCapNhat"], mode="append", cursor="NgayCapNhat", kind="query", query=query
    )
    extraction, rows = read(contract, url)
    assert (rows[0]["Ma"], extraction.source_rows) == ("H50.1-2 100%:x", 5)
    with open_source(contract, url) as reader:
        assert [column.name for column in reader.describe()] == ["Id", "Ma", "NgayCapNhat"]


def test_one_snapshot_while_others_write(source: pymysql.cursors.Cursor, url: str) -> None:
    contract = dossiers(source, 50_000)
    with open_source(contract, url) as reader:
        extraction = reader.extract(FULL)
        rows = 0
        for number, batch in enumerate(extraction.batches):
            if number == 0:
                source.execute("insert into ho_so select seq, 'new', '', now() from seq_100001_to_100500")
                source.execute("delete from ho_so where Id between 49000 and 60000")
            rows += batch.num_rows
    assert rows == extraction.source_rows == 50_000


def test_empty_table(source: pymysql.cursors.Cursor, url: str) -> None:
    contract = dossiers(source, 1)
    source.execute("delete from ho_so")
    extraction, rows = read(contract, url)
    assert (extraction.source_rows, extraction.cursor_high, rows) == (0, None, [])
    with open_source(contract, url) as reader:
        assert reader.is_empty()


def test_refusals_name_what_is_wrong_and_no_secret(
    source: pymysql.cursors.Cursor, url: str, mariadb: RunningMariadb
) -> None:
    contract = dossiers(source)
    with pytest.raises(SourceDrift, match="khong_co does not exist in the source"):
        read(make_contract(["Id"], table="khong_co"), url)
    with pytest.raises(SourceDrift, match="lacks a column of the contract: Unknown column 'Gone'"):
        read(make_contract(["Id", "Gone"], table="ho_so"), url)
    with pytest.raises(AccessRefused, match="refuses the account: Access denied") as denied:
        read(contract, url.replace(mariadb.password, "hunter2-secret"))
    assert "hunter2" not in str(denied.value)
    with pytest.raises(SourceUnavailable, match="cannot be reached: Unknown database"):
        read(contract, url + "x")
    with pytest.raises(SourceUnavailable, match="cannot be reached") as away:
        read(contract, f"mysql://{mariadb.user}:{mariadb.password}@127.0.0.1:1/x")
    assert mariadb.password not in str(away.value)
    with pytest.raises(ContractError, match="refuses the query"):
        read(make_contract(["Id"], kind="query", query="select from"), url)
    source.execute("create user reader@'127.0.0.1' identified by 'reader-pw'")
    source.execute("create table mo (Id int)")
    source.execute("select database()")
    name = source.fetchone()[0]
    source.execute(f"grant select on {name}.mo to reader@'127.0.0.1'")
    with pytest.raises(SourceUnavailable, match="may not read ho_so") as forbidden:
        read(contract, url.replace(f"{mariadb.user}:{mariadb.password}", "reader:reader-pw"))
    assert "reader-pw" not in str(forbidden.value)


def test_connection_cut_while_reading(source: pymysql.cursors.Cursor, url: str, database: tuple[str, str]) -> None:
    contract = dossiers(source, 400_000)
    with open_source(contract, url) as reader:
        extraction = reader.extract(FULL)
        next(extraction.batches)
        source.execute(
            "select id from information_schema.processlist where db = %s and id <> connection_id()", [database[0]]
        )
        for (process,) in source.fetchall():
            source.execute(f"kill {process}")
        with pytest.raises(SourceUnavailable, match="broke while ho_so was read"):
            list(extraction.batches)


def test_statement_timeout(source: pymysql.cursors.Cursor, url: str) -> None:
    dossiers(source)
    slow = "(select count(*) from seq_1_to_50000 as a, seq_1_to_50000 as b where a.seq * b.seq = h.Id)"
    contract = make_contract(["Id", "z"], kind="query", query=f"select h.Id, {slow} as z from ho_so as h")
    with pytest.raises(SourceUnavailable, match="the source stopped reading"):
        read(contract, url + "?init_command=set%20max_statement_time%3D0.2")


def test_nothing_can_be_written(source: pymysql.cursors.Cursor, url: str) -> None:
    dossiers(source)
    source.execute("create function ghi() returns int modifies sql data begin delete from ho_so; return 1; end")
    contract = make_contract(["Id", "x"], kind="query", query="select 1 as Id, ghi() as x")
    with pytest.raises(ContractError, match="refuses the query"):
        read(contract, url)
    source.execute("select count(*) from ho_so")
    assert source.fetchone() == (10,)
