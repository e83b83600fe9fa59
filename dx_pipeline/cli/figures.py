"""``dx figures``: the figures the province has published beside the warehouse's own, and the query behind each."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
import typer
from rich.markup import escape
from rich.syntax import Syntax

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import DxError, SettingsError

MART = "published_figure"
FIGURES = (
    "select figure_code, name_vi, name_en, unit, period, published_value, warehouse_value, difference, source, query"
    " from mart.published_figure order by position"
)


def register(app: typer.Typer) -> None:
    app.command()(figures)


@friendly
def figures(
    code: Annotated[str | None, typer.Argument(help="One figure: its source and its query.")] = None,
) -> None:
    """Published figures, the warehouse's own, the difference, and where the query is.

    Examples:

      dx figures

      dx figures HH_INTERNET
    """
    from dx_pipeline.orchestration.process import get_warehouse

    with get_warehouse().loader() as connection:
        if code is None:
            show_figures(connection)
            return
        rows = {row.figure_code: row for row in connection.execute(sa.text(FIGURES))}
    if code.upper() not in rows:
        known = ", ".join(rows) or "none yet, `dx run` first"
        raise SettingsError(f"figure {code!r} is unknown", next_step=f"known: {known}")
    row = rows[code.upper()]
    console.print(f"[bold]{escape(row.name_vi)} · {escape(row.name_en)}[/] ({row.period})")
    told = f"{_amount(row.published_value)} {_in_both(row.unit)}, {_in_both(row.source)}"
    console.print(f"công bố · published: {escape(told)}", soft_wrap=True)
    console.print(f"kho · warehouse: {_amount(row.warehouse_value)}, chênh lệch · difference {_amount(row.difference)}")
    console.print(Syntax(row.query, "sql", background_color="default", word_wrap=True))


def show_figures(connection: sa.Connection) -> bool:
    """Print the table; True if no figure differs. Nothing is printed before a dataset that answers one is loaded."""
    rows = connection.execute(sa.text(FIGURES)).all()
    if not rows:
        return True
    table = plain_table("Số liệu đã công bố và số của kho · Published figures and the warehouse's own")
    table.add_column("số liệu · figure", overflow="fold", min_width=28)
    table.add_column("đơn vị · unit", no_wrap=True)
    for name in ("công bố · published", "kho · warehouse", "chênh lệch · difference"):
        table.add_column(name.replace(" · ", "\n"), justify="right", no_wrap=True)
    table.add_column("truy vấn · query", no_wrap=True)
    for row in rows:
        differs = row.difference is None or row.difference != 0
        table.add_row(
            escape(row.name_vi),
            _in_both(row.unit).split(" · ")[0],
            _amount(row.published_value),
            _amount(row.warehouse_value),
            _amount(row.difference),
            f"dx figures {row.figure_code}",
            style="red" if differs else "",
        )
    console.print(table)
    return all(row.difference == 0 for row in rows)


def refresh_figures() -> None:
    """Ask the queries again: after a run in which one system failed, the figures of the others are still new."""
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.marts import load_marts, refresh_mart

    for mart in load_marts(get_settings().project_roots):
        if mart.name == MART:
            try:
                refresh_mart(get_warehouse(), mart, only_if_changed=True)
            except DxError as error:
                console.print(f"[yellow]![/] {escape(error.what)}", soft_wrap=True)


def _amount(value: object) -> str:
    """A number without the zeros behind its decimal sign; a dash for none."""
    if value is None:
        return "–"
    text = f"{value:,.3f}"
    return text.rstrip("0").rstrip(".")


def _in_both(text: str) -> str:
    return text.replace(" | ", " · ")
