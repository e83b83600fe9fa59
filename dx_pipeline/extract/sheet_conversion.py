"""Turn sheets of Excel workbooks into Arrow texts; runs as a process of its own, with a limit on its memory.

A workbook is a compressed tree that can claim any size, and the library that unpacks it stops its whole process when
memory ends. So it is never opened in the process that runs the pipeline. This one reads one JSON request per line,
``{path, sheet, header_row, header_rows, captions}``, appends the rows below the header to the file descriptor it was given, as an
Arrow stream, and answers with one JSON line: where the stream lies, the header cells, the rows above them if captions are
wanted, and the merged ranges, or an ``error``.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from dx_pipeline.extract.error_cells import error_cells

BATCH_ROWS = 16_384
BATCH_CELLS = 2_000_000
MOST_COLUMNS = 16_384  # of Excel itself
MOST_ROWS_ABOVE = 50  # that captions are looked for in
PAGE = 4096
_EXACT_FLOAT = 2**53


def convert(request: dict[str, Any], descriptor: int) -> dict[str, Any]:
    """Write the rows of one sheet, as texts, to the end of the file; the answer without them.

    Columns of the stream: ``row`` (int32, as Excel counts), ``label`` (the first text with a letter), then one text
    column per sheet column, "0", "1", ... Rows without anything are left out.
    """
    book = calamine.CalamineWorkbook.from_path(request["path"])
    wanted = request["sheet"] or next(iter(book.sheet_names), None)
    if wanted not in book.sheet_names:
        return {"error": "no_sheet", "sheets": book.sheet_names[:20], "sheet": wanted}
    page = book.get_sheet_by_name(wanted)
    left = page.start[1] if page.start else 0  # the library leaves out blank columns before the first, but no rows
    width = page.end[1] + 1 - left if page.end else 0
    if width > MOST_COLUMNS:
        return {"error": "corrupt", "message": f"its sheet has {width} columns, more than Excel can write"}
    mistakes = {
        row: {column - left: text for column, text in cells.items() if column >= left}
        for row, cells in error_cells(request["path"], book.sheet_names, wanted).items()
    }
    first, last = request["header_row"] - 1, request["header_row"] + request["header_rows"] - 2
    rows = enumerate(page.iter_rows())
    top = [
        [cell_text(cell) or "" for cell in _with_errors(row, mistakes.get(number))]
        for number, row in itertools.islice(rows, last + 1)
    ]
    above, header = top[:first], top[first:]
    merged = [
        [start[0], start[1] - left, end[0], end[1] - left]
        for start, end in page.merged_cell_ranges or []
        if start[0] >= first and start[0] <= last
    ]  # a range that starts above the header belongs to a title
    start = (os.lseek(descriptor, 0, os.SEEK_END) + PAGE - 1) // PAGE * PAGE
    os.lseek(descriptor, start, os.SEEK_SET)
    schema = pa.schema(
        [("row", pa.int32()), ("label", pa.string()), *((str(number), pa.string()) for number in range(width))]
    )
    with io.FileIO(descriptor, "wb", closefd=False) as raw, pa.ipc.new_stream(pa.PythonFile(raw), schema) as writer:
        for batch in _batches(rows, mistakes, schema):
            writer.write_batch(batch)
    return {
        "sheet": wanted,
        "offset": start,
        "bytes": os.lseek(descriptor, 0, os.SEEK_END) - start,
        "above": above[-MOST_ROWS_ABOVE:] if request.get("captions") else [],
        "header": header,
        "merged": merged,
    }


def _batches(
    rows: Iterator[tuple[int, list[Any]]], mistakes: dict[int, dict[int, str]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    per_batch = max(1, min(BATCH_ROWS, BATCH_CELLS // max(len(schema) - 2, 1)))
    filled = ((number, _with_errors(row, mistakes.get(number))) for number, row in rows)
    kept = (
        item
        for item in filled
        if any(cell != "" and not (isinstance(cell, str) and cell.isspace()) for cell in item[1])
    )
    while chunk := list(itertools.islice(kept, per_batch)):
        columns = list(zip(*(row for _, row in chunk), strict=True))
        yield pa.RecordBatch.from_arrays(
            [
                pa.array([number + 1 for number, _ in chunk], pa.int32()),
                pa.array([_label(row) for _, row in chunk], pa.string()),
                *(pa.array([cell_text(cell) for cell in column], pa.string()) for column in columns),
            ],
            schema=schema,
        )


def cell_text(cell: Any) -> str | None:
    """A cell as text; None if it is blank."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT_FLOAT else repr(cell)
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"{'-' * (seconds < 0)}{abs(seconds) // 3600}:{abs(seconds) // 60 % 60:02}:{abs(seconds) % 60:02}"
    return str(cell)


def _label(row: list[Any]) -> str | None:
    return next((cell for cell in row if isinstance(cell, str) and any(map(str.isalpha, cell))), None)


def _with_errors(row: list[Any], mistakes: dict[int, str] | None) -> list[Any]:
    """The row with ``#N/A`` and its kin where the library leaves a blank."""
    for column, text in (mistakes or {}).items():
        if column < len(row) and row[column] == "":
            row[column] = text
    return row


def _answer(request: dict[str, Any], descriptor: int) -> dict[str, Any]:
    try:
        return convert(request, descriptor)
    except calamine.PasswordError:
        return {"error": "password"}
    except MemoryError:
        return {"error": "memory"}
    except OSError as error:
        return {"error": "system", "message": error.strerror or str(error)}
    except BaseException as error:  # a panic of the library is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return {"error": "corrupt", "message": str(error)[:1000]}


def main(descriptor: int, memory: int) -> None:
    """Answer requests until the input ends; at most ``memory`` bytes of address space are taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [limit for limit in (soft, hard, memory) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), descriptor)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
