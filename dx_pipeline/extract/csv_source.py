"""Read CSV files as Arrow text columns, after an independent pass that counts and checks every record.

The first pass is Python's own ``csv`` module: it counts the records, hashes the bytes and finds what is
wrong by file and line. The second is Arrow's reader, which makes the batches. Two readers that do not
agree on the number of rows are caught by ``check_complete``.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NoReturn, Self

import pyarrow as pa
import pyarrow.csv

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, UnreadableSource
from dx_pipeline.extract.csv_form import form_of
from dx_pipeline.extract.encoding import (
    SAMPLE_BYTES,
    codec_name,
    contradicting_encoding,
    file_codec,
    first_undecodable,
    likely_encoding,
)
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

BLOCK_BYTES = 4 * 1024 * 1024
_ROW_TEXT = re.compile(r"(got \d+).*")
_FIELD_LIMIT = min(sys.maxsize, 2**31 - 1)


class CsvReader:
    """One or more CSV files with a header, read as one batch (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = connection_url
        self._files: list[SourceFile] | None = None
        self._headers: dict[str, list[str]] = {}
        self._codecs: dict[str, str] = {}
        self._delimiters: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files = None

    def describe(self) -> list[SourceColumn]:
        """The header names of all files; a CSV file tells no types."""
        headers = [self._header(file) for file in self._found()]
        return [SourceColumn(name, "text") for name in described_names(self._contract, headers)]

    def holds_at_least(self, rows: int) -> bool:
        """True if all files together hold that many records."""
        held = 0
        for file in self._found():
            self._header(file)
            with self._open(file)[1] as text:
                records = self._records(file, text)
                while held <= rows and self._next_record(file, records) is not None:
                    held += 1
            held -= 1  # the header
        return held >= rows

    def is_empty(self) -> bool:
        """True if no file has a record below its header."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Check and count every file, then start to read them; an increment is the whole file."""
        refuse_period(self._contract, window)
        plans: list[tuple[SourceFile, list[str], list[int]]] = []
        position: list[dict[str, Any]] = []
        total = 0
        for file in self._found():
            names = self._header(file)
            positions = column_positions(self._contract, file, names)
            rows, sha256 = self._survey(file, len(names))
            total += rows
            position.append(file.position(sha256, rows))
            plans.append((file, names, positions))
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
            source = self._contract.source
            for delimiter in (source.delimiter, *(form.delimiter for form in source.further_forms)):
                if len(delimiter) != 1:
                    raise ContractError(
                        f"{self._contract.id}: source.delimiter {delimiter!r} is not one character",
                        next_step=f'in {self._contract.path} use ",", ";", "|" or "\\t"',
                    )
            self._files = find_files(self._contract, self._url)
        return self._files

    def _header(self, file: SourceFile) -> list[str]:
        if file.name not in self._headers:
            try:
                with file.path.open("rb") as stream:
                    sample = stream.read(SAMPLE_BYTES)
            except OSError as error:
                raise unreadable_file(self._contract, file.name, error) from None
            refuse_foreign_content(self._contract, file, sample[:4096], "a CSV file")
            form = form_of(self._contract, sample)
            other = contradicting_encoding(sample, codec_name(self._contract, form.encoding))
            if other is not None:
                self._refuse_encoding(file, f"it looks like {other}", other)
            self._codecs[file.name] = file_codec(self._contract, form.encoding, sample)
            self._delimiters[file.name] = form.delimiter
            with self._open(file)[1] as text:
                record = self._next_record(file, self._records(file, text))
            if record is None:
                raise UnreadableSource(
                    f"{self._contract.id}: {file.name} has no header row {self._contract.source.header_row}",
                    next_step=f"get the file again, or mend source.headerRow in {self._contract.path}",
                )
            self._headers[file.name] = header_names(self._contract, file, record)
        return self._headers[file.name]

    def _next_record(self, file: SourceFile, records: Iterator[list[str]]) -> list[str] | None:
        try:
            return next((record for record in records if record), None)
        except UnicodeDecodeError:
            self._refuse_undecodable(file)
        except csv.Error as error:
            self._refuse_malformed(file, 0, str(error))

    def _open(self, file: SourceFile) -> tuple[HashingFile, io.TextIOWrapper]:
        try:
            raw = HashingFile(file.path)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        buffered = io.BufferedReader(raw, SAMPLE_BYTES)
        return raw, io.TextIOWrapper(buffered, encoding=self._codecs[file.name], newline="")

    def _records(self, file: SourceFile, text: io.TextIOWrapper) -> Iterator[list[str]]:
        csv.field_size_limit(_FIELD_LIMIT)
        for _ in range(self._contract.source.header_row - 1):
            text.readline()
        return csv.reader(text, delimiter=self._delimiters[file.name], strict=True)

    def _survey(self, file: SourceFile, width: int) -> tuple[int, str]:
        """Records below the header and SHA-256 of the file, or a refusal that names the line."""
        raw, text = self._open(file)
        with text:
            try:
                # One C-level pass: how many records have how many fields (an empty line has none).
                widths = Counter(map(len, self._records(file, text)))
            except UnicodeDecodeError:
                self._refuse_undecodable(file)
            except csv.Error as error:
                self._refuse_malformed(file, width, str(error))
            except OSError as error:
                raise unreadable_file(self._contract, file.name, error) from None
            digest = raw.digest()
        if set(widths) - {0, width}:
            self._refuse_malformed(file, width, "")
        return widths[width] - 1, digest

    def _refuse_malformed(self, file: SourceFile, width: int, reason: str) -> NoReturn:
        """Find the first record that is wrong; only walked when it is known that there is one."""
        before = self._contract.source.header_row - 1
        line = before + 1
        with self._open(file)[1] as text:
            reader: Any = self._records(file, text)
            try:
                for record in reader:
                    if record and width and len(record) != width:
                        self._refuse_record(file, line, f"expected {width} columns, got {len(record)}")
                    line = before + reader.line_num + 1
            except csv.Error as error:
                self._refuse_record(file, line, f"{error} (a quotation mark is missing or too many)")
            except UnicodeDecodeError:
                self._refuse_undecodable(file)
        self._refuse_record(file, line, reason)

    def _refuse_record(self, file: SourceFile, line: int, reason: str) -> NoReturn:
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} line {line}: {reason}",
            next_step=f"ask the owner {self._contract.owner_agency} to mend the line (texts with the delimiter, a "
            "quotation mark or a line break in them must be quoted), or mend source.delimiter in "
            f"{self._contract.path}",
        )

    def _refuse_undecodable(self, file: SourceFile) -> NoReturn:
        encoding = self._codecs[file.name]
        try:
            where = first_undecodable(file.path, encoding)
            with file.path.open("rb") as stream:
                sample = stream.read(SAMPLE_BYTES)
                if where is not None and where.offset >= SAMPLE_BYTES:
                    stream.seek(where.offset)
                    sample = stream.read(SAMPLE_BYTES)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        likely = None
        if where is None or not where.after_letters:
            likely = likely_encoding(sample)
        place = f"line {where.line}, byte {where.offset} ({where.found.hex(' ')}) cannot be read" if where else "broken"
        self._refuse_encoding(file, place, likely)

    def _refuse_encoding(self, file: SourceFile, place: str, likely: str | None) -> NoReturn:
        declared = self._contract.source.encoding
        advice = (
            f"it looks like {likely}: set source.encoding: {likely} in {self._contract.path}"
            if likely
            else f"ask the owner {self._contract.owner_agency} to mend these bytes or to export the file again as UTF-8"
        )
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} is not in the declared encoding {declared}: {place}",
            next_step=advice,
        )

    def _batches(
        self, plans: list[tuple[SourceFile, list[str], list[int]]], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        for file, names, positions in plans:
            yield from self._read(file, len(names), positions, schema)
            check_unchanged(self._contract, file)

    def _read(self, file: SourceFile, width: int, positions: list[int], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        numbered = [str(number) for number in range(width)]
        wanted = [numbered[position] for position in positions]
        nulls = list(self._contract.source.null_values)
        encoding = self._codecs[file.name]
        try:
            with pa.OSFile(str(file.path)) as raw:
                stream = raw if encoding == "utf-8-sig" else pa.transcoding_input_stream(raw, encoding, "utf-8")
                reader = pa.csv.open_csv(
                    stream,
                    read_options=pa.csv.ReadOptions(
                        block_size=BLOCK_BYTES,
                        column_names=numbered,
                        skip_rows=self._contract.source.header_row - 1,
                        skip_rows_after_names=1,
                    ),
                    parse_options=pa.csv.ParseOptions(delimiter=self._delimiters[file.name], newlines_in_values=True),
                    convert_options=pa.csv.ConvertOptions(
                        column_types=dict.fromkeys(numbered, pa.string()),
                        include_columns=wanted,
                        strings_can_be_null=bool(nulls),
                        null_values=nulls,
                    ),
                )
                for batch in reader:
                    yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        except pa.ArrowInvalid as error:
            raise UnreadableSource(
                f"{self._contract.id}: {file.name} cannot be parsed: {_without_cells(str(error))}",
                next_step="ask the owner to export the file again",
            ) from None
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None


def _without_cells(message: str) -> str:
    """Arrow's message without the text of the row, which may be personal."""
    return _ROW_TEXT.sub(r"\1", " ".join(message.split()))[:200]
