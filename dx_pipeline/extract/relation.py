"""The SELECT of a relational source, built with SQLAlchemy Core: identifiers quoted, values bound.

Only the contract's columns are selected (data minimisation), under their source names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement, quoted_name
from sqlalchemy.sql.selectable import FromClause

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import ContractError
from dx_pipeline.extract.physical_type import base_type
from dx_pipeline.extract.window import Window, is_integer_cursor, parse_integer, parse_naive

Relation = FromClause | sa.TextClause
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WHOLE_NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "integer", "bigint"})
_TIMES = frozenset({"timestamp", "timestamptz", "datetime", "date"})


def quoted(name: str) -> quoted_name:
    """An identifier that is always quoted."""
    return quoted_name(name, quote=True)


def source_column(name: str) -> sa.ColumnClause[Any]:
    """A column of the relation by its source name."""
    return sa.column(quoted(name))


def source_relation(contract: Contract) -> Relation:
    """The table, or the contract's query as a subquery.

    Raises:
        ContractError: the query is not one single SELECT.
    """
    source = contract.source
    if source.kind == "table":
        return sa.table(quoted(str(source.table)), schema=quoted(source.schema) if source.schema else None)
    query = check_query(contract)
    # The line break keeps a closing comment of the query from swallowing the bracket.
    # A colon would start a bind parameter of SQLAlchemy; escaped, the query is passed on as it was written.
    escaped = query.replace(":", "\\:")
    return sa.text(f"(\n{escaped}\n) as q")


def check_query(contract: Contract) -> str:
    """The contract's query, if it is one single SELECT.

    Raises:
        ContractError: it does not start with select or with, or holds a semicolon.
    """
    query = (contract.source.query or "").strip()
    bare = _COMMENT.sub(" ", query).strip()
    first_word = bare.split(None, 1)[0].lower() if bare else ""
    if first_word not in ("select", "with"):
        raise ContractError(
            f"{contract.id}: the source query starts with {first_word[:20]!r}; only select or with may read a source",
            next_step=f"mend source.query in {contract.path}",
        )
    if ";" in query:
        raise ContractError(
            f"{contract.id}: the source query holds a semicolon; it must be one single statement",
            next_step=f"mend source.query in {contract.path} (write chr(59) or char(59) for a semicolon in a text)",
        )
    return query


def select_columns(
    contract: Contract, relation: Relation, expressions: Mapping[str, ColumnElement[Any]]
) -> sa.Select[Any]:
    """``select <contract's columns> from relation``; an expression replaces the column of that source name."""
    chosen = [
        expressions.get(column.source_name, source_column(column.source_name)).label(quoted(column.source_name))
        for column in contract.columns
    ]
    return sa.select(*chosen).select_from(relation)


def bounded_column(contract: Contract, window: Window) -> Column | None:
    """The column that the window bounds; None for a full window."""
    if window.kind == "full":
        return None
    if window.kind == "period":
        return contract.column(contract.load.period.column) if contract.load.period else None
    return contract.column(contract.load.cursor) if contract.load.cursor else None


def cursor_column(contract: Contract, window: Window) -> Column | None:
    """The column whose greatest value becomes the next watermark; None if the window gives none."""
    if contract.load.cursor is None or contract.load.mode == "snapshot" or window.kind == "period":
        return None
    return contract.column(contract.load.cursor)


def check_bound_type(contract: Contract, column: Column, type_text: str) -> None:
    """Refuse a cursor or period column that the source stores as text: text does not sort as time.

    Raises:
        ContractError: the declared type is neither a whole number nor a time.
    """
    wanted = _WHOLE_NUMBERS if is_integer_cursor(column) else _TIMES
    if base_type(type_text) not in wanted:
        raise ContractError(
            f"{contract.id}: column {column.source_name} is {type_text} in the source and cannot bound a read as "
            f"{column.logical_type}",
            next_step=f"in {contract.path} choose another cursor or period column, or use source.kind: query "
            "and cast it there",
        )


def window_conditions(
    contract: Contract,
    window: Window,
    literal: Callable[[str, Column], ColumnElement[Any]],
    comparable: Callable[[Column], ColumnElement[Any]],
) -> Sequence[ColumnElement[bool]]:
    """The WHERE conditions of a window.

    Args:
        literal: makes the source's value of a bound that was checked to be a time or a whole number.
        comparable: the column as it can be compared with such a literal.

    Raises:
        ContractError: a bound is not of the column's kind.
    """
    column = bounded_column(contract, window)
    if column is None:
        return []
    value = comparable(column)
    conditions: list[ColumnElement[bool]] = []
    if window.low is not None:
        at_least = value >= literal(_checked(contract, column, window.low), column)
        # A row without cursor would never be seen again if an increment left it out.
        conditions.append(sa.or_(at_least, value.is_(None)) if window.kind == "increment" else at_least)
    if window.high is not None:
        conditions.append(value < literal(_checked(contract, column, window.high), column))
    return conditions


def _checked(contract: Contract, column: Column, bound: str) -> str:
    if is_integer_cursor(column):
        integer = parse_integer(bound)
        if integer is not None:
            return str(integer)
    else:
        moment = parse_naive(bound)
        if moment is not None:
            return moment.isoformat(sep=" ")
    raise ContractError(
        f"{contract.id}: the window bound {bound[:40]!r} does not fit column {column.name} ({column.logical_type})",
        next_step="run the dataset once in full to set a new watermark",
    )
