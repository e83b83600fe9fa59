"""Writes one workbook per year, each in the unit its clerk liked, with sub-totals by agency and a total.

The total of 2022 is right. That of 2023 was typed before the last line was added and leaves out numbers typed as text, as
Excel does; that of 2024 leaves out the sub-totals that stand among the rows. Both differ from the sum of the rows, and the
warehouse must say so.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import openpyxl

from dx_pipeline.sandbox.dx_budget.kinds import DATASET, KINDS
from dx_pipeline.sandbox.dx_budget.rows import Row, budget_rows
from dx_pipeline.sandbox.planted import TruthBook

#: (heading, heading below or None, field of the row); two columns with one heading share a merged cell.
HEADINGS: Final = (
    ("STT", None, "stt"),
    ("Năm", None, "nam"),
    ("Mã ĐVQHNS", None, "qhns"),
    ("Đơn vị sử dụng ngân sách", None, "don_vi"),
    ("Chương", None, "chuong"),
    ("Loại, khoản", None, "loai_khoan"),
    ("Mã nhiệm vụ", None, "nhiem_vu"),
    ("Nguồn", None, "nguon"),
    ("Dự toán", "Giao đầu năm", "giao"),
    ("Dự toán", "Điều chỉnh", "dieu_chinh"),
    ("Đã giải ngân", None, "giai_ngan"),
)
HEADER_ROW: Final = 5  # of two
AMOUNTS: Final = ("giao", "dieu_chinh", "giai_ngan")
CLOSED: Final = {2022: "31/01/2023", 2023: "31/01/2024", 2024: "30/06/2024"}  # day of the table
#: year -> (cell above the table, what one triệu đồng is in that unit)
UNITS: Final = {
    2022: ("Đơn vị tính: đồng", Decimal(1_000_000)),
    2023: ("ĐVT: triệu đồng", Decimal(1)),
    2024: ("(ĐVT: tỷ đồng)", Decimal("0.001")),
}


def build_dx_budget(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the workbooks anew, and the truth about them beside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.xlsx"):
        former.unlink()
    truth = TruthBook(KINDS)
    years = budget_rows(seed, truth)
    for year, rows in years.items():
        _write_year(folder / f"kinh_phi_{year}.xlsx", year, rows)
    truth.write(truth_path, {DATASET: sum(map(len, years.values()))})


def written(amount: Any, year: int) -> Any:
    """An amount in triệu đồng as the workbook of that year has it; texts stay."""
    if not isinstance(amount, int):
        return amount
    value = amount * UNITS[year][1]
    return int(value) if value == value.to_integral_value() else float(value)


def _write_year(path: Path, year: int, rows: list[Row]) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Kinh phí"
    sheet.cell(1, 1, "SỞ TÀI CHÍNH TỈNH QUẢNG TRỊ")
    sheet.cell(2, 1, f"KINH PHÍ CHUYỂN ĐỔI SỐ NĂM {year}")
    sheet.merge_cells(start_row=2, end_row=2, start_column=1, end_column=len(HEADINGS))
    sheet.cell(3, len(HEADINGS) - 1, UNITS[year][0])
    _write_header(sheet)
    for number, (name, lines) in enumerate(groupby(rows, key=lambda row: str(row["don_vi"])), start=1):
        listed = list(lines)
        for row in listed:
            numbered = {**row, "stt": number, **{field: written(row[field], year) for field in AMOUNTS}}
            sheet.append([numbered[field] for _, _, field in HEADINGS])
        sheet.append(_total(f"Cộng đơn vị: {name}", listed, year))
    typed = rows[:-1] if year == 2023 else rows
    sheet.append(_total("Tổng cộng", [row for row in typed if year != 2024 or row["nhiem_vu"]], year))
    sheet.append([])
    sheet.append([None] * 8 + [f"Quảng Trị, ngày {CLOSED[year]}"])
    sheet.append([None, None, None, "Người lập biểu", None, None, None, None, "Giám đốc"])
    partial = path.with_name(f".{path.name}.partial")
    book.save(partial)
    partial.replace(path)


def _write_header(sheet: Any) -> None:
    for column, (heading, below, _) in enumerate(HEADINGS, start=1):
        if below is None:
            sheet.cell(HEADER_ROW, column, heading)
            sheet.merge_cells(start_row=HEADER_ROW, end_row=HEADER_ROW + 1, start_column=column, end_column=column)
        else:
            sheet.cell(HEADER_ROW + 1, column, below)
            if HEADINGS[column - 2][0] != heading:
                sheet.cell(HEADER_ROW, column, heading)
                sheet.merge_cells(start_row=HEADER_ROW, end_row=HEADER_ROW, start_column=column, end_column=column + 1)


def _total(label: str, rows: list[Row], year: int) -> list[Any]:
    """A row of sums as Excel makes them: texts count as nothing."""
    sums = {name: sum(row[name] for row in rows if isinstance(row[name], int)) for name in AMOUNTS}
    return [label if field == "don_vi" else written(sums.get(field), year) for _, _, field in HEADINGS]
