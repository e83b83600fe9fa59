"""dBASE and FoxPro tables as a source: what a department's FoxPro really writes, and what it breaks."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import dbf
import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract import dbf_source
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.window import Window
from tests.dbf_files import HOUSEHOLDS, dbf_bytes, household, write_dbf
from tests.extract_contracts import make_contract

# TCVN3 (ABC) bytes as a FoxPro of the 1990s wrote them; 0xAD is the letter ư, not a soft hyphen.
QUANG_TRI = bytes.fromhex("51 75 B6 6E 67 20 54 72 DE")
HUONG_HOA = bytes.fromhex("48 AD ED 6E 67 20 48 E3 61")


def table_of(*columns: str, **source: Any) -> Contract:
    return make_contract(columns, kind="dbf", **{"path": "*.dbf", "encoding": "cp1252", **source})


def read(contract: Contract, folder: Path, window: Window = Window("full")) -> tuple[Extraction, list[dict[str, Any]]]:
    with open_source(contract, folder.as_uri()) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    table.validate(full=True)
    return extraction, table.to_pylist()


def test_tcvn3_bytes_become_vietnamese_when_cleaned(tmp_path: Path) -> None:
    records = [household(b"45001", QUANG_TRI), household(b"45002", HUONG_HOA)]
    write_dbf(tmp_path / "ho.dbf", HOUSEHOLDS, records, language_driver=0x78)  # the byte says: Chinese
    contract = table_of("HOTENCH", "MAHO")
    with open_source(contract, tmp_path.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        (batch,) = extraction.batches
    assert batch["HOTENCH"].to_pylist() == ["Qu¶ng TrÞ", "H\u00adíng Hãa"]
    cleaned = clean_batch(batch, contract, 0)
    assert cleaned["hotench"].to_pylist() == ["Quảng Trị", "Hướng Hóa"]
    assert cleaned["hotench__note"].to_pylist() == ["legacy_tcvn3", "legacy_tcvn3"]
    assert extraction.position["files"][0]["language_driver"] == "0x78"


def test_rows_are_what_the_table_holds(tmp_path: Path) -> None:
    records = [
        household(b"45001", b"Nguyen Van A"),
        household(b"45002", b"xoa roi"),
        household(b"45003", b"", people=b"", internet=b"?"),
        household(b"45004", b"  Ho Thi  B", people=b"**", internet=b"n"),
    ]
    path = write_dbf(tmp_path / "ho.dbf", HOUSEHOLDS, records, deleted=[1])
    extraction, rows = read(table_of("MAHO", "HOTENCH", "SONK", "CO_INTERNE"), tmp_path)
    assert rows == [
        {"MAHO": "45001", "HOTENCH": "Nguyen Van A", "SONK": "4", "CO_INTERNE": "true"},
        {"MAHO": "45003", "HOTENCH": None, "SONK": None, "CO_INTERNE": None},
        {"MAHO": "45004", "HOTENCH": "  Ho Thi  B", "SONK": "**", "CO_INTERNE": "false"},
    ]
    (file,) = extraction.position["files"]
    assert (file["rows"], file["deleted_rows"], file["dbf_version"]) == (3, 1, "0x03")
    assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    with open_source(table_of("MAHO"), tmp_path.as_uri()) as reader:
        assert reader.describe()[0] == SourceColumn("MAHO", "char(12)")
        assert reader.describe()[7] == SourceColumn("SONK", "numeric(2,0)")
        assert (reader.holds_at_least(3), reader.holds_at_least(4)) == (True, False)


def test_every_byte_survives(tmp_path: Path) -> None:
    fields = [("TEN", "C", 256, 0)]
    every = bytes(range(1, 256)) + b"."
    write_dbf(tmp_path / "a.dbf", fields, [[every], [b"\x00a\x00b\x00\x00"]])
    _, rows = read(table_of("TEN"), tmp_path)
    assert rows[0]["TEN"] is not None
    assert rows[0]["TEN"][0x80:0x82] == "\u0081‚"  # 0x81 is not in cp1252 and stays itself
    assert [ord(c) for c in rows[0]["TEN"] if ord(c) in (0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xAD)] == [
        0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xAD,
    ]  # fmt: skip
    assert len(rows[0]["TEN"]) == 256
    assert rows[1]["TEN"] == "\x00a\x00b"


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [("utf-8", "Hướng Hóa".encode()), ("cp1258", "Hươ\u0301ng Ho\u0301a".encode("cp1258"))],
)
def test_the_encoding_is_the_contracts(tmp_path: Path, encoding: str, raw: bytes) -> None:
    write_dbf(tmp_path / "a.dbf", [("TEN", "C", 20, 0)], [[raw]], language_driver=0x03)
    contract = table_of("TEN", encoding=encoding)
    _, rows = read(contract, tmp_path)
    assert clean_batch(pa.RecordBatch.from_pylist(rows), contract, 0)["ten"].to_pylist() == ["Hướng Hóa"]


def test_encodings_that_cannot_be(tmp_path: Path) -> None:
    write_dbf(tmp_path / "a.dbf", [("TEN", "C", 4, 0)], [[b"\xff\xff"]])
    for encoding in ("utf-16", "gbk", "no-such"):
        with pytest.raises(ContractError, match=f"source.encoding '{encoding}' cannot be that of a dbf table"):
            read(table_of("TEN", encoding=encoding), tmp_path)
    with pytest.raises(UnreadableSource, match="column TEN of a.dbf is not in the declared encoding utf-8"):
        read(table_of("TEN", encoding="utf-8"), tmp_path)


def test_dates_numbers_and_null_texts(tmp_path: Path) -> None:
    fields = [("NGAY", "D", 8, 0), ("DIEM", "N", 8, 2), ("F", "F", 10, 3), ("GHICHU", "C", 20, 0)]
    records = [
        [b"20240229", b"12.50", b"-0.125", b"N/A"],
        [b"", b"", b"", b"x"],
        [b"00000000", b"0", b"1e5", b""],
        [b"2024  13", b"1 2", b".5", b"ok"],
    ]
    write_dbf(tmp_path / "a.dbf", fields, records)
    _, rows = read(table_of("NGAY", "DIEM", "F", "GHICHU", null_values=("N/A",)), tmp_path)
    assert [list(row.values()) for row in rows] == [
        ["20240229", "12.50", "-0.125", None],
        [None, None, None, "x"],
        [None, "0", "1e5", None],
        ["2024  13", "1 2", ".5", "ok"],
    ]


def test_visual_foxpro_types_written_by_another_library(tmp_path: Path) -> None:
    table = dbf.Table(
        str(tmp_path / "vfp.dbf"),
        "id i; so b; luc t null; tien y; ten c(10) null; dung l",
        dbf_type="vfp",
        codepage="cp1252",
    )
    table.open(dbf.READ_WRITE)
    table.append((-7, 0.25, dt.datetime(2024, 6, 30, 8, 15, 30), Decimal("-1234.5678"), "Lan", True))
    table.append((2**31 - 2, -1e300, None, Decimal("0"), None, False))
    table.append((0, 0.0, dt.datetime(1965, 1, 1), Decimal("922337203685477.5807"), "", None))
    table.close()
    extraction, rows = read(table_of("ID", "SO", "LUC", "TIEN", "TEN", "DUNG"), tmp_path)
    assert extraction.position["files"][0]["dbf_version"] == "0x30"
    assert [list(row.values()) for row in rows] == [
        [-7, 0.25, dt.datetime(2024, 6, 30, 8, 15, 30), Decimal("-1234.5678"), "Lan", "true"],
        [2147483646, -1e300, None, Decimal("0.0000"), None, "false"],
        [0, 0.0, dt.datetime(1965, 1, 1), Decimal("922337203685477.5807"), None, None],
    ]


def test_tables_of_another_library_read_the_same(tmp_path: Path) -> None:
    """2000 random records written by the ``dbf`` package, a third of them deleted."""
    chance = random.Random(20240630)
    letters = "abcXYZ 0123" + "".join(chr(c) for c in range(0xA1, 0xFF))
    table = dbf.Table(str(tmp_path / "a.dbf"), "ma c(12); ten c(254); so n(9,2); ngay d", codepage="cp1252")
    table.open(dbf.READ_WRITE)
    expected = []
    for number in range(2000):
        name = "".join(
            chance.choices(letters, k=chance.randrange(0, 255))
        ).strip()  # that library writes no leading blank
        value = Decimal(chance.randrange(-99999, 999999)) / 100
        day = dt.date(1900, 1, 1) + dt.timedelta(days=chance.randrange(60000))
        table.append((str(number), name, value, day))
        if chance.random() < 1 / 3:
            dbf.delete(table.last_record)
        else:
            expected.append((str(number), name or None, value, day))
    table.close()
    extraction, rows = read(table_of("MA", "TEN", "SO", "NGAY"), tmp_path)
    found = [
        (row["MA"], row["TEN"], Decimal(row["SO"]), dt.datetime.strptime(row["NGAY"], "%Y%m%d").date()) for row in rows
    ]
    assert found == expected
    assert extraction.position["files"][0]["deleted_rows"] == 2000 - len(expected)


def test_many_records_come_in_bounded_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbf_source, "BATCH_ROWS", 100)
    records = [[b"%d" % number] for number in range(1001)]
    write_dbf(tmp_path / "a.dbf", [("MA", "C", 6, 0)], records, deleted=range(100, 300))
    with open_source(table_of("MA"), tmp_path.as_uri()) as reader:
        batches = list(reader.extract(Window("full")).batches)
    assert [batch.num_rows for batch in batches] == [100] * 8 + [1]  # two blocks were deleted whole
    assert batches[-1]["MA"].to_pylist() == ["1000"]


def test_several_files_are_one_batch(tmp_path: Path) -> None:
    write_dbf(tmp_path / "1.dbf", [("MA", "C", 6, 0), ("SO", "N", 3, 0)], [[b"a", b"1"]])
    write_dbf(tmp_path / "2.dbf", [("SO", "I", 4, 0), ("MA", "C", 9, 0)], [[struct.pack("<i", -5), b"b"]])
    extraction, rows = read(table_of("MA", "SO"), tmp_path)
    assert rows == [{"MA": "a", "SO": "1"}, {"MA": "b", "SO": "-5"}]
    assert [file["rows"] for file in extraction.position["files"]] == [1, 1]


@pytest.mark.parametrize("end", [b"", b"\x1a", b"\x1a\x00\x00", b"\x00" * 600, b"\x1aabc"])
def test_ends_of_files(tmp_path: Path, end: bytes) -> None:
    write_dbf(tmp_path / "a.dbf", [("MA", "C", 3, 0)], [[b"abc"]], end=end)
    assert read(table_of("MA"), tmp_path)[1] == [{"MA": "abc"}]


def test_no_records(tmp_path: Path) -> None:
    write_dbf(tmp_path / "a.dbf", [("MA", "C", 3, 0)], [])
    extraction, rows = read(table_of("MA"), tmp_path)
    assert (extraction.source_rows, rows) == (0, [])
    with open_source(table_of("MA"), tmp_path.as_uri()) as reader:
        assert reader.is_empty()


SOUND = dbf_bytes(HOUSEHOLDS, [household(b"1", b"a"), household(b"2", b"b")])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ho.dbf is empty, not a dBASE or FoxPro table"),
        (b"<html>login", "ho.dbf is a web page"),
        (SOUND[:20], "it has 20 bytes, fewer than any table"),
        (SOUND[:200], "it ends inside its header, at byte 200 of 385"),
        (SOUND[:-50], "its header declares 2 records, but the file ends after 1 of them"),
        (SOUND[:4] + b"\xff\xff\xff\xff" + SOUND[8:], "its header declares 4294967295 records, but the file ends after 2"),
        (SOUND[:4] + b"\x01\x00\x00\x00" + SOUND[8:], "declares 1 records, but 94 bytes of data follow the last one"),
        (b"\x04" + SOUND[1:], "its first byte 0x04 is not of a dBASE III/IV or FoxPro table"),
        (SOUND[:10] + b"\x5e\x00" + SOUND[12:], "its fields take 93 bytes, but a record is said to have 94"),
        (SOUND[:8] + b"\x00\x00" + SOUND[10:], "its header says 0 bytes of header"),
        (SOUND[:385] + b"\x00" + SOUND[386:], "record 1 begins with byte 0x00, neither live nor deleted"),
        (dbf_bytes([("MAHO", "I", 3, 0)], []), "field 1 of type I has 3 bytes instead of 4"),
    ],
)  # fmt: skip
def test_broken_tables(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "ho.dbf").write_bytes(data)
    with pytest.raises(UnreadableSource, match=message) as caught:
        read(table_of("MAHO"), tmp_path)
    assert caught.value.next_step


def test_names_with_nul_twice_and_missing(tmp_path: Path) -> None:
    write_dbf(tmp_path / "a.dbf", [(b"MA\x00\xffjunk", "C", 3, 0)], [[b"abc"]])
    assert read(table_of("MA"), tmp_path)[1] == [{"MA": "abc"}]
    write_dbf(tmp_path / "a.dbf", [("MA", "C", 3, 0), ("MA", "C", 3, 0)], [[b"abc", b"d"]])
    with pytest.raises(UnreadableSource, match="the header of a.dbf has 'MA' more than once"):
        read(table_of("MA"), tmp_path)
    write_dbf(tmp_path / "a.dbf", [("MA", "C", 3, 0)], [[b"abc"]])
    with pytest.raises(SourceDrift, match="a.dbf lacks the column TEN; its header is: MA"):
        read(table_of("MA", "TEN"), tmp_path)


def test_memo_is_refused_only_where_it_is_read(tmp_path: Path) -> None:
    fields = [("MA", "C", 3, 0), ("GHICHU", "M", 10, 0), ("LA", "Z", 2, 0)]
    write_dbf(tmp_path / "a.dbf", fields, [[b"abc", b"", b""]], version=0x83)
    assert read(table_of("MA"), tmp_path)[1] == [{"MA": "abc"}]
    with pytest.raises(UnreadableSource, match=r"column GHICHU of a.dbf keeps its text in another file \(memo\)"):
        read(table_of("MA", "GHICHU"), tmp_path)
    with pytest.raises(UnreadableSource, match="column LA of a.dbf has type 'Z', which is not read"):
        read(table_of("LA"), tmp_path)


def test_a_table_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = write_dbf(tmp_path / "a.dbf", [("MA", "C", 3, 0)], [[b"abc"]] * 10)
    with open_source(table_of("MA"), tmp_path.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        path.write_bytes(path.read_bytes()[:70])
        with pytest.raises(SourceUnavailable, match="a.dbf became shorter while it was read"):
            list(extraction.batches)


def test_no_month_of_a_table(tmp_path: Path) -> None:
    write_dbf(tmp_path / "a.dbf", [("MA", "C", 3, 0)], [[b"abc"]])
    with pytest.raises(ContractError, match="a dbf source is read whole, not month by month"):
        read(table_of("MA"), tmp_path, Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00"))
