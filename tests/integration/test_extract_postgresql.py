"""PostgreSQL as a source: exact values, one snapshot, clear refusals. A real server throughout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import (
    AccessRefused,
    ContractError,
    DxError,
    EmptySource,
    IncompleteExtract,
    SettingsError,
    SourceDrift,
    SourceUnavailable,
    UnreadableSource,
)
from dx_pipeline.extract.completeness import check_complete, check_source_rows
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.window import Window, increment_window, period_window
from dx_pipeline.landing.store import LandingStore
from tests.extract_contracts import make_contract

FULL = Window("full")


@pytest.fixture
def source(source_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(source_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("create schema motcua")
        yield connection


def read(contract: Contract, url: str, window: Window = FULL) -> tuple[Extraction, pa.Table]:
    with open_source(contract, url) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table


def dossiers(source: psycopg.Connection, count: int = 10) -> Contract:
    source.execute(
        'create table motcua.ho_so ("Id" bigint primary key, "MaHoSo" varchar(50), "NgayNopHoSo" timestamp,'
        ' "ChuHoSo" varchar(150), "NgayCapNhat" timestamp not null)'
    )
    source.execute(
        "insert into motcua.ho_so select g, 'H50.1-' || g, timestamp '2024-01-31 23:00' + g * interval '1 hour',"
        " 'Nguyễn Văn A', timestamp '2024-02-01' + g * interval '1 minute' from generate_series(1, %s) as g",
        [count],
    )
    return make_contract(
        ["Id:bigint", "MaHoSo:varchar(50)", "NgayNopHoSo:timestamp", "NgayCapNhat:timestamp"],
        mode="incremental",
        cursor="NgayCapNhat",
        lookback=timedelta(minutes=2),
        period="NgayNopHoSo",
        schema="motcua",
        table="ho_so",
    )


def test_full_read(source: psycopg.Connection, source_url: str) -> None:
    extraction, table = read(dossiers(source), source_url)
    assert extraction.source_rows == 10
    assert extraction.cursor_high == "2024-02-01T00:10:00.000000"
    assert table.schema.names == ["Id", "MaHoSo", "NgayNopHoSo", "NgayCapNhat"]  # ChuHoSo stays where it is
    assert table.schema.types == [pa.int64(), pa.string(), pa.timestamp("us"), pa.timestamp("us")]
    assert table["Id"].to_pylist() == list(range(1, 11))
    assert table["NgayNopHoSo"][0].as_py() == datetime(2024, 2, 1, 0, 0)
    assert all(field.metadata is None for field in table.schema)
    assert extraction.position["server_version"].startswith("1")
    assert set(extraction.position) == {"server_version", "snapshot", "read_at"}


def test_describe_tells_all_columns(source: psycopg.Connection, source_url: str) -> None:
    with open_source(dossiers(source), source_url) as reader:
        assert reader.describe() == [
            SourceColumn("Id", "bigint", nullable=False),
            SourceColumn("MaHoSo", "varchar(50)", nullable=True),
            SourceColumn("NgayNopHoSo", "timestamp", nullable=True),
            SourceColumn("ChuHoSo", "varchar(150)", nullable=True),
            SourceColumn("NgayCapNhat", "timestamp", nullable=False),
        ]


def test_increment_starts_at_the_lookback_and_takes_rows_without_cursor(
    source: psycopg.Connection, source_url: str
) -> None:
    contract = dossiers(source)
    source.execute('alter table motcua.ho_so alter "NgayCapNhat" drop not null')
    source.execute("insert into motcua.ho_so values (99, 'x', null, null, null)")
    window = increment_window(contract, "2024-02-01T00:09:00")
    extraction, table = read(contract, source_url, window)
    assert sorted(table["Id"].to_pylist()) == [7, 8, 9, 10, 99]
    assert extraction.source_rows == 5
    nothing, _ = read(contract, source_url, Window("increment", low="2030-01-01T00:00:00"))
    assert (nothing.source_rows, nothing.cursor_high) == (1, None)


def test_period_is_half_open_and_gives_no_watermark(source: psycopg.Connection, source_url: str) -> None:
    contract = dossiers(source)
    source.execute('update motcua.ho_so set "NgayNopHoSo" = \'2024-01-31 23:59:59.999999\' where "Id" = 1')
    january, rows = read(contract, source_url, period_window(contract, date(2024, 1, 1)))
    assert rows["Id"].to_pylist() == [1]
    assert january.cursor_high is None
    _, rows = read(contract, source_url, period_window(contract, date(2024, 2, 1)))
    assert rows["Id"].to_pylist() == list(range(2, 11))


def test_year_20024_and_infinity_push_neither_the_watermark_nor_the_reader(
    source: psycopg.Connection, source_url: str
) -> None:
    contract = dossiers(source, 3)
    source.execute(
        "insert into motcua.ho_so values (20, 'a', '20024-01-15', null, '20024-01-15'),"
        " (21, 'b', 'infinity', null, 'infinity'), (22, 'c', '-infinity', null, '2024-01-01'),"
        " (23, 'd', '0044-03-15 BC', null, '2024-01-01'), (24, 'e', '294276-12-31 23:59:59', null, '2024-01-01')"
    )
    before = datetime.now() - timedelta(days=1)
    extraction, table = read(contract, source_url)
    texts = dict(zip(table["Id"].to_pylist(), table["NgayNopHoSo"].to_pylist(), strict=True))
    assert texts[20] == "20024-01-15 00:00:00"
    assert texts[21] == "infinity"
    assert texts[22] == "-infinity"
    assert texts[23] == "0044-03-15 00:00:00 BC"
    assert texts[24] == "294276-12-31 23:59:59"
    assert texts[1] == "2024-02-01 00:00:00"
    assert extraction.position["times_read_as_text"] == ["NgayNopHoSo", "NgayCapNhat"]
    assert extraction.cursor_high is not None
    high = datetime.fromisoformat(extraction.cursor_high)
    assert before < high < datetime.now() + timedelta(days=1)
    # The next increment still sees the mad rows, and only them.
    _, next_rows = read(contract, source_url, increment_window(contract, extraction.cursor_high))
    assert sorted(next_rows["Id"].to_pylist()) == [20, 21]


def test_every_type_arrives_exactly(source: psycopg.Connection, source_url: str) -> None:
    source.execute("create type motcua.muc as enum ('toàn trình', 'một phần')")
    source.execute("create domain motcua.ma as varchar(12)")
    source.execute(
        "create table motcua.loai (a smallint, b integer, c bigint, d real, e double precision, f boolean,"
        " g numeric, h numeric(20,4), i text, j char(4), k timestamptz, l date, m jsonb, n uuid, o integer[],"
        ' p bytea, q time, r interval, s inet, t motcua.muc, u motcua.ma, w oid, x "char")'
    )
    source.execute(
        "insert into motcua.loai values (-32768, 2147483647, -9223372036854775808, 1.5, 0.1, true,"
        " 12345678901234567890.123456789, 0.5, E'dòng 1\\nđ', 'ab', '2024-01-31 23:30:00+07', '2024-02-29',"
        " '{\"a\": [1, null]}', '7d444840-9dc0-11d1-b245-5ffdce74fad2', '{1,null,3}', '\\x00ff', '23:59:59.5',"
        " '1 day 02:00', '10.0.0.1/24', 'một phần', 'H50.1', 42, 'y')"
    )
    source.execute("insert into motcua.loai default values")
    names = "abcdefghijklmnopqrstuwx"
    contract = make_contract(list(names), schema="motcua", table="loai")
    _, table = read(contract, source_url)
    expected = {
        "a": -32768, "b": 2147483647, "c": -9223372036854775808, "d": 1.5, "e": 0.1, "f": True,
        "g": "12345678901234567890.123456789", "h": "0.5000", "i": "dòng 1\nđ", "j": "ab  ",
        "l": date(2024, 2, 29), "m": '{"a": [1, null]}', "n": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "o": "{1,NULL,3}", "p": "\\x00ff", "q": "23:59:59.5", "r": "1 day 02:00:00", "s": "10.0.0.1/24",
        "t": "một phần", "u": "H50.1", "w": "42", "x": "y",
    }  # fmt: skip
    first = table.to_pylist()[0]
    assert first.pop("k").isoformat() == "2024-01-31T16:30:00+00:00"
    assert first == expected
    assert set(table.to_pylist()[1].values()) == {None}


def test_timestamptz_and_date_cursors_are_read_in_local_time(source: psycopg.Connection, source_url: str) -> None:
    source.execute('create table motcua.su_kien ("Id" bigint, "Luc" timestamptz, "Ngay" date)')
    source.execute(
        "insert into motcua.su_kien values (1, '2024-01-31 16:59:59+00', '2024-01-31'),"
        " (2, '2024-01-31 17:00:00+00', '2024-02-01')"
    )
    contract = make_contract(
        ["Id", "Luc:timestamptz", "Ngay:date"],
        mode="append",
        cursor="Luc",
        period="Ngay",
        schema="motcua",
        table="su_kien",
    )
    extraction, _ = read(contract, source_url)
    assert extraction.cursor_high == "2024-02-01T00:00:00.000000"
    _, rows = read(contract, source_url, increment_window(contract, "2024-02-01T00:00:00"))
    assert rows["Id"].to_pylist() == [2]
    _, rows = read(contract, source_url, period_window(contract, date(2024, 2, 1)))
    assert rows["Id"].to_pylist() == [2]
    utc = make_contract(
        ["Id", "Luc:timestamptz"], mode="append", cursor="Luc", timezone="UTC", schema="motcua", table="su_kien"
    )
    assert read(utc, source_url)[0].cursor_high == "2024-01-31T17:00:00.000000"


def test_integer_cursor(source: psycopg.Connection, source_url: str) -> None:
    dossiers(source)
    contract = make_contract(["Id:bigint"], mode="append", cursor="Id", schema="motcua", table="ho_so")
    extraction, rows = read(contract, source_url, increment_window(contract, "9"))
    assert rows["Id"].to_pylist() == [9, 10]
    assert extraction.cursor_high == "10"


def test_cursor_kept_as_text_is_refused(source: psycopg.Connection, source_url: str) -> None:
    source.execute('create table motcua.chu ("Id" bigint, "Luc" varchar(19))')
    contract = make_contract(["Id", "Luc:varchar(19)"], mode="append", cursor="Luc", schema="motcua", table="chu")
    with pytest.raises(ContractError, match=r"column Luc is varchar\(19\) in the source and cannot bound a read"):
        read(contract, source_url)


def test_query_source(source: psycopg.Connection, source_url: str) -> None:
    dossiers(source)
    query = """
        -- thanh toán ; of each dossier
        select h."Id", h."MaHoSo" || ': 100%' as "Ma", h."NgayCapNhat"::timestamp(0) as "NgayCapNhat"
        from motcua.ho_so as h where h."MaHoSo" <> ' :x' -- the end"""
    contract = make_contract(["Id", "Ma"], kind="query", query=query.replace(" ;", ""))
    with open_source(contract, source_url) as reader:
        assert reader.describe() == [
            SourceColumn("Id", "bigint"), SourceColumn("Ma", "text"), SourceColumn("NgayCapNhat", "timestamp(0)"),
        ]  # fmt: skip
    _, table = read(contract, source_url)
    assert table["Ma"][0].as_py() == "H50.1-1: 100%"
    assert table.schema.names == ["Id", "Ma"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("delete from motcua.ho_so", "starts with 'delete'"),
        ("select 1; drop table motcua.ho_so", "holds a semicolon"),
        ("-- nothing", "starts with ''"),
        ("select from where", "refuses the query on query: syntax error"),
        ("with gone as (delete from motcua.ho_so returning *) select * from gone", "refuses the query"),
        ('select "Id", motcua.write() as x from motcua.ho_so', "refuses the query"),
        ('select "Id", 1 / ("Id" - 3) as x from motcua.ho_so', "division by zero"),
    ],
)
def test_queries_that_are_refused(source: psycopg.Connection, source_url: str, query: str, message: str) -> None:
    dossiers(source)
    source.execute("create function motcua.write() returns int language sql as 'delete from motcua.ho_so returning 1'")
    contract = make_contract(["Id", "x"], kind="query", query=query)
    with pytest.raises(DxError, match=message):
        read(contract, source_url)
    assert source.execute("select count(*) from motcua.ho_so").fetchone() == (10,)


def test_one_snapshot_while_others_write(source: psycopg.Connection, source_url: str, tmp_path: Path) -> None:
    contract = dossiers(source, 60_000)
    with open_source(contract, source_url) as reader:
        extraction = reader.extract(FULL)

        def batches() -> Iterator[pa.RecordBatch]:
            for number, batch in enumerate(extraction.batches):
                if number == 0:
                    source.execute(
                        "insert into motcua.ho_so select g, 'new', now(), 'x', now()"
                        " from generate_series(100001, 101000) as g"
                    )
                    source.execute('delete from motcua.ho_so where "Id" > 59000 and "Id" < 100000')
                yield batch

        manifest = LandingStore(tmp_path).write(
            system="one_stop", dataset="ho_so", batch_id=1, schema=extraction.schema, batches=batches(), facts={}
        )
    check_complete(contract, extraction.source_rows, manifest.row_count)
    assert manifest.row_count == 60_000
    ids = pa.Table.from_batches(LandingStore(tmp_path).read(manifest))["Id"].to_pylist()
    assert ids == list(range(1, 60_001))


def test_incomplete_extract_is_refused(source: psycopg.Connection) -> None:
    with pytest.raises(IncompleteExtract, match=r"counted 10 rows in motcua\.ho_so, 9 arrived"):
        check_complete(dossiers(source), 10, 9)


def test_empty_table(source: psycopg.Connection, source_url: str) -> None:
    contract = dossiers(source, 0)
    extraction, table = read(contract, source_url)
    assert (extraction.source_rows, extraction.cursor_high, table.num_rows) == (0, None, 0)
    assert table.schema.types[3] == pa.timestamp("us")
    with open_source(contract, source_url) as reader:
        assert reader.is_empty()
        with pytest.raises(EmptySource, match=r"motcua\.ho_so holds no row at all; the contract promises at least 1"):
            check_source_rows(contract, reader)
    source.execute("insert into motcua.ho_so values (1, 'a', now(), 'x', now())")
    with open_source(contract, source_url) as reader:
        check_source_rows(contract, reader)
        assert reader.holds_at_least(1)
        assert not reader.holds_at_least(2)


def test_drift_of_a_real_table(source: psycopg.Connection, source_url: str) -> None:
    contract = dossiers(source)
    source.execute('alter table motcua.ho_so rename "MaHoSo" to "Ma_HoSo"')
    source.execute('alter table motcua.ho_so alter "NgayNopHoSo" type varchar(19), add "Moi" integer')
    with open_source(contract, source_url) as reader:
        drift = check_drift(contract, reader.describe())
    assert drift.renamed == (("MaHoSo", "Ma_HoSo"),)
    with pytest.raises(SourceDrift, match="NgayNopHoSo changed from timestamp to varchar"):
        refuse_drift(contract, drift)
    with pytest.raises(SourceDrift, match='lacks a column of the contract: column "MaHoSo" does not exist'):
        read(contract, source_url)


def test_missing_table_and_schema(source: psycopg.Connection, source_url: str) -> None:
    contract = make_contract(["Id"], schema="motcua", table="khong_co")
    with pytest.raises(SourceDrift, match=r"motcua\.khong_co does not exist in the source"):
        read(contract, source_url)
    with pytest.raises(SourceDrift, match="does not exist in the source"), open_source(contract, source_url) as reader:
        reader.describe()


def secret_free(error: DxError, url: str) -> None:
    password = psycopg.conninfo.conninfo_to_dict(url.replace("+psycopg", "")).get("password")
    assert password
    assert str(password) not in str(error)
    assert "://" not in str(error)
    assert error.next_step


def test_wrong_password_and_unknown_database(source: psycopg.Connection, source_url: str) -> None:
    contract = dossiers(source)
    start, _, rest = source_url.rpartition("@")
    wrong = start.rpartition(":")[0] + ":hunter2-secret@" + rest
    with pytest.raises(AccessRefused, match="password authentication failed") as refused:
        read(contract, wrong)
    secret_free(refused.value, wrong)
    assert "hunter2" not in str(refused.value)
    gone = source_url.rsplit("/", 1)[0] + "/khong_co"
    with pytest.raises(SourceUnavailable, match='database "khong_co" does not exist') as refused:
        read(contract, gone)
    secret_free(refused.value, gone)


def test_nobody_listens(source: psycopg.Connection) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached") as refused:
        read(dossiers(source), "postgresql://a:hunter2-secret@127.0.0.1:1/x")
    secret_free(refused.value, "postgresql://a:hunter2-secret@127.0.0.1:1/x")


def test_unknown_kind_of_connection(source: psycopg.Connection) -> None:
    contract = dossiers(source)
    with pytest.raises(SettingsError, match="unknown kind of URL"):
        open_source(contract, "db2://a:secret@h/x")
    with pytest.raises(ContractError, match="source kind table cannot be read over a file connection"):
        open_source(contract, "file:///tmp")


def test_permission_denied(source: psycopg.Connection, source_url: str) -> None:
    contract = dossiers(source)
    role = "r" + source.info.dbname
    source.execute(f"create role {role} login password 'reader-pw'")
    source.execute(f"grant usage on schema motcua to {role}")
    url = f"postgresql://{role}:reader-pw@" + source_url.rpartition("@")[2]
    with pytest.raises(AccessRefused, match="permission denied for table ho_so") as refused:
        read(contract, url)
    assert "grant select" in refused.value.next_step
    secret_free(refused.value, url)


def test_connection_cut_while_reading(source: psycopg.Connection, source_url: str, tmp_path: Path) -> None:
    contract = dossiers(source, 400_000)
    with open_source(contract, source_url) as reader:
        extraction = reader.extract(FULL)

        def cut() -> Iterator[pa.RecordBatch]:
            for number, batch in enumerate(extraction.batches):
                if number == 0:
                    ended = source.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'dx_pipeline' and datname = current_database()"
                    ).fetchall()
                    assert ended
                yield batch

        store = LandingStore(tmp_path)
        with pytest.raises(SourceUnavailable, match="broke while motcua.ho_so was read") as refused:
            store.write(
                system="one_stop", dataset="ho_so", batch_id=1, schema=extraction.schema, batches=cut(), facts={}
            )
    secret_free(refused.value, source_url)
    assert not store.batch_dir("one_stop", "ho_so", 1).exists()


def test_statement_timeout(source: psycopg.Connection, source_url: str) -> None:
    dossiers(source)
    query = 'select "Id", cast(pg_sleep(3) as text) as x from motcua.ho_so'
    contract = make_contract(["Id", "x"], kind="query", query=query)
    url = source_url + "?options=-c%20statement_timeout%3D300"
    with pytest.raises(SourceUnavailable, match="statement timeout") as refused:
        read(contract, url)
    secret_free(refused.value, source_url)


def test_reader_gives_its_connections_back(source: psycopg.Connection, source_url: str) -> None:
    contract = dossiers(source, 200_000)
    with open_source(contract, source_url) as reader:
        reader.describe()
        next(reader.extract(FULL).batches)
    left = source.execute(
        "select count(*) from pg_stat_activity where application_name = 'dx_pipeline' and datname = current_database()"
    ).fetchone()
    assert left == (0,)


def test_names_of_all_kinds(source: psycopg.Connection, source_url: str) -> None:
    names = ["Mã hồ sơ", 'a"b', "select", "100%", "a:b", "x" * 63, "odd_0"]
    quoted = ", ".join('"' + name.replace('"', '""') + '" text' for name in names)
    source.execute(f'create table motcua."Hồ sơ; --" ({quoted})')
    source.execute('insert into motcua."Hồ sơ; --" values (%s, %s, %s, %s, %s, %s, %s)', [str(i) for i in range(7)])
    contract = replace(
        make_contract(["x"], schema="motcua", table="Hồ sơ; --"),
        columns=tuple(Column(f"c{i}", name, "text", "string") for i, name in enumerate(names)),
    )
    _, table = read(contract, source_url)
    assert table.to_pylist() == [dict(zip(names, map(str, range(7)), strict=True))]


def test_database_without_declared_encoding(source: psycopg.Connection, source_url: str) -> None:
    name = source.info.dbname + "_ascii"
    source.execute(f"create database {name} encoding 'SQL_ASCII' template template0 locale_provider libc locale 'C'")
    url = source_url.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("create table ho_so (ma text, ten text)")
        connection.execute("insert into ho_so values ('1', 'ok')")
        assert read(make_contract(["ma", "ten"], table="ho_so"), url)[1].num_rows == 1
        connection.execute("insert into ho_so values ('2', E'\\xd0\\xce')")
    with pytest.raises(UnreadableSource, match="invalid byte sequence for encoding"):
        read(make_contract(["ma", "ten"], table="ho_so"), url)
