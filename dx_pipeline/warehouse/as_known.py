"""A mart or a figure as it would have come out at an earlier instant, by the very SQL that computes it today.

Every function ``core.<...>_as_known(timestamptz)`` of the warehouse says how one table or view of core read at an
instant. The SQL is run with those tables standing in for the present ones, with ``now()`` being that instant, and with a
temporary table in the place of the mart. So there is one definition of a report, not one more for the past.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.warehouse.connection import Warehouse, without_values
from dx_pipeline.warehouse.marts import Mart

_TABLE = re.compile(r"\b(core|restricted)\.([a-z_][a-z0-9_]*)\b(?!\s*\()")
_COMMENT = re.compile(r"--[^\n]*")
_FUNCTIONS = (
    "select c.relname as name, n.nspname || '.' || p.proname as function from pg_catalog.pg_proc as p"
    " join pg_catalog.pg_namespace as n on n.oid = p.pronamespace join pg_catalog.pg_type as t on t.oid = p.prorettype"
    " join pg_catalog.pg_class as c on c.oid = t.typrelid where n.nspname = 'core' and p.proretset"
    " and p.proname like '%\\_as\\_known' and pg_get_function_identity_arguments(p.oid) like '%timestamp with time zone'"
)


@dataclass(frozen=True)
class AsKnown:
    """Rows as known at an instant, and the tables that were read as they are now because nothing keeps their past."""

    rows: list[dict[str, Any]]
    read_as_now: tuple[str, ...]


def recompute_as_known(warehouse: Warehouse, mart: Mart, at: datetime) -> AsKnown:
    """Compute the mart as known at an instant; nothing of the warehouse is changed.

    Raises:
        LoadFileError: a statement failed.
    """
    with warehouse.loader() as connection:
        try:
            return mart_as_known(connection, mart, at)
        finally:
            connection.rollback()


def mart_as_known(connection: Connection, mart: Mart, at: datetime) -> AsKnown:
    """The same inside a transaction of the caller, whose temporary tables it uses and drops again."""
    texts, present = _texts_as_known(connection, mart, at)
    return AsKnown([exact_cells(text) for text in texts], present)


def as_known_tables(connection: Connection, mart: Mart, at: datetime) -> tuple[str, ...]:
    """Make ``pg_temp.<mart>`` with the rows as known at an instant; the tables that were read as they are now."""
    texts, present = _texts_as_known(connection, mart, at)
    connection.exec_driver_sql(f"create temporary table {mart.name} (like {mart.table} including all) on commit drop")
    connection.execute(
        sa.text(
            f"insert into pg_temp.{mart.name} select r.* from jsonb_populate_recordset("
            f"cast(null as pg_temp.{mart.name}), cast(:rows as jsonb)) as r"
        ),
        {"rows": f"[{','.join(texts)}]"},
    )
    return present


def _texts_as_known(connection: Connection, mart: Mart, at: datetime) -> tuple[list[str], tuple[str, ...]]:
    script = _COMMENT.sub("", mart.script)
    functions = as_known_functions(connection)
    script, present = _in_the_past(script, functions, at)
    script = re.sub(rf"\bmart\.{mart.name}\b", f"pg_temp.{mart.name}", script)
    moment = _literal(at)
    statements = [f"create temporary table {mart.name} (like {mart.table} including all) on commit drop"]
    statements += [
        f"create temporary view {name} as select * from {function}({moment})" for name, function in functions.items()
    ]
    nested = connection.begin_nested()
    try:
        driver = connection.connection.driver_connection
        driver.execute(";\n".join(statements))  # type: ignore[union-attr]
        driver.execute(script.encode())  # type: ignore[union-attr]
        rows = connection.exec_driver_sql(f"select to_jsonb(m)::text from pg_temp.{mart.name} as m").scalars().all()
    except psycopg.Error as error:
        raise LoadFileError(
            f"mart {mart.name} as known at {at.isoformat()}: {without_values(error)}",
            next_step="does its SQL run today? `dx run` tells",
        ) from None
    finally:
        nested.rollback()
    return sorted(rows), present


def query_as_known(connection: Connection, query: str, at: datetime) -> tuple[Any, tuple[str, ...]]:
    """The one value of a figure's query as known at an instant, and the tables read as they are now."""
    functions = as_known_functions(connection)
    text, present = _in_the_past(query, functions, at, views=False)
    return connection.exec_driver_sql(text.replace("%", "%%")).scalar(), present


def exact_cells(text: str) -> dict[str, Any]:
    """Numbers stay as exact as the database has them."""
    cells: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return cells


def tables_read(script: str) -> set[str]:
    """Tables and views (``schema.table``) of core and restricted that a script names."""
    return {match[0] for match in _TABLE.finditer(_COMMENT.sub("", script))}


def as_known_functions(connection: Connection) -> Mapping[str, str]:
    """Table or view of core → the function that gives its rows as known at an instant."""
    return {row.name: row.function for row in connection.execute(sa.text(_FUNCTIONS))}


def _in_the_past(
    script: str, functions: Mapping[str, str], at: datetime, *, views: bool = True
) -> tuple[str, tuple[str, ...]]:
    present: set[str] = set()
    moment = _literal(at)

    def replaced(match: re.Match[str]) -> str:
        schema, name = match[1], match[2]
        if schema == "core" and name in functions:
            return f"pg_temp.{name}" if views else f"{functions[name]}({moment})"
        present.add(match[0])
        return match[0]

    text = _TABLE.sub(replaced, script)
    return re.sub(r"\bnow\(\)", moment, text), tuple(sorted(present))


def _literal(at: datetime) -> str:
    return f"cast('{at.isoformat()}' as timestamptz)"
