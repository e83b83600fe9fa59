"""From a landed batch to stage tables: clean, judge, COPY; streaming, memory bounded by the batch size."""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dx_pipeline.clean.batch import clean_batch, cleaned_parquet_options, cleaned_schema
from dx_pipeline.clean.derived import derived_columns
from dx_pipeline.clean.repairs import Repair, RepairCounts, count_notes, in_order
from dx_pipeline.contract.model import Contract
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.progress import listener
from dx_pipeline.sql_quoting import identifier, literal, parquet_files
from dx_pipeline.warehouse.stage import REJECTED_SCHEMA

if TYPE_CHECKING:
    from dx_pipeline.judge.verdict import Judgement

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
CLEAN_WORKERS = 2
QUEUE_BATCHES = 2
REJECTED_MEMORY = "160MB"
"""So much is enough for hundreds of thousands of rejected rows; more than fit are sorted without a cap."""


def write_cleaned(
    contract: Contract, store: LandingStore, manifest: Manifest, target: Path, batch_rows: int
) -> tuple[Repair, ...]:
    """Clean a landed batch into one Parquet file that lives for seconds; tells what the cleaner changed."""
    schema = cleaned_schema(contract)
    found: RepairCounts = Counter()

    def sources() -> Iterator[tuple[pa.RecordBatch, int]]:
        first_row = 0
        for batch in store.read(manifest, batch_rows=batch_rows):
            yield batch, first_row
            first_row += batch.num_rows

    total = manifest.row_count
    with pq.ParquetWriter(target, schema, **cleaned_parquet_options(schema)) as writer:
        for cleaned in ordered_map(lambda item: clean_batch(item[0], contract, item[1]), sources(), CLEAN_WORKERS):
            writer.write_batch(cleaned)
            count_notes(cleaned, found)
            listener().advance(contract.id, "clean", cleaned.num_rows, total)
    listener().finish(contract.id, "clean")
    return in_order(found, schema)


