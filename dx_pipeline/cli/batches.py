"""``dx batches``: the ledger, and one batch in full."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
import typer
from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import (
    STATUS_STYLE,
    batch_table,
    control_table,
    file_totals_table,
    plain_table,
    rule_table,
    status_text,
)
from dx_pipeline.errors import WarehouseError

batches_app = typer.Typer(invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    app.add_typer(batches_app, name="batches")


@batches_app.callback(invoke_without_command=True)
@friendly
def list_batches(
    context: typer.Context,
    dataset: Annotated[list[str] | None, typer.Option("--dataset", "-d", help="Only this system.dataset.")] = None,
    status: Annotated[str | None, typer.Option("--status", "-s", help="Only batches in this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = 30,
) -> None:
    """The ledger of batches, newest first.

    Examples:

      dx batches

      dx batches -d one_stop.ho_so -s held

      dx batches show 12
    """
    if context.invoked_subcommand is not None:
        return
    if status is not None and status not in STATUS_STYLE:
        raise WarehouseError(f"--status {status!r} is unknown", next_step=f"use one of {', '.join(STATUS_STYLE)}")
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import ledger

    with get_warehouse().loader() as connection:
        rows = ledger.list_batches(connection, dataset_ids=dataset, status=status, limit=limit)
    if not rows:
        console.print("no such batch" if dataset or status else "the ledger is empty: `dx run` makes the first batches")
        return
    console.print(batch_table(rows, console.width))


@batches_app.command()
@friendly
def show(batch_id: Annotated[int, typer.Argument(help="Number of the batch.")]) -> None:
    """Everything about one batch: window, counts, times, landed files, control sums at each gate, rules.

    Example: dx batches show 12
    """
    from dx_pipeline.errors import LandingError
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.warehouse import ledger
    from dx_pipeline.warehouse.control_sums import reconcile

    road = get_road()
    with road.warehouse.loader() as connection:
        batch = ledger.get_batch(connection, batch_id)
        gates = reconcile(connection, batch_id)
        rules = connection.execute(
            sa.text(
                "select code, severity, passed, evaluated, unexpected, message_vi, message_en from ops.rule_result"
                " where batch_id = :batch_id order by passed, unexpected desc nulls last, code"
            ),
            {"batch_id": batch_id},
        ).all()
    facts = Table(title=f"Lô {batch_id} · Batch {batch_id}", title_justify="left", show_header=False)
    facts.add_column("name", style="dim")
    facts.add_column("value")
    for name in batch.__dataclass_fields__:
        value = getattr(batch, name)
        if name == "status":
            facts.add_row(name, status_text(batch.status))
        elif value is not None and value != []:
            facts.add_row(name, escape("\n".join(value) if isinstance(value, list) else str(value)))
    console.print(facts)
    if batch.landing_path is not None:
        try:
            manifest = road.landing.load_manifest(batch.system, batch.dataset, batch.replay_of or batch.batch_id)
            files = plain_table("Tệp gốc · Landed files")
            files.add_column("file", no_wrap=True)
            for name in ("rows", "bytes"):
                files.add_column(name, justify="right", no_wrap=True)
            files.add_column("sha256", overflow="fold")
            for file in manifest.files:
                files.add_row(file.name, f"{file.rows:,}", f"{file.bytes:,}", file.sha256)
            console.print(files)
            if (sums := file_totals_table(manifest.facts.get("position") or {})) is not None:
                console.print(sums)
        except LandingError as error:
            console.print(f"[dim]{escape(error.what)}")
    if gates:
        console.print(control_table(gates))
    if rules:
        console.print(rule_table(rules, console.width))
