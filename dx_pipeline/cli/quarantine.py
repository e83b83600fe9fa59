"""``dx quarantine``: the rejected rows, for the department that must mend them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli import quarantine_decide, quarantine_export
from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.quarantine_tables import decision_table, summary_table
from dx_pipeline.cli.read_purpose import MENDING, PurposeOption
from dx_pipeline.cli.tables import quarantine_table, reason_table
from dx_pipeline.errors import WarehouseError

if TYPE_CHECKING:
    from dx_pipeline.warehouse.quarantine_decision import Decision

quarantine_app = typer.Typer(help="Rejected rows and their reasons.", no_args_is_help=True)
STATUSES = ("open", "released", "gone", "discarded")
DatasetOption = Annotated[list[str] | None, typer.Option("--dataset", "-d", help="Only this system.dataset.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", "-r", help="Only rows with this reason code.")]
AgencyOption = Annotated[str | None, typer.Option("--agency", "-a", help="Only rows of this owner agency.")]


def register(app: typer.Typer) -> None:
    quarantine_export.register(quarantine_app)
    quarantine_decide.register(quarantine_app)
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
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.quarantine import list_quarantine, quarantine_counts

    with get_warehouse().loader() as connection:
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
def summary(dataset: DatasetOption = None, agency: AgencyOption = None) -> None:
    """Who has how much to mend, and for how long: by department, dataset and reason.

    Examples:

      dx quarantine summary

      dx quarantine summary -a H50.14
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.quarantine import quarantine_summary

    with get_warehouse().loader() as connection:
        rows = quarantine_summary(connection, dataset_ids=dataset, agency=agency)
    console.print(summary_table(rows, console.width) if rows else "nothing waits to be mended")


@quarantine_app.command()
@friendly
def show(
    quarantine_id: Annotated[int, typer.Argument(help="Number of the row, from `dx quarantine list`.")],
    purpose: PurposeOption = MENDING,
) -> None:
    """One rejected row with its raw record and what was decided about it. It may hold personal data.

    Example: dx quarantine show 7
    """
    from dx_pipeline.judge.record_hash import record_hash
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.quarantine import get_quarantined
    from dx_pipeline.warehouse.quarantine_decision import decisions_about
    from dx_pipeline.warehouse.read_audit import read_on_record

    read_on_record(get_warehouse(), {"quarantine_id": quarantine_id}, purpose=purpose)
    with get_warehouse().loader() as connection:
        row = get_quarantined(connection, quarantine_id)
        decisions = decisions_about(connection, [quarantine_id])
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
    if decisions:
        console.print(decision_table(decisions))
        console.print(_what_counts(decisions, record_hash(row.raw_record)))


def _what_counts(decisions: list[Decision], current: str) -> str:
    """Which decision the next run will honour, in words."""
    newest = [item for item in decisions if item.record_hash == current]
    if not newest:
        return "the record has changed at the source since: it needs a new decision"
    told = {
        "release": "the next run that meets this record loads it",
        "discard": "the row stays out until its record changes at the source",
        "reopen": "the earlier decision was taken back",
    }
    return told[newest[-1].decision]