class RejectedRows:
    """Collects row numbers and reasons of rejected rows, then fetches their raw records from landing."""

    def __init__(self) -> None:
        self._batches: list[pa.RecordBatch] = []

    @property
    def row_numbers(self) -> list[int]:
        """``_row`` of each rejected row."""
        return [row for batch in self._batches for row in batch.column("_row").to_pylist()]

    def add(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._batches.append(batch)

    def records(
        self, contract: Contract, manifest: Manifest, cleaned: Sequence[Path], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Rows for the rejected stage table: row number, key, reasons, raw record as JSON.

        A NUL character cannot be stored by PostgreSQL; in the raw record it appears as U+2400 (␀).
        """
        if not self._batches:
            return
        rejected = pa.Table.from_batches(self._batches)
        columns = ", ".join(identifier(column.source_name) for column in contract.columns)
        offset = 0
        parts: list[str] = []
        for file in manifest.files:
            path = manifest.directory / file.name
            parts.append(
                f"select file_row_number + {offset} as dx_row, {columns}"
                f" from read_parquet({literal(str(path))}, file_row_number = true)"
            )
            offset += file.rows
        key = "concat_ws('|', " + ", ".join(
            f"coalesce(c.{identifier(name)}::varchar, {_raw(contract.column(name).source_name)}, '∅')"
            for name in contract.row_identity
        ) + ")"  # fmt: skip
        identity = ", ".join(
            identifier(name) for name in dict.fromkeys((*contract.row_identity, *contract.key_columns))
        )
        keys = [f"c.{identifier(name)}" for name in contract.key_columns]
        readable = " and ".join(f"{name} is not null" for name in keys)
        business_key = f"case when {readable} then concat_ws('|', {', '.join(f'{name}::varchar' for name in keys)}) end"
        sql = (
            f"with found as (select r._row, replace({key}, chr(0), '␀') as row_key,"
            f" replace({business_key}, chr(0), '␀') as business_key, r.reasons,"
            f" {_raw_json(contract)} as raw_record from rejected as r"
            f" join ({' union all '.join(parts)}) as l on l.dx_row = r._row"
            f" join (select _row, {identity} from {parquet_files(cleaned)}) as c on c._row = r._row),"
            " numbered as (select *, row_number() over (partition by row_key order by raw_record, _row) as n from found)"
            " select _row, case when n = 1 then row_key else row_key || '#' || n end as row_key, business_key, reasons,"
            " raw_record"
            " from numbered"
        )
        spill = {"temp_directory": str(cleaned[0].parent / "rejected.spill")}
        has_begun = False
        try:
            for batch in _numbered(sql, rejected, batch_rows, {"memory_limit": REJECTED_MEMORY, **spill}):
                has_begun = True
                yield batch
        except duckdb.OutOfMemoryException:
            if has_begun:  # not met: all rows are sorted before the first comes out
                raise
            yield from _numbered(sql, rejected, batch_rows, spill)


def _numbered(sql: str, rejected: pa.Table, batch_rows: int, config: dict[str, str]) -> Iterator[pa.RecordBatch]:
    with duckdb.connect(config={"threads": "1", "preserve_insertion_order": "false", **config}) as connection:
        connection.register("rejected", rejected)
        for batch in connection.sql(sql).to_arrow_reader(batch_rows):
            yield pa.RecordBatch.from_arrays(
                [batch.column(field.name).cast(field.type) for field in REJECTED_SCHEMA], schema=REJECTED_SCHEMA
            )


def accepted_schema(contract: Contract, pseudonyms: list[str]) -> pa.Schema:
    """Arrow schema of accepted rows: row number, hash, warnings, non-personal and derived columns, pseudonyms."""
    cleaned = cleaned_schema(contract)
    fields = [
        pa.field("_row", pa.int64()),
        pa.field("_row_hash", pa.int64()),
        pa.field("_warnings", pa.list_(pa.string())),
    ]
    fields += [
        pa.field(column.name, cleaned.field(column.name).type) for column in contract.columns if not column.is_personal
    ]
    fields += [pa.field(name, derived.kind) for name, derived in derived_columns(contract).items()]
    return pa.schema([*fields, *(pa.field(name, pa.binary()) for name in pseudonyms)])


def accepted_batches(judgement: Judgement, rejected: RejectedRows) -> Iterator[pa.RecordBatch]:
    """Accepted rows of the judgement, judged in a thread of its own so that COPY and judge overlap."""

    def judged() -> Iterator[pa.RecordBatch]:
        for judged_batch in judgement.batches():
            rejected.add(judged_batch.rejected)
            if judged_batch.accepted.num_rows:
                yield judged_batch.accepted

    return prefetch(judged(), QUEUE_BATCHES)


def prefetch(items: Iterable[_Item], depth: int) -> Iterator[_Item]:
    """Iterate in a background thread, at most ``depth`` items ahead; errors come out where they are read."""
    channel: queue.Queue[tuple[str, object]] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def put(message: tuple[str, object]) -> bool:
        while not stopped.is_set():
            try:
                channel.put(message, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(("item", item)):
                    return
            put(("end", None))
        except BaseException as error:
            put(("error", error))

    worker = threading.Thread(target=work, name="dx-prefetch", daemon=True)
    worker.start()
    try:
        while True:
            kind, value = channel.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(value, BaseException)
                raise value
            yield value  # type: ignore[misc]
    finally:
        stopped.set()
        worker.join()


def ordered_map(function: Callable[[_Item], _Result], items: Iterable[_Item], workers: int) -> Iterator[_Result]:
    """Apply a pure function in threads, keeping order, with at most ``2 * workers`` items in flight."""
    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="dx-clean") as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _raw_json(contract: Contract) -> str:
    pairs = ", ".join(
        f"{identifier(column.source_name)} := replace({_raw(column.source_name)}, chr(0), '␀')"
        for column in contract.columns
    )
    return f"to_json(struct_pack({pairs}))::varchar"


def _raw(source_name: str) -> str:
    return f"l.{identifier(source_name)}::varchar"
