"""One sheet of a workbook, converted by a process of its own (``sheet_conversion.py``), and its headings."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract.folder import SourceFile, header_name

MEMORY_BYTES = 3 * 1024**3
SECONDS_PER_FILE = 600
PART_SEPARATOR = " / "
_COLUMN_NUMBER = re.compile(r"^\(?(?:\d{1,2}|[A-ZĐ])\)?(?:\s*=.{1,30})?$")
_MODULE = "dx_pipeline.extract.sheet_conversion"


@dataclass(frozen=True)
class Sheet:
    """Header cells (as texts, one list per header row), merged ranges and the rows below as an Arrow stream.

    ``merged``: (first row, first column, last row, last column) from 0, of ranges that begin in the header.
    ``above``: the rows above the header, if the contract reads captions.
    """

    name: str
    header: list[list[str]]
    merged: list[tuple[int, int, int, int]]
    stream: pa.Buffer
    above: list[list[str]] = field(default_factory=list)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Columns ``row``, ``label`` and then "0", "1", ...; see :func:`sheet_conversion.convert`."""
        if self.stream.size:
            with pa.ipc.open_stream(self.stream) as reader:
                yield from reader


class SheetConverter:
    """The converting process and the file its rows lie in: without a name, gone when this process ends."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._process: subprocess.Popen[str] | None = None
        self._rows = tempfile.TemporaryFile(prefix="dx-sheet-")  # noqa: SIM115 (closed by close)

    def close(self) -> None:
        """End the process and give back the file."""
        self._stop()
        self._rows.close()

    def convert(self, file: SourceFile) -> Sheet:
        """Read the contract's sheet of one workbook.

        Raises:
            UnreadableSource: it is damaged, locked, or takes more memory or time than a file may take.
            SourceDrift: it has no such sheet.
            SourceUnavailable: the operating system does not give it to us.
        """
        source = self._contract.source
        answer = self._ask(
            file,
            {
                "path": str(file.path),
                "sheet": source.sheet,
                "header_row": max(source.header_row, 1),
                "header_rows": source.header_rows,
                "captions": bool(source.captions),
            },
        )
        if "error" in answer:
            raise self._refusal(file, answer)
        return Sheet(
            name=answer["sheet"],
            header=answer["header"],
            merged=[tuple(edges) for edges in answer["merged"]],
            stream=self._stream(answer["offset"], answer["bytes"]),
            above=answer["above"],
        )

    def _stream(self, offset: int, size: int) -> pa.Buffer:
        if not size:
            return pa.py_buffer(b"")
        return pa.py_buffer(mmap.mmap(self._rows.fileno(), size, access=mmap.ACCESS_READ, offset=offset))

    def _ask(self, file: SourceFile, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(SECONDS_PER_FILE, end)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._stop()
        if overdue.is_set():
            return {"error": "time"}
        return {"error": "memory" if process.returncode == -6 else "died", "code": process.returncode}

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            descriptor = self._rows.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(descriptor), str(MEMORY_BYTES)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[descriptor],
                env={
                    **os.environ,
                    "PYTHONPATH": _with_this_package(),
                    "ARROW_DEFAULT_MEMORY_POOL": "system",
                    "PYTHONIOENCODING": "utf-8",
                },
                text=True,
                encoding="utf-8",
            )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.kill()
        process.wait()

    def _refusal(self, file: SourceFile, answer: dict[str, Any]) -> Exception:
        contract = self._contract
        kind = answer["error"]
        if kind == "no_sheet":
            return SourceDrift(
                f"{contract.id}: {file.name} has no sheet {answer['sheet']!r}; it has "
                f"{', '.join(map(repr, answer['sheets']))}",
                next_step=f"mend source.sheet in {contract.path}, or ask the owner for the right file",
            )
        if kind == "password":
            return protected(contract, file)
        if kind == "system":
            return SourceUnavailable(
                f"{contract.id}: {file.name} cannot be read: {answer['message']}",
                next_step="check the file's permissions and that the share is mounted; then run again",
            )
        if kind in ("memory", "time"):
            limit = f"{MEMORY_BYTES // 2**20} MiB of memory" if kind == "memory" else f"{SECONDS_PER_FILE} seconds"
            return UnreadableSource(
                f"{contract.id}: {file.name} cannot be unpacked with {limit}: it is too large, or damaged in a way that "
                "makes it look so",
                next_step="ask the owner for the data as CSV, or in several files; delete rows and columns that only "
                "carry formats",
            )
        return corrupt(contract, file, answer.get("message") or f"its reader stopped (code {answer.get('code')})")


def _with_this_package() -> str:
    """A module path on which the converting process finds the same package as this one."""
    root = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))


def heading_parts(sheet: Sheet, first_row: int) -> list[tuple[str, ...]]:
    """The texts above each column, from the top down, without blanks and repetitions.

    A merged cell stands above every column and in every row it covers, if the header has more than one row. A last row
    of nothing but column numbers (A, B, 1, 2, 3=1+2), as Vietnamese reports have it, is no part of the names.

    Args:
        first_row: the header's first row, from 0.
    """
    width = max((len(row) for row in sheet.header), default=0)
    grid = [[header_name(cell) for cell in row] + [""] * (width - len(row)) for row in sheet.header]
    if len(grid) > 1:
        if all(_COLUMN_NUMBER.match(text) for text in grid[-1] if text):
            grid.pop()
        _fill_merged(
            grid, [(top - first_row, left, bottom - first_row, right) for top, left, bottom, right in sheet.merged]
        )
    found = []
    for column in range(width):
        texts = [row[column] for row in grid if row[column]]
        found.append(tuple(text for place, text in enumerate(texts) if place == 0 or text != texts[place - 1]))
    while found and not found[-1]:
        found.pop()
    return found


def _fill_merged(grid: list[list[str]], ranges: Sequence[tuple[int, int, int, int]]) -> None:
    filled: set[tuple[int, int]] = set()
    for top, left, bottom, right in ranges:
        cells = (
            (row, column)
            for row in range(top, min(bottom + 1, len(grid)))
            for column in range(left, min(right + 1, len(grid[0])))
        )
        for row, column in cells:
            if (row, column) in filled:
                break  # ranges that overlap are no work of Excel
            filled.add((row, column))
            grid[row][column] = grid[top][left]


def heading_names(contract: Contract, parts: Sequence[tuple[str, ...]]) -> list[str]:
    """The name of each column: its parts joined by `` / ``, or its last part where the contract asks for that.

    The last part alone will do if no other column ends in it.
    """
    names = [PART_SEPARATOR.join(column) for column in parts]
    lasts = [column[-1] if column else "" for column in parts]
    for column in contract.columns:
        wanted = header_name(column.source_name)
        if wanted not in names and lasts.count(wanted) == 1:
            names[lasts.index(wanted)] = wanted
    return names


def protected(contract: Contract, file: SourceFile) -> UnreadableSource:
    """The workbook is locked."""
    return UnreadableSource(
        f"{contract.id}: {file.name} is protected by a password",
        next_step=f"ask the owner {contract.owner_agency} for the file without a password, over a protected way",
    )


def corrupt(contract: Contract, file: SourceFile, reason: str) -> UnreadableSource:
    """The workbook is damaged, or none."""
    return UnreadableSource(
        f"{contract.id}: {file.name} is not a readable Excel file: {' '.join(reason.split())[:200]}",
        next_step=f"open it in Excel to see whether it is damaged, and get it again from {contract.owner_agency}",
    )
