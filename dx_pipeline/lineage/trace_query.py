"""The query of a published number, rewritten: for one unit only, and as a count of the rows behind it by batch.

sqlglot keeps the tables and conditions of the query as they are, so what is traced is what was counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dx_pipeline.errors import SettingsError

_DIALECT = "postgres"
TableColumns = Mapping[str, Collection[str]]
"""``schema.table`` → names of its columns."""
_UNITS = {
    "commune_sk": "select u.admin_unit_sk from core.dim_admin_unit as u where u.code = {}",
    "agency_sk": "select u.agency_sk from core.dim_agency as u where u.agency_code = {}",
}


def tables_of(query: str) -> list[str]:
    """Stored tables (``schema.table``) of a query.

    Raises:
        SettingsError: it cannot be read.
    """
    return sorted({f"{table.db}.{table.name}" for table in _parsed(query).find_all(exp.Table) if table.db})


def for_unit(query: str, unit: str, columns: TableColumns) -> str:
    """The query for one commune or agency, by its code.

    Raises:
        SettingsError: no table of the query has a commune or an agency.
    """
    tree = _parsed(query)
    found = False
    for select in list(tree.find_all(exp.Select)):
        for table in _tables(select):
            key = next((name for name in _UNITS if name in columns.get(f"{table.db}.{table.name}", ())), None)
            if key is not None:
                of_unit = _UNITS[key].format(exp.Literal.string(unit).sql(_DIALECT))
                condition = f"{table.alias_or_name}.{key} in ({of_unit})"
                select.where(sqlglot.condition(condition, dialect=_DIALECT), copy=False)
                found = True
                break
    if not found:
        raise SettingsError(
            "this figure is not counted by commune or agency",
            next_step="leave the unit out (or write `-`): it is one number of the province",
        )
    return tree.sql(dialect=_DIALECT)


def rows_by_batch(query: str, columns: TableColumns) -> tuple[str, str] | None:
    """(table, query that counts by ``batch_id`` the rows the number was computed from), or None.

    None when no table of the query carries ``last_batch_id``.
    """
    best: tuple[int, exp.Select, exp.Table] | None = None
    for select in _parsed(query).find_all(exp.Select):
        for table in _tables(select):
            name = f"{table.db}.{table.name}"
            if "last_batch_id" in columns.get(name, ()):
                rank = 0 if table.name.startswith("fact_") else 1  # rows are those of the fact, not of its dimensions
                if best is None or rank < best[0]:
                    best = (rank, select, table)
    if best is None:
        return None
    _, select, table = best
    return f"{table.db}.{table.name}", _counted_by_batch(select, table)


def _counted_by_batch(select: exp.Select, table: exp.Table) -> str:
    rows = select.copy()
    for part in ("distinct", "order", "limit", "offset", "group", "having"):
        rows.set(part, None)
    # count(*) filter (where ...): only these rows are in the number
    filters = [one.expression.this.copy() for item in select.expressions for one in item.find_all(exp.Filter)]
    batch = f"{table.alias_or_name}.last_batch_id"
    rows.set("expressions", [])
    rows = rows.select(f"{batch} as batch_id", "count(*) as row_count", copy=False, dialect=_DIALECT)
    rows = rows.group_by(batch, copy=False, dialect=_DIALECT)
    if filters and all(one == filters[0] for one in filters):
        rows = rows.where(filters[0], copy=False)
    with_ = select.parent_select.args.get("with_") if select.parent_select is not None else None
    if with_ is not None and rows.args.get("with_") is None:
        rows.set("with_", with_.copy())
    return rows.sql(dialect=_DIALECT)


def _tables(select: exp.Select) -> list[exp.Table]:
    sources = [select.args.get("from_") or select.args.get("from"), *(select.args.get("joins") or ())]
    tables = [source.this for source in sources if source is not None]
    return [table for table in tables if isinstance(table, exp.Table) and table.db]


def _parsed(query: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(query, dialect=_DIALECT)
    except SqlglotError as error:
        raise SettingsError(f"the query of the figure cannot be read: {str(error).splitlines()[0]}") from None
