"""Column lineage of SQL, worked out by sqlglot from the statements that run: nothing is typed by hand."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from dx_pipeline.lineage.column_ref import ColumnRef, ColumnSources, LineageError

_DIALECT = "postgres"
_TEMPORARY = "pg_temp"
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it logs the whole text of statements it passes over
# What sqlglot does not know and lineage does not need.
_UNKNOWN = re.compile(
    r"\bon commit (?:drop|delete rows|preserve rows)\b|^\s*(?:alter table|set local)\b[^;]*;", re.I | re.M
)


def select_lineage(sql: str, tables: Mapping[str, Sequence[str]] | None = None) -> ColumnSources:
    """Sources of every column of one SELECT.

    Args:
        tables: columns of tables (``schema.table``), needed only where the SELECT says ``*``.

    Raises:
        LineageError: the text is no SELECT that sqlglot reads.
    """
    try:
        return _columns(sqlglot.parse_one(sql, dialect=_DIALECT), tables or {})
    except SqlglotError as error:
        raise LineageError(str(error).splitlines()[0]) from None


def script_lineage(script: str, target: str) -> ColumnSources:
    """Sources of every column that a script of several statements inserts into ``target``; temporary tables are seen through.

    Raises:
        LineageError: sqlglot cannot read the script, or it inserts nothing into the target.
    """
    temporary: dict[str, ColumnSources] = {}
    found: dict[str, tuple[ColumnRef, ...]] = {}
    try:
        for statement in _statements(script):
            if isinstance(statement, exp.Create) and isinstance(statement.expression, exp.Query):
                temporary[_name(statement.this)] = _columns_through(statement.expression, temporary)
            elif isinstance(statement, exp.Insert) and isinstance(statement.expression, exp.Query):
                sources = _columns_through(_with_its_ctes(statement), temporary)
                named = dict(zip(_inserted(statement) or sources, sources.values(), strict=False))
                if _name(statement.this) != target:
                    temporary[_name(statement.this)] = named
                    continue
                for name, column in named.items():
                    found[name] = tuple(sorted({*found.get(name, ()), *column}))
    except SqlglotError as error:
        raise LineageError(str(error).splitlines()[0]) from None
    if not found:
        raise LineageError(f"no statement inserts a SELECT into {target}")
    return found


def tables_read(sql: str) -> tuple[str, ...]:
    """Names (``schema.table``) of the stored tables that a statement or script reads or writes, sorted.

    Raises:
        LineageError: sqlglot cannot read it.
    """
    try:
        named = {
            f"{table.db}.{table.name}"
            for statement in _statements(sql)
            for table in statement.find_all(exp.Table)
            if table.db
        }
    except SqlglotError as error:
        raise LineageError(str(error).splitlines()[0]) from None
    return tuple(sorted(named))


def _columns_through(query: exp.Query, temporary: Mapping[str, ColumnSources]) -> dict[str, tuple[ColumnRef, ...]]:
    """Sources of the columns of a query over temporary tables, each of which was worked out once, when it was made."""
    query = query.copy()
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if not table.db and table.name in temporary and table.name not in own:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("db", exp.to_identifier(_TEMPORARY))
    columns = {f"{_TEMPORARY}.{name}": list(known) for name, known in temporary.items()}
    return {
        name: tuple(sorted({origin for one in sources for origin in _behind(one, temporary)}))
        for name, sources in _columns(query, columns).items()
    }


def _behind(column: ColumnRef, temporary: Mapping[str, ColumnSources]) -> tuple[ColumnRef, ...]:
    schema, _, name = column.table.partition(".")
    return temporary[name].get(column.column, ()) if schema == _TEMPORARY else (column,)


def _columns(query: exp.Expr, tables: Mapping[str, Sequence[str]]) -> dict[str, tuple[ColumnRef, ...]]:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for name, columns in tables.items():
        namespace, _, table = name.rpartition(".")
        schema.setdefault(namespace, {})[table] = dict.fromkeys(columns, "text")
    nodes: Any = lineage(None, query, schema, dialect=_DIALECT, trim_selects=False)
    return {name: tuple(sorted(set(_leaves(node)))) for name, node in nodes.items()}


def _leaves(node: Node) -> Iterator[ColumnRef]:
    for one in node.walk():
        table = one.expression
        if isinstance(table, exp.Table) and table.db:
            yield ColumnRef(f"{table.db}.{table.name}", one.name.rpartition(".")[2].strip('"'))


def _statements(script: str) -> Iterator[exp.Expr]:
    for statement in sqlglot.parse(_UNKNOWN.sub("", script), dialect=_DIALECT):
        if statement is not None:
            yield statement


def _with_its_ctes(insert: exp.Insert) -> exp.Query:
    """The SELECT of an INSERT with the WITH that stands before the INSERT's own SELECT."""
    query = insert.expression.copy()
    ctes = insert.args.get("with_") or insert.args.get("with")
    if ctes is not None and query.args.get("with_") is None:
        query.set("with_", ctes.copy())
    assert isinstance(query, exp.Query)
    return query


def _inserted(insert: exp.Insert) -> list[str]:
    return [column.name for column in insert.this.expressions] if isinstance(insert.this, exp.Schema) else []


def _name(target: exp.Expr) -> str:
    table: Any = target.this if isinstance(target, exp.Schema) else target
    return f"{table.db}.{table.name}" if table.db else str(table.name)
