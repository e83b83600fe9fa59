"""Tables the command line prints: batches, counts, rules, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
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
WIDE = 120
"""From this many columns on, tables of counts are printed with full names."""
_COUNTS = {
    "extracted": "extr.",
    "accepted": "acc.",
    "quarantined": "quar.",
    "duplicate": "dup.",
    "inserted": "ins.",
    "updated": "upd.",
    "unchanged": "same",
}
_SUM = "tổng · total"
_LEGEND = (
    "extr. đọc = acc. đạt + quar. bị loại + dup. trùng; acc. = ins. mới + upd. đổi + same như cũ\n"
    "extracted = accepted + quarantined + duplicate; accepted = inserted + updated + unchanged"
)


def run_table(batches: Sequence[Batch], width: int) -> Table:
    """One line per dataset of a run, with a closing sum of what was published; published lines balance.

    ``width``: columns of the terminal. On a narrow one the names of the counts are shortened and explained below,
    and the batch number is left out.
    """
    wide, shared = width >= WIDE, _shared_system(batches)
    table = _table("Kết quả theo tập dữ liệu · Result by dataset", caption=None if wide else _LEGEND)
    table.add_column("", no_wrap=True)
    table.add_column(_dataset_header(shared), overflow="ellipsis")
    if wide:
        table.add_column("batch", justify="right", no_wrap=True)
    for name, short in _COUNTS.items():
        table.add_column(name if wide else short, justify="right", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    for batch in batches:
        table.add_row(
            _mark(batch.status),
            batch.dataset if shared else batch.dataset_id,
            *([str(batch.batch_id)] if wide else []),
            *(number(getattr(batch, name)) for name in _COUNTS),
            f"{seconds_of(batch):.1f}",
        )
    table.add_section()
    published = [batch for batch in batches if batch.status == "published"]
    table.add_row(
        "",
        f"[bold]{_SUM}",
        *([""] if wide else []),
        *(f"[bold]{sum(getattr(batch, name) or 0 for batch in published):,}" for name in _COUNTS),
        f"[bold]{sum(seconds_of(batch) for batch in batches):.1f}",
    )
    return table


def batch_table(batches: Sequence[Batch], width: int) -> Table:
    """The ledger, newest first; on a narrow terminal with the first four counts only."""
    wide, shared = width >= WIDE, _shared_system(batches)
    table = _table("Sổ lô dữ liệu · Batch ledger")
    table.add_column("", no_wrap=True)
    table.add_column("batch", justify="right", no_wrap=True)
    table.add_column(_dataset_header(shared), overflow="ellipsis")
    for name in ("kind", "started"):
        table.add_column(name, no_wrap=True)
    counts = list(_COUNTS.items()) if wide else list(_COUNTS.items())[:3]
    for _, short in counts:
        table.add_column(short, justify="right", no_wrap=True)
    for batch in batches:
        kind = batch.kind + (f" {batch.period_month:%Y-%m}" if batch.period_month else "")
        kind += f" of {batch.replay_of}" if batch.replay_of else ""
        table.add_row(
            _mark(batch.status),
            str(batch.batch_id),
            batch.dataset if shared else batch.dataset_id,
            kind,
            f"{batch.started_at:%Y-%m-%d %H:%M}" if wide else f"{batch.started_at:%m-%d %H:%M}",
            *(number(getattr(batch, name)) for name, _ in counts),
        )
    return table


def _table(title: str, caption: str | None = None) -> Table:
    """A table without vertical lines: room for one more column of counts."""
    return Table(
        title=title,
        title_justify="left",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def _mark(status: str) -> str:
    return "[green]✓[/]" if status == "published" else status_text(status)


def _dataset_header(shared: str | None) -> str:
    return f"dataset ({shared})" if shared else "dataset"


def _shared_system(batches: Sequence[Batch]) -> str | None:
    """The system of all batches, which then need not be repeated on each line."""
    systems = {batch.system for batch in batches}
    return systems.pop() if len(systems) == 1 else None


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
