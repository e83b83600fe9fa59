"""Read PostgreSQL as Arrow batches over binary COPY (ADBC), in one read-only snapshot.

Count, greatest cursor and rows come from the same REPEATABLE READ transaction, so that "all rows
arrived" is a check and not a hope. Traps of the driver that are dealt with here (measured with
adbc-driver-postgresql 1.13): a timestamp outside the range of Arrow's microseconds (``infinity``, a year
beyond 292 000) wraps around silently; numeric, arrays, enums arrive as extension types.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, cast

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg.conninfo
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import DxError
from dx_pipeline.extract import source_errors as errors
from dx_pipeline.extract.control_measures import control_elements, control_facts
from dx_pipeline.extract.physical_type import base_type, normalise_type
from dx_pipeline.extract.relation import (
    Relation,
    bounded_column,
    check_bound_type,
    cursor_column,
    select_columns,
    source_column,
    source_relation,
    window_conditions,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import DEFAULT_TIMEZONE, Window, column_timezone, is_integer_cursor
from dx_pipeline.settings import get_settings

BATCH_BYTES = 6 * 1024 * 1024
_LOCK_TIMEOUT = "60s"
_DIALECT: sa.Dialect = cast(Any, PGDialect)(paramstyle="named")
_ARROW_TYPES: dict[str, pa.DataType] = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "varchar": pa.string(),
    "char": pa.string(),
    "bpchar": pa.string(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_TIMES = frozenset({"timestamp", "timestamptz", "date"})
_EARLIEST_CURSOR = "1900-01-01"
_COLUMN_TYPES = sa.text(
    "select t.name, pg_catalog.format_type(t.type_oid, t.type_modifier) as type_text, t.nullable, t.key_position"
    " from unnest(cast(:names as text[]), cast(:oids as oid[]), cast(:modifiers as int[]),"
    " cast(:nullable as boolean[]), cast(:key_positions as int[]))"
    " with ordinality as t (name, type_oid, type_modifier, nullable, key_position, position)"
    " order by t.position"
)
_NOT_NULL_AND_KEY = sa.text(
    "select a.attname as name, coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) as key_position"
    " from pg_catalog.pg_attribute as a"
    " join pg_catalog.pg_class as c on c.oid = a.attrelid"
    " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
    " left join pg_catalog.pg_index as i on i.indrelid = c.oid and i.indisprimary"
    " where c.relname = :table and a.attnotnull and a.attnum > 0 and not a.attisdropped"
    " and case when cast(:schema as text) is null then pg_catalog.pg_table_is_visible(c.oid)"
    " else n.nspname = :schema end"
)


class PostgresqlReader:
    """A table, view or query of a PostgreSQL server (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = _with_defaults(sa.make_url(connection_url))
        self._engine = sa.create_engine(self._url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
        self._adbc: adbc.Connection | None = None
        self._cursors: list[adbc.Cursor] = []
        self._columns: list[SourceColumn] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self._engine.dispose()

    def describe(self) -> list[SourceColumn]:
        """Columns and types as ``format_type`` writes them, read from an empty select."""
        if self._columns is None:
            relation = source_relation(self._contract)
            empty = sa.select(sa.text("*")).select_from(relation).limit(0)
            with self._reflecting() as connection:
                result = connection.execute(empty)
                described = cast(Any, result.cursor).pgresult
                found = [
                    (described.fname(i).decode(), described.ftype(i), described.fmod(i))
                    for i in range(described.nfields)
                ]
                result.close()
                source = self._contract.source
                required: dict[str, int] = {}  # name -> place in the primary key, 0 if it has none there
                if source.kind == "table":
                    named = {"table": source.table, "schema": source.schema}
                    required = {row.name: row.key_position for row in connection.execute(_NOT_NULL_AND_KEY, named)}
                rows = connection.execute(
                    _COLUMN_TYPES,
                    {
                        "names": [name for name, _, _ in found],
                        "oids": [oid for _, oid, _ in found],
                        "modifiers": [modifier for _, _, modifier in found],
                        "nullable": [name not in required for name, _, _ in found],
                        "key_positions": [required.get(name, 0) for name, _, _ in found],
                    },
                )
                self._columns = [
                    SourceColumn(row.name, normalise_type(row.type_text), row.nullable, row.key_position)
                    for row in rows
                ]
        return list(self._columns)

    def holds_at_least(self, rows: int) -> bool:
        """True if the relation holds that many rows; stops counting there."""
        some = sa.select(sa.literal(1)).select_from(source_relation(self._contract)).limit(rows).subquery("some")
        with self._reflecting() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()) >= rows

    def is_empty(self) -> bool:
        """True if the relation holds no row."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Count, take the greatest cursor and start the COPY, all in one snapshot."""
        types = {column.name: column.type_text for column in self.describe()}
        bounded = bounded_column(self._contract, window)
        if bounded is not None and bounded.source_name in types:
            check_bound_type(self._contract, bounded, types[bounded.source_name])
        relation = source_relation(self._contract)
        conditions = window_conditions(self._contract, window, _literal(types), _plain_column)
        connection = self._connect(window)
        try:
            facts = self._run(connection, self._count(relation, window, types).where(*conditions))
            out_of_range = [
                column.source_name for number, column in enumerate(self._contract.columns) if facts.get(f"odd_{number}")
            ]
            expressions, schema = self._projection(types, out_of_range)
            select = select_columns(self._contract, relation, expressions).where(*conditions)
            cursor = connection.cursor()
            self._cursors.append(cursor)
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
            cursor.execute(_sql(select))
            reader = cursor.fetch_record_batch()
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            self._close()
            raise self._mapped(error) from None
        except BaseException:
            self._close()
            raise
        position = {
            "server_version": facts["server_version"],
            "snapshot": facts["snapshot"],
            "read_at": facts["read_at"],
        }
        if out_of_range:
            position["times_read_as_text"] = out_of_range
        return Extraction(
            source_rows=int(facts["source_rows"]),
            cursor_high=facts.get("cursor_high"),
            position=position,
            schema=schema,
            batches=self._batches(reader, schema),
            control=control_facts(self._contract, window, facts, int(facts["source_rows"])),
        )

    def _count(self, relation: Relation, window: Window, types: dict[str, str]) -> sa.Select[Any]:
        chosen: list[ColumnElement[Any]] = [
            sa.func.count().label("source_rows"),
            sa.literal_column("current_setting('server_version')").label("server_version"),
            sa.literal_column("cast(pg_catalog.txid_current_snapshot() as text)").label("snapshot"),
            sa.literal_column("cast(pg_catalog.now() as text)").label("read_at"),
        ]
        cursor = cursor_column(self._contract, window)
        if cursor is not None and cursor.source_name in types:
            check_bound_type(self._contract, cursor, types[cursor.source_name])
            chosen.append(_cursor_high(cursor, base_type(types[cursor.source_name])).label("cursor_high"))
        for number, column in enumerate(self._contract.columns):
            if base_type(types.get(column.source_name, "")) in _TIMES:
                value = source_column(column.source_name)
                earliest: ColumnElement[Any] = sa.literal_column("date '0001-01-01'")
                latest: ColumnElement[Any] = sa.literal_column("date '10000-01-01'")
                odd = sa.func.bool_or(sa.or_(value < earliest, value >= latest))
                chosen.append(odd.label(f"odd_{number}"))
        chosen += control_elements(self._contract, window, types, text_type=sa.Text(), exact_key=_byte_by_byte)
        return sa.select(*chosen).select_from(relation)

    def _projection(self, types: dict[str, str], as_text: list[str]) -> tuple[dict[str, ColumnElement[Any]], pa.Schema]:
        """Columns as they are where Arrow holds the type exactly; every other type as its text."""
        expressions: dict[str, ColumnElement[Any]] = {}
        fields = []
        for column in self._contract.columns:
            name = column.source_name
            arrow_type = _ARROW_TYPES.get(_bare(types.get(name, "text")))
            if arrow_type is None or name in as_text:
                expressions[name] = sa.cast(source_column(name), sa.Text)
                arrow_type = pa.string()
            fields.append(pa.field(name, arrow_type))
        return expressions, pa.schema(fields)

    def _batches(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            for batch in reader:
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            raise self._mapped(error) from None
        finally:
            self._close()

    def _connect(self, window: Window) -> adbc.Connection:
        self._close()
        bounded = bounded_column(self._contract, window) or cursor_column(self._contract, window)
        timezone = column_timezone(bounded) if bounded is not None else DEFAULT_TIMEZONE
        try:
            connection = adbc.connect(self._conninfo(), autocommit=False)
            self._adbc = connection
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
                for setting, value in (
                    ("timezone", timezone),
                    ("datestyle", "ISO, YMD"),
                    ("lock_timeout", _LOCK_TIMEOUT),
                ):
                    chosen = sa.func.set_config(sa.literal(setting), sa.literal(value), sa.literal_column("true"))
                    cursor.execute(_sql(sa.select(chosen)))
                    cursor.fetchall()
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            self._close()
            raise self._mapped(error) from None
        return connection

    def _conninfo(self) -> str:
        # Not the URL: libpq does not read "+" as a blank, as SQLAlchemy writes it.
        parts: dict[str, Any] = self._url.translate_connect_args(username="user", database="dbname")
        for name, value in self._url.query.items():
            parts[name] = value if isinstance(value, str) else ",".join(value)
        return psycopg.conninfo.make_conninfo("", **parts)

    def _run(self, connection: adbc.Connection, statement: sa.Select[Any]) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute(_sql(statement))
            return cast(dict[str, Any], cursor.fetch_arrow_table().to_pylist()[0])

    @contextlib.contextmanager
    def _reflecting(self) -> Iterator[sa.Connection]:
        try:
            options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            with self._engine.connect().execution_options(**options) as connection:
                connection.execute(sa.select(sa.func.set_config("lock_timeout", _LOCK_TIMEOUT, True)))
                yield connection
        except sa.exc.DBAPIError as error:
            reason = errors.redact(str(error.orig), self._url.password)
            # libpq gives no SQLSTATE to a login that fails, only the server's words.
            state = getattr(error.orig, "sqlstate", None) or errors.sqlstate_of_message(reason)
            raise errors.from_sqlstate(self._contract, state, reason) or errors.unreachable(
                self._contract, reason
            ) from None

    def _mapped(self, error: BaseException) -> DxError:
        reason = errors.redact(str(error), self._url.password)
        # While rows stream, the driver loses the SQLSTATE and only the server's words remain.
        state = getattr(error, "sqlstate", None) or errors.sqlstate_of_message(reason)
        mapped = errors.from_sqlstate(self._contract, state, reason)
        if mapped is not None:
            return mapped
        if self._adbc is None:
            return errors.unreachable(self._contract, reason)
        return errors.connection_lost(self._contract, reason)

    def _close(self) -> None:
        # Closing a broken connection complains; the error that broke it has already been told.
        for cursor in self._cursors:
            with contextlib.suppress(Exception):
                cursor.close()
        self._cursors.clear()
        if self._adbc is not None:
            with contextlib.suppress(Exception):
                self._adbc.close()
            self._adbc = None


def _with_defaults(url: sa.URL) -> sa.URL:
    defaults = {
        "application_name": "dx_pipeline",
        "connect_timeout": str(get_settings().source_connect_seconds),
        "client_encoding": "UTF8",
        "keepalives_idle": "60",
    }
    return url.update_query_dict({name: value for name, value in defaults.items() if name not in url.query})


def _sql(statement: sa.Select[Any]) -> str:
    # COPY takes no parameters; every literal was checked to be a time or a number, or is a constant.
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _bare(type_text: str) -> str:
    """Type without length; arrays, domains and precise types stay what they are."""
    return type_text if type_text.endswith("[]") else base_type(type_text)


def _byte_by_byte(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.collate(sa.cast(value, sa.Text), "C")


def _plain_column(column: Column) -> ColumnElement[Any]:
    return source_column(column.source_name)


def _literal(types: dict[str, str]) -> Any:
    def literal(text: str, column: Column) -> ColumnElement[Any]:
        if is_integer_cursor(column):
            return sa.literal_column(text)
        with_zone = base_type(types.get(column.source_name, "")) == "timestamptz"
        return sa.cast(sa.literal(text, sa.Text), sa.TIMESTAMP(timezone=with_zone))

    return literal


def _cursor_high(cursor: Column, kind: str) -> ColumnElement[Any]:
    """The smaller of the greatest cursor and the server's clock: a row of the year 20024 pushes nothing."""
    greatest: ColumnElement[Any] = sa.func.max(source_column(cursor.source_name))
    if is_integer_cursor(cursor):
        return sa.cast(greatest, sa.Text)
    zone = sa.literal(column_timezone(cursor), sa.Text)
    now = sa.func.timezone(zone, sa.func.now())
    if kind == "timestamptz":
        greatest = sa.func.timezone(zone, greatest)
    # The order of the comparison matters: min against the clock first, so that infinity becomes now.
    bounded = sa.func.greatest(
        sa.func.least(sa.cast(greatest, sa.TIMESTAMP), now), sa.literal_column(f"timestamp '{_EARLIEST_CURSOR}'")
    )
    shown = sa.func.to_char(bounded, sa.literal('YYYY-MM-DD"T"HH24:MI:SS.US', sa.Text))
    return sa.case((greatest.is_not(None), shown))
