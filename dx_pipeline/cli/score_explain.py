"""``dx score explain``: one dossier under both on-time rules, clause by clause."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table

if TYPE_CHECKING:
    from dx_pipeline.warehouse.dossier_verdict import DossierVerdict

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_CAUSES = {
    "second_supplement": "QĐ 766: yêu cầu bổ sung hơn một lần là quá hạn; địa phương không xét"
    " · 766: more than one request is overdue; the local rule does not ask",
    "missing_due": "không hẹn trả: địa phương coi là đúng hạn, QĐ 766 so với thời hạn của thủ tục"
    " · no due date: on time locally, 766 takes the procedure's limit",
    "withdrawn": "công dân rút: địa phương coi là đúng hạn · withdrawn: on time locally",
    "supplement_pause": "QĐ 766 trừ thời gian bổ sung, địa phương không trừ"
    " · 766 takes the time of the supplement off, the local rule does not",
    "open_at_period_end": "chưa xong: QĐ 766 xét đến hết kỳ, địa phương xét ngày bắt đầu tạm dừng, hoặc đến trước ngày cuối kỳ"
    " · open: 766 judges to the end of the period, the local rule the day a pause began, or before the last day",
    "clock_time": "cùng ngày với hạn: QĐ 766 so theo giờ, địa phương theo ngày"
    " · on the due day: 766 compares the time, the local rule the day",
}
_LOCAL = {"early": "sớm · early", "on_time": "đúng hạn · on time", "overdue": "quá hạn · overdue"}


def register(app: typer.Typer) -> None:
    app.command()(explain)


@friendly
def explain(
    dossier: Annotated[str, typer.Argument(help="Code of the dossier, as `dx score rows` lists it.")],
    period: Annotated[
        str | None, typer.Option("--period", "-p", help="2024-06, 2024-Q2, 2024-H1 or 2024; default: the last month.")
    ] = None,
) -> None:
    """Why a dossier is on time or overdue: the clause of rule 2.1 that decides, the local rule, and why they differ.

    Examples:

      dx score rows 2024-06 H50.04 2.1

      dx score explain H50.04-240513-0007 --period 2024-06
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.dossier_verdict import dossier_verdict, prepare_verdicts

    with get_warehouse().loader() as connection:
        try:
            prepare_verdicts(connection, get_settings().project_roots)
            found = dossier_verdict(connection, dossier, period)
        finally:
            connection.rollback()
    table = plain_table(f"{found.dossier_code} · {found.period}")
    table.add_column("", overflow="fold")
    table.add_column("", overflow="fold")
    for name, value in facts(found):
        table.add_row(name, escape(value))
    console.print(table)
    verdict = {True: "[green]đúng hạn · on time[/]", False: "[red]quá hạn · overdue[/]"}.get(
        found.is_on_time_766, "không xét được · cannot be judged"  # type: ignore[arg-type]
    )  # fmt: skip
    if found.is_stopped_local_only:
        verdict = "đã tính ở kỳ dừng · counted in the period in which it stopped"
    console.print(f"[bold]QĐ 766, 2.1:[/] {verdict}\n  {escape(clause(found))}", soft_wrap=True)
    console.print(
        f"[bold]Địa phương · Local:[/] {_LOCAL[found.local_verdict]}\n  {escape(local_reason(found))}", soft_wrap=True
    )
    if found.cause is not None:
        console.print(f"[bold]Khác nhau · They differ:[/] {_CAUSES[found.cause]}", soft_wrap=True)


def facts(found: DossierVerdict) -> list[tuple[str, str]]:
    """What both rules look at."""
    rows = [
        ("cơ quan · agency", f"{found.agency_name} ({found.agency_code})"),
        ("thủ tục · procedure", f"{found.procedure_code} {found.procedure_name}"),
        ("trạng thái · status", f"{found.status_code} {found.status_vi} · {found.status_en}"),
        ("tiếp nhận · accepted", f"{found.received_on}"),
        ("hẹn trả · due", _moment(found.due_at)),
        ("kết thúc · end", _moment(found.end_at)),
        ("xét đến · judged at", f"{found.last_day}"),
    ]
    if not found.has_due and found.time_limit_working_days is not None:
        rows.insert(5, ("thời hạn · limit", f"{found.time_limit_working_days} ngày làm việc · working days"))
    if found.first_asked_at is not None:
        rows.append(("yêu cầu bổ sung · asked", _moment(found.first_asked_at)))
        rows.append(("đã bổ sung · answered", _moment(found.first_answered_at)))
    if found.second_asked_at is not None:
        rows.append(("yêu cầu lần hai · asked again", _moment(found.second_asked_at)))
    return rows


def clause(found: DossierVerdict) -> str:
    """The clause of rule 2.1 that decided, with the two moments it compared."""
    if found.is_asked_again:
        return f"khoản 2 · clause 2: yêu cầu bổ sung lần hai · asked a second time {_moment(found.second_asked_at)}"
    if found.due_766 is None:
        return (
            "khoản 5 · clause 5: không hẹn trả, thủ tục không có thời hạn · no due date and no limit of the procedure"
        )
    fifth = "" if found.has_due else "khoản 5 · clause 5: hạn theo thời hạn thủ tục · due by the limit; "
    pause, due = "", found.due_766
    if found.is_extended and (found.is_answered_before_end if found.is_ended else found.waiting_for is None):
        due = found.extended_due_766 or due
        pause = "khoản 4 · clause 4: hạn cộng thời gian bổ sung · due with the supplement's time added; "
    if found.is_ended:
        compared, by = found.end_at, "khoản 1 · clause 1: kết thúc · end"
    elif found.waiting_for is not None:
        compared, by = found.first_asked_at, "khoản 2 · clause 2: chờ bổ sung, yêu cầu lúc · waiting, asked"
    else:
        compared, by = (
            found.ends_before - timedelta(microseconds=1),
            "khoản 3 · clause 3: chưa xong, hết kỳ · open, period ends",
        )
    sign = "≤" if compared is not None and compared <= due else ">"
    return f"{fifth}{pause}{by} {_moment(compared)} {sign} {_moment(due)}"


def local_reason(found: DossierVerdict) -> str:
    """What the local rule compared: days, not moments."""
    if not found.has_due or found.due_at is None:
        return "không hẹn trả là đúng hạn · without a due date it is on time"
    if found.is_ended and found.ended_status == 7:
        return "công dân rút hồ sơ là đúng hạn · withdrawn is on time"
    due = found.due_at.astimezone(_ZONE).date()
    if found.is_ended and found.end_at is not None:
        return f"ngày kết thúc · day it ended {found.end_at.astimezone(_ZONE).date()}, ngày hẹn · due day {due}"
    if found.waiting_for is not None:
        since = (found.second_asked_at if found.waiting_for == "last" else None) or found.first_asked_at
        return f"chờ bổ sung từ · waits for a supplement since {_moment(since)}, ngày hẹn · due day {due}"
    if found.paused_at is not None:
        return f"tạm dừng từ · paused since {_moment(found.paused_at)}, ngày hẹn · due day {due}"
    return f"chưa xong: ngày hẹn · open: due day {due}, ngày cuối kỳ · last day {found.last_day}"


def _moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}"
