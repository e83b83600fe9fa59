"""Assessment of agencies by people: a file of scores is checked as a whole, then added; nothing is ever overwritten."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError

Stage = Literal["self", "verified"]
COLUMNS = ("agency_code", "component_code", "score", "evidence", "remark")
NOT_APPLICABLE = ("na", "n/a", "không áp dụng", "kad")
_SHOWN = 10


@dataclass(frozen=True)
class Entry:
    """One score of a file; None is not applicable."""

    agency_code: str
    component_code: str
    score: Decimal | None
    evidence: str | None
    remark: str | None


def load_entries(connection: Connection, path: Path, *, set_code: str, year: int, stage: Stage, by: str) -> list[Entry]:
    """Check a CSV file of scores and add them all, or none.

    Raises:
        SettingsError: names the lines that are wrong.
    """
    if not by.strip():
        raise SettingsError("scores need a name", next_step="say who scored: --by 'Nguyễn Văn A'")
    maxima = _maxima(connection, set_code)
    entries = _read(path, maxima, stage)
    _check_agencies(connection, path, entries)
    if stage == "verified":
        _check_other_eyes(connection, entries, set_code, year, by.strip())
    connection.execute(
        sa.text(
            "insert into core.assessment_entry (set_code, year, agency_code, component_code, stage, score, is_applicable,"
            " evidence, remark, entered_by, entered_at) values (:set, :year, :agency, :component, :stage, :score,"
            " :applicable, :evidence, :remark, :by, now())"
        ),
        [
            {
                "set": set_code,
                "year": year,
                "agency": one.agency_code,
                "component": one.component_code,
                "stage": stage,
                "score": one.score,
                "applicable": one.score is not None,
                "evidence": one.evidence,
                "remark": one.remark,
                "by": by.strip(),
            }
            for one in entries
        ],
    )
    return entries


def exclude(
    connection: Connection, *, set_code: str, unit: str, since: date, until: date, reason: str, by: str
) -> None:
    """Leave a unit out of the ranking of a set for a time; it keeps its scores and is not ranked last.

    Raises:
        SettingsError: no reason, no name, or an empty stretch of days.
    """
    if not reason.strip() or not by.strip():
        raise SettingsError("an exclusion needs a reason and a name", next_step="--reason '…' --by 'Nguyễn Văn A'")
    if since >= until:
        raise SettingsError(f"{since} to {until} is no time", next_step="--until must be after --since")
    connection.execute(
        sa.text(
            "insert into core.ranking_exclusion (set_code, unit_code, valid_from, valid_to, reason, decided_by, loaded_at)"
            " values (:set, :unit, :since, :until, :reason, :by, now())"
        ),
        {"set": set_code, "unit": unit, "since": since, "until": until, "reason": reason.strip(), "by": by.strip()},
    )


def _maxima(connection: Connection, set_code: str) -> dict[str, Decimal]:
    rows = connection.execute(
        sa.text(
            "select component_code, max_points from core.dim_indicator_component where set_code = :set and max_points > 0"
        ),
        {"set": set_code},
    )
    found = {row.component_code: row.max_points for row in rows}
    if not found:
        raise SettingsError(
            f"indicator set {set_code!r} has no components with points",
            next_step="load its score table first: dx score load FILE.yaml --by NAME",
        )
    return found


def _read(path: Path, maxima: Mapping[str, Decimal], stage: Stage) -> list[Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}", next_step="name a CSV file in UTF-8") from None
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS[:3] if name not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(f"{path}: column {missing[0]} is missing", next_step=f"columns: {', '.join(COLUMNS)}")
    entries: list[Entry] = []
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(reader, start=2):
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        key = (cells["agency_code"], cells["component_code"])
        fault, score = _score(cells, maxima, stage)
        if key in seen:
            fault = "stands there twice"
        seen.add(key)
        if fault:
            wrong.append(f"line {number} ({' '.join(key)}): {fault}")
            continue
        entries.append(Entry(*key, score, cells["evidence"] or None, cells["remark"] or None))
    if wrong:
        told = "\n  ".join(wrong[:_SHOWN])
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise SettingsError(f"{path}: nothing was loaded\n  {told}{more}", next_step="mend the lines and load again")
    if not entries:
        raise SettingsError(f"{path} holds no score", next_step=f"columns: {', '.join(COLUMNS)}")
    return entries


def _score(cells: Mapping[str, str], maxima: Mapping[str, Decimal], stage: Stage) -> tuple[str | None, Decimal | None]:
    most = maxima.get(cells["component_code"])
    if most is None:
        return f"the set has no component {cells['component_code']!r}", None
    if cells["score"].lower() in NOT_APPLICABLE:
        return (None, None) if cells["evidence"] or cells["remark"] else ("not applicable: say why in remark", None)
    try:
        score = Decimal(cells["score"].replace(",", "."))
    except InvalidOperation:
        return f"score {cells['score']!r} is no number; write NA where it does not apply", None
    if not score.is_finite() or not 0 <= score <= most:
        return f"score {score} is not within 0 and {most}", None
    if stage == "self" and score > 0 and not cells["evidence"]:
        return "points without evidence", None
    return None, score


def _check_agencies(connection: Connection, path: Path, entries: Sequence[Entry]) -> None:
    codes = sorted({one.agency_code for one in entries})
    known = set(
        connection.execute(
            sa.text(
                "select distinct agency_code from core.dim_agency where agency_sk > 0 and agency_code = any(:codes)"
            ),
            {"codes": codes},
        ).scalars()
    )
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise SettingsError(
            f"{path}: nothing was loaded; unknown agencies: {', '.join(unknown[:_SHOWN])}",
            next_step="codes as in core.dim_agency, e.g. H50.04",
        )


def _check_other_eyes(connection: Connection, entries: Sequence[Entry], set_code: str, year: int, by: str) -> None:
    own = connection.execute(
        sa.text(
            "select distinct agency_code from core.assessment_entry where set_code = :set and year = :year"
            " and stage = 'self' and entered_by = :by and agency_code = any(:codes) order by 1"
        ),
        {"set": set_code, "year": year, "by": by, "codes": sorted({one.agency_code for one in entries})},
    ).scalars().all()  # fmt: skip
    if own:
        raise SettingsError(
            f"{by} scored {', '.join(own[:_SHOWN])} for the agency itself and cannot verify it",
            next_step="verification is by another person: --by",
        )
