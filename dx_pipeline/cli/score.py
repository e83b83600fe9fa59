"""``dx score``: scores of agencies, districts, communes and the province, and the rows behind every point lost."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from dx_pipeline.cli import score_explain
from dx_pipeline.cli.console import console, friendly, number
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from dx_pipeline.warehouse.score import ComponentScore, TotalScore

score_app = typer.Typer(no_args_is_help=True, help="Điểm và xếp hạng · Scores and ranking.")
DEFAULT_SET = "766-2022"
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SetOption = Annotated[str, typer.Option("--set", help="Indicator set; `dx score sets` lists them.")]
_REASONS = {
    "ended_after_due": "xong sau hạn · ended after the due time",
    "open_past_due": "chưa xong, đã quá hạn · open past the due time",
    "second_supplement": "yêu cầu bổ sung hơn một lần · asked for more than one supplement",
    "supplement_asked_late": "yêu cầu bổ sung sau hạn · supplement asked after the due time",
    "over_the_time_limit": "vượt thời hạn của thủ tục (không hẹn trả) · over the procedure's time limit (no due date)",
    "no_due_date_no_limit": "không xét được: không hẹn trả, không thời hạn · cannot be judged: no due date, no limit",
    "synchronised": "chưa đồng bộ · not synchronised",
    "filed_online": "không nộp trực tuyến · not filed online",
    "paid_online": "không thanh toán trực tuyến · not paid online",
    "electronic_result": "không có kết quả điện tử · no electronic result",
    "digitised": "chưa số hóa đủ · not digitised in full",
    "petitions_on_time": "phản ánh quá hạn · petition late",
    "petitions_satisfied": "phản ánh không hài lòng, gửi lại hoặc quá hạn · petition dissatisfied, raised again or late",
    "complained": "không hài lòng hoặc có phản ánh · dissatisfied or subject of a petition",
    "services_online": "chưa cung cấp trực tuyến · not offered online",
    "services_full": "chưa toàn trình · not full",
    "services_with_online_dossier": "không có hồ sơ trực tuyến · no online dossier",
    "petitions_about_procedures": "không phải về thủ tục · not about a procedure",
    "petitions_about_staff": "không phải về cán bộ · not about staff",
    "no_online_payment": "không có giao dịch trực tuyến · no online payment",
    "vneid_verified": "không xác thực qua VNeID · not verified through VNeID",
}

_STATUS = {
    "no_source": "chưa đo được · not measured",
    "not_applicable": "không áp dụng · N/A",
    "by_indicator": "theo dõi · dx metrics",
}


def register(app: typer.Typer) -> None:
    score_explain.register(score_app)
    app.add_typer(score_app, name="score")


@score_app.command()
@friendly
def show(
    period: Annotated[str, typer.Argument(help="2024-06, 2024-Q2, 2024-H1 or 2024.")],
    unit: Annotated[
        str | None, typer.Option("--unit", "-u", help="One unit: H50.04, 461, or * for the province.")
    ] = None,
    scope: Annotated[str, typer.Option(help="agency, district, commune or province.")] = "agency",
    set_code: SetOption = DEFAULT_SET,
    output: Annotated[str, typer.Option("--format", "-f", help="table or csv.")] = "table",
) -> None:
    """Scores of a period with places, or every component of one unit with the points it lost.

    Examples:

      dx score show 2024-06

      dx score show 2024-H1 --unit H50.04

      dx score show 2024-H1 --unit '*'

      dx score show 2024-06 --scope commune -f csv
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import score

    if scope not in score.SCOPES:
        raise SettingsError(f"--scope {scope!r} is unknown", next_step=f"use {', '.join(score.SCOPES)}")
    with get_warehouse().loader() as connection:
        score.set_of_period(connection, set_code, period)
        if unit is not None:
            scope = score.unit_scope(connection, unit)
            parts = score.components(connection, set_code, period, scope, unit)
            found = score.totals(connection, set_code, period, scope=scope, unit=unit)
        else:
            parts, found = [], score.totals(connection, set_code, period, scope=scope)
        years = score.provisional_years(connection, period)
    if output == "csv":
        writer = csv.writer(sys.stdout)
        rows = parts or found
        writer.writerow(type(rows[0]).__dataclass_fields__ if rows else [])
        writer.writerows(one.__dict__.values() for one in rows)
    elif unit is not None:
        _show_unit(parts, found, period)
    else:
        _show_ranking(found, set_code, period)
    if output != "csv":
        _warn_of_calendar(years)


