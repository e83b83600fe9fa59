"""``dx alerts``: what is wrong now, who was told, which channel is down; mute one with a reason."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from dx_pipeline.cli.alert_tables import alert_table, channel_table, mute_table, show_check
from dx_pipeline.cli.console import console, friendly
from dx_pipeline.errors import SettingsError
from dx_pipeline.settings import get_settings

alerts_app = typer.Typer(no_args_is_help=True, help="Cảnh báo: điều gì đang sai, đã báo ai · Alerts.")
LONGEST_MUTE_DAYS = 366
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SubjectArgument = Annotated[str, typer.Argument(help="A dataset, a system, mart.<name>, contracts, or * for all.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="Only this kind, e.g. source_stale. Default: all.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept for ever beside the decision.")]
ByOption = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]


def register(app: typer.Typer) -> None:
    app.add_typer(alerts_app, name="alerts")


@alerts_app.command()
@friendly
def check() -> None:
    """Look at everything, tell the channels what is new, what lasts and what is over. Every run does the same at its end.

    Nothing is told twice: an alert is told once, again after DX_ALERT_REMINDER_HOURS, and when it is over. Exit code 1 if a
    channel did not take its message.

    Example: dx alerts check
    """
    from dx_pipeline.orchestration.alerting import check_now

    report = check_now()
    show_check(report)
    if any(not outcome.taken for outcome in report.channels.values()):
        raise typer.Exit(1)


@alerts_app.command()
@friendly
def show(
    past: Annotated[int, typer.Option("--past", min=0, help="How many of those that are over are shown too.")] = 0,
) -> None:
    """What was wrong at the last check, since when, what to do; what is muted; which channel does not work.

    Examples:

      dx alerts show

      dx alerts show --past 20
    """
    from dx_pipeline.alerts.channels import notifiers
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import alert_register as kept
    from dx_pipeline.warehouse.alert_mutes import mutes_in_force

    names = [notifier.name for notifier in notifiers(get_settings())]
    with get_warehouse().loader() as connection:
        alerts = kept.open_alerts(connection)
        over = kept.recent_alerts(connection, past) if past else []
        mutes = mutes_in_force(connection)
        states = kept.channel_states(connection)
        waiting = Counter(notice.channel for notice in kept.waiting_notices(connection, names))
    if alerts:
        console.print(alert_table(alerts, mutes, "Cảnh báo · Alerts"))
    else:
        console.print("[green]✓[/] không có cảnh báo · no alert")
    if over:
        console.print(alert_table(over, [], "Đã hết · Over"))
    if mutes:
        console.print(mute_table(mutes))
    console.print(
        channel_table(names, states, waiting) if names else "no channel is set: DX_ALERT_… in docs/operate.md"
    )


@alerts_app.command("test")
@friendly
def send_test(
    channel: Annotated[
        list[str] | None, typer.Option("--channel", help="Only this one: log, smtp or webhook (repeatable).")
    ] = None,
) -> None:
    """Send a test message by each channel that is set. Exit code 1 if one does not take it.

    Examples:

      dx alerts test

      dx alerts test --channel smtp
    """
    from dx_pipeline.alerts.channels import notifiers, send_within_limit
    from dx_pipeline.alerts.check import record_outcome
    from dx_pipeline.alerts.message import compose
    from dx_pipeline.orchestration.process import get_warehouse

    settings = get_settings()
    known = {notifier.name: notifier for notifier in notifiers(settings)}
    for name in channel or ():
        if name not in known:
            raise SettingsError(
                f"--channel {name!r} is not set",
                next_step=f"set are: {', '.join(known) or 'none'}; see docs/operate.md",
            )
    note = "thử kênh báo, không có gì sai · a test, nothing is wrong"
    key = f"test-{datetime.now(_ZONE):%Y%m%d%H%M%S%f}"
    message = compose(settings.alert_label, [], key, note=note)
    chosen = [notifier for name, notifier in known.items() if not channel or name in channel]
    outcomes = send_within_limit([(notifier, message) for notifier in chosen], settings)
    for name, outcome in outcomes.items():
        mark = "[green]✓[/]" if outcome.trouble is None else "[yellow]![/]" if outcome.taken else "[red]✗[/]"
        console.print(f"{mark} [bold]{name}[/]  {escape(outcome.trouble or 'took the message')}", soft_wrap=True)
    with get_warehouse().loader() as connection:
        for name, outcome in outcomes.items():
            record_outcome(connection, name, outcome)
    if any(outcome.trouble for outcome in outcomes.values()):
        raise typer.Exit(1)


@alerts_app.command()
@friendly
def mute(
    subject: SubjectArgument,
    until: Annotated[str, typer.Option("--until", help="Last day on which nothing is told, e.g. 2024-07-31.")],
    reason: ReasonOption,
    by: ByOption,
    kind: KindOption = None,
) -> None:
    """Tell nothing of these alerts until a day. They are still found, shown and counted; afterwards they are told again.

    Examples:

      dx alerts mute eid --until 2024-07-31 --reason "Công an tỉnh chuyển máy chủ" --by "Nguyễn Văn A"

      dx alerts mute one_stop.ho_so --kind quality_low --until 2024-07-05 --reason "đang sửa" --by "Trần B"
    """
    day = _day(until)
    _decide("mute", subject, kind, datetime.combine(day + timedelta(days=1), time(), _ZONE), reason, by)
    console.print(f"[green]✓[/] {escape(subject)}: tắt tiếng đến hết · muted until the end of {day}")


@alerts_app.command()
@friendly
def unmute(subject: SubjectArgument, reason: ReasonOption, by: ByOption, kind: KindOption = None) -> None:
    """Take a mute back, as it was written: the same subject and kind.

    Example: dx alerts unmute eid --reason "máy chủ mới đã chạy" --by "Nguyễn Văn A"
    """
    _decide("unmute", subject, kind, None, reason, by)
    console.print(f"[green]✓[/] {escape(subject)}: báo lại · told again from the next check on")


def _decide(
    decision: Literal["mute", "unmute"], subject: str, kind: str | None, until: datetime | None, reason: str, by: str
) -> None:
    from dx_pipeline.alerts.condition import KINDS, WAREHOUSE_DOWN
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.warehouse.alert_mutes import EVERYTHING, mutes_in_force, record_mute
    from dx_pipeline.warehouse.alert_register import open_alerts
    from dx_pipeline.warehouse.operation_log import operating_system_user

    if not 8 <= len(reason.strip()) <= 500:
        raise SettingsError("--reason must say why, in 8 to 500 letters", next_step="it is kept beside the decision")
    if not 1 <= len(by.strip()) <= 200:
        raise SettingsError("--by must name who decides", next_step='--by "Nguyễn Văn A"')
    kinds = [name for name in KINDS if name != WAREHOUSE_DOWN]  # nobody could look up whether that one is muted
    if kind is not None and kind not in kinds:
        raise SettingsError(f"--kind {kind!r} cannot be muted", next_step=f"one of {', '.join(kinds)}")
    catalog = get_catalog()
    with get_warehouse().loader() as connection:
        known = {EVERYTHING, "contracts", *catalog.systems, *catalog.contracts}
        known |= {alert.subject for alert in open_alerts(connection)}
        if decision == "mute" and subject not in known and not re.fullmatch(r"mart\.[a-z0-9_]{1,100}", subject):
            raise SettingsError(f"{subject!r} is no dataset and no system", next_step="`dx contract list` names them")
        if decision == "unmute" and all(
            (one.subject, one.kind) != (subject, kind) for one in mutes_in_force(connection)
        ):
            raise SettingsError(f"{subject!r} is not muted like this", next_step="`dx alerts show` lists what is")
        record_mute(
            connection,
            decision,
            subject=subject,
            kind=kind,
            until=until,
            reason=reason.strip(),
            decided_by=by.strip(),
            login=operating_system_user(),
        )


def _day(text: str) -> date:
    today = datetime.now(_ZONE).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--until {text!r} is not a day", next_step="write it as 2024-07-31") from None
    if not today <= day <= today + timedelta(days=LONGEST_MUTE_DAYS):
        raise SettingsError(
            f"--until {text} is not within the next {LONGEST_MUTE_DAYS} days",
            next_step="a mute ends by itself; decide again when it has ended",
        )
    return day
