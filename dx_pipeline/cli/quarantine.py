"""``dx quarantine``: the rejected rows, for the department that must mend them."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import quarantine_table, reason_table
from dx_pipeline.errors import WarehouseError

quarantine_app = typer.Typer(help="Rejected rows and their reasons.", no_args_is_help=True)
STATUSES = ("open", "released", "gone", "discarded")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
DatasetOption = Annotated[list[str] | None, typer.Option("--dataset", "-d", help="Only this system.dataset.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", "-r", help="Only rows with this reason code.")]
AgencyOption = Annotated[str | None, typer.Option("--agency", "-a", help="Only rows of this owner agency.")]
PurposeOption = Annotated[
    str, typer.Option("--purpose", help="What personal records are read for; kept in the record of reads (`dx audit`).")
]
MENDING = "để cơ quan chủ quản sửa dữ liệu | for the owner agency to mend the data"


def register(app: typer.Typer) -> None:
    app.add_typer(quarantine_app, name="quarantine")


@quarantine_app.command(name="list")
@friendly
def list_rows(
    dataset: DatasetOption = None,
    reason: ReasonOption = None,
    agency: AgencyOption = None,
    status: Annotated[str, typer.Option("--status", "-s", help="open, released, gone or discarded.")] = "open",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows.")] = 20,
) -> None:
    """Count open rows by reason, then list some of them.

    Examples:

      dx quarantine list

      dx quarantine list -d one_stop.ho_so -r ma_ho_so_unreadable
    """
    if status not in STATUSES:
        raise WarehouseError(f"--status {status!r} is unknown", next_step=f"use one of {', '.join(STATUSES)}")
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.warehouse.quarantine import list_quarantine, quarantine_counts

    with get_road().warehouse.loader() as connection:
        counts = quarantine_counts(connection)
        rows = list_quarantine(
            connection, dataset_ids=dataset, reason=reason, agency=agency, status=status, limit=limit
        )
    if status == "open":
        chosen = [row for row in counts if (not dataset or row[0] in dataset) and reason in (None, row[1])]
        if chosen:
            console.print(reason_table(chosen, console.width))
    console.print(quarantine_table(rows, console.width) if rows else "no such row")


@quarantine_app.command()
@friendly
def show(
    quarantine_id: Annotated[int, typer.Argument(help="Number of the row, from `dx quarantine list`.")],
    purpose: PurposeOption = MENDING,
) -> None:
    """One rejected row with its raw record. It may hold personal data.

    Example: dx quarantine show 7
    """
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.warehouse.quarantine import get_quarantined
    from dx_pipeline.warehouse.read_audit import read_on_record

    read_on_record(get_road().warehouse, {"quarantine_id": quarantine_id}, purpose=purpose)
    with get_road().warehouse.loader() as connection:
        row = get_quarantined(connection, quarantine_id)
    if row is None:
        raise WarehouseError(
            f"quarantined row {quarantine_id} does not exist", next_step="`dx quarantine list` shows the numbers"
        )
    console.print(f"[bold]{escape(row.dataset_id)}[/]  {escape(row.row_key)}  ({row.status})")
    for code, vi, en in zip(row.reasons, row.messages_vi, row.messages_en, strict=True):
        console.print(f"  [red]{escape(code)}[/]  {escape(vi)} | {escape(en)}")
    table = Table(title="Bản ghi gốc · Raw record", title_justify="left", show_header=False)
    table.add_column("column", style="dim")
    table.add_column("value")
    for name, value in row.raw_record.items():
        table.add_row(escape(name), "[dim]null" if value is None else escape(repr(value)[1:-1]))
    console.print(table)


@quarantine_app.command()
@friendly
def export(
    target: Annotated[Path | None, typer.Argument(help="CSV file to write; default: standard output.")] = None,
    dataset: DatasetOption = None,
    reason: ReasonOption = None,
    agency: AgencyOption = None,
    purpose: PurposeOption = MENDING,
) -> None:
    """Write the open rejected rows as CSV for the department: reasons in words, raw values beside them.

    Cells that a spreadsheet would run as a formula are made harmless with a leading apostrophe.

    Examples:

      dx quarantine export can-sua.csv -d one_stop.ho_so

      dx quarantine export -a H50.14 > can-sua.csv
    """
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.warehouse.quarantine import list_quarantine
    from dx_pipeline.warehouse.read_audit import read_on_record

    scope = {"datasets": dataset, "reason": reason, "agency": agency, "status": "open"}
    read_on_record(get_road().warehouse, scope, purpose=purpose)
    with get_road().warehouse.loader() as connection:
        rows = list_quarantine(connection, dataset_ids=dataset, reason=reason, agency=agency, limit=None)
    raw_columns = list(dict.fromkeys(name for row in rows for name in row.raw_record))
    header = ["tap_du_lieu", "dong", "ma_ly_do", "ly_do", "reason", "lan_dau", "lan_cuoi", *raw_columns]
    stream = open(target, "w", encoding="utf-8-sig", newline="") if target else sys.stdout  # noqa: SIM115
    try:
        writer = csv.writer(stream)
        writer.writerow(harmless(name) for name in header)
        for row in rows:
            writer.writerow(
                harmless(value)
                for value in (
                    row.dataset_id,
                    row.row_key,
                    "; ".join(row.reasons),
                    "; ".join(row.messages_vi),
                    "; ".join(row.messages_en),
                    f"{row.first_seen:%Y-%m-%d %H:%M}",
                    f"{row.last_seen:%Y-%m-%d %H:%M}",
                    *(row.raw_record.get(name) for name in raw_columns),
                )
            )
    finally:
        if target:
            stream.close()
    if target:
        target.chmod(0o600)
        console.print(f"{len(rows):,} rows written to {target}")


def harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula.

    Source: OWASP, CSV injection: cells that begin with = + - @ (also full-width), tab, carriage return or line feed.
    """
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(FORMULA_STARTS) else text