@score_app.command()
@friendly
def rows(
    period: Annotated[str, typer.Argument(help="2024-06, 2024-Q2, 2024-H1 or 2024.")],
    unit: Annotated[str, typer.Argument(help="H50.04, 461, or * for the province.")],
    component: Annotated[str, typer.Argument(help="Component, by code or number: PROCESSING_ON_TIME or 2.1.")],
    set_code: SetOption = DEFAULT_SET,
    everything: Annotated[bool, typer.Option("--all", help="Also the rows that lost nothing.")] = False,
    limit: Annotated[int, typer.Option(help="Rows shown at most.")] = 50,
    output: Annotated[str, typer.Option("--format", "-f", help="table or csv.")] = "table",
) -> None:
    """The dossiers, petitions or procedures that lost a component its points, each with the reason.

    Examples:

      dx score rows 2024-06 H50.04 2.1

      dx score rows 2024-H1 461 PAID_ONLINE -f csv --limit 100000
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse import score

    with get_warehouse().loader() as connection:
        try:
            score.set_of_period(connection, set_code, period)
            scope = score.unit_scope(connection, unit)
            parts = score.components(connection, set_code, period, scope, unit)
            chosen = next((one for one in parts if component in (one.component_code, one.component_number)), None)
            if chosen is None:
                raise SettingsError(
                    f"{set_code} has no component {component!r}",
                    next_step="known: " + ", ".join(one.component_number or one.component_code for one in parts),
                )
            if chosen.measure is None or chosen.measure.startswith(score.MEASURES_WITHOUT_ROWS):
                raise SettingsError(
                    f"{chosen.component_code} counts no rows of its own",
                    next_step=chosen.why_en or "its mart lists what it counts: dx sql",
                )
            found, count = score.score_rows(
                connection, get_settings().project_roots, measure=chosen.measure, period=period, unit=unit,
                lost_only=not everything, limit=limit,
            )  # fmt: skip
        finally:
            connection.rollback()
    if output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(score.ScoreRow.__dataclass_fields__)
        writer.writerows(one.__dict__.values() for one in found)
        return
    console.print(f"[bold]{escape(chosen.name_vi)} · {escape(chosen.name_en)}[/] {unit} {period}", soft_wrap=True)
    table = plain_table("")
    for name in (
        "hồ sơ · row",
        "cơ quan · agency",
        "lý do · why",
        "hạn · due",
        "xong · ended",
        "cách tính địa phương · local rule",
    ):
        table.add_column(name, overflow="fold")
    for one in found:
        local = one.local_verdict or ""
        table.add_row(
            one.row_code, one.agency_code, _REASONS.get(one.reason or "", one.reason or "✓"),
            _moment(one.due_at), _moment(one.ended_at), f"{local} ({one.difference})" if one.difference else local,
        )  # fmt: skip
    console.print(table)
    console.print(f"{number(len(found))} / {number(count)} dòng · rows")
    if chosen.measure in ("on_time", "dossiers_satisfied"):
        console.print("dx score explain HỒ_SƠ · DOSSIER: khoản nào quyết định · which clause decided")


@score_app.command()
@friendly
def sets() -> None:
    """Indicator sets with their validity, points and how many components the warehouse measures.

    Example: dx score sets
    """
    from dx_pipeline.orchestration.process import get_warehouse

    with get_warehouse().loader() as connection:
        found = connection.exec_driver_sql(
            "select s.*, count(c.component_code) as components, count(c.measure) + count(c.indicator) as measured"
            " from core.dim_indicator_set as s left join core.dim_indicator_component as c using (set_code)"
            " group by s.set_code, s.revision, s.name_vi, s.name_en, s.source_vi, s.source_en, s.note_vi, s.note_en,"
            " s.valid_from, s.valid_to, s.total_points, s.ranked_from_share, s.state, s.is_assessed, s.content_hash,"
            " s.loaded_at, s.loaded_by order by s.set_code"
        ).all()
    table = plain_table("Bộ chỉ số · Indicator sets")
    for name in (
        "mã · code",
        "tên · name",
        "từ · from",
        "đến · to",
        "điểm · points",
        "thành phần · components",
        "đo được · measured",
        "tình trạng · state",
        "lần · revision",
    ):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(
            one.set_code, f"{escape(one.name_vi)}\n[dim]{escape(one.name_en)}", str(one.valid_from),
            "–" if one.valid_to.year == date.max.year else str(one.valid_to), _points(one.total_points, 0),
            str(one.components), str(one.measured), one.state, f"{one.revision} ({escape(one.loaded_by)})",
        )  # fmt: skip
    console.print(table)


@score_app.command()
@friendly
def load(
    file: Annotated[Path, typer.Argument(help="Indicator set in YAML, as in assets/indicator_sets.")],
    by: Annotated[str, typer.Option("--by", help="Who loads it.")],
) -> None:
    """Load an indicator set from a file as the newest revision, e.g. the score table of Decision 2793.

    Example: dx score load 2793-2022.yaml --by "Sở TT&TT"
    """
    from dx_pipeline.contract.indicator_set import read_indicator_set
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.indicator_set import add_revision

    if not by.strip():
        raise SettingsError("a set needs a name", next_step="say who loads it: --by 'Nguyễn Văn A'")
    one = read_indicator_set(file)
    with get_warehouse().loader() as connection:
        revision = add_revision(connection, one, by.strip())
    if revision is None:
        console.print(f"{one.code}: không đổi · unchanged, this is the newest revision already")
        return
    console.print(
        f"[green]✓[/] {one.code}: lần · revision {revision}, {len(one.components)} thành phần · components;"
        " `dx run` computes scores with it",
        soft_wrap=True,
    )


@score_app.command()
@friendly
def national(
    file: Annotated[Path, typer.Argument(help="CSV: period, unit_code, component (code, number or *), score, source.")],
    by: Annotated[str, typer.Option("--by", help="Who enters them.")],
    set_code: SetOption = DEFAULT_SET,
) -> None:
    """Enter scores as the national portal shows them; the report sets them beside the warehouse's.

    Example: dx score national cong-quoc-gia-2024-06.csv --by "Trung tâm Phục vụ hành chính công"
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.national_figure import load_national_figures

    with get_warehouse().loader() as connection:
        count = load_national_figures(connection, file, set_code=set_code, by=by)
    console.print(f"[green]✓[/] {count} số liệu · figures; `dx report` shows them")


