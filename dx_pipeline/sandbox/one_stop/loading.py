"""COPY of Arrow tables into PostgreSQL, beside the generation of the next chunk."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
from psycopg import sql

from dx_pipeline.sandbox.one_stop.schema import SCHEMA, arrow_schema, columns_of

_SLICE_ROWS = 20_000
_WAITING = 3

Progress = Callable[[str, int], None]


class Loader:
    """One thread that copies tables in the order they are given, in the connection's transaction.

    At most three tables wait, so memory stays bounded whatever the size. Null is an empty field
    and '' a quoted one, which COPY tells apart.
    """

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], progress: Progress | None = None) -> None:
        self._connection = connection
        self._progress = progress
        self._waiting: queue.Queue[tuple[str, pa.Table] | None] = queue.Queue(maxsize=_WAITING)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="one-stop-loader", daemon=True)
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> Loader:
        self._thread.start()
        return self

    def add(self, table: str, rows: pa.Table | Mapping[str, pa.Array]) -> None:
        """Queue rows for ``table``; raises what stopped the loader, if something did."""
        if self._failure is not None:
            raise self._failure
        schema = arrow_schema(table)
        if not isinstance(rows, pa.Table):
            rows = pa.table([rows[name] for name in schema.names], schema=schema)
        if rows.num_rows:
            self.rows[table] += rows.num_rows
            self._waiting.put((table, rows))

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            if self._failure is None:
                try:
                    self._copy(*item)
                except BaseException as error:  # handed to the generating thread
                    self._failure = error

    def _copy(self, table: str, rows: pa.Table) -> None:
        statement = sql.SQL("copy {} ({}) from stdin with (format csv, freeze)").format(
            sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, columns_of(table)))
        )
        options = arrow_csv.WriteOptions(include_header=False, batch_size=_SLICE_ROWS)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for start in range(0, rows.num_rows, _SLICE_ROWS):
                text = pa.BufferOutputStream()
                arrow_csv.write_csv(rows.slice(start, _SLICE_ROWS), text, options)
                copy.write(memoryview(text.getvalue()))
        if self._progress is not None:
            self._progress(table, rows.num_rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure
