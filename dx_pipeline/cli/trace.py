"""``dx trace``: from a published number to its rows; ``dx lineage``: from a column to where it comes from."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.markup import escape
from rich.syntax import Syntax
from rich.tree import Tree

from dx_pipeline.cli.console import console, friendly, number
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import LandingError, SettingsError

_FIGURE = (
    "select figure_code, period, name_vi, name_en, unit, published_value, query from ops.reference_published_figure"
    " where figure_code = :code and (cast(:period as text) is null or period = :period) order by period desc limit 1"
)
_KNOWN = "select figure_code || ' ' || period from ops.reference_published_figure order by position"
_COLUMNS = (
    "select n.nspname || '.' || c.relname as name, array_agg(a.attname::text) as columns from pg_catalog.pg_class as c"
    " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace join pg_catalog.pg_attribute as a"
    " on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
    " where n.nspname || '.' || c.relname = any(:tables) group by 1"
)
_RULES = "select count(*) as rules, count(*) filter (where not passed) as broken from ops.rule_result where batch_id = :batch_id"

_FILES_SHOWN = 6


def register(app: typer.Typer) -> None:
    app.command()(trace)
    app.command()(lineage)


@friendly
def trace(
    indicator: Annotated[str, typer.Argument(help="Code of a published figure; `dx figures` lists them.")],
    unit: Annotated[str, typer.Argument(help="Code of a commune or an agency; - for the whole province.")] = "-",
    period: Annotated[str | None, typer.Argument(help="Period, e.g. 2024-06; the latest if left out.")] = None,
) -> None:
    """From a published number to its rows: query, batches, landed files with hashes, source position, rules, rejected rows.

    Examples:

      dx trace EID_ISSUED

      dx trace EID_ISSUED 19330 2024-06

      dx trace TASKS_1982_CQS_DONE - 2024-06
    """
    from dx_pipeline.lineage.trace_query import for_unit, rows_by_batch, tables_of
    from dx_pipeline.orchestration.process import get_road

    road = get_road()
    with road.warehouse.loader() as connection:
        figure = connection.execute(sa.text(_FIGURE), {"code": indicator.upper(), "period": period}).one_or_none()
        if figure is None:
            known = ", ".join(connection.execute(sa.text(_KNOWN)).scalars())
            raise SettingsError(
                f"there is no published figure {indicator!r}" + (f" for {period}" if period else ""),
                next_step=f"known: {known}",
            )
        tables = connection.execute(sa.text(_COLUMNS), {"tables": tables_of(figure.query)})
        columns = {row.name: row.columns for row in tables}
        query = figure.query if unit == "-" else for_unit(figure.query, unit, columns)
        value = connection.exec_driver_sql(query.replace("%", "%%")).scalar()
        behind = rows_by_batch(query, columns)
        counted: list[Any] = []
        if behind is not None:
            counted = list(connection.exec_driver_sql(behind[1].replace("%", "%%")).all())
    console.print(f"[bold]{escape(figure.name_vi)} · {escape(figure.name_en)}[/] ({figure.period})")
    of_unit = "" if unit == "-" else f", {escape(unit)}"
    console.print(f"kho · warehouse{of_unit}: [bold]{_amount(value)}[/] {escape(figure.unit.replace(' | ', ' · '))}")
    if unit == "-":
        console.print(f"công bố · published: {_amount(figure.published_value)}")
    console.print(Syntax(query, "sql", background_color="default", word_wrap=True))
    if behind is None:
        console.print("[yellow]![/] no table of this query keeps the batch of its rows")
        return
    console.print(f"\n{sum(row.row_count for row in counted):,} dòng của · rows of {behind[0]}")
    for row in sorted(counted, key=lambda one: -one.row_count):
        _show_batch(road, int(row.batch_id), int(row.row_count))


def _told(position: Any) -> str:
    """What the source told of its position: a line each for files or pages, the first ones; else as it is."""
    if not isinstance(position, list):
        return str(position)[:400]
    lines = []
    for one in position[:_FILES_SHOWN]:
        parts = dict(one) if isinstance(one, dict) else {"name": one}
        rows, size, digest = parts.get("rows"), parts.get("bytes"), parts.get("sha256")
        told = [str(parts.get("name") or parts.get("url") or parts.get("page") or "–")]
        told += [f"{number(rows)} rows"] if rows is not None else []
        told += [f"{number(size)} bytes"] if size is not None else []
        told += [f"sha256 {str(digest)[:12]}…"] if digest else []
        lines.append(", ".join(told))
    if len(position) > _FILES_SHOWN:
        lines.append(f"và · and {len(position) - _FILES_SHOWN} nữa · more")
    return "\n".join(lines)


def _show_batch(road: Any, batch_id: int, rows: int) -> None:
    from dx_pipeline.warehouse import ledger

    with road.warehouse.loader() as connection:
        batch = ledger.get_batch(connection, batch_id)
        rules = connection.execute(sa.text(_RULES), {"batch_id": batch_id}).one()
    title = f"lô · batch {batch_id}: {batch.dataset_id}, {batch.kind}, {rows:,} dòng · rows"
    table = plain_table(title)
    table.add_column("", style="dim", no_wrap=True)
    table.add_column("", overflow="fold")
    when = f"{batch.published_at:%Y-%m-%d %H:%M}" if batch.published_at else batch.status
    table.add_row("published", f"{when}, contract {batch.contract_version}, run {batch.run_id or '–'}")
    counts = f"{number(batch.extracted)} = {number(batch.accepted)} + {number(batch.quarantined)} + {number(batch.duplicate)}"
    table.add_row("extracted = accepted + quarantined + duplicate", counts)
    table.add_row("rules", f"{rules.rules}, {rules.broken} found something · `dx batches show {batch_id}`")
    if batch.quarantined:
        table.add_row("rejected rows", f"`dx quarantine list -d {batch.dataset_id}`")
    try:
        manifest = road.landing.load_manifest(batch.system, batch.dataset, batch.replay_of or batch_id)
        for file in manifest.files:
            table.add_row("landed", f"{manifest.directory / file.name}\nsha256 {file.sha256}, {file.rows:,} rows")
        for name, told in dict(manifest.facts.get("position") or {}).items():
            table.add_row(f"source {name}", escape(_told(told)))
    except LandingError as error:
        table.add_row("landed", escape(error.what))
    console.print(table)


@friendly
def lineage(
    name: Annotated[str, typer.Argument(help="schema.table, or schema.table.column.")],
    down: Annotated[
        bool, typer.Option("--down", help="What is computed from it, instead of what it comes from.")
    ] = False,
) -> None:
    """Where a column comes from, step by step to the source's own column, read out of the SQL itself.

    Examples:

      dx lineage mart.eid_by_commune_month.activation_rate

      dx lineage core.fact_dossier

      dx lineage core.fact_dossier.due_at --down
    """
    from dx_pipeline.lineage.column_ref import ColumnRef
    from dx_pipeline.orchestration.process import get_lineage

    graph = get_lineage()
    parts = name.split(".")
    table, column = (".".join(parts[:2]), ".".join(parts[2:])) if len(parts) > 2 else (name, "")
    known = graph.columns(table)
    if not known:
        raise SettingsError(
            f"{table!r} is no table that a load file or a mart fills",
            next_step="known: " + ", ".join(one for one in graph.tables() if not one.startswith(("source:", "stage."))),
        )
    if column and column not in known:
        raise SettingsError(f"{table} has no column {column!r}", next_step="known: " + ", ".join(known))

    def grow(tree: Tree, one: ColumnRef, seen: frozenset[ColumnRef]) -> None:
        for other in graph.users(one) if down else graph.sources(one):
            branch = tree.add(escape(str(other)))
            if other not in seen:
                grow(branch, other, seen | {other})

    for chosen in [column] if column else known:
        start = ColumnRef(table, chosen)
        tree = Tree(f"[bold]{escape(str(start))}[/]")
        grow(tree, start, frozenset({start}))
        console.print(tree)


def _amount(value: object) -> str:
    if value is None:
        return "–"
    text = f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text
