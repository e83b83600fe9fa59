"""Read SQLite as Arrow text columns (ADBC), in one read-only transaction.

SQLite types values, not columns, and the driver takes a column's type from its first rows. So every
column is read as text, and a first row of text, taken off again, fixes the type.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import adbc_driver_manager
import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import DxError, UnreadableSource
from dx_pipeline.extract import source_errors as errors
from dx_pipeline.extract.physical_type import normalise_type
from dx_pipeline.extract.relation import (
    cursor_column,
    select_columns,
    source_column,
    source_relation,
    window_conditions,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import Window, column_timezone, is_integer_cursor, parse_naive

BATCH_ROWS = 16_384
_DIALECT = sqlite.dialect(paramstyle="named")
_FIRST_ROW = "dx"


class SqliteReader:
    """A table, view or query of a SQLite file (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._file = Path(sa.make_url(connection_url).database or "")
        self._connection: adbc.Connection | None = None
        self._cursors: list[adbc.Cursor] = []
        self._columns: list[SourceColumn] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def describe(self) -> list[SourceColumn]:
        """Columns as declared; a query tells no types."""
        if self._columns is None:
            source = self._contract.source
            with self._errors():
                if source.kind == "table":
                    self._columns = self._describe_table(str(source.table), source.schema or "main")
                else:
                    empty = sa.select(sa.text("*")).select_from(source_relation(self._contract)).limit(0)
                    names = self._query(_sql(empty)).schema.names
                    self._columns = [SourceColumn(name, "") for name in names]
        return list(self._columns)

    def holds_at_least(self, rows: int) -> bool:
        """True if the relation holds that many rows; stops counting there."""
        some = sa.select(sa.literal_column("1")).select_from(source_relation(self._contract)).limit(rows).subquery("s")
        with self._errors():
            counted = self._query(_sql(sa.select(sa.func.count().label("n")).select_from(some)))
        return int(counted["n"][0].as_py()) >= rows

    def is_empty(self) -> bool:
        """True if the relation holds no row."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Count, take the greatest cursor and start to read, all in one transaction."""
        relation = source_relation(self._contract)
        conditions = window_conditions(self._contract, window, _literal, _comparable)
        names = [column.source_name for column in self._contract.columns]
        # SQLite reads an unknown name in double quotes as a text: it must be refused here.
        found = {column.name for column in self.describe()}
        lacking = [name for name in names if name not in found]
        if lacking:
            raise errors.column_missing(self._contract, f"no such column: {', '.join(lacking)}")
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        chosen: list[ColumnElement[Any]] = [
            sa.func.count().label("source_rows"),
            sa.func.sqlite_version().label("server_version"),
        ]
        cursor_of = cursor_column(self._contract, window)
        if cursor_of is not None:
            chosen.append(sa.func.max(_comparable(cursor_of)).label("greatest"))
            chosen.append(sa.literal_column("strftime('%Y-%m-%dT%H:%M:%SZ', 'now')").label("now"))
        first_row = ", ".join(f"'{_FIRST_ROW}'" for _ in names)
        rows = select_columns(self._contract, relation, {name: _as_text(name) for name in names}).where(*conditions)
        with self._errors():
            facts = self._query(_sql(sa.select(*chosen).select_from(relation).where(*conditions))).to_pylist()[0]
            reader = self._stream(f"select {first_row} union all {_sql(rows)}")
        return Extraction(
            source_rows=int(facts["source_rows"]),
            cursor_high=_cursor_high(cursor_of, facts) if cursor_of is not None else None,
            position={"server_version": facts["server_version"], "file_bytes": self._file.stat().st_size},
            schema=schema,
            batches=self._batches(reader, schema),
        )

    def _describe_table(self, table: str, schema: str) -> list[SourceColumn]:
        pragma = (
            f'select name, type, "notnull" as required, pk from pragma_table_xinfo({_text(table)}, {_text(schema)})'
        )
        rows = self._query(f"{pragma} where hidden <> 1").to_pylist()
        if not rows:
            raise errors.relation_missing(self._contract, "no such table")
        return [
            SourceColumn(row["name"], normalise_type(row["type"] or ""), not row["required"], row["pk"]) for row in rows
        ]

    def _batches(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            with self._errors():
                is_first = True
                for batch in reader:
                    if is_first:
                        if batch.num_rows == 0 or batch.column(0)[0].as_py() != _FIRST_ROW:
                            raise UnreadableSource(
                                f"{self._contract.id}: SQLite returned the rows in an unexpected order",
                                next_step="read the table through source.kind: query",
                            )
                        batch, is_first = batch.slice(1), False
                    self._check_utf8(batch)
                    yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        finally:
            self._close()

    def _check_utf8(self, batch: pa.RecordBatch) -> None:
        for column, values in zip(self._contract.columns, batch.columns, strict=True):
            try:
                values.validate(full=True)
            except pa.ArrowInvalid:
                raise UnreadableSource(
                    f"{self._contract.id}: a text in column {column.source_name} of {self._contract.source.label} is "
                    "not UTF-8",
                    next_step="ask the owner to mend it, or read the column as hex(...) through source.kind: query",
                ) from None

    def _query(self, statement: str) -> pa.Table:
        with self._opened().cursor() as cursor:
            cursor.execute(statement)
            return cast(pa.Table, cursor.fetch_arrow_table())

    def _stream(self, statement: str) -> pa.RecordBatchReader:
        cursor = self._opened().cursor()
        self._cursors.append(cursor)
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
        cursor.execute(statement)
        return cursor.fetch_record_batch()

    def _opened(self) -> adbc.Connection:
        if self._connection is None:
            if not self._file.is_file():
                raise errors.unreachable(self._contract, "the SQLite file is not there")
            # Not autocommit: the first read opens the transaction that all further reads share.
            self._connection = adbc.connect(f"file:{quote(str(self._file.absolute()))}?mode=ro", autocommit=False)
        return self._connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            self._close()
            raise self._mapped(str(error)) from None

    def _mapped(self, message: str) -> DxError:
        reason = errors.redact(message.split("\nquery:")[0])
        if "no such table" in reason:
            return errors.relation_missing(self._contract, reason)
        if "no such column" in reason:
            return errors.column_missing(self._contract, reason)
        if "not a database" in reason or "malformed" in reason or "encrypted" in reason:
            return errors.value_unreadable(self._contract, reason)
        if "locked" in reason or "busy" in reason:
            return errors.timed_out(self._contract, reason)
        if "failed to open" in reason or "unable to open" in reason:
            return errors.unreachable(self._contract, "the SQLite file cannot be opened")
        if "syntax error" in reason or "prepare" in message:
            return errors.statement_refused(self._contract, reason)
        return errors.connection_lost(self._contract, reason)

    def _close(self) -> None:
        for cursor in self._cursors:
            with contextlib.suppress(Exception):
                cursor.close()
        self._cursors.clear()
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None


def _sql(statement: sa.Select[Any]) -> str:
    # The driver would type a bound value by its first batch; every literal was checked or is a constant.
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _as_text(name: str) -> ColumnElement[Any]:
    """The exact value as text: a blob as hex, a real number with all its digits."""
    value = source_column(name)
    kind = sa.func.typeof(value)
    return sa.case(
        (kind == sa.literal("blob"), sa.func.hex(value)),
        (kind == sa.literal("real"), sa.func.printf(sa.literal("%!.17g"), value)),
        else_=sa.cast(value, sa.Text),
    )


def _comparable(column: Column) -> ColumnElement[Any]:
    """SQLite has no time type: ``datetime()`` brings ``2024-01-31T08:00`` and ``2024-01-31 08:00:00`` together.

    What it cannot read becomes null and is therefore part of every increment.
    """
    value = source_column(column.source_name)
    return sa.cast(value, sa.Integer) if is_integer_cursor(column) else sa.func.datetime(value)


def _literal(text: str, column: Column) -> ColumnElement[Any]:
    return sa.literal_column(text) if is_integer_cursor(column) else sa.func.datetime(sa.literal(text))


def _cursor_high(column: Column, facts: dict[str, Any]) -> str | None:
    greatest = facts["greatest"]
    if greatest is None or is_integer_cursor(column):
        return None if greatest is None else str(greatest)
    found = parse_naive(str(greatest))
    now = parse_naive(str(facts["now"]), column_timezone(column))
    known = [moment for moment in (found, now) if moment is not None]
    return min(known).isoformat() if known else None
