"""What the command line shows of alerts: one check, open alerts, mutes, channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import console
from dx_pipeline.cli.tables import plain_table

if TYPE_CHECKING:
    from dx_pipeline.alerts.check import CheckReport
    from dx_pipeline.warehouse.alert_mutes import Mute
    from dx_pipeline.warehouse.alert_register import Alert, ChannelState


def show_check(report: CheckReport, *, only_if_news: bool = False) -> None:
    """Counts of a check and what its channels did; with ``only_if_news`` nothing where nothing changed."""
    failing = {name: outcome.trouble for name, outcome in report.channels.items() if outcome.trouble}
    if only_if_news and not (report.raised or report.recovered or failing):
        return
    told = [name for name, outcome in report.channels.items() if outcome.taken]
    console.print(
        f"[yellow]![/] cảnh báo · alerts: {len(report.raised)} mới · new, {len(report.recovered)} đã hết · recovered,"
        f" {report.open} còn · open" + (f" ({report.muted} muted)" if report.muted else "")
        + (f"; {', '.join(told)}" if told else "") + "  [dim]dx alerts show[/]",
        soft_wrap=True,
    )  # fmt: skip
    for name, trouble in failing.items():
        console.print(f"[yellow]![/] alerts by {name}: {escape(str(trouble))}", soft_wrap=True)


def alert_table(alerts: Sequence[Alert], mutes: Sequence[Mute], title: str) -> Table:
    """Alerts with what is wrong, in both languages, and the next command."""
    from dx_pipeline.alerts.wording import moment, next_command, sentence
    from dx_pipeline.warehouse.alert_mutes import is_muted

    table = plain_table(title)
    table.add_column("", no_wrap=True)
    table.add_column("tập dữ liệu · dataset", overflow="fold")
    table.add_column("từ · since", no_wrap=True)
    table.add_column("tình trạng · what is wrong", overflow="fold")
    for alert in alerts:
        vi, en = sentence(alert.kind, alert.facts, alert.batch_id)
        lines = [escape(vi), f"[dim]{escape(en)}[/]"]
        if alert.recovered_at is not None:
            lines.append(f"[green]hết · over {moment(alert.recovered_at)}[/]")
        else:
            lines.append(f"→ {escape(next_command(alert.kind, alert.subject, alert.facts, alert.batch_id))}")
        muted = is_muted(mutes, alert.kind, alert.subject)
        mark = "[dim]muted[/]" if muted else "[red]✗[/]" if alert.severity == "error" else "[yellow]![/]"
        owner = "" if alert.owner_agency is None else f"\n[dim]{escape(alert.owner_agency)}[/]"
        table.add_row(mark, escape(alert.subject) + owner, moment(alert.raised_at), "\n".join(lines))
    return table


def mute_table(mutes: Sequence[Mute]) -> Table:
    """Decisions in force."""
    from dx_pipeline.alerts.wording import moment

    table = plain_table("Tắt tiếng · Muted")
    for name in ("what", "kind", "until", "by", "reason"):
        table.add_column(name, overflow="fold", no_wrap=name == "until")
    for mute in mutes:
        until = moment(mute.muted_until)
        table.add_row(*map(escape, (mute.subject, mute.kind or "all", until, mute.decided_by, mute.reason)))
    return table


def channel_table(names: Sequence[str], states: Mapping[str, ChannelState], waiting: Mapping[str, int]) -> Table:
    """The channels that are set: when each took its last message, since when it fails and why."""
    from dx_pipeline.alerts.wording import moment

    table = plain_table("Kênh · Channels")
    for name in ("channel", "last message", "state", "waiting"):
        table.add_column(name, overflow="fold", no_wrap=name in ("channel", "last message"))
    for name in names:
        state = states.get(name)
        last = "–" if state is None or state.last_sent_at is None else moment(state.last_sent_at)
        told = "[dim]never used" if state is None else "[green]works"
        if state is not None and state.failing_since is not None:
            since = moment(state.failing_since)
            told = f"[red]fails since {since}, {state.failures} times: {escape(str(state.last_error))}"
        table.add_row(name, last, told, f"{waiting.get(name, 0)}")
    return table
