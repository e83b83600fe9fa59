"""Small tools over the syntax tree of pglast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pglast import ast

NodeT = TypeVar("NodeT", bound=ast.Node)


def children(node: Any) -> Iterator[ast.Node]:
    """The nodes directly below a node."""
    for name in node:
        yield from _nodes(getattr(node, name))


def _nodes(value: Any) -> Iterator[ast.Node]:
    if isinstance(value, ast.Node):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)


_KEPT: list[tuple[ast.Node, list[ast.Node]]] = []
_MOST_KEPT = 4


def walk(node: ast.Node) -> list[ast.Node]:
    """A node and everything below it; the last few answers are kept, since every rule walks the same statement."""
    for root, below in _KEPT:
        if root is node:
            return below
    below = [node]
    for part in below:  # grows while it is read
        below.extend(children(part))
    _KEPT.insert(0, (node, below))
    del _KEPT[_MOST_KEPT:]
    return below


def found(node: ast.Node | None, kind: type[NodeT]) -> list[NodeT]:
    """All nodes of a kind, at and below a node."""
    return [] if node is None else [part for part in walk(node) if isinstance(part, kind)]


def table_name(relation: ast.RangeVar) -> str:
    """``schema.table`` of a relation; without a schema it is a CTE or a temporary table."""
    return f"{relation.schemaname}.{relation.relname}" if relation.schemaname else str(relation.relname)


def function_name(call: ast.FuncCall) -> str:
    """Name of a function, with its schema when that is not pg_catalog."""
    return ".".join(part.sval for part in call.funcname if part.sval != "pg_catalog")


def column_names(reference: ast.ColumnRef) -> tuple[str, ...]:
    """The parts of a column reference: ``("d", "dossier_code")``; a star is left out."""
    return tuple(part.sval for part in reference.fields if isinstance(part, ast.String))


def selects(node: ast.Node) -> list[ast.SelectStmt]:
    """Every SELECT level in a statement."""
    return found(node, ast.SelectStmt)


def level_relations(select: ast.SelectStmt) -> dict[str, ast.RangeVar]:
    """Tables that stand directly in the FROM of this level (not in its subqueries), by alias."""
    relations: dict[str, ast.RangeVar] = {}
    pending = list(select.fromClause or ())
    while pending:
        item = pending.pop()
        if isinstance(item, ast.RangeVar):
            relations[item.alias.aliasname if item.alias else str(item.relname)] = item
        elif isinstance(item, ast.JoinExpr):
            pending += [item.larg, item.rarg]
    return relations


def level_aliases(select: ast.SelectStmt) -> set[str]:
    """Every alias that this level of FROM gives, subqueries and functions as well."""
    names = set(level_relations(select))
    for item in found(ast.SelectStmt(fromClause=select.fromClause), ast.Alias):
        names.add(str(item.aliasname))
    return names


def level_joins(select: ast.SelectStmt) -> list[ast.JoinExpr]:
    """The joins of this level of FROM."""
    joins: list[ast.JoinExpr] = []
    pending = list(select.fromClause or ())
    while pending:
        item = pending.pop()
        if isinstance(item, ast.JoinExpr):
            joins.append(item)
            pending += [item.larg, item.rarg]
    return joins


def equal_columns(condition: ast.Node | None) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Pairs of columns that a condition sets equal."""
    for expression in found(condition, ast.A_Expr):
        if expression.name and expression.name[-1].sval == "=":
            left, right = expression.lexpr, expression.rexpr
            if isinstance(left, ast.ColumnRef) and isinstance(right, ast.ColumnRef):
                yield column_names(left), column_names(right)
