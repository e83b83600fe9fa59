"""Rows to a file as they come: Parquet, CSV or a workbook, never more than one block of rows in memory."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from dx_pipeline.docs_site.catalogue import TableColumn
from dx_pipeline.errors import SettingsError
from dx_pipeline.export.dictionary import MartDictionary
from dx_pipeline.spreadsheet import LAST_ROW, harmless, text_cell

Format = Literal["parquet", "csv", "xlsx"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "xlsx")
Rows = Iterable[Sequence[Sequence[Any]]]
_NUMERIC = re.compile(r"numeric\((\d+),\s*(\d+)\)")
_PLAIN = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(),
    "double precision": pa.float64(), "real": pa.float32(), "timestamp with time zone": pa.timestamp("us", "UTC"),
    "numeric": pa.decimal128(38, 12),
}  # fmt: skip
_EXCEL_DIGITS = 15  # of a number; a longer one would lose its last digits


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its place at the end, so that nobody reads half of one.

    Raises:
        SettingsError: it cannot be written.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        os.replace(beside, target)
    except OSError as error:
        raise SettingsError(
            f"{target} cannot be written: {error.strerror or error}", next_step="name another folder with --out"
        ) from error
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def write_table(target: Path, kind: Format, columns: Sequence[TableColumn], rows: Rows, about: MartDictionary) -> int:
    """Write blocks of rows; returns how many rows. A workbook gets the dictionary as its second sheet.

    Raises:
        SettingsError: the file cannot be written, or a sheet does not hold so many rows.
    """
    with replacing(target) as beside:
        if kind == "parquet":
            return _parquet(beside, columns, rows)
        if kind == "csv":
            return _csv(beside, columns, rows)
        return _workbook(beside, columns, rows, about)


def _parquet(path: Path, columns: Sequence[TableColumn], rows: Rows) -> int:
    schema = pa.schema(
        [
            pa.field(
                one.name,
                arrow_type(one.data_type),
                metadata={"comment_vi": one.comment_vi.encode(), "comment_en": one.comment_en.encode()},
            )
            for one in columns
        ]
    )
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in rows:
            arrays = [
                pa.array([_arrow_value(row[at], one.type) for row in block], one.type) for at, one in enumerate(schema)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(block)
    return count


def arrow_type(data_type: str) -> pa.DataType:
    """The Arrow type of a column of PostgreSQL; what has none of its own is written as text."""
    sized = _NUMERIC.fullmatch(data_type)
    if sized is not None:
        return pa.decimal128(min(int(sized[1]), 38), int(sized[2]))
    return _PLAIN.get(data_type, pa.string())


def _arrow_value(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value).quantize(Decimal(1).scaleb(-kind.scale))
    return _as_text(value) if pa.types.is_string(kind) else value


def _csv(path: Path, columns: Sequence[TableColumn], rows: Rows) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:  # with a byte order mark, for Excel
        writer = csv.writer(stream)
        writer.writerow([one.name for one in columns])
        for block in rows:
            writer.writerows([_csv_cell(value) for value in row] for row in block)
            count += len(block)
    return count


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | Decimal) else harmless(_as_text(value))


def _workbook(path: Path, columns: Sequence[TableColumn], rows: Rows, about: MartDictionary) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Dữ liệu · Data")
    sheet.freeze_panes = "A2"
    sheet.append([text_cell(sheet, one.name, bold=True) for one in columns])
    count = 0
    for block in rows:
        count += len(block)
        if count >= LAST_ROW:
            raise SettingsError(
                f"mart {about.name}: a sheet of Excel holds {LAST_ROW - 1:,} rows below its header, and there are more",
                next_step="use --format csv or --format parquet",
            )
        for row in block:
            sheet.append([_sheet_cell(sheet, value) for value in row])
    _dictionary_sheet(book, about)
    with path.open("wb") as stream:
        book.save(stream)
    return count


def _sheet_cell(sheet: Any, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | Decimal):
        if isinstance(value, int | Decimal) and len(Decimal(value).normalize().as_tuple().digits) > _EXCEL_DIGITS:
            return text_cell(sheet, str(value)) if isinstance(value, int) else float(value)
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return text_cell(sheet, _as_text(value))


def _dictionary_sheet(book: Workbook, about: MartDictionary) -> None:
    sheet = book.create_sheet("Từ điển · Dictionary")
    for letter, width in zip("ABCD", (34, 26, 70, 70), strict=True):
        sheet.column_dimensions[letter].width = width

    def line(*texts: str, bold: bool = False) -> None:
        sheet.append([text_cell(sheet, one, bold=bold, wrap=True) for one in texts])

    line(f"mart.{about.name}", "", about.comment_vi, about.comment_en, bold=True)
    line("Độ chi tiết · Grain", "", about.grain)
    line("Tính lúc · Computed at", "", _as_text(about.refreshed_at) if about.refreshed_at else "khi hỏi · when asked")
    for one in about.sources:
        fresh = _as_text(one.published_at) if one.published_at else "–"
        line("Nguồn · Source", one.dataset_id, one.purpose_vi, one.purpose_en)
        line("Chủ quản · Owner", one.owner_agency, one.owner_name, f"dữ liệu đến · data as of {fresh}")
    line()
    line("Cột · Column", "Kiểu · Type", "Ý nghĩa", "Meaning", bold=True)
    for column in about.columns:
        line(column.name, column.data_type, column.comment_vi, column.comment_en)


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
