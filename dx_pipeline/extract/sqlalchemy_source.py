"""Read SQL Server and Oracle through SQLAlchemy: Arrow text columns from a streaming cursor, in one snapshot.

Their drivers give Python objects row by row, so values become text here, a column of a batch at a time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, NoReturn, Self
from uuid import UUID

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import ContractError, DxError, SettingsError
from dx_pipeline.extract import source_errors as errors
from dx_pipeline.extract.relation import (
    Relation,
    bounded_column,
    check_query,
    cursor_column,
    quoted,
    source_column,
    window_conditions,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.sqlalchemy_dialects import DIALECTS, SourceDialect
from dx_pipeline.extract.window import Window, column_timezone, is_integer_cursor, parse_naive
from dx_pipeline.progress import listener

BATCH_ROWS = 8_192


class SqlalchemyReader:
    """A table, view or query of a server that SQLAlchemy has a dialect for (see :class:`SourceReader`).

    Args:
        dialect: what differs for this server; by default that of the URL.
    """

    def __init__(self, contract: Contract, connection_url: str, dialect: SourceDialect | None = None) -> None:
        self._contract = contract
        try:
            self._url = sa.make_url(connection_url)
        except (sa.exc.ArgumentError, ValueError):
            raise SettingsError(
                f"{contract.id}: the URL of the connection of system {contract.system} cannot be read",
                next_step="write it as mssql://user:password@host:1433/database or "
                "oracle://user:password@host:1521/?service_name=name; write special characters of the password as %XX",
            ) from None
        self._dialect = dialect or DIALECTS[self._url.get_backend_name()]()
        if "+" not in self._url.drivername and self._dialect.driver is not None:
            self._url = self._url.set(drivername=self._dialect.driver)
        self._engine: sa.Engine | None = None
        self._connection: sa.Connection | None = None
        self._columns: list[SourceColumn] | None = None
        self._actual: dict[str, str] = {}  # contract's source name -> name in the catalogue
        self._table: tuple[str | None, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if self._engine is not None:
            self._engine.dispose()

    def describe(self) -> list[SourceColumn]:
        """Columns as the catalogue has them, spelt as the contract does; a query tells no types."""
        if self._columns is None:
            with self._errors(), self._opened().connect() as connection:
                if self._contract.source.kind == "table":
                    found = self._reflected(connection)
                else:
                    nothing = sa.select(sa.text("*")).select_from(self._relation()).where(sa.literal_column("1") == 2)
                    described: Any = connection.execute(nothing).cursor
                    found = [SourceColumn(item[0], "") for item in described.description]
            self._columns = self._as_contracted(found)
        return list(self._columns)

    def holds_at_least(self, rows: int) -> bool:
        """True if the relation holds that many rows; stops counting there."""
        self.describe()
        one: ColumnElement[Any] = sa.literal_column("1").label("one")
        some = sa.select(one).select_from(self._relation()).limit(rows).subquery("s")
        with self._errors(), self._opened().connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()) >= rows

    def is_empty(self) -> bool:
        """True if the relation holds no row."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Count, take the greatest cursor and start the streaming cursor, all in one snapshot."""
        types = {column.name: column.type_text for column in self.describe()}
        for column in (bounded_column(self._contract, window), cursor_column(self._contract, window)):
            if column is not None:
                self._check_bound(column, types.get(column.source_name, ""))
        names = [column.source_name for column in self._contract.columns]
        facts_of = self.count_statement(window)
        rows_of = self.rows_statement(window)
        self._close()
        with self._errors():
            connection = self._snapshot()
            facts = dict(connection.execute(facts_of).mappings().one())
            streaming = rows_of.execution_options(stream_results=True, yield_per=BATCH_ROWS)
            rows = connection.execute(streaming)
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        version = connection.dialect.server_version_info or ()
        return Extraction(
            source_rows=int(facts["source_rows"]),
            cursor_high=self._cursor_high(window, facts),
            position={"server_version": ".".join(map(str, version)), "read_at": facts["read_at"]},
            schema=schema,
            batches=self._batches(rows, schema),
        )

    def count_statement(self, window: Window) -> sa.Select[Any]:
        """How many rows the window has, their greatest cursor and the server's clock."""
        chosen = [self._dialect.count().label("source_rows"), self._dialect.now().label("read_at")]
        cursor = cursor_column(self._contract, window)
        if cursor is not None:
            greatest: ColumnElement[Any] = sa.func.max(self._column(cursor))
            if not is_integer_cursor(cursor):
                greatest = self._dialect.iso_text(greatest, self._type(cursor))
            chosen.append(greatest.label("greatest"))
        return sa.select(*chosen).select_from(self._relation()).where(*self._conditions(window))

    def rows_statement(self, window: Window) -> sa.Select[Any]:
        """The contract's columns of the window's rows, in the contract's order."""
        chosen = []
        for column in self._contract.columns:
            plain = self._column(column)
            exact = self._dialect.exact(plain, self._type(column))
            chosen.append(plain if exact is None else exact)
        return sa.select(*chosen).select_from(self._relation()).where(*self._conditions(window))

    def _conditions(self, window: Window) -> Sequence[ColumnElement[bool]]:
        return window_conditions(self._contract, window, self._bound_value, self._column)

    def _bound_value(self, text: str, column: Column) -> ColumnElement[Any]:
        if is_integer_cursor(column):
            return sa.literal(int(text), sa.BigInteger)
        moment = dt.datetime.fromisoformat(text)
        return self._dialect.moment(moment, column_timezone(column), self._type(column))

    def _check_bound(self, column: Column, type_text: str) -> None:
        if not type_text:
            return  # a query tells no types; the server refuses what cannot be compared
        kind = self._dialect.bound_kind(type_text)
        if kind is None or (kind == "whole") != is_integer_cursor(column):
            raise ContractError(
                f"{self._contract.id}: column {column.source_name} is {type_text} in the source and cannot bound a "
                f"read as {column.logical_type}",
                next_step=f"in {self._contract.path} choose another cursor or period column, or use source.kind: "
                "query and cast it there",
            )

    def _cursor_high(self, window: Window, facts: dict[str, Any]) -> str | None:
        cursor = cursor_column(self._contract, window)
        if cursor is None or facts["greatest"] is None:
            return None
        if is_integer_cursor(cursor):
            return str(int(facts["greatest"]))
        zone = column_timezone(cursor)
        known = [parse_naive(str(facts[name]), zone) for name in ("greatest", "read_at")]
        read = [moment for moment in known if moment is not None]
        return min(read).isoformat() if known[0] is not None else None

    def _reflected(self, connection: sa.Connection) -> list[SourceColumn]:
        """Columns of the table; a name the catalogue does not know as written is tried in capitals."""
        source = self._contract.source
        inspector = sa.inspect(connection)
        for fold in (str, str.upper):
            schema, table = (fold(source.schema) if source.schema else None), fold(str(source.table))
            try:
                found = inspector.get_columns(table, schema=schema)
            except sa.exc.NoSuchTableError:
                continue
            if found:
                self._table = self._stored(schema) if schema else None, self._stored(table)
                key = list(inspector.get_pk_constraint(table, schema=schema).get("constrained_columns") or ())
                return [
                    SourceColumn(
                        self._stored(column["name"]),
                        self._dialect.type_text(column["type"], connection.dialect),
                        bool(column.get("nullable", True)),
                        key.index(column["name"]) + 1 if column["name"] in key else 0,
                    )
                    for column in found
                ]
        raise errors.relation_missing(self._contract, "the catalogue does not know it, or not for this account")

    def _stored(self, name: str) -> str:
        """A name as it is stored: SQLAlchemy tells names in capitals in lower case, where servers fold so."""
        dialect: Any = self._opened().dialect
        return str(dialect.denormalize_name(name)) if dialect.requires_name_normalize else str(name)

    def _as_contracted(self, found: list[SourceColumn]) -> list[SourceColumn]:
        """Names that differ from the contract's only in case are the contract's, if there is but one such."""
        stored = [column.name for column in found]
        wanted = [column.source_name for column in self._contract.columns] + list(self._contract.left_out)
        shown: dict[str, str] = {name: name for name in wanted if name in stored}
        for name in wanted:
            alike = [other for other in stored if other.casefold() == name.casefold()]
            if name not in shown and len(alike) == 1 and alike[0] not in shown:
                shown[name] = alike[0]
        self._actual = shown
        spelt = {actual: name for name, actual in shown.items()}
        return [replace(c, name=spelt.get(c.name, c.name)) for c in found]

    def _column(self, column: Column) -> ColumnElement[Any]:
        return source_column(self._actual.get(column.source_name, column.source_name))

    def _type(self, column: Column) -> str:
        return next((c.type_text for c in self._columns or [] if c.name == column.source_name), "")

    def _relation(self) -> Relation:
        source = self._contract.source
        if source.kind == "table":
            schema, table = self._table or (source.schema, str(source.table))
            return sa.table(quoted(table), schema=quoted(schema) if schema else None)
        query = check_query(self._contract)
        if query.split(None, 1)[0].lower() == "with" and not self._dialect.takes_with_in_subquery:
            raise ContractError(
                f"{self._contract.id}: {self._dialect.server} takes no `with` inside another query",
                next_step=f"write source.query in {self._contract.path} with subqueries, or ask the owner for a view",
            )
        # Without `as`: Oracle knows none before a table's name. See source_relation for line break and colon.
        return sa.text("(\n" + query.replace(":", "\\:") + "\n) q")

    def _batches(self, rows: sa.CursorResult[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        true_false = self._dialect.true_false
        try:
            with self._errors():
                for part in rows.partitions(BATCH_ROWS):
                    columns = zip(*part, strict=True)
                    arrays = [pa.array(_texts(values, true_false), pa.string()) for values in columns]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        finally:
            self._close()

    def _snapshot(self) -> sa.Connection:
        with self._opened().connect() as asking:
            level, warning = self._dialect.isolation(asking)
        if warning:
            listener().warn(self._contract.id, warning)
        self._connection = self._opened().connect()
        if level is not None:
            self._connection = self._connection.execution_options(isolation_level=level)
        self._dialect.begin(self._connection)
        return self._connection

    def _opened(self) -> sa.Engine:
        if self._engine is None:
            driver = self._url.get_driver_name()
            try:
                self._engine = sa.create_engine(
                    self._url,
                    poolclass=sa.NullPool,
                    connect_args=dict(self._dialect.connect_options.get(driver, {})),
                    hide_parameters=True,
                    **self._dialect.engine_options,
                )
            except (ImportError, sa.exc.NoSuchModuleError, sa.exc.ArgumentError, TypeError) as error:
                self._refuse_driver(driver, error)
        return self._engine

    def _refuse_driver(self, driver: str, error: Exception) -> NoReturn:
        extra = self._dialect.extra
        own = self._dialect.driver
        if isinstance(error, ImportError) and self._url.drivername == own:
            step = f"install it with: pip install 'dx-pipeline[{extra}]' (in a checkout: pip install '.[{extra}]')"
        else:
            step = f"install the package that brings it, or write the connection's URL with {own}://" + (
                f" and install the extra {extra}: pip install '.[{extra}]'" if extra else ""
            )
        raise SettingsError(
            f"{self._contract.id}: the driver {driver} that reads {self._dialect.server} is not installed",
            next_step=step,
        )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            mapped = self._mapped(error)
            self._close()
            raise mapped from None
        except (UnicodeError, ValueError, OverflowError, decimal.InvalidOperation) as error:
            self._close()
            raise errors.value_unreadable(self._contract, f"{type(error).__name__} in the driver") from None
        except sa.exc.SQLAlchemyError as error:
            self._close()
            raise errors.statement_refused(self._contract, errors.redact(str(error), self._url.password)) from None
        except OSError as error:
            self._close()
            raise errors.unreachable(self._contract, error.strerror or type(error).__name__) from None

    def _mapped(self, error: sa.exc.DBAPIError) -> DxError:
        original = error.orig or error
        reason = errors.redact(_message(original), self._url.password)
        fault = next(
            (self._dialect.faults[c] for c in self._dialect.codes(original) if c in self._dialect.faults), None
        )
        if fault is None:
            is_query = isinstance(error, sa.exc.ProgrammingError | sa.exc.NotSupportedError)
            fault = "refused" if is_query else "value" if isinstance(error, sa.exc.DataError) else None
        if fault is None:
            lost = errors.connection_lost if self._connection is not None else errors.unreachable
            return lost(self._contract, reason)
        told: dict[str, Callable[[Contract, str], DxError]] = {
            "account": errors.access_refused,
            "entry": errors.unreachable,
            "relation": errors.relation_missing,
            "column": errors.column_missing,
            "permission": errors.permission_denied,
            "stopped": errors.timed_out,
            "refused": errors.statement_refused,
            "value": errors.value_unreadable,
        }
        # What a server says of a value repeats the value, which may be personal.
        return told[fault](self._contract, reason.split("'")[0].rstrip() if fault == "value" else reason)

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.invalidate()  # a polite close would fetch the rest of a streaming cursor
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None


def _message(error: BaseException) -> str:
    """The words of a driver's error: pymssql wraps bytes in a tuple, ODBC names its layers in brackets."""
    first = error.args[0] if error.args else error
    text = first[-1] if isinstance(first, tuple) and first else error.args[-1] if error.args else error
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    words = words.split("DB-Lib error message 20018")[0]
    return words.rpartition("]")[2] if words.startswith("[") else words


def _texts(values: Sequence[Any], true_false: tuple[str, str]) -> Sequence[str | None]:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return values
    return [
        None if value is None else value if isinstance(value, str) else _text(value, true_false) for value in values
    ]


def _text(value: Any, true_false: tuple[str, str]) -> str:
    """One value of a driver as exact text."""
    if isinstance(value, bool):
        return true_false[0] if value else true_false[1]
    if isinstance(value, decimal.Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex().upper()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, UUID):
        return str(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
