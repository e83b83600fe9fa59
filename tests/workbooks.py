"""The workbook a district police office sends each month, as .xlsx and as .xls, and readers for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import xlwt

TITLE = "TỔNG HỢP KẾT QUẢ CẤP ĐỊNH DANH ĐIỆN TỬ THÁNG 6/2024"
# Rows 3 to 5 are the header: (row, column, last row, last column, text), from 0.
HEADINGS = (
    (2, 0, 4, 0, "STT"),
    (2, 1, 4, 1, "Xã, phường,\nthị trấn"),
    (2, 2, 2, 5, "Tài khoản định danh điện tử"),
    (3, 2, 3, 3, "Đã cấp (hồ sơ)"),
    (3, 4, 3, 5, "Đã kích hoạt"),
    (4, 2, 4, 2, "Mức 1"),
    (4, 3, 4, 3, "Mức 2"),
    (4, 4, 4, 4, "Mức 1"),
    (4, 5, 4, 5, "Kích hoạt mức 2"),
    (2, 6, 4, 6, "Ghi chú"),
)
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "Phường 1", 120, 5400, 80, "3.950", None),
    (2, "Phường Đông Giang", 35, 2750, 20, 1800, "chưa có số liệu"),
    (None, None, None, None, None, None, None),
    (3, "Cộng Hòa", 12, 900, 7, 512.5, None),
    (None, "Cộng:", 167, 9050, 107, 6262.5, None),
    (4, "TT. Khe Sanh", None, 3001, None, 2000, "x"),
    ("Tổng  cộng toàn tỉnh", None, 167, 12051, 107, 8262.5, None),
    (None, None, None, None, "Đông Hà, ngày 30 tháng 6 năm 2024", None, None),
    (None, "Người lập biểu", None, None, "Thủ trưởng", None, None),
    (None, "Trần Thị Lan", None, None, "Lê Văn Nam", None, None),
)


def write_xlsx(path: Path, rows: tuple[tuple[Any, ...], ...] = ROWS) -> Path:
    """The workbook as today's Excel writes it."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Tháng 6"
    page["A1"] = TITLE
    page.merge_cells("A1:G1")
    for top, left, bottom, right, text in HEADINGS:
        page.cell(top + 1, left + 1, text)
        if (top, left) != (bottom, right):
            page.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    for number, row in enumerate(rows, start=6):
        for column, value in enumerate(row, start=1):
            if value is not None:
                page.cell(number, column, value)
    book.save(path)
    return path


def write_xls(path: Path, rows: tuple[tuple[Any, ...], ...] = ROWS) -> Path:
    """The same workbook as Excel 97 writes it."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("Tháng 6")
    page.write_merge(0, 0, 0, 6, TITLE)
    for top, left, bottom, right, text in HEADINGS:
        page.write_merge(top, bottom, left, right, text)
    for number, row in enumerate(rows, start=5):
        for column, value in enumerate(row):
            if value is not None:
                page.write(number, column, value)
    book.save(str(path))
    return path
