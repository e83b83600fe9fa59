"""Writes one workbook per month, with what a police office puts around its figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final

import openpyxl

from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.eid.kinds import DATASET, KINDS
from dx_pipeline.sandbox.eid.rows import COUNTS, Row, eid_rows
from dx_pipeline.sandbox.planted import TruthBook

#: (heading, heading below or None, field of the row); two columns with one heading share a merged cell.
HEADINGS: Final = (
    ("STT", None, "stt"),
    ("Kỳ báo cáo", None, "ky"),
    ("Huyện, thị xã, thành phố", None, "huyen"),
    ("Mã xã", None, "ma_xa"),
    ("Xã, phường, thị trấn", None, "xa"),
    ("Nhân khẩu từ đủ 14 tuổi", None, "nhan_khau"),
    ("Hồ sơ thu nhận", None, "thu_nhan"),
    ("Đã cấp (hồ sơ)", "Mức 1", "cap_1"),
    ("Đã cấp (hồ sơ)", "Mức 2", "cap_2"),
    ("Đã kích hoạt", "Mức 1", "kich_hoat_1"),
    ("Đã kích hoạt", "Mức 2", "kich_hoat_2"),
    ("Tài khoản tổ chức", None, "to_chuc"),
    ("Lũy kế đến ngày", None, "den_ngay"),
)
HEADER_ROW: Final = 4  # of two


def build_eid(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the twelve workbooks anew, and the truth about them beside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.xlsx"):
        former.unlink()
    truth = TruthBook(KINDS)
    months = eid_rows(commune_list(date(2024, 6, 30)), seed, truth)
    for rows in months:
        write_month(folder / f"dinh_danh_{rows[0]['month'][:7]}.xlsx", rows)
    truth.write(truth_path, {DATASET: sum(map(len, months))})


def write_month(path: Path, rows: list[Row]) -> None:
    """One workbook: title, header of merged cells, the total row on top, the communes, signatures."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Tổng hợp"
    sheet.cell(1, 1, "CÔNG AN TỈNH QUẢNG TRỊ")
    sheet.cell(2, 1, f"KẾT QUẢ CẤP, KÍCH HOẠT ĐỊNH DANH ĐIỆN TỬ THÁNG {rows[0]['ky']}")
    sheet.merge_cells(start_row=2, end_row=2, start_column=1, end_column=len(HEADINGS))
    for column, (heading, below, _) in enumerate(HEADINGS, start=1):
        if below is None:
            sheet.cell(HEADER_ROW, column, heading)
            sheet.merge_cells(start_row=HEADER_ROW, end_row=HEADER_ROW + 1, start_column=column, end_column=column)
        else:
            sheet.cell(HEADER_ROW + 1, column, below)
            if HEADINGS[column - 2][0] != heading:
                sheet.cell(HEADER_ROW, column, heading)
                sheet.merge_cells(start_row=HEADER_ROW, end_row=HEADER_ROW, start_column=column, end_column=column + 1)
    # The office adds up what it typed; words count as nothing.
    totals = {name: sum(row[name] for row in rows if isinstance(row[name], int)) for name in COUNTS}
    sheet.append(["Tổng cộng toàn tỉnh", *(totals.get(field) for _, _, field in HEADINGS[1:])])
    for number, row in enumerate(rows, start=1):
        sheet.append([{**row, "stt": number}[field] for _, _, field in HEADINGS])
    sheet.append([])
    sheet.append([None] * 9 + [f"Quảng Trị, ngày {rows[0]['den_ngay']}"])
    sheet.append([None, None, "Người lập biểu", None, None, None, None, None, None, "Thủ trưởng đơn vị"])
    partial = path.with_name(f".{path.name}.partial")
    book.save(partial)
    partial.replace(path)
