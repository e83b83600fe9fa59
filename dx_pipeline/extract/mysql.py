"""Read MySQL and MariaDB as Arrow text columns (PyMySQL with a server-side cursor), in one snapshot.

The driver's own conversions are switched off: it turns ``0000-00-00`` into None and costs most of the
time. Every value arrives as the text the server writes; bytes become hex, bits whole numbers.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast
from zoneinfo import ZoneInfo

import pyarrow as pa
import pymysql
import pymysql.converters
import pymysql.cursors
import sqlalchemy as sa
from pymysql.constants import FIELD_TYPE
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import DxError
from dx_pipeline.extract import source_errors as errors
from dx_pipeline.extract.control_measures import control_elements, control_facts
from dx_pipeline.extract.physical_type import normalise_type
from dx_pipeline.extract.relation import (
    bounded_column,
    check_bound_type,
    cursor_column,
    quoted,
    select_columns,
    source_column,
    source_relation,
    window_conditions,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import DEFAULT_TIMEZONE, Window, column_timezone, is_integer_cursor
from dx_pipeline.settings import get_settings

BATCH_ROWS = 8_192
_DIALECT = mysql.dialect(paramstyle="named")
_ONLY_ESCAPES = {kind: how for kind, how in pymysql.converters.conversions.items() if not isinstance(kind, int)}
_BOUND_TYPES = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "integer",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
}
_EARLIEST_CURSOR = "1900-01-01"
_NO_TABLE = (1051, 1146)
_NO_COLUMN = (1054,)
_NO_PERMISSION = (1142, 1143, 1370)
_NO_ENTRY = (1040, 1049, 1203, 1226, 2002, 2003, 2005, 2026)
_WRONG_ACCOUNT = (1044, 1045, 1130, 1698, 1820, 1862, 3118, 4151)  # password, host, expired or locked account
_STOPPED = (1205, 1213, 1317, 1969, 3024)
_REFUSED = (1290, 1792)


class MysqlReader:
    """A table, view or query of a MySQL or MariaDB server (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._url = sa.make_url(connection_url).set(drivername="mysql+pymysql")
        self._connection: pymysql.Connection[Any] | None = None
        self._columns: list[SourceColumn] | None = None
        self._codes: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def describe(self) -> list[SourceColumn]:
        """Columns as declared; of a query only the names (the server tells no exact types)."""
        if self._columns is None:
            empty = sa.select(sa.text("*")).select_from(source_relation(self._contract)).limit(0)
            with self._errors(), self._opened().cursor() as cursor:
                cursor.execute(_sql(empty))
                self._codes = {item[0]: int(item[1]) for item in cursor.description or ()}
                declared: dict[str, tuple[str, str, str]] = {}
                source = self._contract.source
                if source.kind == "table":
                    table = sa.table(quoted("columns"), schema=quoted("information_schema"))
                    wanted = ("column_name", "column_type", "is_nullable", "column_key")
                    names: list[sa.ColumnClause[Any]] = [sa.column(name) for name in wanted]
                    schema = sa.literal(source.schema) if source.schema else sa.func.database()
                    statement = (
                        sa.select(*names)
                        .select_from(table)
                        .where(sa.column("table_schema") == schema, sa.column("table_name") == source.table)
                    )
                    cursor.execute(_sql(statement))
                    declared = {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}
            key = [name for name in self._codes if name in declared and declared[name][2] == "PRI"]
            self._columns = [
                SourceColumn(
                    name,
                    normalise_type(declared[name][0]),
                    declared[name][1] == "YES",
                    key.index(name) + 1 if name in key else 0,
                )
                if name in declared
                else SourceColumn(name, "")
                for name in self._codes
            ]
        return list(self._columns)

    def holds_at_least(self, rows: int) -> bool:
        """True if the relation holds that many rows; stops counting there."""
        some = sa.select(sa.literal_column("1")).select_from(source_relation(self._contract)).limit(rows).subquery("s")
        with self._errors(), self._opened().cursor() as cursor:
            cursor.execute(_sql(sa.select(sa.func.count()).select_from(some)))
            counted = cursor.fetchone()
            return counted is not None and int(counted[0]) >= rows

    def is_empty(self) -> bool:
        """True if the relation holds no row."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Count, take the greatest cursor and start the server-side cursor, all in one snapshot."""
        self.describe()
        relation = source_relation(self._contract)
        for column in (bounded_column(self._contract, window), cursor_column(self._contract, window)):
            if column is not None and column.source_name in self._codes:
                code = self._codes[column.source_name]
                check_bound_type(self._contract, column, _BOUND_TYPES.get(code, "text"))
        conditions = window_conditions(self._contract, window, _literal, _plain_column)
        chosen: list[ColumnElement[Any]] = [
            sa.func.count().label("source_rows"),
            sa.func.version().label("server_version"),
            sa.func.date_format(sa.func.now(), sa.literal("%Y-%m-%dT%H:%i:%s")).label("read_at"),
        ]
        cursor_of = cursor_column(self._contract, window)
        if cursor_of is not None:
            chosen.append(_cursor_high(cursor_of).label("cursor_high"))
        declared = {column.name: column.type_text for column in self.describe() if column.type_text}
        chosen += control_elements(
            self._contract, window, declared, text_type=sa.CHAR(), exact_key=lambda value: sa.cast(value, sa.BINARY)
        )
        names = [column.source_name for column in self._contract.columns]
        # The text of a single-precision number is cut to six digits; as a double it is exact.
        exact: dict[str, ColumnElement[Any]] = {
            name: source_column(name).op("+")(sa.literal_column("0.0e0"))
            for name in names
            if self._codes.get(name) == FIELD_TYPE.FLOAT
        }
        rows = select_columns(self._contract, relation, exact).where(*conditions)
        zone = column_timezone(cursor_of) if cursor_of is not None else DEFAULT_TIMEZONE
        self._close()
        with self._errors():
            connection = self._opened(zone)
            with connection.cursor() as counting:
                counting.execute("set session transaction isolation level repeatable read")
                counting.execute("start transaction with consistent snapshot, read only")
                counting.execute(_sql(sa.select(*chosen).select_from(relation).where(*conditions)))
                labels = [item[0] for item in counting.description or ()]
                facts = dict(zip(labels, counting.fetchone() or (), strict=True))
            streaming = connection.cursor(pymysql.cursors.SSCursor)
            streaming.execute(_sql(rows))
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        return Extraction(
            source_rows=int(facts["source_rows"]),
            cursor_high=facts.get("cursor_high"),
            position={"server_version": facts["server_version"], "read_at": facts["read_at"]},
            schema=schema,
            batches=self._batches(streaming, schema),
            control=control_facts(self._contract, window, facts, int(facts["source_rows"])),
        )

    def _batches(self, cursor: pymysql.cursors.Cursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        codes: list[int] = [int(item[1]) for item in cursor.description or ()]
        try:
            with self._errors():
                while rows := cursor.fetchmany(BATCH_ROWS):
                    columns = zip(*rows, strict=True)
                    arrays = [_text_array(values, code) for values, code in zip(columns, codes, strict=True)]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        finally:
            self._close()

    def _opened(self, timezone: str = DEFAULT_TIMEZONE) -> pymysql.Connection[Any]:
        if self._connection is None:
            _, options = MySQLDialect_pymysql().create_connect_args(self._url)
            limits = get_settings()
            settings = {
                "connect_timeout": limits.source_connect_seconds,
                "read_timeout": limits.source_connect_seconds,  # until we are in: the server greets first
                "charset": "utf8mb4",
                "program_name": "dx_pipeline",
            }
            connection = pymysql.connect(**{**settings, **options, "conv": _ONLY_ESCAPES})
            cast(Any, connection)._read_timeout = limits.source_silence_seconds
            self._connection = connection
            offset = datetime.now(ZoneInfo(timezone)).strftime("%z")
            with connection.cursor() as cursor:
                # TIMESTAMP columns are told in the local time that naive times are read in.
                cursor.execute(f"set session time_zone = '{offset[:3]}:{offset[3:]}'")
                # The server must not give up on us while we are busy writing.
                cursor.execute("set session net_write_timeout = 3600")
        return self._connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (pymysql.MySQLError, OSError, RuntimeError) as error:
            mapped = self._mapped(error)
            self._close()
            raise mapped from None
        except UnicodeDecodeError as error:
            self._close()
            raise errors.value_unreadable(self._contract, f"not UTF-8: {error.reason}") from None

    def _mapped(self, error: Exception) -> DxError:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        text = str(error.args[1]) if len(error.args) > 1 else str(error)
        reason = errors.redact(text, self._url.password)
        if code in _NO_TABLE:
            return errors.relation_missing(self._contract, reason)
        if code in _NO_COLUMN:
            return errors.column_missing(self._contract, reason)
        if code in _NO_PERMISSION:
            return errors.permission_denied(self._contract, reason)
        if code in _WRONG_ACCOUNT:
            return errors.access_refused(self._contract, reason)
        if code in _NO_ENTRY or self._connection is None:
            return errors.unreachable(self._contract, reason)
        if code in _STOPPED:
            return errors.timed_out(self._contract, reason)
        if code in _REFUSED or isinstance(error, pymysql.ProgrammingError | pymysql.NotSupportedError):
            return errors.statement_refused(self._contract, reason)
        if isinstance(error, pymysql.DataError):
            return errors.value_unreadable(self._contract, reason)
        return errors.connection_lost(self._contract, reason)

    def _close(self) -> None:
        # A server-side cursor would fetch its rest on a polite close; a dropped connection does not.
        if self._connection is not None:
            with contextlib.suppress(Exception):
                cast(Any, self._connection)._force_close()
            self._connection = None


def _sql(statement: sa.Select[Any]) -> str:
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _text_array(values: Sequence[Any], code: int) -> pa.Array:
    first = next((value for value in itertools.islice(values, None) if value is not None), None)
    if isinstance(first, bytes):
        if code == FIELD_TYPE.BIT:
            values = [None if value is None else str(int.from_bytes(value, "big")) for value in values]
        else:
            values = [None if value is None else value.hex().upper() for value in values]
    return pa.array(values, pa.string())


def _plain_column(column: Column) -> ColumnElement[Any]:
    return source_column(column.source_name)


def _literal(text: str, column: Column) -> ColumnElement[Any]:
    if is_integer_cursor(column):
        return sa.literal_column(text)
    return sa.cast(sa.literal(text, sa.String), mysql.DATETIME(fsp=6))


def _cursor_high(cursor: Column) -> ColumnElement[Any]:
    """The smaller of the greatest cursor and the server's clock; zero dates do not count as times."""
    greatest: ColumnElement[Any] = sa.func.max(source_column(cursor.source_name))
    if is_integer_cursor(cursor):
        return sa.cast(greatest, mysql.CHAR)
    moment = sa.cast(greatest, mysql.DATETIME(fsp=6))
    earliest = sa.cast(sa.literal(_EARLIEST_CURSOR, sa.String), mysql.DATETIME(fsp=6))
    bounded = sa.func.greatest(sa.func.least(moment, sa.func.now(sa.literal_column("6"))), earliest)
    return sa.func.date_format(bounded, sa.literal("%Y-%m-%dT%H:%i:%s.%f", sa.String))
