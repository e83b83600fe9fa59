"""Tables of the quarantine workflow: who has what to mend since when, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.tables import WIDE, plain_table

if TYPE_CHECKING:
    from dx_pipeline.warehouse.quarantine import ReasonSummary
    from dx_pipeline.warehouse.quarantine_decision import Decision

_DECISION_STYLE = {"release": "green", "discard": "yellow", "reopen": "cyan"}


def summary_table(rows: Sequence[ReasonSummary], width: int) -> Table:
    """Open and discarded rows with their ages; on a narrow terminal the dataset stands above the reason."""
    wide = width >= WIDE
    table = plain_table("Chờ sửa · Waiting to be mended")
    table.add_column("agency", no_wrap=True)
    if wide:
        table.add_column("dataset", no_wrap=True)
    table.add_column("reason" if wide else "dataset, reason", overflow="fold", min_width=20)
    for name in ("rows", "discarded", "oldest", "newest", "median days"):
        table.add_column(name if wide else name.replace(" ", "\n"), justify="right", no_wrap=wide)
    for row in rows:
        names = (row.dataset_id, _reason(row)) if wide else (f"[dim]{row.dataset_id}[/]\n{escape(row.code)}",)
        table.add_row(
            escape(row.owner_agency) or "–",
            *names,
            f"{row.open_rows:,}",
            f"{row.discarded_rows:,}" if row.discarded_rows else "–",
            *("–" if at is None else f"{at:%Y-%m-%d}" for at in (row.oldest, row.newest)),
            "–" if row.median_days is None else f"{row.median_days:,.1f}",
        )
    return table


def _reason(row: ReasonSummary) -> str:
    return f"{escape(row.code)}\n[dim]{escape(row.message_vi)} | {escape(row.message_en)}"


def decision_table(decisions: Sequence[Decision]) -> Table:
    """Who decided what, when and why; oldest first."""
    table = plain_table("Quyết định · Decisions")
    for name in ("at", "decision", "by", "why", "reasons"):
        table.add_column(name, no_wrap=name in ("at", "decision"), overflow="fold")
    for item in decisions:
        table.add_row(
            f"{item.decided_at:%Y-%m-%d %H:%M}",
            f"[{_DECISION_STYLE[item.decision]}]{item.decision}",
            escape(f"{item.decided_by} ({item.login})"),
            escape(item.explanation),
            escape(", ".join(item.reasons)),
        )
    return table
