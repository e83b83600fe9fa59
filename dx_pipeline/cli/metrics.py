"""``dx metrics``: the declared indicators, and the value of one from its declaration."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from dx_pipeline.contract.indicator import Indicator

metrics_app = typer.Typer(invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    app.add_typer(metrics_app, name="metrics")


@metrics_app.callback(invoke_without_command=True)
@friendly
def metrics(
    context: typer.Context,
    output: Annotated[str, typer.Option("--format", "-f", help="table or markdown, as in docs/for-bi.md.")] = "table",
) -> None:
    """Indicators declared once, in assets/indicators.

    Examples:

      dx metrics

      dx metrics show on_time_766 --by agency --since 2024-01 --until 2024-06
    """
    if context.invoked_subcommand is not None:
        return
    from dx_pipeline.contract.indicator import load_indicators
    from dx_pipeline.settings import get_settings

    if output not in ("table", "markdown"):
        raise SettingsError(f"--format {output!r} is unknown", next_step="use table or markdown")
    indicators = load_indicators(get_settings().project_roots)
    if output == "markdown":
        sys.stdout.write(indicator_markdown(indicators))
        return
    table = plain_table("Chỉ số · Indicators")
    table.add_column("id", no_wrap=True)
    table.add_column("tên · name", overflow="fold", min_width=28)
    for name in ("đơn vị · unit", "mục tiêu · target", "mart", "theo · by"):
        table.add_column(name, overflow="fold")
    for one in indicators:
        table.add_row(
            one.id,
            f"{escape(one.name.vi)}\n[dim]{escape(one.name.en)}",
            escape(one.unit.vi),
            "–" if one.target is None else f"{one.target:g}",
            one.mart,
            ", ".join(one.dimensions),
        )
    console.print(table)


@metrics_app.command()
@friendly
def show(
    indicator_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the indicator; `dx metrics` lists them.")],
    by: Annotated[list[str] | None, typer.Option("--by", help="agency, commune, month, ...; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(help="First period: 2024-01 or 2024.")] = None,
    until: Annotated[str | None, typer.Option(help="Last period, included.")] = None,
    output: Annotated[str, typer.Option("--format", "-f", help="table or csv.")] = "table",
) -> None:
    """The value of one indicator, computed from its declaration.

    Examples:

      dx metrics show eid_activation --by month

      dx metrics show on_time_766 --by agency --since 2024-01 --until 2024-06

      dx metrics show on_time_766 --by agency --by month -f csv
    """
    from dx_pipeline.contract.indicator import load_indicators
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.indicator_value import indicator_values

    if output not in ("table", "csv"):
        raise SettingsError(f"--format {output!r} is unknown", next_step="use table or csv")
    known = {one.id: one for one in load_indicators(get_settings().project_roots)}
    if indicator_id not in known:
        raise SettingsError(f"indicator {indicator_id!r} is unknown", next_step=f"known: {', '.join(known)}")
    indicator, parts = known[indicator_id], by or []
    first, last = _period(since, "--since"), _period(until, "--until", end=True)
    with get_warehouse().owner() as connection:
        connection.exec_driver_sql("set transaction read only")
        connection.exec_driver_sql("set local role dx_bi")
        values = indicator_values(connection, indicator, by=parts, since=first, until=last)
    if output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(
            [*(f"{name}{end}" for name in parts for end in ("", "_name")), "numerator", "denominator", "value"]
        )
        for one in values:
            writer.writerow([*(cell for pair in one.part for cell in pair), one.numerator, one.denominator, one.value])
        return
    console.print(f"[bold]{escape(indicator.name.vi)} · {escape(indicator.name.en)}[/]", soft_wrap=True)
    console.print(f"{escape(indicator.formula.vi)}\n[dim]{escape(indicator.formula.en)}", soft_wrap=True)
    target = "" if indicator.target is None else f", mục tiêu · target {indicator.target:g}"
    console.print(f"{escape(indicator.unit.vi)} · {escape(indicator.unit.en)}{target}", soft_wrap=True)
    table = plain_table("")
    for name in parts:
        table.add_column(name, overflow="fold")
    for name in ("tử số · numerator", "mẫu số · denominator", "giá trị · value"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in values:
        table.add_row(
            *(escape(label if label == key else f"{label} ({key})") for key, label in one.part),
            _amount(one.numerator),
            _amount(one.denominator) if indicator.denominator else "",
            _amount(one.value),
        )
    console.print(table)


def indicator_markdown(indicators: Sequence[Indicator]) -> str:
    """The declarations as a Markdown table."""
    lines = ["| id | indicator | formula | unit | better | target | mart, broken down by | source |", "|---" * 8 + "|"]
    for one in indicators:
        cells = (
            f"`{one.id}`",
            f"{one.name.vi} <br> {one.name.en}",
            f"{one.formula.vi} <br> {one.formula.en}",
            one.unit.vi if one.unit.vi == one.unit.en else f"{one.unit.vi}, {one.unit.en}",
            {"higher_is_better": "higher", "lower_is_better": "lower", "neutral": "–"}[one.direction],
            "–" if one.target is None else f"{one.target:g}",
            f"`mart.{one.mart}`: {', '.join(one.dimensions)}",
            f"{one.source.text.vi} <br> {one.source.text.en}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _period(text: str | None, option: str, *, end: bool = False) -> date | None:
    """First or last month of ``2024-06`` or ``2024``, as its first day."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{4})(?:-(0[1-9]|1[0-2]))?", text)
    if found is None:
        raise SettingsError(f"{option} {text!r} is no period", next_step="write 2024-06 or 2024")
    return date(int(found[1]), int(found[2] or (12 if end else 1)), 1)


def _amount(value: Decimal | None) -> str:
    if value is None:
        return "–"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
