"""A mart or a figure as it would have come out at an earlier instant, by the very SQL that computes it today.

Every function ``<schema>.<...>_as_known(timestamptz)`` of the warehouse says how one table or view read at an instant. The
SQL is run with those standing in for the present tables, with ``now()`` being that instant, and with a temporary table
in the place of the mart. So there is one definition of a report, not one more for the past.

A view without such a function is its own SQL, read in the same way. A table that no batch may write (code lists, maps,
the crosswalk) has no past: it changes with a migration, as the SQL of a report does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.connection import Warehouse, run_text, without_values
from dx_pipeline.warehouse.marts import Mart, without_comments

_NAME = re.compile(r"\b([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)\b(?!\s*\()")
_NOT_READ = ("mart", "mart_tally", "ops", "stage", "core_partition", "pg_catalog", "information_schema")
_RELATIONS = (
    "select n.nspname || '.' || c.relname as name, f.name as function,"
    " case when c.relkind = 'v' then pg_get_viewdef(c.oid) end as definition,"
    " has_table_privilege('dx_loader', c.oid, 'insert') or has_table_privilege('dx_loader', c.oid, 'update')"
    " or has_table_privilege('dx_loader', c.oid, 'delete') as is_loaded"
    " from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace left join lateral"
    " (select pn.nspname || '.' || p.proname as name from pg_catalog.pg_proc as p"
    " join pg_catalog.pg_namespace as pn on pn.oid = p.pronamespace where p.prorettype = c.reltype and p.proretset"
    " and p.proname like '%\\_as\\_known' and pg_get_function_identity_arguments(p.oid) like '%timestamp with time zone'"
    " limit 1) as f on true"
    " where c.relkind in ('r', 'p', 'v') and n.nspname <> all(:not_read) and n.nspname not like 'pg\\_%'"
)


@dataclass(frozen=True)
class AsKnown:
    """Rows as known at an instant, and the tables that were read as they are now because nothing keeps their past."""

    rows: list[dict[str, Any]]
    read_as_now: tuple[str, ...]


@dataclass(frozen=True)
class _Relation:
    """How a table or view is read in the past: by a function, by its own definition, or as it is."""

    function: str | None
    definition: str | None
    is_loaded: bool


@dataclass
class _Past:
    """Rewrites SQL to what was known at an instant; ``statements`` make the temporary views it then reads."""

    relations: Mapping[str, _Relation]
    moment: str
    statements: list[str] = field(default_factory=list)
    read_as_now: set[str] = field(default_factory=set)
    _stand_ins: dict[str, str] = field(default_factory=dict)

    def rewrite(self, script: str) -> str:
        text = _NAME.sub(lambda match: self._stand_in(match[0]), script)
        return re.sub(r"\bnow\(\)", self.moment, text)

    def _stand_in(self, name: str) -> str:
        relation = self.relations.get(name)
        if relation is None:  # a column of an alias, a table of another room
            return name
        if name in self._stand_ins:
            return self._stand_ins[name]
        if relation.function is not None:
            body = f"select * from {relation.function}({self.moment})"
        elif relation.definition is not None:
            body = self.rewrite(relation.definition.rstrip().rstrip(";"))
        else:
            if relation.is_loaded:
                self.read_as_now.add(name)
            return name
        short = name.partition(".")[2]
        view = f"pg_temp.{short}"
        if view in self._stand_ins.values():
            view = f"pg_temp.{name.replace('.', '__')}"
        self.statements.append(f"create temporary view {identifier(view.partition('.')[2])} as {body}")
        self._stand_ins[name] = view
        return view


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
    past = _past(connection, at)
    script = past.rewrite(without_comments(mart.script))
    script = re.sub(rf"\bmart\.{mart.name}\b", f"pg_temp.{mart.name}", script)
    statements = [
        f"create temporary table {mart.name} (like {mart.table} including all) on commit drop",
        *past.statements,
    ]
    nested = connection.begin_nested()
    try:
        run_text(connection, ";\n".join(statements))
        run_text(connection, script)
        rows = connection.exec_driver_sql(f"select to_jsonb(m)::text from pg_temp.{mart.name} as m").scalars().all()
    except psycopg.Error as error:
        raise LoadFileError(
            f"mart {mart.name} as known at {at.isoformat()}: {without_values(error)}",
            next_step="does its SQL run today? `dx run` tells",
        ) from None
    finally:
        nested.rollback()
    return sorted(rows), tuple(sorted(past.read_as_now))


def query_as_known(connection: Connection, query: str, at: datetime) -> tuple[Any, tuple[str, ...]]:
    """The one value of a figure's query as known at an instant, and the tables read as they are now."""
    past = _past(connection, at)
    text = past.rewrite(query)
    nested = connection.begin_nested()
    try:
        for statement in past.statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        value = connection.exec_driver_sql(text.replace("%", "%%")).scalar()
    finally:
        nested.rollback()
    return value, tuple(sorted(past.read_as_now))


