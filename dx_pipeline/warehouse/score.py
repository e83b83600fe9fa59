"""Scores and their rows, as the score mart and the star have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.trace_script import run_trace

SCOPES = ("province", "district", "agency", "commune")
PROVINCE = "*"


@dataclass(frozen=True)
class TotalScore:
    """The score of a unit in a period: the whole set, with the place in the peer group."""

    scope: str
    unit_code: str
    unit_name: str
    peer_group: str | None
    max_points: Decimal | None
    score: Decimal | None
    points_lost: Decimal | None
    percent: Decimal | None
    status: str
    place: int | None
    peers: int | None
    tied: int | None


@dataclass(frozen=True)
class ComponentScore:
    """One component of a set for a unit in a period; status ``no_source`` where the warehouse does not measure it, and
    ``by_indicator`` where an indicator of ``assets/indicators`` follows it instead."""

    component_code: str
    component_number: str | None
    group_code: str
    name_vi: str
    name_en: str
    numerator: Decimal | None
    denominator: Decimal | None
    factor: Decimal | None
    rate: Decimal | None
    target: Decimal
    max_points: Decimal | None
    score: Decimal | None
    points_lost: Decimal | None
    status: str
    measure: str | None
    why_vi: str | None
    why_en: str | None


@dataclass(frozen=True)
class ScoreRow:
    """One dossier, petition or procedure behind a component, and why it is not in the numerator."""

    row_code: str
    agency_code: str
    is_good: bool | None
    reason: str | None
    local_verdict: str | None
    difference: str | None
    counted_on: date | None
    due_at: datetime | None
    ended_at: datetime | None


def totals(
    connection: Connection, set_code: str, period: str, *, scope: str | None = None, unit: str | None = None
) -> list[TotalScore]:
    """Whole-set scores of a period, by scope, peer group and place."""
    rows = connection.execute(
        sa.text(
            f"select {', '.join(TotalScore.__dataclass_fields__)} from mart.indicator_score where set_code = :set"
            " and component_code = '*' and period = :period and (cast(:scope as text) is null or scope = :scope)"
            " and (cast(:unit as text) is null or unit_code = :unit)"
            " order by scope, peer_group nulls last, place nulls last, unit_code"
        ),
        {"set": set_code, "period": period, "scope": scope, "unit": unit},
    )
    return [TotalScore(**row) for row in rows.mappings()]


def components(connection: Connection, set_code: str, period: str, scope: str, unit: str) -> list[ComponentScore]:
    """Every component of the set for one unit, in the order of the legal text, measured or not."""
    rows = connection.execute(
        sa.text(
            "select c.component_code, c.component_number, c.group_code, c.name_vi, c.name_en, s.numerator, s.denominator,"
            " s.factor, s.rate, c.target, c.max_points, s.score, s.points_lost, coalesce(s.status, case when c.indicator is"
            " null then 'no_source' else 'by_indicator' end) as status, c.measure, c.why_vi, c.why_en"
            " from core.dim_indicator_component as c left join mart.indicator_score as s on c.set_code = s.set_code"
            " and c.component_code = s.component_code and s.period = :period"
            " and s.scope = :scope and s.unit_code = :unit where c.set_code = :set order by c.position"
        ),
        {"set": set_code, "period": period, "scope": scope, "unit": unit},
    )
    return [ComponentScore(**row) for row in rows.mappings()]


def provisional_years(connection: Connection, period: str) -> list[tuple[int, str | None]]:
    """Years of the period whose days off are not confirmed, with those days; none of them where no holiday is known."""
    rows = connection.execute(
        sa.text(
            "select y.year, y.provisional_days from core.calendar_year as y where y.standing in"
            " ('provisional', 'weekends_only') and y.year = cast(left(:period, 4) as smallint) order by 1"
        ),
        {"period": period},
    )
    return [(int(row.year), row.provisional_days) for row in rows]


def set_of_period(connection: Connection, set_code: str, period: str) -> None:
    """Make sure that the set is scored in the period.

    Raises:
        SettingsError: the set is unknown or has no score there; names what there is.
    """
    known = list(connection.execute(sa.text("select set_code from core.dim_indicator_set order by 1")).scalars())
    if set_code not in known:
        raise SettingsError(f"indicator set {set_code!r} is unknown", next_step=f"known: {', '.join(known)}")
    found = connection.execute(
        sa.text("select 1 from mart.indicator_score where set_code = :set and period = :period limit 1"),
        {"set": set_code, "period": period},
    ).first()
    if found is None:
        periods = connection.execute(
            sa.text("select distinct period from mart.indicator_score where set_code = :set order by 1"),
            {"set": set_code},
        ).scalars()
        listed = ", ".join(periods) or "none; `dx run` computes the mart, and a placeholder has no components"
        raise SettingsError(f"{set_code} has no score for {period!r}", next_step=f"periods: {listed}")


def unit_scope(connection: Connection, unit: str) -> str:
    """The scope that a unit code belongs to.

    Raises:
        SettingsError: no unit of that code has a score.
    """
    found = connection.execute(
        sa.text("select scope from mart.indicator_score where unit_code = :unit limit 1"), {"unit": unit}
    ).scalar()
    if found is None:
        raise SettingsError(
            f"no unit {unit!r} has a score",
            next_step="an agency code (H50.04), a district code (461) or * for the province; `dx score show` lists them",
        )
    return str(found)


def score_rows(
    connection: Connection, roots: Sequence[Path], *, measure: str, period: str, unit: str, lost_only: bool, limit: int
) -> tuple[list[ScoreRow], int]:
    """Rows behind a component, those that lost points first; and how many there are. Uses temporary tables of the caller.

    Raises:
        LoadFileError: the trace's SQL failed.
        SettingsError: the measure counts no rows of its own.
    """
    services = measure.startswith("services_")
    connection.execute(
        sa.text("select set_config('dx.unit', :unit, true), set_config('dx.period', :period, true)"),
        {"unit": unit, "period": period},
    )
    run_trace(connection, roots, "service_rows" if services else "score_rows")
    if services:
        columns = (
            "r.row_code, r.unit_code as agency_code, r.is_good, r.reason, null as local_verdict, null as difference,"
            " null as counted_on, null as due_at, null as ended_at"
        )
        source = " from service_row as r where r.unit_code = :unit"
    else:
        columns = (
            "r.row_code, a.agency_code, r.is_good, r.reason, r.local_verdict, r.difference, r.counted_on, r.due_at,"
            " r.ended_at"
        )
        source = (
            " from score_row as r inner join score_member as m on r.agency_sk = m.agency_sk and m.unit_code = :unit"
            " inner join core.dim_agency as a on r.agency_sk = a.agency_sk where true"
        )
    condition = (
        f"{source} and r.measure = :measure and r.period = :period"
        f"{' and r.is_good is distinct from true' if lost_only else ''}"
    )
    binds: dict[str, Any] = {"unit": unit, "measure": measure, "period": period, "limit": limit}
    count = int(connection.execute(sa.text("select count(*)" + condition), binds).scalar_one())
    rows = connection.execute(
        sa.text(f"select {columns}{condition} order by r.is_good nulls first, r.row_code limit :limit"), binds
    )
    return [ScoreRow(**row) for row in rows.mappings()], count


MEASURES_WITHOUT_ROWS = ("eid_", "tasks_")
"""Measures that count reports of communes or tasks; their marts list them."""
