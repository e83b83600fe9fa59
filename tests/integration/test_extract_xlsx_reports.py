"""Monthly reports in Excel: headers of merged rows, total rows inside the sheet, signatures below, errors in cells."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
import xlwt

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, UnreadableSource
from dx_pipeline.extract import sheet
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract
from tests.workbooks import write_xls, write_xlsx

JOINED = "Tài khoản định danh điện tử / Đã cấp (hồ sơ) / Mức 2"
COLUMNS = ("Xã, phường, thị trấn", JOINED, "Kích hoạt mức 2", "Ghi chú")


def report(*columns: str, **source: Any) -> Contract:
    options = {
        "path": "*.xls*",
        "header_row": 3,
        "header_rows": 3,
        "total_rows": ("Tổng cộng", "Cộng:"),
        "stop_at": ("Đông Hà, ngày", "Người lập biểu"),
        **source,
    }
    return make_contract(columns or COLUMNS, kind="xlsx", **options)


def read(contract: Contract, folder: Path) -> tuple[Extraction, list[list[Any]]]:
    with open_source(contract, folder.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, [list(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("write", [write_xlsx, write_xls])
def test_a_monthly_report(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    write(tmp_path / ("t6.xls" if write is write_xls else "t6.xlsx"))
    extraction, rows = read(report(), tmp_path)
    assert rows == [
        ["Phường 1", "5400", "3.950", None],
        ["Phường Đông Giang", "2750", "1800", "chưa có số liệu"],
        ["Cộng Hòa", "900", "512.5", None],
        ["TT. Khe Sanh", "3001", "2000", "x"],
    ]
    (file,) = extraction.position["files"]
    assert file["rows"] == 4
    assert file["total_rows"] == 2
    assert file["totals"] == [
        {"row": 10, "values": {"Xã, phường, thị trấn": "Cộng:", JOINED: "9050", "Kích hoạt mức 2": "6262.5"}},
        {"row": 12, "values": {JOINED: "12051", "Kích hoạt mức 2": "8262.5"}},
    ]
    assert (file["stopped_at_row"], file["rows_below"]) == (13, 3)
    with open_source(report(), tmp_path.as_uri()) as reader:
        assert [column.name for column in reader.describe()] == [
            "STT",
            "Xã, phường, thị trấn",
            "Tài khoản định danh điện tử / Đã cấp (hồ sơ) / Mức 1",
            JOINED,
            "Tài khoản định danh điện tử / Đã kích hoạt / Mức 1",
            "Kích hoạt mức 2",
            "Ghi chú",
        ]
        assert (reader.holds_at_least(4), reader.holds_at_least(5)) == (True, False)


def test_both_formats_in_one_folder_are_one_batch(tmp_path: Path) -> None:
    write_xls(tmp_path / "05.xls")
    write_xlsx(tmp_path / "06.xlsx")
    extraction, rows = read(report(), tmp_path)
    assert rows[:4] == rows[4:]
    assert [file["rows"] for file in extraction.position["files"]] == [4, 4]


def test_a_last_part_that_is_not_alone_will_not_do(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx")
    with pytest.raises(SourceDrift, match="a.xlsx lacks the column Mức 1; its header is: STT"):
        read(report("Xã, phường, thị trấn", "Mức 1"), tmp_path)


def test_without_these_options_totals_and_notes_are_rows(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx")
    extraction, rows = read(report("STT", total_rows=(), stop_at=()), tmp_path)
    assert [row[0] for row in rows] == ["1", "2", "3", None, "4", "Tổng  cộng toàn tỉnh", None, None, None]
    assert "totals" not in extraction.position["files"][0]


def test_totals_are_found_by_whole_words_in_any_composition(tmp_path: Path) -> None:
    rows = (
        (1, "Cộng Hòa"),
        (2, unicodedata.normalize("NFD", "Cộng")),
        (3, "Cộngtác"),
        (4, "cộng"),
        (None, "\u00a0 Tổng\u00a0cộng (9 xã)"),
    )
    write_xlsx(tmp_path / "a.xlsx", rows)
    extraction, found = read(report("STT", total_rows=("Cộng", "Tổng cộng")), tmp_path)
    assert [row[0] for row in found] == ["3", "4"]  # "Cộng Hòa" is lost to a text that says too little
    assert extraction.position["files"][0]["total_rows"] == 3


def test_people_are_not_told_in_totals(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx")
    contract = report("Xã, phường, thị trấn", JOINED)
    named = replace(contract.columns[0], classification="personal")
    extraction, _ = read(replace(contract, columns=(named, contract.columns[1])), tmp_path)
    assert extraction.position["files"][0]["totals"][0] == {"row": 10, "values": {JOINED: "9050"}}


def test_a_row_of_column_numbers_is_no_part_of_the_names(tmp_path: Path) -> None:
    numbers = ("A", "B", "1", "(2)", 3, "4 = 2/1", None)
    write_xlsx(tmp_path / "a.xlsx", (numbers, (1, "A Dơi", 2, 3, 4, 5, "x")))
    _, rows = read(report(*COLUMNS, header_rows=4), tmp_path)
    assert rows == [["A Dơi", "3", "5", "x"]]


def test_header_of_two_rows_that_are_blank(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx")
    with pytest.raises(UnreadableSource, match="rows 40 to 41 are blank, so there is no header"):
        read(report(header_row=40, header_rows=2), tmp_path)


def test_errors_and_dates_of_new_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page["C2"], page["D2"] = "Mã", "Giá trị"
    values = ["#N/A", "#DIV/0!", 45473, dt.date(2024, 6, 30), dt.timedelta(hours=30, minutes=5), "0123", 0.1 + 0.2]
    for number, value in enumerate(values, start=3):
        page.cell(number, 3, str(number))
        page.cell(number, 4, value)
    book.save(tmp_path / "a.xlsx")
    contract = report("Mã", "Giá trị", header_row=2, header_rows=1)
    assert [row[1] for row in read(contract, tmp_path)[1]] == [
        "#N/A", "#DIV/0!", "45473", "2024-06-30", "30:05:00", "0123", "0.3",
    ]  # fmt: skip


def test_errors_and_dates_of_old_excel(tmp_path: Path) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    book.add_sheet("Bìa").row(1).set_cell_error(1, 0x17)
    page = book.add_sheet("Số liệu")
    page.write(0, 1, "Mã")
    page.write(0, 2, "Giá trị")
    day = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for number in range(1, 6):
        page.write(number, 1, str(number))
    page.row(1).set_cell_error(2, 0x2A)
    page.row(2).set_cell_error(2, 0x07)
    page.write(3, 2, dt.date(2024, 6, 30), day)
    page.write(4, 2, 45473)
    page.write(5, 2, "0123")
    book.save(str(tmp_path / "a.xls"))
    contract = report("Mã", "Giá trị", header_row=1, header_rows=1, sheet="Số liệu")
    assert [row[1] for row in read(contract, tmp_path)[1]] == ["#N/A", "#DIV/0!", "2024-06-30", "45473", "0123"]


def test_a_cell_far_away_is_told_and_kills_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading library keeps every cell between the first and the last: 2 cells here, 17 thousand million there."""
    monkeypatch.setattr(sheet, "MEMORY_BYTES", 1024**3)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["A1"], book.active["XFD1048576"] = "Mã", "x"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(UnreadableSource, match="a.xlsx cannot be unpacked with 1024 MiB of memory"):
        read(report("Mã", header_row=1, header_rows=1), tmp_path)


