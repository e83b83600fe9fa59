"""Read XML files as Arrow text columns: one pass that checks, counts and hashes, one that reads.

Elements are met one by one in Python (expat's callbacks); no tree is built, so a file may be larger
than the memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import pyarrow as pa

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, UnreadableSource
from dx_pipeline.extract.folder import (
    HashingFile,
    SourceFile,
    check_unchanged,
    described_names,
    find_files,
    header_name,
    refuse_foreign_content,
    refuse_period,
    unreadable_file,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import Window
from dx_pipeline.extract.xml_records import MOST_NAMES, BadXmlError, Record, RecordStream

BATCH_ROWS = 8_192
BATCH_CHARACTERS = 16 * 1024 * 1024


@dataclass(frozen=True)
class _Survey:
    """What the first pass found: all names of all records, how many records, the file's SHA-256."""

    names: list[str]
    rows: int
    sha256: str


class XmlReader:
    """The records of one or more XML files, read as one batch (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = connection_url
        self._surveys: list[tuple[SourceFile, _Survey]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._surveys = None

    def describe(self) -> list[SourceColumn]:
        """Dotted names of everything in any record; without a record the contract is believed."""
        if not any(survey.rows for _, survey in self._surveyed()):
            return [SourceColumn(column.source_name, "text") for column in self._contract.columns]
        names = described_names(self._contract, [survey.names for _, survey in self._surveyed()])
        return [SourceColumn(name, "text") for name in names]

    def holds_at_least(self, rows: int) -> bool:
        """True if all files together hold that many records."""
        return sum(survey.rows for _, survey in self._surveyed()) >= rows

    def is_empty(self) -> bool:
        """True if no file holds a record."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Start to read the records that were checked and counted; an increment is the whole file."""
        refuse_period(self._contract, window)
        found = self._surveyed()
        schema = pa.schema([pa.field(column.source_name, pa.string()) for column in self._contract.columns])
        return Extraction(
            source_rows=sum(survey.rows for _, survey in found),
            cursor_high=None,
            position={"files": [file.position(survey.sha256, survey.rows) for file, survey in found]},
            schema=schema,
            batches=self._batches([file for file, _ in found], schema),
        )

    def _surveyed(self) -> list[tuple[SourceFile, _Survey]]:
        if self._surveys is None:
            files = find_files(self._contract, self._url)
            self._surveys = [(file, self._survey(file)) for file in files]
        return self._surveys

    def _survey(self, file: SourceFile) -> _Survey:
        self._check_head(file)
        names: dict[str, None] = {}
        rows = 0
        try:
            raw = HashingFile(file.path)
            with io.BufferedReader(raw, 256 * 1024) as stream:
                found = RecordStream(cast(BinaryIO, stream), self._record)
                for record in self._records(file, found):
                    rows += 1
                    names.update(dict.fromkeys(map(header_name, record)))
                    if len(names) > MOST_NAMES:
                        self._refuse(file, f"its records have more than {MOST_NAMES} different names")
                digest = raw.digest()
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        if not rows and len(found.others) > 1:
            raise SourceDrift(
                f"{self._contract.id}: {file.name} holds no element {self._record}; it has: {', '.join(found.others)}",
                next_step=f"mend source.record in {self._contract.path}, or ask the owner "
                f"{self._contract.owner_agency} what changed",
            )
        return _Survey(list(names), rows, digest)

    def _batches(self, files: list[SourceFile], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        wanted = [header_name(name) for name in schema.names]
        nulls = frozenset(self._contract.source.null_values)
        for file in files:
            columns: list[list[str | None]] = [[] for _ in wanted]
            size = 0
            try:
                with file.path.open("rb") as stream:
                    for record in self._records(file, RecordStream(stream, self._record)):
                        named = {header_name(name): value for name, value in record.items()}
                        for values, name in zip(columns, wanted, strict=True):
                            value = named.get(name)
                            values.append(None if value in nulls else value)
                            size += len(value or "")
                        if len(columns[0]) == BATCH_ROWS or size > BATCH_CHARACTERS:
                            yield _batch(columns, schema)
                            columns, size = [[] for _ in wanted], 0
            except OSError as error:
                raise unreadable_file(self._contract, file.name, error) from None
            if columns[0]:
                yield _batch(columns, schema)
            check_unchanged(self._contract, file)

    def _records(self, file: SourceFile, found: RecordStream) -> Iterator[Record]:
        try:
            yield from found.records()
        except BadXmlError as error:
            self._refuse(file, str(error))

    def _check_head(self, file: SourceFile) -> None:
        try:
            with file.path.open("rb") as stream:
                head = stream.read(4096)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        refuse_foreign_content(self._contract, file, head, "an XML file")

    def _refuse(self, file: SourceFile, reason: str) -> Any:
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} cannot be read as XML: {reason}",
            next_step=f"ask the owner {self._contract.owner_agency} to export the file again, without a DTD and in the "
            "encoding that its first line declares",
        )

    @property
    def _record(self) -> str:
        return self._contract.source.record or ""


def _batch(columns: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.string()) for values in columns], schema=schema)
