"""``dx assessment``: agencies score themselves with evidence, verifiers adjust, the ranking is published."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError

assessment_app = typer.Typer(no_args_is_help=True, help="Đánh giá, xếp hạng cơ quan · Assessment of agencies.")
DEFAULT_SET = "2793-2022"
MART = "assessment_ranking"
SetOption = Annotated[str, typer.Option("--set", help="Indicator set; `dx score sets` lists them.")]
By = Annotated[str, typer.Option("--by", help="Who scores or decides.")]


def register(app: typer.Typer) -> None:
    app.add_typer(assessment_app, name="assessment")


@assessment_app.command()
@friendly
def load(
    stage: Annotated[str, typer.Argument(help="self or verified.")],
    file: Annotated[Path, typer.Argument(help="CSV: agency_code, component_code, score (or NA), evidence, remark.")],
    year: Annotated[int, typer.Option(help="Year assessed.")],
    by: By,
    set_code: SetOption = DEFAULT_SET,
) -> None:
    """Load scores: first the agencies' own, with evidence, then the verified ones, by another person.

    Examples:

      dx assessment load self so-tu-phap.csv --year 2024 --by "Sở Tư pháp"

      dx assessment load verified tham-dinh.csv --year 2024 --by "Tổ thẩm định"
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.assessment import load_entries

    if stage not in ("self", "verified"):
        raise SettingsError(f"stage {stage!r} is unknown", next_step="use self or verified")
    with get_warehouse().loader() as connection:
        found = load_entries(connection, file, set_code=set_code, year=year, stage=stage, by=by)  # type: ignore[arg-type]
    agencies = len({one.agency_code for one in found})
    console.print(f"[green]✓[/] {len(found)} điểm · scores, {agencies} cơ quan · agencies; `dx assessment show {year}`")


@assessment_app.command()
@friendly
def show(
    year: Annotated[int, typer.Argument(help="Year assessed.")],
    agency: Annotated[str | None, typer.Option("--agency", "-a", help="Components of one agency.")] = None,
    set_code: SetOption = DEFAULT_SET,
) -> None:
    """Self-assessed and verified scores, and the places as they would be published now.

    Publish them with `dx publication publish assessment_ranking YEAR --by NAME`: a version with its date that later
    entries never change.

    Examples:

      dx assessment show 2024

      dx assessment show 2024 --agency H50.03
    """
    import sqlalchemy as sa

    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.marts import compute_mart, load_marts

    mart = next(one for one in load_marts(get_settings().project_roots) if one.name == MART)
    with get_warehouse().loader() as connection:
        compute_mart(connection, mart)
        found = connection.execute(
            sa.text(
                "select * from mart.assessment_ranking where set_code = :set and year = :year"
                " and (cast(:agency as text) is null and component_code = '*' or agency_code = :agency)"
                " order by peer_group, place nulls last, agency_code, component_code"
            ),
            {"set": set_code, "year": year, "agency": agency},
        ).all()
    if not found:
        raise SettingsError(
            f"{set_code} has no scores of {year}", next_step="dx assessment load self FILE --year … --by …"
        )
    table = plain_table(f"Đánh giá · Assessment {set_code} {year}")
    for name in (
        "hạng · place",
        "cơ quan · agency",
        "thành phần · component",
        "tự chấm · self",
        "thẩm định · verified",
        "tối đa · maximum",
        "%",
        "tình trạng · status",
    ):
        table.add_column(name, overflow="fold")
    for one in found:
        place = "–" if one.place is None else f"{one.place}/{one.peers}" + (f" (={one.tied})" if one.tied > 1 else "")
        table.add_row(
            place, f"{escape(one.agency_name)} ({one.agency_code})", one.component_code, _points(one.self_score),
            _points(one.verified_score) if one.is_applicable else "không áp dụng · N/A", _points(one.max_points),
            _points(one.percent), one.status,
        )  # fmt: skip
    console.print(table)


@assessment_app.command()
@friendly
def exclude(
    unit: Annotated[str, typer.Argument(help="Code of the unit, e.g. H50.19.")],
    since: Annotated[datetime, typer.Option(help="First day.", formats=["%Y-%m-%d"])],
    reason: Annotated[str, typer.Option(help="Why it is not ranked.")],
    by: By,
    until: Annotated[datetime | None, typer.Option(help="First day it is ranked again.", formats=["%Y-%m-%d"])] = None,
    set_code: SetOption = DEFAULT_SET,
) -> None:
    """Leave a unit out of a ranking, with the reason. It keeps its scores: excluded is not 0 points.

    Example: dx assessment exclude H50.19 --since 2024-01-01 --reason "Không có thủ tục hành chính" --by "Sở Nội vụ"
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import assessment

    with get_warehouse().loader() as connection:
        assessment.exclude(
            connection, set_code=set_code, unit=unit, since=since.date(),
            until=until.date() if until else date(9999, 12, 31), reason=reason, by=by,
        )  # fmt: skip
    console.print(f"[green]✓[/] {unit}: không xếp hạng · not ranked ({set_code}); `dx run` computes the places")


def _points(value: object) -> str:
    return "–" if value is None else f"{value:,.2f}"
