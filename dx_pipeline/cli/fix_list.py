"""The list of rows a department has to mend, as a workbook or as CSV.

The department knows its columns by their own names, so the raw record stands beside the reasons under the source's
column names. Nothing in a cell may run as a formula, and nothing may be changed on the way: a workbook holds typed
texts, a CSV file gets an apostrophe before what a spreadsheet would take for a formula (a plain number is none).
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from openpyxl import Workbook

from dx_pipeline.errors import SettingsError
from dx_pipeline.spreadsheet import LAST_ROW, harmless, text_cell
from dx_pipeline.warehouse.quarantine import QuarantinedRow

SUFFIXES = (".csv", ".xlsx")
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\']")
_COVER = "Tóm tắt"
_FIRST = ("Số", "Khóa dòng", "Phải sửa", "Reason", "Mã lý do", "Thấy lần đầu", "Số ngày")
_WIDTHS = (8, 24, 60, 40, 28, 17, 9)
_CSV_FIRST = (
    "tap_du_lieu", "dong", "ma_ly_do", "ly_do", "reason", "lan_dau", "lan_cuoi", "so_ngay", "so_thu_tu",
)  # fmt: skip


def check_target(target: Path) -> None:
    """SettingsError for a file name that is neither CSV nor a workbook."""
    if target.suffix.lower() not in SUFFIXES:
        raise SettingsError(
            f"{target}: a fix list is written as {' or '.join(SUFFIXES)}",
            next_step="give the file one of these endings",
        )


def write_fix_list(target: Path, rows: Sequence[QuarantinedRow], *, department: str, now: datetime) -> None:
    """Write the rows to a ``.xlsx`` or ``.csv`` file that only its owner may read (mode 0600), in one step."""
    check_target(target)
    rows = sorted(rows, key=lambda row: (row.dataset_id, row.quarantine_id))
    if target.suffix.lower() == ".xlsx":
        _replace_privately(target, lambda stream: _workbook(rows, department, now).save(stream))
    else:
        _replace_privately(target, lambda stream: _csv_bytes(stream, rows, now))


def write_csv(stream: IO[str], rows: Sequence[QuarantinedRow], now: datetime) -> None:
    """All rows as one CSV table; the columns of all datasets side by side."""
    raw_columns = list(dict.fromkeys(name for row in rows for name in row.raw_record))
    writer = csv.writer(stream)
    writer.writerow(harmless(name) for name in (*_CSV_FIRST, *raw_columns))
    for row in rows:
        writer.writerow(
            harmless(value)
            for value in (
                row.dataset_id,
                row.row_key,
                "; ".join(row.reasons),
                "; ".join(row.messages_vi),
                "; ".join(row.messages_en),
                f"{row.first_seen:%Y-%m-%d %H:%M}",
                f"{row.last_seen:%Y-%m-%d %H:%M}",
                _age(row, now),
                row.quarantine_id,
                *(row.raw_record.get(name) for name in raw_columns),
            )
        )


def _csv_bytes(stream: IO[bytes], rows: Sequence[QuarantinedRow], now: datetime) -> None:
    import io

    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    write_csv(text, rows, now)
    text.flush()
    text.detach()


def _replace_privately(target: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write beside the target, readable by nobody else from the first byte on, then put it in its place."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w+b") as stream:
            write(stream)
        os.replace(temporary, target)
    except OSError as error:
        raise SettingsError(f"{target} cannot be written: {error.strerror}", next_step="name another file") from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _workbook(rows: Sequence[QuarantinedRow], department: str, now: datetime) -> Workbook:
    book = Workbook(write_only=True)
    _write_cover(book, rows, department, now)
    titles = {_COVER.casefold()}
    for dataset_id in dict.fromkeys(row.dataset_id for row in rows):
        mine = [row for row in rows if row.dataset_id == dataset_id]
        for start in range(0, len(mine), LAST_ROW - 1):
            _write_sheet(book, _title(dataset_id, titles), mine[start : start + LAST_ROW - 1], now)
    return book


def _write_cover(book: Workbook, rows: Sequence[QuarantinedRow], department: str, now: datetime) -> None:
    sheet = book.create_sheet(_COVER)
    for letter, width in zip("ABCDEF", (34, 34, 60, 50, 10, 16), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append([text_cell(sheet, "Danh sách dòng phải sửa · Rows to mend", bold=True)])
    sheet.append([text_cell(sheet, "Đơn vị · Department"), text_cell(sheet, department)])
    sheet.append([text_cell(sheet, "Lập lúc · Made at"), text_cell(sheet, f"{now:%Y-%m-%d %H:%M}")])
    sheet.append([text_cell(sheet, "Số dòng · Rows"), len(rows)])
    for line in (
        "Sửa tại phần mềm nguồn, không sửa trong tệp này; lần chạy sau tự nhận dòng đã sửa.",
        "Mend at the source, not in this file; the next run takes a mended row by itself.",
        "Tệp có thể chứa dữ liệu cá nhân: giữ như hồ sơ. May hold personal data: keep it as you keep the dossiers.",
    ):
        sheet.append([text_cell(sheet, line)])
    sheet.append([])
    header = ("Tập dữ liệu", "Mã lý do", "Phải sửa", "Reason", "Số dòng", "Lâu nhất (ngày)")
    sheet.append([text_cell(sheet, name, bold=True) for name in header])
    for (dataset_id, code, vi, en), count, oldest in _by_reason(rows, now):
        texts = [text_cell(sheet, value, wrap=True) for value in (dataset_id, code, vi, en)]
        sheet.append([*texts, count, oldest])


def _by_reason(rows: Iterable[QuarantinedRow], now: datetime) -> Iterator[tuple[tuple[str, str, str, str], int, int]]:
    counts: Counter[tuple[str, str]] = Counter()
    oldest: dict[tuple[str, str], int] = {}
    words: dict[tuple[str, str], tuple[str, str]] = {}
    for row in rows:
        for code, vi, en in zip(row.reasons, row.messages_vi, row.messages_en, strict=True):
            reason = (row.dataset_id, code)
            counts[reason] += 1
            oldest[reason] = max(oldest.get(reason, 0), _age(row, now))
            words.setdefault(reason, (vi, en))
    for reason, count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        yield (*reason, *words[reason]), count, oldest[reason]


def _write_sheet(book: Workbook, title: str, rows: Sequence[QuarantinedRow], now: datetime) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "C2"
    raw_columns = list(dict.fromkeys(name for row in rows for name in row.raw_record))
    for position, width in enumerate((*_WIDTHS, *(18 for _ in raw_columns))):
        sheet.column_dimensions[_letter(position)].width = width
    sheet.append([text_cell(sheet, name, bold=True, wrap=True) for name in (*_FIRST, *raw_columns)])
    for row in rows:
        sheet.append(
            [
                row.quarantine_id,
                text_cell(sheet, row.row_key),
                text_cell(sheet, "\n".join(row.messages_vi), wrap=True),
                text_cell(sheet, "\n".join(row.messages_en), wrap=True),
                text_cell(sheet, "\n".join(row.reasons), wrap=True),
                text_cell(sheet, f"{row.first_seen:%Y-%m-%d %H:%M}"),
                _age(row, now),
                *(text_cell(sheet, row.raw_record.get(name)) for name in raw_columns),
            ]
        )


def _title(dataset_id: str, taken: set[str]) -> str:
    """A sheet title of at most 31 characters that no other sheet has."""
    told = dataset_id if len(dataset_id) <= 31 else dataset_id.partition(".")[2]
    wanted = _NOT_IN_TITLE.sub("_", told)[:31]
    title, number = wanted, 1
    while title.casefold() in taken:
        number += 1
        end = f" ({number})"
        title = wanted[: 31 - len(end)] + end
    taken.add(title.casefold())
    return title


def _letter(position: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(position + 1))


def _age(row: QuarantinedRow, now: datetime) -> int:
    return max(0, (now - row.first_seen).days)
