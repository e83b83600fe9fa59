"""Excel sheets as a source, on workbooks written by another library."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract import xlsx_source
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract


def read(contract: Contract, folder: Path, window: Window = Window("full")) -> tuple[Extraction, list[dict[str, str]]]:
    with open_source(contract, folder.as_uri()) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table.to_pylist()


def workbook(path: Path, rows: list[list[object]], sheet: str = "Dữ liệu", merge: str | None = None) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Bìa"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    if merge:
        page.merge_cells(merge)
    book.save(path)


def staff(**source: object) -> Contract:
    return make_contract(
        ["Mã", "Họ tên"],
        kind="xlsx",
        **{"path": "*.xlsx", "sheet": "Dữ liệu", **source},  # type: ignore[arg-type]
    )


def test_cells_become_text(tmp_path: Path) -> None:
    values = [
        1, 12345678901, 1.5, 0.1, 1e20, True, False, "007", " x\ny ", dt.datetime(2024, 1, 31, 8, 30),
        dt.date(2024, 2, 29),
        dt.time(23, 59, 59), -3.0, 2**53,
    ]  # fmt: skip
    workbook(tmp_path / "a.xlsx", [["Mã", "Giá trị"], *[[number, value] for number, value in enumerate(values)]])
    contract = make_contract(["Giá trị"], kind="xlsx", path="a.xlsx", sheet="Dữ liệu")
    _, rows = read(contract, tmp_path)
    assert [row["Giá trị"] for row in rows] == [
        "1", "12345678901", "1.5", "0.1", "1e+20", "true", "false", "007", " x\ny ", "2024-01-31T08:30:00",
        "2024-02-29",
        "23:59:59", "-3", "9007199254740992.0",
    ]  # fmt: skip


def test_header_below_a_title_with_merged_and_blank_cells(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["BÁO CÁO"],
        [],
        ["Mã", "Họ  tên\n(đầy đủ)", None, "Số"],
        ["a1", "Nguyễn", "Huệ", 5],
        [None, None, None, None],
        ["a2", None, "x"],
    ]
    workbook(tmp_path / "a.xlsx", rows, merge="B3:C3")
    contract = make_contract(
        ["Mã", "Họ tên (đầy đủ)", "column_3"], kind="xlsx", path="a.xlsx", sheet="Dữ liệu", header_row=3
    )
    extraction, found = read(contract, tmp_path)
    assert extraction.source_rows == 2
    assert found == [
        {"Mã": "a1", "Họ tên (đầy đủ)": "Nguyễn", "column_3": "Huệ"},
        {"Mã": "a2", "Họ tên (đầy đủ)": None, "column_3": "x"},
    ]
    with open_source(contract, tmp_path.as_uri()) as reader:
        assert reader.describe()[3] == SourceColumn("Số", "text")


def test_a_sheet_that_does_not_begin_in_the_corner(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.create_sheet("Dữ liệu")
    page["C3"], page["D3"], page["C4"], page["D4"] = "Mã", "Họ tên", "1", "x"
    book.save(tmp_path / "a.xlsx")
    assert read(staff(header_row=3), tmp_path)[1] == [{"Mã": "1", "Họ tên": "x"}]


def test_first_sheet_by_default_and_several_files(tmp_path: Path) -> None:
    for name, code in (("b.xlsx", "2"), ("a.xlsx", "1")):
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.append(["Mã", "Họ tên"])
        book.active.append([code, "N/A"])
        book.save(tmp_path / name)
    extraction, rows = read(staff(sheet=None, null_values=("N/A",)), tmp_path)
    assert rows == [{"Mã": "1", "Họ tên": None}, {"Mã": "2", "Họ tên": None}]
    assert [file["name"] for file in extraction.position["files"]] == ["a.xlsx", "b.xlsx"]
    assert len(extraction.position["files"][0]["sha256"]) == 64


def test_header_only_is_empty(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [["Mã", "Họ tên"], [None, None]])
    extraction, rows = read(staff(), tmp_path)
    assert (extraction.source_rows, rows) == (0, [])
    with open_source(staff(), tmp_path.as_uri()) as reader:
        assert reader.is_empty()


def test_missing_sheet_lists_the_others(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [["Mã", "Họ tên"]], sheet="Tháng 1")
    with pytest.raises(SourceDrift, match="a.xlsx has no sheet 'Dữ liệu'; it has 'Bìa', 'Tháng 1'"):
        read(staff(), tmp_path)


@pytest.mark.parametrize("header_row", [3, 99])
def test_blank_header_row(tmp_path: Path, header_row: int) -> None:
    workbook(tmp_path / "a.xlsx", [["Mã", "Họ tên"], ["1", "x"]])
    with pytest.raises(UnreadableSource, match=f"row {header_row} is blank, so there is no header"):
        read(staff(header_row=header_row), tmp_path)


def test_duplicate_header_and_missing_column(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [["Mã", "Mã"], ["1", "x"]])
    with pytest.raises(UnreadableSource, match="the header of a.xlsx has 'Mã' more than once"):
        read(staff(), tmp_path)
    workbook(tmp_path / "a.xlsx", [["Mã", "Tên"], ["1", "x"]])
    with pytest.raises(SourceDrift, match="a.xlsx lacks the column Họ tên; its header is: Mã, Tên"):
        read(staff(), tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.xlsx is empty, not an Excel file"),
        (b"<html><body>Please log in", "a.xlsx is a web page"),
        (b"Ma,Ten\n1,2\n", "a.xlsx is not a readable Excel file: it does not begin like an Excel file"),
        (b"PK\x03\x04" + b"x" * 100, "a.xlsx is not a readable Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "a.xlsx is not a readable Excel file"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx is protected by a password",
        ),
    ],
)
def test_broken_workbooks(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(UnreadableSource, match=message):
        read(staff(), tmp_path)


def test_zip_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(UnreadableSource, match="a.xlsx is not a readable Excel file"):
        read(staff(), tmp_path)


def test_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbook(tmp_path / "a.xlsx", [["Mã", "Họ tên"]])
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", b" " * (3 * 1024 * 1024))
    assert (tmp_path / "a.xlsx").stat().st_size < 100_000
    monkeypatch.setattr(xlsx_source, "LARGEST_UNPACKED", 2 * 1024 * 1024)
    with pytest.raises(UnreadableSource, match="would unpack to 3 MiB, more than the 2 MiB that are read"):
        read(staff(), tmp_path)


def test_no_file_and_no_month(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="no file matches"):
        read(staff(), tmp_path)
    workbook(tmp_path / "a.xlsx", [["Mã", "Họ tên"]])
    with pytest.raises(ContractError, match="read whole, not month by month"):
        read(staff(), tmp_path, Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00"))
