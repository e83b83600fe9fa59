"""Tables the command line prints: batches, counts, rules, quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import console, number
from dx_pipeline.warehouse.control_sums import GATES, Reconciled
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
"""From this many columns on, tables show all their counts, and names in full."""
VERY_WIDE = 150
_COUNTS = {
    "extracted": "extr.",
    "accepted": "acc.",
    "quarantined": "quar.",
    "duplicate": "dup.",
    "inserted": "ins.",
    "updated": "upd.",
    "unchanged": "same",
}
_CLOSED = {"closed": "clos."}
_SUM = "tổng · total"
_LEGEND = (
    "extr. = acc. + quar. + dup., acc. = ins. + upd. + same\nđọc = đạt + bị loại + trùng, đạt = mới + đổi + như cũ"
)


def run_table(batches: Sequence[Batch], width: int) -> Table:
    """One line per dataset of a run, with a closing sum of what was published; published lines balance.

    ``width``: columns of the terminal. On a narrow one the names of the counts are shortened and explained below,
    and the batch number is left out. Rows closed have a column where there are any.
    """
    wide = width >= WIDE
    header, shown = dataset_names((batch.dataset_id for batch in batches), full=width >= VERY_WIDE)
    million_rows = sum(batch.extracted or 0 for batch in batches) >= 1_000_000
    table = plain_table(
        "Kết quả theo tập dữ liệu · Result by dataset",
        caption=None if wide else _LEGEND,
        roomy=wide or not million_rows,
    )
    counts = _counts_of(batches)
    table.add_column("", no_wrap=True)
    table.add_column(header, overflow="ellipsis")
    if wide:
        table.add_column("batch", justify="right", no_wrap=True)
    for name, short in counts.items():
        table.add_column(name if wide else short, justify="right", no_wrap=True)
    table.add_column("seconds" if width >= VERY_WIDE else "s", justify="right", no_wrap=True)
    for batch in batches:
        table.add_row(
            _mark(batch.status),
            shown[batch.dataset_id],
            *([str(batch.batch_id)] if wide else []),
            *(number(getattr(batch, name)) for name in counts),
            f"{seconds_of(batch):.1f}",
        )
    table.add_section()
    published = [batch for batch in batches if batch.status == "published"]
    table.add_row(
        "",
        f"[bold]{_SUM}",
        *([""] if wide else []),
        *(f"[bold]{sum(getattr(batch, name) or 0 for batch in published):,}" for name in counts),
        f"[bold]{sum(seconds_of(batch) for batch in batches):.1f}",
    )
    return table


def batch_table(batches: Sequence[Batch], width: int) -> Table:
    """The ledger, newest first; on a narrow terminal with the counts of accepted and quarantined rows only."""
    wide = width >= WIDE
    header, shown = dataset_names((batch.dataset_id for batch in batches), full=width >= VERY_WIDE)
    table = plain_table("Sổ lô dữ liệu · Batch ledger")
    table.add_column("", no_wrap=True)
    table.add_column("batch", justify="right", no_wrap=True)
    table.add_column(header, overflow="ellipsis")
    for name in ("kind", "started"):
        table.add_column(name, no_wrap=True)
    shown_counts = _counts_of(batches)
    counts = list(shown_counts) if wide else ["accepted", "quarantined"]
    for name in counts:
        table.add_column(shown_counts[name], justify="right", no_wrap=True)
    for batch in batches:
        kind = batch.kind + (f" {batch.period_month:%Y-%m}" if batch.period_month else "")
        kind += f" of {batch.replay_of}" if batch.replay_of else ""
        table.add_row(
            _mark(batch.status),
            str(batch.batch_id),
            shown[batch.dataset_id],
            kind,
            f"{batch.started_at:%Y-%m-%d %H:%M}" if width >= VERY_WIDE else f"{batch.started_at:%m-%d %H:%M}",
            *(number(getattr(batch, name)) for name in counts),
        )
    return table


def _counts_of(batches: Sequence[Batch]) -> dict[str, str]:
    return _COUNTS | (_CLOSED if any(batch.closed for batch in batches) else {})


def _mark(status: str) -> str:
    return "[green]✓[/]" if status == "published" else status_text(status)


def rule_table(rows: Sequence[Any], width: int) -> Table:
    """Rules of a batch, those that found something first; on a narrow terminal the message stands below the code."""
    wide = width >= WIDE
    table = plain_table("Kết quả quy tắc · Rule results")
    table.add_column("", no_wrap=True)
    table.add_column("rule", no_wrap=wide)
    for name in ("evaluated", "unexpected"):
        table.add_column(name, justify="right", no_wrap=True)
    if wide:
        table.add_column("message")
    for row in rows:
        result = "[green]passed" if row.passed else "[yellow]found" if row.severity != "critical" else "[red]rejected"
        code, message = (escape(text) for text in (row.code, f"{row.message_vi} | {row.message_en}"))
        counts = (number(row.evaluated), number(row.unexpected))
        table.add_row(result, *((code, *counts, message) if wide else (f"{code}\n[dim]{message}", *counts)))
    return table


def control_table(measures: Sequence[Reconciled]) -> Table:
    """What each gate counted of a batch; a measure on which two gates disagree is red and named."""
    gates = [gate for gate in GATES if any(gate in one.values for one in measures)]
    table = plain_table("Đối chiếu qua các cửa · Reconciliation")
    table.add_column("", no_wrap=True)
    table.add_column("measure", no_wrap=True)
    for gate in gates:
        table.add_column(gate, justify="right", no_wrap=True)
    for one in measures:
        broken = "\n".join(f"{before} ≠ {after}" for before, after in one.broken)
        cells = (_exact(one.values[gate]) if gate in one.values else "" for gate in gates)
        table.add_row(f"[red]✗ {broken}" if broken else "[green]✓", escape(one.measure), *cells)
    return table


def _exact(value: str | None) -> str:
    """A number with thousands set apart and without zeros behind the point; other texts as they are."""
    if value is None:
        return "–"
    try:
        number = Decimal(value)
    except InvalidOperation:
        return escape(value)
    return f"{number:,f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:,f}"


def file_totals_table(position: Mapping[str, Any]) -> Table | None:
    """Totals that the files of a batch tell of themselves, beside the sums of their rows; None if they tell none."""
    compared = [(file["name"], one) for file in position.get("files", []) for one in file.get("control_sums", [])]
    if not compared:
        return None
    table = plain_table("Đối chiếu tổng của tệp · Totals of the files")
    for name in ("file", "column"):
        table.add_column(name, overflow="fold")
    for name in ("row", "total", "sum of rows"):
        table.add_column(name, justify="right", no_wrap=True)
    for file, one in compared:
        table.add_row(escape(file), escape(one["column"]), str(one["row"]), escape(one["total"]), escape(one["sum"]))
    return table


def reason_table(counts: Sequence[tuple[str, str, str, str, int]], width: int) -> Table:
    """Open quarantined rows by dataset and reason: (dataset id, code, message vi, message en, rows)."""
    wide = width >= WIDE
    header, shown = dataset_names([row[0] for row in counts], full=console.width >= VERY_WIDE)
    table = plain_table("Theo lý do · By reason")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column(header, no_wrap=True, overflow="ellipsis")
    table.add_column("reason", no_wrap=wide)
    if wide:
        table.add_column("message")
    for dataset_id, code, message_vi, message_en, rows in counts:
        reason, message = escape(code), escape(f"{message_vi} | {message_en}")
        cells = (reason, message) if wide else (f"{reason}\n[dim]{message}",)
        table.add_row(f"{rows:,}", shown[dataset_id], *cells)
    return table


def quarantine_table(rows: Sequence[QuarantinedRow], width: int) -> Table:
    """Quarantined rows without their raw records."""
    wide = width >= WIDE
    header, shown = dataset_names([row.dataset_id for row in rows], full=console.width >= VERY_WIDE)
    table = plain_table("Dòng bị loại · Quarantined rows")
    table.add_column("id", justify="right", no_wrap=True)
    table.add_column(header, no_wrap=True, overflow="ellipsis")
    table.add_column("row", overflow="fold")
    table.add_column("reasons")
    for name in ("first seen", *(["last seen"] if wide else [])):
        table.add_column(name, no_wrap=True)
    for row in rows:
        times = (row.first_seen, row.last_seen) if wide else (row.first_seen,)
        table.add_row(
            str(row.quarantine_id),
            shown[row.dataset_id],
            escape(row.row_key[:60]),
            escape("\n".join(row.reasons)),
            *(f"{time:%Y-%m-%d %H:%M}" if wide else f"{time:%m-%d %H:%M}" for time in times),
        )
    return table


def plain_table(title: str, caption: str | None = None, *, roomy: bool = True) -> Table:
    """A table without vertical lines; ``roomy``: two spaces between columns instead of one."""
    return Table(
        title=title,
        title_justify="left",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0) if roomy else 0,
    )


def dataset_names(ids: Iterable[str], *, full: bool = False) -> tuple[str, dict[str, str]]:
    """Header and cell text for dataset ids; unless ``full``, a system that all share is named in the header only."""
    known = list(dict.fromkeys(ids))
    systems = {dataset_id.partition(".")[0] for dataset_id in known}
    if full or len(systems) != 1:
        return "dataset", {dataset_id: dataset_id for dataset_id in known}
    return f"dataset ({systems.pop()})", {dataset_id: dataset_id.partition(".")[2] for dataset_id in known}


def status_text(status: str) -> str:
    """A batch status with its colour."""
    return f"[{STATUS_STYLE.get(status, 'white')}]{status}[/]"


def seconds_of(batch: Batch) -> float:
    """Seconds the three steps of a batch took together."""
    return sum(float(part or 0) for part in (batch.seconds_extract, batch.seconds_judge, batch.seconds_publish))
