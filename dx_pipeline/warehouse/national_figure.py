"""Scores of the national portal, entered by the province: a file is checked as a whole, then added."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError

COLUMNS = ("period", "unit_code", "component", "score", "source")
_SHOWN = 10


def load_national_figures(connection: Connection, path: Path, *, set_code: str, by: str) -> int:
    """Add the figures of a CSV file, all or none; how many.

    Raises:
        SettingsError: names the lines that are wrong.
    """
    if not by.strip():
        raise SettingsError("figures need a name", next_step="say who enters them: --by 'Nguyễn Văn A'")
    known: dict[str, tuple[str, Decimal | None]] = {"*": ("*", None)}
    for one in connection.execute(
        sa.text(
            "select component_code, component_number, max_points from core.dim_indicator_component where set_code = :set"
        ),
        {"set": set_code},
    ):
        known[one.component_code] = (one.component_code, one.max_points)
        known[one.component_number or one.component_code] = (one.component_code, one.max_points)
    if len(known) == 1:
        raise SettingsError(f"indicator set {set_code!r} has no components", next_step="`dx score sets` lists the sets")
    try:
        reader = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}", next_step="name a CSV file in UTF-8") from None
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(f"{path}: column {missing[0]} is missing", next_step=f"columns: {', '.join(COLUMNS)}")
    rows, wrong = [], []
    for number, row in enumerate(reader, start=2):
        cells = {name: (row[name] or "").strip() for name in COLUMNS}
        fault, score = _fault(cells, known)
        if fault:
            wrong.append(f"line {number}: {fault}")
        else:
            rows.append(
                {**cells, "component": known[cells["component"]][0], "score": score, "set": set_code, "by": by.strip()}
            )
    if wrong or not rows:
        told = "\n  ".join(wrong[:_SHOWN]) or "the file holds no figure"
        raise SettingsError(f"{path}: nothing was loaded\n  {told}", next_step="mend the lines and load again")
    connection.execute(
        sa.text(
            "insert into core.national_figure (set_code, period, unit_code, component_code, score, source, entered_by,"
            " entered_at) values (:set, :period, :unit_code, :component, :score, :source, :by, now())"
        ),
        rows,
    )
    return len(rows)


def _fault(cells: dict[str, str], known: dict[str, tuple[str, Decimal | None]]) -> tuple[str | None, Decimal | None]:
    if cells["component"] not in known:
        return f"the set has no component {cells['component']!r}", None
    if not cells["source"] or not cells["period"] or not cells["unit_code"]:
        return "period, unit_code and source must not be empty", None
    try:
        score = Decimal(cells["score"].replace(",", "."))
    except InvalidOperation:
        return f"score {cells['score']!r} is no number", None
    most = known[cells["component"]][1]
    if not score.is_finite() or score < 0 or (most is not None and score > most):
        return f"score {score} is not within 0 and {most}", None
    return None, score
