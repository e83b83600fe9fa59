"""Read Excel sheets (.xlsx, .xls) as Arrow text columns (python-calamine).

A sheet has no column types, only cell values: whole numbers become text without ``.0``, dates ISO text, errors their
own text (``#N/A``). What a person put around the data is told apart by the contract: a header of several merged rows,
total rows inside the sheet (kept as figures to compare with, not as data), what is said once above the table (captions),
and what stands below the last data row.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.contract.model import CAPTION_SIGN, Contract
from dx_pipeline.errors import UnreadableSource
from dx_pipeline.extract.control_sums import ControlSums
from dx_pipeline.extract.folder import (
    SourceFile,
    check_unchanged,
    column_positions,
    described_names,
    file_sha256,
    find_files,
    header_names,
    refuse_foreign_content,
    refuse_period,
    unreadable_file,
)
from dx_pipeline.extract.sheet import Sheet, SheetConverter, corrupt, heading_names, heading_parts, protected
from dx_pipeline.extract.sheet_captions import caption_values
from dx_pipeline.extract.sheet_labels import beginning_with, folded
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import Window

LARGEST_UNPACKED = 512 * 1024 * 1024
MOST_TOTALS = 100
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass
class _Survey:
    """What one pass over a sheet found beside its data rows."""

    rows: int = 0
    totals: list[dict[str, Any]] = field(default_factory=list)
    total_rows: int = 0
    stopped_at: int | None = None
    rows_below: int = 0

    def position(self) -> dict[str, Any]:
        """What a manifest tells of it; nothing where there is nothing to tell."""
        told: dict[str, Any] = {}
        if self.total_rows:
            told |= {"total_rows": self.total_rows, "totals": self.totals}
        if self.stopped_at is not None:
            told |= {"stopped_at_row": self.stopped_at, "rows_below": self.rows_below}
        return told


class XlsxReader:
    """One sheet of one or more Excel files, read as one batch (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = connection_url
        self._files: list[SourceFile] | None = None
        self._sheets: dict[str, Sheet] = {}
        self._converter: SheetConverter | None = None
        self._total = beginning_with(contract.source.total_rows)
        self._stop = beginning_with(contract.source.stop_at)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files = None
        self._sheets.clear()
        if self._converter is not None:
            self._converter.close()
            self._converter = None

    def describe(self) -> list[SourceColumn]:
        """The header names of all files; a sheet tells no types."""
        headers = [self._header(file) for file in self._found()]
        return [SourceColumn(name, "text") for name in described_names(self._contract, headers)]

    def holds_at_least(self, rows: int) -> bool:
        """True if all files together hold that many data rows."""
        held = 0
        for file in self._found():
            for batch in self._rows(file, _Survey()):
                held += batch.num_rows
                if held >= rows:
                    return True
        return held >= rows

    def is_empty(self) -> bool:
        """True if no sheet has a data row below its header."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Count the data rows and start to read them; an increment is the whole sheet."""
        refuse_period(self._contract, window)
        plans = []
        position = []
        findings: list[str] = []
        total = 0
        for file in self._found():
            places = column_positions(self._contract, file, self._header(file))
            captions = caption_values(self._contract, file, self._sheet(file))
            plans.append((file, places, captions))
            survey = _Survey()
            sums = ControlSums(self._contract, places)
            for batch in self._rows(file, survey, places, sums):
                survey.rows += batch.num_rows
                sums.add(batch)
            total += survey.rows
            position.append(
                {
                    **file.position(file_sha256(self._contract, file), survey.rows),
                    **survey.position(),
                    **sums.position(),
                    **({"captions": captions} if captions else {}),
                }
            )
            findings += sums.findings(file.name)
        schema = pa.schema([pa.field(column.source_name, pa.string()) for column in self._contract.columns])
        return Extraction(
            source_rows=total,
            cursor_high=None,
            position={"files": position},
            schema=schema,
            batches=self._batches(plans, schema),
            findings=tuple(findings),
        )

    def _found(self) -> list[SourceFile]:
        if self._files is None:
            self._files = find_files(self._contract, self._url)
        return self._files

    def _header(self, file: SourceFile) -> list[str]:
        sheet = self._sheet(file)
        first = max(self._contract.source.header_row, 1)
        names = heading_names(self._contract, heading_parts(sheet, first - 1))
        if not names:
            count = self._contract.source.header_rows
            rows = f"row {first} is" if count == 1 else f"rows {first} to {first + count - 1} are"
            raise UnreadableSource(
                f"{self._contract.id}: {file.name}, sheet {sheet.name!r}: {rows} blank, so there is no header",
                next_step=f"mend source.headerRow (counted from 1) or source.sheet in {self._contract.path}",
            )
        captions = [CAPTION_SIGN + name for name in self._contract.source.captions]
        return header_names(self._contract, file, names) + captions

    def _sheet(self, file: SourceFile) -> Sheet:
        if file.name not in self._sheets:
            _check_container(self._contract, file)
            if self._converter is None:
                self._converter = SheetConverter(self._contract)
            self._sheets[file.name] = self._converter.convert(file)
        return self._sheets[file.name]

    def _rows(
        self, file: SourceFile, survey: _Survey, places: Sequence[int] = (), sums: ControlSums | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The data rows of a sheet; what is none is told in ``survey`` (totals with the columns at ``places``)."""
        for batch in self._sheet(file).batches():
            if survey.stopped_at is not None:
                survey.rows_below += batch.num_rows
                continue
            label = folded(batch["label"])
            if self._stop is not None:
                stops = pc.index(pc.match_substring_regex(label, self._stop), True).as_py()
                if stops >= 0:
                    survey.stopped_at = batch["row"][stops].as_py()
                    survey.rows_below = batch.num_rows - stops
                    batch, label = batch.slice(0, stops), label.slice(0, stops)
            if self._total is not None:
                is_total = pc.match_substring_regex(label, self._total).fill_null(False)
                totals = batch.filter(is_total)
                self._keep_totals(totals, survey, places)
                if sums is not None:
                    sums.keep_totals(totals, label.filter(is_total))
                batch = batch.filter(pc.invert(is_total))
            if batch.num_rows:
                yield batch

    def _keep_totals(self, totals: pa.RecordBatch, survey: _Survey, places: Sequence[int]) -> None:
        survey.total_rows += totals.num_rows
        told = [
            (column.source_name, totals[str(place)])
            for column, place in zip(self._contract.columns, places, strict=False)
            if not column.is_personal
            and not column.source_name.startswith(CAPTION_SIGN)
            and str(place) in totals.schema.names
        ]
        for number in range(min(totals.num_rows, MOST_TOTALS - len(survey.totals))):
            values = {name: cells[number].as_py() for name, cells in told}
            survey.totals.append(
                {
                    "row": totals["row"][number].as_py(),
                    "values": {name: text for name, text in values.items() if text is not None},
                }
            )

    def _batches(
        self, plans: list[tuple[SourceFile, list[int], dict[str, str]]], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        nulls = pa.array(list(self._contract.source.null_values), pa.string())
        for file, places, captions in plans:
            for batch in self._rows(file, _Survey()):
                arrays = []
                for column, place in zip(self._contract.columns, places, strict=True):
                    if column.source_name.startswith(CAPTION_SIGN):
                        said = pa.scalar(captions[column.source_name.removeprefix(CAPTION_SIGN)], pa.string())
                        arrays.append(pa.repeat(said, batch.num_rows))
                        continue
                    name = str(place)
                    cells = batch[name] if name in batch.schema.names else pa.nulls(batch.num_rows, pa.string())
                    if len(nulls):
                        cells = pc.if_else(pc.is_in(cells, value_set=nulls), pa.scalar(None, pa.string()), cells)
                    arrays.append(cells)
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            check_unchanged(self._contract, file)


def _check_container(contract: Contract, file: SourceFile) -> None:
    """Refuse, before anything is unpacked, what is no workbook, is locked, or would unpack to too much."""
    try:
        with file.path.open("rb") as stream:
            head = stream.read(4096)
            if head.startswith(_OLE):
                if _ENCRYPTED in head + stream.read():
                    raise protected(contract, file)
                return
        if not head.startswith(b"PK"):
            refuse_foreign_content(contract, file, head, "an Excel file")
            raise corrupt(contract, file, "it does not begin like an Excel file")
        with zipfile.ZipFile(file.path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise corrupt(contract, file, str(error)) from None
    except OSError as error:
        raise unreadable_file(contract, file.name, error) from None
    if unpacked > LARGEST_UNPACKED:
        raise UnreadableSource(
            f"{contract.id}: {file.name} would unpack to {unpacked // 2**20} MiB, more than the "
            f"{LARGEST_UNPACKED // 2**20} MiB that are read",
            next_step="ask the owner for the data as CSV, or in several files",
        )
