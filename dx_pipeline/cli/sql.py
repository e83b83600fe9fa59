"""``dx sql``: one read-only statement against the warehouse."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import WarehouseError

FEW_COLUMNS = 3
NUMBER = int | float | Decimal
NEXT_STEPS = {
    "42601": "dx sql takes one question (select, with, values); it cannot change anything",
    "42501": "{role} has no right to this; --role chooses whose rights are used",
    "57014": "it took longer than 60 s: ask for less, or connect with psql",
}
ROLES = ("dx_engineer", "dx_analyst", "dx_bi", "dx_auditor")


def register(app: typer.Typer) -> None:
    app.command(name="sql")(query)


@friendly
def query(
    statement: Annotated[str, typer.Argument(help="One SQL statement, or - to read it from standard input.")],
    output: Annotated[str, typer.Option("--format", "-f", help="table or csv.")] = "table",
    role: Annotated[str, typer.Option("--role", help=f"Whose rights to use: {', '.join(ROLES)}.")] = "dx_engineer",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows shown as a table (csv gives all).")] = 100,
) -> None:
    """Ask the warehouse one question; nothing can be changed.

    Examples:

      dx sql "select * from mart.service_level_on(date '2024-06-30')"

      dx sql -f csv "select agency_name, month, rate_766 from mart.dossier_on_time" > on-time.csv

      dx sql --role dx_bi "select count(*) from restricted.dossier_applicant"     refused
    """
    if output not in ("table", "csv"):
        raise WarehouseError(f"--format {output!r} is unknown", next_step="use table or csv")
    if role not in ROLES:
        raise WarehouseError(f"--role {role!r} is unknown", next_step=f"use one of {', '.join(ROLES)}")
    text = sys.stdin.read() if statement == "-" else statement
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.asking import asking

    try:
        with asking(get_warehouse(), role) as connection:
            connection.exec_driver_sql("set local statement_timeout = '60s'")
            result = connection.execution_options(stream_results=True, max_row_buffer=1_000).exec_driver_sql(
                text.replace("%", "%%")
            )
            if not result.returns_rows:
                raise WarehouseError("the statement returns no rows", next_step="dx sql is for questions only")
            if output == "csv":
                writer = csv.writer(sys.stdout)
                writer.writerow(result.keys())
                for part in result.partitions(1_000):
                    writer.writerows(part)
                return
            rows = result.fetchmany(limit + 1)
            names = list(result.keys())
    except sa.exc.DBAPIError as error:
        message = str(error.orig).strip().splitlines()
        raise WarehouseError(
            message[0] if message else "the statement failed",
            next_step=NEXT_STEPS.get(getattr(error.orig, "sqlstate", None) or "", "").format(role=role),
        ) from None
    shown = [["null" if value is None else str(value) for value in row] for row in rows[:limit]]
    numbers = [all(isinstance(row[i], NUMBER | None) for row in rows) for i in range(len(names))]
    console.print(_grid(names, shown, numbers) if _fits(names, shown) else _records(names, shown))
    if len(rows) > limit:
        console.print(f"[dim]the first {limit} rows; --limit or -f csv gives more")


def _fits(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    widths = [max(cell_len(cell) for cell in column) for column in zip(names, *rows, strict=True)]
    return sum(widths) + 2 * len(widths) <= console.width or len(names) <= FEW_COLUMNS


def _grid(names: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> Table:
    table = plain_table("")
    for name, is_number in zip(names, numbers, strict=True):
        table.add_column(escape(name), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Rows too wide for the terminal, one below the other: a line per column."""
    table = Table.grid(padding=(0, 2))
    for index, row in enumerate(rows):
        if index:
            table.add_row("")
        for name, cell in zip(names, row, strict=True):
            table.add_row(f"[dim]{escape(name)}", escape(cell))
    return table
