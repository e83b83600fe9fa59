"""Read Parquet files row group by row group, each column chunk as a stream: memory does not grow with the file.

A column that has one plain type in all files keeps it, any other is read as text. Texts are read as dictionaries and
written out piece by piece, so that a small file cannot unfold into the memory.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, UnreadableSource
from dx_pipeline.extract.folder import (
    MOST_COLUMNS,
    SourceFile,
    check_unchanged,
    described_names,
    file_sha256,
    find_files,
    header_name,
    refuse_foreign_content,
    refuse_period,
    unreadable_file,
)
from dx_pipeline.extract.parquet_columns import (
    BadColumnError,
    FoundColumn,
    bounded,
    column_names,
    converted,
    find_column,
    read_type,
    take_column,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import Window

BATCH_ROWS = 8_192
NESTED_BATCH_ROWS = 256  # a row may hold a list
STREAM_BYTES = 1024 * 1024
LARGEST_FOOTER = 64 * 1024 * 1024
FREE_UNFOLDING, UNFOLDING = 512 * 1024 * 1024, 200  # what every file may unfold to, and how many times its size beyond
MAGIC, ENCRYPTED = b"PAR1", b"PARE"


@dataclass(frozen=True)
class _Survey:
    """What the footer of a file promises, and the file's SHA-256."""

    names: list[str]
    schema: pa.Schema
    rows: int
    sha256: str


