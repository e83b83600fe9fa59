"""Read JSON files as Arrow text columns: one pass that checks, counts and hashes, one that reads.

A batch is bounded in rows and in characters, and of the file only a window is held, so a file may be larger than the
memory. Python's own scanner decodes record by record: it keeps the text of every number, which streaming libraries
turn into a number of their own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self, cast

import pyarrow as pa

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, UnreadableSource
from dx_pipeline.extract.encoding import codec_name, first_undecodable, likely_encoding
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
from dx_pipeline.extract.json_document import BadJsonError, column_names, found_at, split_path, text_of
from dx_pipeline.extract.json_records import MOST_NAMES, JsonRecord, RecordStream
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import Window

BATCH_ROWS = 8_192
BATCH_CHARACTERS = 16 * 1024 * 1024
HEAD_BYTES = 4096


@dataclass(frozen=True)
class _Survey:
    """What the first pass found: all names of all records, how many records, the file's SHA-256 and its encoding."""

    names: list[str]
    rows: int
    sha256: str
    codec: str


class JsonReader:
    """The records of one or more JSON files, read as one batch (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = connection_url
        self._columns = [header_name(column.source_name) for column in contract.columns]
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
            batches=self._batches(found, schema),
        )

    def _surveyed(self) -> list[tuple[SourceFile, _Survey]]:
        if self._surveys is None:
            files = find_files(self._contract, self._url)
            self._surveys = [(file, self._survey(file)) for file in files]
        return self._surveys

    def _survey(self, file: SourceFile) -> _Survey:
        codec = self._codec(file)
        names: dict[str, None] = {}
        plain: set[tuple[str, ...]] = set()  # names of records that hold no object and no list: looked at once
        rows = 0
        try:
            raw = HashingFile(file.path)
            with io.BufferedReader(raw, 256 * 1024) as stream:
                found = RecordStream(cast(BinaryIO, stream), codec, self._contract.source.records)
                for record in self._records(file, found, codec):
                    rows += 1
                    is_plain = not any(isinstance(value, dict | list) for value in record.values())
                    if is_plain and tuple(record) in plain:
                        continue
                    if is_plain and len(plain) < MOST_NAMES:
                        plain.add(tuple(record))
                    names.update(dict.fromkeys(map(header_name, column_names(record, self._columns))))
                    if len(names) > MOST_NAMES:
                        self._refuse(file, f"its records have more than {MOST_NAMES} different names")
                digest = raw.digest()
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        if not found.has_list:
            raise SourceDrift(
                f"{self._contract.id}: {file.name} holds no list at {self._contract.source.records}; it has: "
                f"{', '.join(found.others) or 'nothing'}",
                next_step=f"mend source.records in {self._contract.path}, or ask the owner "
                f"{self._contract.owner_agency} what changed",
            )
        return _Survey(list(names), rows, digest, codec)

    def _batches(self, files: list[tuple[SourceFile, _Survey]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        plans = [(name, split_path(name)) for name in self._columns]
        nulls = frozenset(self._contract.source.null_values)
        for file, survey in files:
            columns: list[list[str | None]] = [[] for _ in plans]
            size = 0
            try:
                with file.path.open("rb") as stream:
                    found = RecordStream(stream, survey.codec, self._contract.source.records)
                    for record in self._records(file, found, survey.codec):
                        for values, (name, steps) in zip(columns, plans, strict=True):
                            value = self._text(file, name, found_at(record, name, steps))
                            values.append(None if value in nulls else value)
                            size += len(value or "")
                        if len(columns[0]) == BATCH_ROWS or size > BATCH_CHARACTERS:
                            yield self._batch(file, columns, schema)
                            columns, size = [[] for _ in plans], 0
            except OSError as error:
                raise unreadable_file(self._contract, file.name, error) from None
            if columns[0]:
                yield self._batch(file, columns, schema)
            check_unchanged(self._contract, file)

    def _text(self, file: SourceFile, name: str, value: Any) -> str | None:
        if self._contract.source.nested == "refuse" and isinstance(value, dict | list):
            raise UnreadableSource(
                f"{self._contract.id}: {name} in {file.name} holds {'an object' if isinstance(value, dict) else 'a list'}, "
                "which source.nested: refuse does not allow",
                next_step=f"name a field inside it as physicalName in {self._contract.path}, or set source.nested: json "
                "to take it as a JSON text",
            )
        try:
            return text_of(value)
        except RecursionError:
            self._refuse(file, f"a value of {name} is nested too deep")

    def _batch(self, file: SourceFile, columns: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
        arrays = []
        for name, values in zip(schema.names, columns, strict=True):
            try:
                arrays.append(pa.array(values, pa.string()))
            except UnicodeEncodeError:
                self._refuse(file, f"a text of {name} is broken Unicode (half of a surrogate pair)")
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _records(self, file: SourceFile, found: RecordStream, codec: str) -> Iterator[JsonRecord]:
        try:
            yield from found.records()
        except BadJsonError as error:
            self._refuse(file, str(error))
        except UnicodeDecodeError:
            self._refuse_encoding(file, codec)

    def _codec(self, file: SourceFile) -> str:
        """JSON tells its Unicode encoding by its first bytes; any other must be declared."""
        try:
            with file.path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        refuse_foreign_content(self._contract, file, head, "a JSON file")
        declared = codec_name(self._contract, self._contract.source.encoding)
        found = json.detect_encoding(head)
        return found if declared.startswith("utf") or found.endswith("-sig") else declared

    def _refuse_encoding(self, file: SourceFile, codec: str) -> NoReturn:
        try:
            where = first_undecodable(file.path, codec)
            with file.path.open("rb") as stream:
                stream.seek(where.offset if where else 0)
                likely = likely_encoding(stream.read(HEAD_BYTES))
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        place = f"line {where.line}, byte {where.offset} ({where.found.hex(' ')})" if where else "its last bytes"
        is_other = likely is not None and not likely.startswith("utf") and not (where and where.after_letters)
        advice = (
            f"it looks like {likely}: set source.encoding: {likely} in {self._contract.path}, or " if is_other else ""
        )
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} is not {codec.removesuffix('-sig').upper()}: {place} cannot be read",
            next_step=f"{advice}ask the owner {self._contract.owner_agency} to export the file again as UTF-8",
        )

    def _refuse(self, file: SourceFile, reason: str) -> NoReturn:
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} cannot be read as JSON: {reason}",
            next_step=f"ask the owner {self._contract.owner_agency} to export the file again, or mend source.records in "
            f"{self._contract.path}",
        )