def _show_ranking(found: Sequence[TotalScore], set_code: str, period: str) -> None:
    table = plain_table(f"Điểm và hạng · Scores and places {set_code} {period}")
    for name in (
        "nhóm · peer group",
        "hạng · place",
        "đơn vị · unit",
        "điểm · score",
        "tối đa · maximum",
        "%",
        "mất · lost",
    ):
        table.add_column(name, overflow="fold", justify="left" if name[0] in "nđ" and "điểm" not in name else "right")
    for one in found:
        table.add_row(
            one.peer_group or "–", _place(one), f"{escape(one.unit_name)} ({one.unit_code})", _points(one.score),
            _points(one.max_points, 0), _points(one.percent), _points(one.points_lost),
        )  # fmt: skip
    console.print(table)
    console.print(
        "Tối đa là điểm của các thành phần kho đo được và áp dụng; bằng điểm cùng hạng (1, 1, 3)."
        " · The maximum is of the components measured that apply; equal scores share a place (1, 1, 3).",
        soft_wrap=True,
    )


def _show_unit(parts: Sequence[ComponentScore], found: Sequence[TotalScore], period: str) -> None:
    total = found[0] if found else None
    title = f"{escape(total.unit_name)} · {period}" if total else period
    table = plain_table(title)
    for name in (
        "số · no.",
        "thành phần · component",
        "tử số · numerator",
        "mẫu số · denominator",
        "tỷ lệ · share",
        "mục tiêu · target",
        "tối đa · max",
        "điểm · score",
        "mất · lost",
    ):
        is_text = name.startswith(("số", "thành"))
        table.add_column(
            name,
            overflow="fold",
            justify="left" if is_text else "right",
            min_width=30 if name.startswith("thành") else 4,
        )
    for one in parts:
        told = _STATUS.get(one.status)
        table.add_row(
            one.component_number or "", f"{escape(one.name_vi)}\n[dim]{escape(one.name_en)}",
            _points(one.numerator, 0), _points(one.denominator, 0),
            told or (_points(100 * one.rate) + " %" if one.rate is not None else "–"),
            f"{100 * one.target:.0f} %", _points(one.max_points, 0), _points(one.score), _points(one.points_lost),
            style="dim" if told else "",
        )  # fmt: skip
    if total is not None:
        table.add_row(
            "", "[bold]Tổng · Total[/]", "", "", "", "", _points(total.max_points, 0),
            f"{_points(total.score)} ({_points(total.percent)} %)", _points(total.points_lost),
        )  # fmt: skip
    console.print(table)
    missing = [one for one in parts if one.status == "no_source" and one.max_points]
    whole = sum((one.max_points or Decimal() for one in parts), Decimal())
    if missing:
        points = sum((one.max_points or Decimal() for one in missing), Decimal())
        console.print(
            f"[bold]Điểm chưa đo được · Points not measured: {points:,.0f} / {whole:,.0f}[/]"
            " (không cộng, không trừ · neither given nor lost)",
            soft_wrap=True,
        )
        for one in missing:
            console.print(
                f"  {one.component_number} ({one.max_points:,.0f}): {escape(one.why_vi or '')} · {escape(one.why_en or '')}",
                soft_wrap=True,
            )


def _warn_of_calendar(years: Sequence[tuple[int, str | None]]) -> None:
    for year, days in years:
        told = days or "chỉ biết cuối tuần · only weekends are known"
        console.print(
            f"[yellow]![/] Lịch nghỉ năm {year} còn tạm tính, hạn theo ngày làm việc có thể xê dịch · the days off of {year}"
            f" are provisional, deadlines in working days may move: {told}",
            soft_wrap=True,
        )


def _place(one: TotalScore) -> str:
    if one.place is None:
        return {"excluded": "loại · excluded", "not_ranked": "ít điểm · too little"}.get(one.status, "–")
    return f"{one.place}/{one.peers}" + (f" (={one.tied})" if one.tied and one.tied > 1 else "")


def _points(value: Decimal | None, decimals: int = 2) -> str:
    return "–" if value is None else f"{value:,.{decimals}f}"


def _moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value.astimezone(_ZONE):%Y-%m-%d %H:%M}"
