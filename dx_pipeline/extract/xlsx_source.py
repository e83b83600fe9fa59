"""Read Excel sheets as Arrow text columns (python-calamine).

A sheet has no column types, only cell values: whole numbers become text without ``.0``, dates ISO text.
"""

from __future__ import annotations

import datetime as dt
import itertools
import zipfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import python_calamine as calamine

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, UnreadableSource
from dx_pipeline.extract.folder import (
    HashingFile,
    SourceFile,
    check_unchanged,
    column_positions,
    described_names,
    find_files,
    header_names,
    refuse_foreign_content,
    refuse_period,
    unreadable_file,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import Window

LARGEST_UNPACKED = 512 * 1024 * 1024
BATCH_ROWS = 16_384
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_EXACT_FLOAT = 2**53


class XlsxReader:
    """One sheet of one or more Excel files, read as one batch (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = connection_url
        self._files: list[SourceFile] | None = None
        self._sheets: dict[str, calamine.CalamineSheet] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files = None
        self._sheets.clear()

    def describe(self) -> list[SourceColumn]:
        """The header names of all files; a sheet tells no types."""
        headers = [self._header(file) for file in self._found()]
        return [SourceColumn(name, "text") for name in described_names(self._contract, headers)]

    def holds_at_least(self, rows: int) -> bool:
        """True if all files together hold that many rows that are not blank."""
        held = itertools.chain.from_iterable(self._rows(file) for file in self._found())
        return next(itertools.islice(held, max(rows - 1, 0), None), None) is not None or rows == 0

    def is_empty(self) -> bool:
        """True if no sheet has a row below its header."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Count the rows that are not blank and start to read them; an increment is the whole sheet."""
        refuse_period(self._contract, window)
        plans = []
        position = []
        total = 0
        for file in self._found():
            plans.append((file, column_positions(self._contract, file, self._header(file))))
            rows = sum(1 for _ in self._rows(file))
            total += rows
            position.append(file.position(_sha256(self._contract, file), rows))
        schema = pa.schema([pa.field(column.source_name, pa.string()) for column in self._contract.columns])
        return Extraction(
            source_rows=total,
            cursor_high=None,
            position={"files": position},
            schema=schema,
            batches=self._batches(plans, schema),
        )

    def _found(self) -> list[SourceFile]:
        if self._files is None:
            self._files = find_files(self._contract, self._url)
        return self._files

    def _header(self, file: SourceFile) -> list[str]:
        sheet = self._sheet(file)
        row = next(itertools.islice(sheet.iter_rows(), self._contract.source.header_row - 1, None), None)
        cells = [_cell_text(cell) or "" for cell in row or []]
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            raise UnreadableSource(
                f"{self._contract.id}: {file.name}, sheet {sheet.name!r}: row {self._contract.source.header_row} is "
                "blank, so there is no header",
                next_step=f"mend source.headerRow (counted from 1) or source.sheet in {self._contract.path}",
            )
        return header_names(self._contract, file, cells)

    def _rows(self, file: SourceFile) -> Iterator[list[Any]]:
        for row in itertools.islice(self._sheet(file).iter_rows(), self._contract.source.header_row, None):
            if any(cell != "" for cell in row):
                yield row

    def _sheet(self, file: SourceFile) -> calamine.CalamineSheet:
        if file.name not in self._sheets:
            _check_container(self._contract, file)
            try:
                book = calamine.CalamineWorkbook.from_path(str(file.path))
                wanted = self._contract.source.sheet
                if wanted is None and book.sheet_names:
                    wanted = book.sheet_names[0]
                if wanted not in book.sheet_names:
                    raise SourceDrift(
                        f"{self._contract.id}: {file.name} has no sheet {wanted!r}; it has "
                        f"{', '.join(map(repr, book.sheet_names[:20]))}",
                        next_step=f"mend source.sheet in {self._contract.path}, or ask the owner for the right file",
                    )
                self._sheets[file.name] = book.get_sheet_by_name(wanted)
            except calamine.PasswordError:
                raise _protected(self._contract, file) from None
            except (calamine.CalamineError, ValueError) as error:
                raise _corrupt(self._contract, file, str(error)) from None
            except OSError as error:
                raise unreadable_file(self._contract, file.name, error) from None
        return self._sheets[file.name]

    def _batches(self, plans: list[tuple[SourceFile, list[int]]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        nulls = frozenset(self._contract.source.null_values)
        for file, positions in plans:
            rows = self._rows(file)
            while chunk := list(itertools.islice(rows, BATCH_ROWS)):
                columns = list(zip(*chunk, strict=True))
                arrays = []
                for position in positions:
                    cells = columns[position] if position < len(columns) else [""] * len(chunk)
                    texts = [_cell_text(cell) for cell in cells]
                    arrays.append(pa.array([None if text in nulls else text for text in texts], pa.string()))
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            check_unchanged(self._contract, file)


def _cell_text(cell: Any) -> str | None:
    """A cell as text; None if it is blank."""
    if cell == "" and isinstance(cell, str):
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT_FLOAT else repr(cell)
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _check_container(contract: Contract, file: SourceFile) -> None:
    """Refuse, before anything is unpacked, what is no workbook, is locked, or would unpack to too much."""
    try:
        with file.path.open("rb") as stream:
            head = stream.read(4096)
            if head.startswith(_OLE):
                if _ENCRYPTED in head + stream.read():
                    raise _protected(contract, file)
                return
        if not head.startswith(b"PK"):
            refuse_foreign_content(contract, file, head, "an Excel file")
            raise _corrupt(contract, file, "it does not begin like an Excel file")
        with zipfile.ZipFile(file.path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _corrupt(contract, file, str(error)) from None
    except OSError as error:
        raise unreadable_file(contract, file.name, error) from None
    if unpacked > LARGEST_UNPACKED:
        raise UnreadableSource(
            f"{contract.id}: {file.name} would unpack to {unpacked // 2**20} MiB, more than the "
            f"{LARGEST_UNPACKED // 2**20} MiB that are read",
            next_step="ask the owner for the data as CSV, or in several files",
        )


def _sha256(contract: Contract, file: SourceFile) -> str:
    buffer = bytearray(1024 * 1024)
    try:
        with HashingFile(file.path) as stream:
            while stream.readinto(buffer):
                pass
            return stream.digest()
    except OSError as error:
        raise unreadable_file(contract, file.name, error) from None


def _protected(contract: Contract, file: SourceFile) -> UnreadableSource:
    return UnreadableSource(
        f"{contract.id}: {file.name} is protected by a password",
        next_step=f"ask the owner {contract.owner_agency} for the file without a password, over a protected way",
    )


def _corrupt(contract: Contract, file: SourceFile, reason: str) -> UnreadableSource:
    return UnreadableSource(
        f"{contract.id}: {file.name} is not a readable Excel file: {' '.join(reason.split())[:200]}",
        next_step=f"open it in Excel to see whether it is damaged, and get it again from {contract.owner_agency}",
    )