def test_a_workbook_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "SECONDS_PER_FILE", 0.01)
    write_xlsx(tmp_path / "a.xlsx")
    with pytest.raises(UnreadableSource, match="a.xlsx cannot be unpacked with 0.01 seconds"):
        read(report(), tmp_path)


def test_contract_texts(tmp_path: Path) -> None:
    guide = Path("docs/onboard-a-source.md").read_text(encoding="utf-8")
    text = guide[guide.index("# The name of the person in charge") :]
    text = text[: text.index("```")]
    path = tmp_path / "assets" / "clinics" / "co_so_y_te.odcs.yaml"
    path.parent.mkdir(parents=True)
    keys = '{kind: xlsx, path: "*.xls*", headerRow: 3, headerRows: 2, totalRows: ["Tổng cộng"], stopAt: ["Người lập"]}'
    path.write_text(text.replace("{kind: table, table: co_so_y_te}", keys), encoding="utf-8")
    source = load_contract(path, tmp_path).source
    assert (source.header_row, source.header_rows) == (3, 2)
    assert (source.total_rows, source.stop_at) == (("Tổng cộng",), ("Người lập",))
    path.write_text(text.replace("{kind: table, table: co_so_y_te}", '{kind: dbf, path: "*.dbf"}'), encoding="utf-8")
    assert load_contract(path, tmp_path).source.encoding == "cp1252"
    for wrong in ("totalRows: Cộng", 'stopAt: [""]', "headerRows: x"):
        keys = f'{{kind: xlsx, path: "*.xls*", {wrong}}}'
        path.write_text(text.replace("{kind: table, table: co_so_y_te}", keys), encoding="utf-8")
        with pytest.raises(ContractError, match=wrong.split(":")[0]):
            load_contract(path, tmp_path)
