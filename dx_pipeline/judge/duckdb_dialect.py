"""SQLAlchemy dialect ``duckdb+judge`` through which Great Expectations reads a batch in DuckDB.

The only file that touches ``duckdb_engine``. It mends three things Great Expectations 1.24 stumbles on:
cursors that lose their rows when the connection goes back to the pool, column reflection that needs
``pg_collation``, and regular expressions. Connections are cursors of a DuckDB connection that is open
already, so Great Expectations sees the judge's own views and stays inside its memory limit.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import uuid4

import duckdb
import duckdb_engine
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from dx_pipeline.sql_quoting import identifier

_REFLECTED_TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "VARCHAR": sa.types.VARCHAR,
    "TINYINT": sa.types.SMALLINT,
    "UTINYINT": sa.types.SMALLINT,
    "USMALLINT": sa.types.INTEGER,
    "UINTEGER": sa.types.BIGINT,
    "UBIGINT": sa.types.BIGINT,
    "HUGEINT": sa.types.BIGINT,
    "TIMESTAMP WITH TIME ZONE": sa.types.TIMESTAMP,
}


@dataclass(frozen=True)
class _OpenSession:
    """A connection, and what was asked of the columns of its tables: the views of a judgement do not change."""

    connection: duckdb.DuckDBPyConnection
    columns: dict[tuple[str, str | None], list[Any]] = field(default_factory=dict)


_open_sessions: dict[str, _OpenSession] = {}
_open_sessions_lock = threading.Lock()


@contextmanager
def shared_session(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """SQLAlchemy URL that reaches the database behind ``connection`` while the context is open."""
    name = uuid4().hex
    with _open_sessions_lock:
        _open_sessions[name] = _OpenSession(connection)
    try:
        yield f"duckdb+judge:///{name}"
    finally:
        with _open_sessions_lock:
            del _open_sessions[name]


def literal_sql(expression: Any) -> str:
    """DuckDB text of a SQLAlchemy expression with its values written as quoted literals."""
    return str(expression.compile(dialect=_plain_dialect(), compile_kwargs={"literal_binds": True}))


@lru_cache(maxsize=1)
def _plain_dialect() -> JudgeDialect:
    return JudgeDialect(paramstyle="named")  # `named` leaves % alone


class _BufferedCursor(duckdb_engine.CursorWrapper):
    """A DuckDB cursor of its own per SQLAlchemy cursor, whose rows outlive the connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, wrapper: duckdb_engine.ConnectionWrapper) -> None:
        self._cursor = connection.cursor()
        super().__init__(self._cursor, wrapper)
        self._rows: list[Any] = []
        self._next = 0
        self._columns: Any = None

    def execute(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        super().execute(statement, parameters, context)
        self._columns = self._cursor.description
        self._rows = list(self._cursor.fetchall()) if self._columns else []
        self._next = 0

    @property
    def description(self) -> Any:
        return self._columns

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        rows = self._rows[self._next : self._next + (1 if size is None else size)]
        self._next += len(rows)
        return rows

    def fetchall(self) -> list[Any]:
        return self.fetchmany(len(self._rows))

    def fetchone(self) -> Any:
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def close(self) -> None:
        self._cursor.close()


class _SharedConnection(duckdb_engine.ConnectionWrapper):
    """Hands out buffered cursors."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection)
        self._connection = connection

    def cursor(self) -> _BufferedCursor:
        return _BufferedCursor(self._connection, self)


class JudgeDialect(duckdb_engine.Dialect):
    """``duckdb_engine`` on a session of the judge."""

    supports_statement_cache = False
    DremioDialect = True
    """Probe by which Great Expectations picks ``regexp_matches(column, pattern)``, as DuckDB has it."""

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        with _open_sessions_lock:
            connection = _open_sessions[kwargs["database"]].connection
        return _SharedConnection(connection.cursor())

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **kwargs: Any) -> Any:
        known = _open_sessions[connection.engine.url.database].columns
        asked = str(table_name), schema
        if asked not in known:
            name = ".".join(identifier(part) for part in (schema, str(table_name)) if part)
            try:  # not duckdb_columns(), which binds the whole catalog for it
                known[asked] = connection.exec_driver_sql(
                    'select name, type, not "notnull", dflt_value from pragma_table_info($1) order by cid', (name,)
                ).fetchall()
            except sa.exc.ProgrammingError as error:
                raise sa.exc.NoSuchTableError(table_name) from error
        return [
            {
                "name": name,
                "type": self._reflected_type(type_name),
                "nullable": bool(nullable),
                "default": default,
                "comment": None,
                "autoincrement": False,
            }
            for name, type_name, nullable, default in known[asked]
        ]

    def _reflected_type(self, type_name: str) -> sa.types.TypeEngine[Any]:
        base = type_name.split("(")[0]
        found = self.ischema_names.get(base.lower()) or getattr(sa.types, base, None)
        found = found or _REFLECTED_TYPES.get(base, sa.types.NullType)
        made: sa.types.TypeEngine[Any] = found() if isinstance(found, type) else found
        return made

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **kwargs: Any) -> Any:
        return {"constrained_columns": [], "name": None}

    def get_indexes(self, connection: Any, table_name: str, schema: str | None = None, **kwargs: Any) -> list[Any]:
        return []


registry.register("duckdb.judge", __name__, "JudgeDialect")


@atexit.register
def _let_go_of_duckdb() -> None:
    """Spare the user DuckDB's 60 lines about leaked objects when the process ends.

    Great Expectations keeps SQLAlchemy's classes alive until after the interpreter is gone, those keep
    ``duckdb_engine`` alive, and its globals keep DuckDB.
    """
    vars(duckdb_engine).clear()