class ParquetReader:
    """The rows of one or more Parquet files, read as one batch (see :class:`SourceReader`)."""

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
        """Dotted names of the fields of all files, with the type they are read under."""
        surveys = [survey for _, survey in self._surveyed()]
        names = described_names(self._contract, [survey.names for survey in surveys])
        kinds = [[find_column(survey.schema, header_name(name)) for survey in surveys] for name in names]
        return [
            SourceColumn(name, str(read_type([found.type for found in of_files if found is not None])))
            for name, of_files in zip(names, kinds, strict=True)
        ]

    def holds_at_least(self, rows: int) -> bool:
        """True if all files together hold that many rows."""
        return sum(survey.rows for _, survey in self._surveyed()) >= rows

    def is_empty(self) -> bool:
        """True if no file holds a row."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Start to read the rows that the footers count; an increment is the whole file."""
        refuse_period(self._contract, window)
        found = self._surveyed()
        plans = [(file, self._plan(file, survey)) for file, survey in found]
        kinds = [read_type([plan[number].type for _, plan in plans]) for number in range(len(self._columns))]
        schema = pa.schema(
            [pa.field(column.source_name, kind) for column, kind in zip(self._contract.columns, kinds, strict=True)]
        )
        return Extraction(
            source_rows=sum(survey.rows for _, survey in found),
            cursor_high=None,
            position={"files": [file.position(survey.sha256, survey.rows) for file, survey in found]},
            schema=schema,
            batches=self._batches(plans, schema),
        )

    def _surveyed(self) -> list[tuple[SourceFile, _Survey]]:
        if self._surveys is None:
            files = find_files(self._contract, self._url)
            self._surveys = [(file, self._survey(file)) for file in files]
        return self._surveys

    def _survey(self, file: SourceFile) -> _Survey:
        self._check_ends(file)
        with self._opened(file) as opened:
            schema, groups = opened.schema_arrow, opened.metadata
            rows = groups.num_rows
            if rows < 0 or rows != sum(groups.row_group(number).num_rows for number in range(groups.num_row_groups)):
                self._refuse(file, "its parts do not hold the rows that it declares")
        if len(schema) > MOST_COLUMNS:
            self._refuse(file, f"it has {len(schema)} columns, more than the {MOST_COLUMNS} that are read")
        names = column_names(schema, self._columns)
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            self._refuse(file, f"it has the column {twice[0][:80]!r} more than once")
        return _Survey(names, schema, rows, file_sha256(self._contract, file))

    def _plan(self, file: SourceFile, survey: _Survey) -> list[FoundColumn]:
        plan = []
        for name in self._columns:
            found = find_column(survey.schema, name)
            if found is None:
                raise SourceDrift(
                    f"{self._contract.id}: {file.name} lacks the column {name}; it has: "
                    f"{', '.join(survey.names[:20])}{' ...' if len(survey.names) > 20 else ''}",
                    next_step=f"ask the owner {self._contract.owner_agency} for a file with this column, or mend "
                    f"physicalName in {self._contract.path} and raise the contract's version",
                )
            if found.is_nested and self._contract.source.nested == "refuse":
                raise UnreadableSource(
                    f"{self._contract.id}: {name} in {file.name} holds lists or objects, which source.nested: refuse "
                    "does not allow",
                    next_step=f"name a field inside it as physicalName in {self._contract.path}, or set source.nested: "
                    "json to take it as a JSON text",
                )
            plan.append(found)
        return plan

    def _batches(
        self, plans: list[tuple[SourceFile, list[FoundColumn]]], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        for file, plan in plans:
            texts = [found.path[0] for found in plan if len(found.path) == 1 and not found.is_nested]
            rows = NESTED_BATCH_ROWS if any(found.is_nested for found in plan) else BATCH_ROWS
            tops = list(dict.fromkeys(found.path[0] for found in plan))
            with self._opened(file, texts) as opened:
                unfolded = 0
                for batch in self._read(opened, rows, tops):
                    done = self._converted(batch, plan, schema)
                    unfolded += done.nbytes
                    if unfolded > FREE_UNFOLDING + UNFOLDING * file.size:
                        self._refuse(file, f"it unfolds to more than {UNFOLDING} times its size")
                    yield done
            check_unchanged(self._contract, file)

    def _read(self, opened: pq.ParquetFile, rows: int, tops: list[str]) -> Iterator[pa.RecordBatch]:
        for group in range(opened.num_row_groups):
            for batch in opened.iter_batches(rows, row_groups=[group], columns=tops, use_threads=False):
                yield from bounded(batch)

    def _converted(self, batch: pa.RecordBatch, plan: list[FoundColumn], schema: pa.Schema) -> pa.RecordBatch:
        nulls = pa.array(self._contract.source.null_values, pa.string())
        arrays = []
        for found, field in zip(plan, schema, strict=True):
            array = converted(take_column(batch, found), field.type)
            if len(nulls) and field.type == pa.string():
                array = pc.if_else(pc.is_in(array, nulls), pa.scalar(None, pa.string()), array)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    @contextlib.contextmanager
    def _opened(self, file: SourceFile, texts: list[str] | None = None) -> Iterator[pq.ParquetFile]:
        """The file; whatever goes wrong in it becomes one refusal, without a value."""
        try:
            with pq.ParquetFile(
                str(file.path),
                read_dictionary=texts,
                memory_map=False,
                pre_buffer=False,
                buffer_size=STREAM_BYTES,
                page_checksum_verification=True,
            ) as opened:
                yield opened
        except BadColumnError as error:
            self._refuse(file, str(error))
        except (MemoryError, pa.ArrowCapacityError):
            self._refuse(file, "it unfolds into more memory than there is")
        except (pa.ArrowException, UnicodeDecodeError, ValueError, OverflowError) as error:
            self._refuse(file, _reason(error))
        except OSError as error:
            if error.errno is not None:
                raise unreadable_file(self._contract, file.name, error) from None
            self._refuse(file, _reason(error))

    def _check_ends(self, file: SourceFile) -> None:
        """A file that is something else, or was cut off, is told by its first and last bytes."""
        try:
            with file.path.open("rb") as stream:
                head = stream.read(4096)
                stream.seek(max(file.size - 8, 0))
                tail = stream.read(8)
        except OSError as error:
            raise unreadable_file(self._contract, file.name, error) from None
        refuse_foreign_content(self._contract, file, head, "a Parquet file")
        if head.startswith(ENCRYPTED) or tail.endswith(ENCRYPTED):
            self._refuse(file, "it is encrypted")
        if not head.startswith(MAGIC):
            self._refuse(file, "it does not begin as one (PAR1)")
        if not tail.endswith(MAGIC):
            self._refuse(file, "its end is missing: it was cut off")
        if int.from_bytes(tail[:4], "little") > LARGEST_FOOTER:
            self._refuse(file, f"its table of contents is larger than the {LARGEST_FOOTER // 2**20} MiB that are read")

    def _refuse(self, file: SourceFile, reason: str) -> NoReturn:
        raise UnreadableSource(
            f"{self._contract.id}: {file.name} cannot be read as Parquet: {reason}",
            next_step=f"ask the owner {self._contract.owner_agency} to write the file again",
        )


def _reason(error: BaseException) -> str:
    """The library's first sentence; of texts that cannot be decoded nothing is shown."""
    if isinstance(error, UnicodeDecodeError):
        return "a name in it is no UTF-8 text"
    return " ".join(str(error).split())[:160] or type(error).__name__
