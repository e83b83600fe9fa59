"""Read dBASE and FoxPro tables (.dbf) as Arrow columns: fixed-width records, taken apart with numpy.

Why not a library: those for Python walk the records one by one, and most trust the language-driver byte, which lies in
the files we get (cp1252 bytes that carry TCVN3). The encoding is the contract's; the byte is only reported.
Character, number, date and logical fields land as text as they are written; deleted records are counted, not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceUnavailable, UnreadableSource
from dx_pipeline.extract.dbf_columns import ARROW_TYPES, Block, TextTable, field_array, text_table
from dx_pipeline.extract.dbf_header import DELETED, FILE_END, LIVE, BrokenHeader, DbfField, DbfHeader, parse_header
from dx_pipeline.extract.folder import (
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

HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
BATCH_ROWS = 65_536


@dataclass(frozen=True)
class _Table:
    """One file whose header was checked against its size; ``names`` are compared with the contract's."""

    file: SourceFile
    header: DbfHeader
    names: list[str]


class DbfReader:
    """One or more dBASE/FoxPro tables of the same shape, read as one batch (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = connection_url
        self._tables: list[_Table] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tables = None

    def describe(self) -> list[SourceColumn]:
        """The fields of all files with the types their headers give."""
        types: dict[str, str] = {}
        for table in self._found():
            for name, field in zip(table.names, table.header.fields, strict=True):
                types.setdefault(name, field.type_text)
        names = described_names(self._contract, [table.names for table in self._found()])
        return [SourceColumn(name, kind) for name, kind in zip(names, types.values(), strict=True)]

    def holds_at_least(self, rows: int) -> bool:
        """True if all files together hold that many records that are not deleted."""
        held = 0
        for table in self._found():
            if held >= rows:
                break
            held += self._survey(table)[0]
        return held >= rows

    def is_empty(self) -> bool:
        """True if no file has a record that is not deleted."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Check and count every file, then start to read them; an increment is the whole table."""
        refuse_period(self._contract, window)
        table = self._text_table()
        plans: list[tuple[_Table, list[DbfField]]] = []
        position: list[dict[str, Any]] = []
        total = 0
        for found in self._found():
            places = column_positions(self._contract, found.file, found.names)
            plans.append((found, [self._readable(found, found.header.fields[place]) for place in places]))
            rows, deleted, sha256 = self._survey(found)
            total += rows
            position.append(
                {
                    **found.file.position(sha256, rows),
                    "deleted_rows": deleted,
                    "language_driver": f"0x{found.header.language_driver:02x}",
                    "dbf_version": f"0x{found.header.version:02x}",
                }
            )
        schema = self._schema(plans)
        return Extraction(
            source_rows=total,
            cursor_high=None,
            position={"files": position},
            schema=schema,
            batches=self._batches(plans, schema, table),
        )

    def _text_table(self) -> TextTable:
        encoding = self._contract.source.encoding
        try:
            table = text_table(encoding)
        except LookupError:
            table = None
        if table is None:
            raise ContractError(
                f"{self._contract.id}: source.encoding {encoding!r} cannot be that of a dbf table",
                next_step=f"in {self._contract.path} use cp1252 (also for TCVN3 and VNI texts), cp1258, another "
                "encoding of one byte per letter, or utf-8",
            )
        return table

    def _found(self) -> list[_Table]:
        if self._tables is None:
            self._tables = [self._open_table(file) for file in find_files(self._contract, self._url)]
        return self._tables

    def _open_table(self, file: SourceFile) -> _Table:
        try:
            with file.path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        refuse_foreign_content(self._contract, file, head[:4096], "a dBASE or FoxPro table")
        try:
            header = parse_header(head)
        except BrokenHeader as reason:
            self._refuse(file, str(reason))
        missing = header.end_of_records - file.size
        if missing > 0:
            whole = max(file.size - header.header_bytes, 0) // header.record_bytes
            self._refuse(file, f"its header declares {header.records} records, but the file ends after {whole} of them")
        if missing < 0:
            self._refuse_undeclared(file, header)
        table = self._text_table()
        characters = table.characters or "".join(map(chr, range(256)))
        names = ["".join(characters[byte] for byte in field.name) for field in header.fields]
        return _Table(file, header, header_names(self._contract, file, names))

    def _refuse_undeclared(self, file: SourceFile, header: DbfHeader) -> None:
        """A program that crashed leaves records that its header does not count; they must not be lost in silence."""
        try:
            with file.path.open("rb") as stream:
                stream.seek(header.end_of_records)
                rest = stream.read(max(header.record_bytes, 1024) + 1)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        if rest[:1] != bytes([FILE_END]) and rest.strip(b"\x1a\x00 \r\n"):
            surplus = file.size - header.end_of_records
            self._refuse(
                file, f"its header declares {header.records} records, but {surplus} bytes of data follow the last one"
            )

    def _refuse(self, file: SourceFile, reason: str) -> NoReturn:
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} is not a sound dbf table: {reason}",
            next_step=f"copy it again from {self._contract.owner_agency} while its program is closed; if it stays so, "
            "let the owner repair it (in FoxPro: PACK, or TABLEREVALIDATE) and export it again",
        )

    def _readable(self, table: _Table, field: DbfField) -> DbfField:
        if field.letter in ARROW_TYPES and not (field.is_binary and field.letter == "C"):
            return field
        name = table.names[table.header.fields.index(field)]
        kept = "keeps its text in another file (memo)" if field.letter in "MGPW" else f"has type {field.letter!r}"
        raise UnreadableSource(
            f"{self._contract.id}: column {name} of {table.file.name} {kept}, which is not read",
            next_step=f"take the column out of {self._contract.path} (add it to leftOut), or ask the owner "
            f"{self._contract.owner_agency} for it as a character field",
        )

    def _schema(self, plans: list[tuple[_Table, list[DbfField]]]) -> pa.Schema:
        """Types of the first file; where another file has another type, text."""
        fields = []
        for number, column in enumerate(self._contract.columns):
            kinds = {ARROW_TYPES[chosen[number].letter] for _, chosen in plans}
            fields.append(pa.field(column.source_name, kinds.pop() if len(kinds) == 1 else pa.string()))
        return pa.schema(fields)

    def _survey(self, table: _Table) -> tuple[int, int, str]:
        """Records, deleted records and SHA-256 of a file."""
        live = deleted = done = 0
        digest = hashlib.sha256()
        header = table.header
        try:
            with table.file.path.open("rb") as stream:
                digest.update(stream.read(header.header_bytes))
                for block in self._blocks(table, stream):
                    digest.update(block.data)
                    flags = np.bincount(block[:, 0], minlength=256)
                    if flags[LIVE] + flags[DELETED] != len(block):
                        wrong = int(np.argmax((block[:, 0] != LIVE) & (block[:, 0] != DELETED)))
                        self._refuse(
                            table.file,
                            f"record {done + wrong + 1} begins with byte 0x{block[wrong, 0]:02x}, neither live nor "
                            "deleted, so the records are out of step",
                        )
                    live += int(flags[LIVE])
                    deleted += int(flags[DELETED])
                    done += len(block)
                while rest := stream.read(HEAD_BYTES):
                    digest.update(rest)
        except OSError as error:
            raise unreadable_file(self._contract, table.file.name, error) from None
        return live, deleted, digest.hexdigest()

    def _blocks(self, table: _Table, stream: BinaryIO) -> Iterator[Block]:
        """The records as they follow one another; read, not mapped: a mapped file that shrinks kills the process."""
        header = table.header
        stream.seek(header.header_bytes)
        per_block = max(1, min(BATCH_ROWS, BLOCK_BYTES // header.record_bytes))
        left = header.records
        while left:
            rows = min(left, per_block)
            data = stream.read(rows * header.record_bytes)
            if len(data) != rows * header.record_bytes:
                raise SourceUnavailable(
                    f"{self._contract.id}: {table.file.name} became shorter while it was read",
                    next_step="run again when nobody writes to the file",
                )
            yield np.frombuffer(data, dtype=np.uint8).reshape(rows, header.record_bytes)
            left -= rows

    def _batches(
        self, plans: list[tuple[_Table, list[DbfField]]], schema: pa.Schema, texts: TextTable
    ) -> Iterator[pa.RecordBatch]:
        nulls = pa.array(list(self._contract.source.null_values), pa.string())
        for table, fields in plans:
            try:
                with table.file.path.open("rb") as stream:
                    for block in self._blocks(table, stream):
                        live = block[block[:, 0] == LIVE]
                        if len(live):
                            yield self._batch(table, fields, live, schema, texts, nulls)
            except OSError as error:
                raise unreadable_file(self._contract, table.file.name, error) from None
            check_unchanged(self._contract, table.file)

    def _batch(
        self,
        table: _Table,
        fields: list[DbfField],
        block: Block,
        schema: pa.Schema,
        texts: TextTable,
        nulls: pa.Array,
    ) -> pa.RecordBatch:
        arrays = []
        for field, column in zip(fields, schema, strict=True):
            try:
                values = field_array(block, field, table.header, texts).cast(column.type)
            except (UnicodeDecodeError, pa.ArrowInvalid) as error:
                self._refuse_values(table, column.name, error)
            if len(nulls) and pa.types.is_string(column.type):
                values = pc.if_else(pc.is_in(values, value_set=nulls), pa.scalar(None, pa.string()), values)
            arrays.append(values)
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _refuse_values(self, table: _Table, column: str, error: Exception) -> NoReturn:
        if not isinstance(error, UnicodeDecodeError) and "UTF8" not in str(error):
            raise UnreadableSource(
                f"{self._contract.id}: column {column} of {table.file.name} holds a value that cannot be read",
                next_step=f"ask the owner {self._contract.owner_agency} to repair the table and export it again",
            )
        raise UnreadableSource(
            f"{self._contract.id}: column {column} of {table.file.name} is not in the declared encoding "
            f"{self._contract.source.encoding}",
            next_step=f"set source.encoding: cp1252 in {self._contract.path} (right for TCVN3 and VNI texts), or the "
            "encoding the owner names",
        )