class StatementsAsKnown:
    """Statements over marts and tables as known at an instant, in the transaction of the caller.

    A mart that was made with :func:`as_known_tables` is read from there; a view is its own definition over what was
    known; everything else is read as for a mart. Temporary views stay until the caller's transaction ends, so figures
    and marts are computed before.
    """

    def __init__(
        self,
        connection: Connection,
        at: datetime,
        computed: Mapping[str, tuple[str, ...]],
        *,
        as_is: Sequence[str] = (),
    ) -> None:
        """``computed``: mart that stands in ``pg_temp`` → tables read as they are now for it; ``as_is``: the caller's."""
        self._connection = connection
        self._computed = computed
        relations = {**_relations(connection), **_relations(connection, within="mart")}
        made = {f"mart.{name}": f"pg_temp.{name}" for name in computed} | {name: name for name in as_is}
        self._past = _Past(relations, _moment(at), _stand_ins=made)
        self._run = 0

    def rewrite(self, statement: str) -> tuple[str, tuple[str, ...]]:
        """The statement over what was known, ready to be run, and the tables it reads as they are now."""
        self._past.read_as_now.clear()
        text = self._past.rewrite(without_comments(statement))
        for view in self._past.statements[self._run :]:
            self._connection.exec_driver_sql(view.replace("%", "%%"))
        self._run = len(self._past.statements)
        present = set(self._past.read_as_now)
        for name, tables in self._computed.items():
            if re.search(rf"\bpg_temp\.{name}\b", text):
                present.update(tables)
        return text, tuple(sorted(present))


def exact_cells(text: str) -> dict[str, Any]:
    """Numbers stay as exact as the database has them."""
    cells: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return cells


def tables_read(connection: Connection, script: str) -> set[str]:
    """Tables (``schema.table``) that a script names, and those behind the views it names."""
    relations, found, left = _relations(connection), set[str](), [script]
    while left:
        for match in _NAME.finditer(without_comments(left.pop())):
            name = match[0]
            relation = relations.get(name)
            if relation is None or name in found:
                continue
            found.add(name)
            if relation.definition is not None:
                left.append(relation.definition)
    return found


def _past(connection: Connection, at: datetime) -> _Past:
    return _Past(_relations(connection), _moment(at))


def _moment(at: datetime) -> str:
    return f"cast('{at.isoformat()}' as timestamptz)"


def _relations(connection: Connection, *, within: str | None = None) -> dict[str, _Relation]:
    """Relations by name: those of the warehouse's rows, or those of one schema that is left out otherwise."""
    text = _RELATIONS if within is None else _RELATIONS.replace("<> all(:not_read)", "= any(:not_read)")
    rows = connection.execute(sa.text(text), {"not_read": list(_NOT_READ) if within is None else [within]})
    return {row.name: _Relation(row.function, row.definition, row.is_loaded) for row in rows}
