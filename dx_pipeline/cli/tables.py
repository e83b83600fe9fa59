"""Tables the command line prints: batches, counts, rules, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import number
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.quarantine import QuarantinedRow

STATUS_STYLE = {
    "published": "green",
    "held": "red",
    "failed": "red",
    "superseded": "dim",
    "extracting": "yellow",
    "landed": "yellow",
    "staged": "yellow",
}
_COUNTS = ("extracted", "accepted", "quarantined", "duplicate", "inserted", "updated", "unchanged")


def run_table(batches: Sequence[Batch]) -> Table:
    """One line per dataset of a run, with a closing sum; published lines balance."""
    table = Table(title="Kết quả theo tập dữ liệu · Result by dataset", title_justify="left")
    table.add_column("dataset")
    table.add_column("batch", justify="right")
    table.add_column("status")
    for name in _COUNTS:
        table.add_column(name, justify="right")
    table.add_column("seconds", justify="right")
    for batch in batches:
        table.add_row(
            batch.dataset_id,
            str(batch.batch_id),
            status_text(batch.status),
            *(number(getattr(batch, name)) for name in _COUNTS),
            f"{seconds_of(batch):.1f}",
        )
    table.add_section()
    published = [batch for batch in batches if batch.status == "published"]
    table.add_row(
        "[bold]tổng · total (published)",
        "",
        "",
        *(f"[bold]{sum(getattr(batch, name) or 0 for batch in published):,}" for name in _COUNTS),
        f"[bold]{sum(seconds_of(batch) for batch in batches):.1f}",
    )
    return table


def batch_table(batches: Sequence[Batch]) -> Table:
    """The ledger, newest first."""
    table = Table(title="Sổ lô dữ liệu · Batch ledger", title_justify="left")
    for name, right in (("batch", True), ("dataset", False), ("kind", False), ("status", False), ("started", False)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for name in _COUNTS:
        table.add_column(name, justify="right", no_wrap=True)
    for batch in batches:
        kind = batch.kind + (f" {batch.period_month:%Y-%m}" if batch.period_month else "")
        kind += f" of {batch.replay_of}" if batch.replay_of else ""
        table.add_row(
            str(batch.batch_id),
            batch.dataset_id,
            kind,
            status_text(batch.status),
            f"{batch.started_at:%Y-%m-%d %H:%M:%S}",
            *(number(getattr(batch, name)) for name in _COUNTS),
        )
    return table


def rule_table(rows: Sequence[Any]) -> Table:
    """Rules of a batch, those that found something first."""
    table = Table(title="Kết quả quy tắc · Rule results", title_justify="left")
    table.add_column("rule")
    table.add_column("severity")
    table.add_column("result")
    table.add_column("evaluated", justify="right")
    table.add_column("unexpected", justify="right")
    table.add_column("message")
    for row in rows:
        result = "[green]passed" if row.passed else "[yellow]found" if row.severity != "critical" else "[red]rejected"
        table.add_row(
            row.code, row.severity, result, number(row.evaluated), number(row.unexpected),
            escape(f"{row.message_vi} | {row.message_en}"),
        )  # fmt: skip
    return table


def quarantine_table(rows: Sequence[QuarantinedRow]) -> Table:
    """Quarantined rows without their raw records."""
    table = Table(title="Dòng bị loại · Quarantined rows", title_justify="left")
    for name in ("id", "dataset", "row", "reasons", "first seen", "last seen"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            str(row.quarantine_id),
            row.dataset_id,
            escape(row.row_key[:60]),
            escape(", ".join(row.reasons)),
            f"{row.first_seen:%Y-%m-%d %H:%M}",
            f"{row.last_seen:%Y-%m-%d %H:%M}",
        )
    return table


def status_text(status: str) -> str:
    """A batch status with its colour."""
    return f"[{STATUS_STYLE.get(status, 'white')}]{status}[/]"


def seconds_of(batch: Batch) -> float:
    """Seconds the three steps of a batch took together."""
    return sum(float(part or 0) for part in (batch.seconds_extract, batch.seconds_judge, batch.seconds_publish))
