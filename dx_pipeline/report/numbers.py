"""The numbers of a report: every section is one SQL file of ``warehouse_sql/report``, read in one snapshot.

What is drawn and printed comes from these numbers alone, so a published report can be made again from its stored
numbers, and two reports are equal when the bytes of their numbers are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError, SettingsError
from dx_pipeline.report.period import Period
from dx_pipeline.warehouse.as_known import StatementsAsKnown, as_known_tables, query_as_known
from dx_pipeline.warehouse.marts import Mart, compute_mart

Section = list[dict[str, Any]]
Sections = dict[str, Section]
SUBJECT = "steering_report"
FIGURES_MART = "published_figure"
"""Runs the queries of the published figures inside the server; as known at an instant they are run one by one."""
_FOLDER = Path("warehouse_sql") / "report"
_FIGURES = "select position, query from ops.reference_published_figure where period = :period order by position"


@dataclass(frozen=True)
class Report:
    """Numbers of a period, and how they came about.

    Attributes:
        known_at: the instant the numbers were known at.
        read_as_now: section → tables read as they are now although the report is of the past.
        changed_since: sections that come out otherwise today; None where that was not asked.
        version: of the publication; None for a draft.
    """

    period: Period
    set_code: str
    sections: Sections
    known_at: datetime
    read_as_now: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changed_since: tuple[str, ...] | None = None
    version: int | None = None
    published_by: str | None = None

    @property
    def numbers(self) -> bytes:
        """The numbers as canonical JSON."""
        return canonical(self.sections)


def section_sql(roots: Sequence[Path]) -> dict[str, str]:
    """Section → its SQL.

    Raises:
        LoadFileError: the folder is missing.
    """
    folder = next((root / _FOLDER for root in roots if (root / _FOLDER).is_dir()), None)
    if folder is None:
        raise LoadFileError(f"{_FOLDER} is missing in the project folder", next_step="restore the folder")
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}


def read_now(
    connection: Connection, statements: Mapping[str, str], period: Period, set_code: str, *, marts: Sequence[Mart] = ()
) -> Report:
    """The numbers as the warehouse has them; marts named are computed first."""
    for mart in marts:
        compute_mart(connection, mart)
        connection.exec_driver_sql("discard temp")  # marts that include the same parts make the same temporary tables
    known_at: datetime = connection.exec_driver_sql("select now()").scalar_one()
    sections = {name: _rows(connection, sql, _binds(period, set_code, known_at)) for name, sql in statements.items()}
    return _checked(Report(period, set_code, sections, known_at))


def read_as_known(
    connection: Connection,
    statements: Mapping[str, str],
    period: Period,
    set_code: str,
    at: datetime,
    marts: Sequence[Mart],
) -> Report:
    """The numbers as they would have come out at an earlier instant; uses temporary tables of the caller."""
    now = _binds(period, set_code, connection.exec_driver_sql("select now()").scalar_one())
    today = {name: _rows(connection, sql, now) for name, sql in statements.items()}
    made = {mart.name: as_known_tables(connection, mart, at) for mart in marts if mart.name != FIGURES_MART}
    values, read_as_now = {}, dict[str, tuple[str, ...]]()
    for position, query in connection.execute(sa.text(_FIGURES), {"period": period.text}):
        values[position], tables = query_as_known(connection, query, at)
        if tables:
            read_as_now["figures"] = tuple(sorted({*read_as_now.get("figures", ()), *tables}))
    known, sections = StatementsAsKnown(connection, at, made, as_is=[f"mart.{FIGURES_MART}"]), dict[str, Section]()
    for name, sql in statements.items():
        text, tables = known.rewrite(sql)
        if tables:
            read_as_now[name] = tuple(sorted({*read_as_now.get(name, ()), *tables}))
        sections[name] = _rows(connection, text, _binds(period, set_code, at))
    for row, (_, value) in zip(sections["figures"], sorted(values.items()), strict=False):
        row["warehouse_value"] = _cell(None if value is None else round(Decimal(value), 3).quantize(Decimal("0.001")))
        if value is not None:
            row["difference"] = _cell(Decimal(row["warehouse_value"]) - Decimal(row["published_value"]))
    changed = changed_sections(sections, today)
    return _checked(Report(period, set_code, sections, at, read_as_now, changed))


def changed_since(connection: Connection, statements: Mapping[str, str], report: Report) -> tuple[str, ...]:
    """Sections of a report that come out otherwise from the rows the warehouse has today."""
    binds = _binds(report.period, report.set_code, connection.exec_driver_sql("select now()").scalar_one())
    return changed_sections(report.sections, {name: _rows(connection, sql, binds) for name, sql in statements.items()})


def changed_sections(before: Mapping[str, Section], after: Mapping[str, Section]) -> tuple[str, ...]:
    """Sections of both whose numbers differ, in alphabetical order."""
    return tuple(sorted(one for one in before if one in after and canonical(before[one]) != canonical(after[one])))


def marts_read(statements: Mapping[str, str], marts: Sequence[Mart]) -> list[Mart]:
    """The marts that the sections name."""
    text = "\n".join(statements.values())
    return [mart for mart in marts if re.search(rf"\bmart\.{mart.name}\b", text)]


def canonical(sections: Any) -> bytes:
    """JSON with sorted keys, the same for the same numbers."""
    return json.dumps(sections, ensure_ascii=False, sort_keys=True, indent=1).encode()


def _binds(period: Period, set_code: str, known_at: datetime) -> dict[str, Any]:
    return {
        "period": period.text,
        "periods": [period.before, period.text],
        "starts_on": period.starts_on,
        "month": period.month,
        "ends_on": period.ends_on,
        "year": period.year,
        "set": set_code,
        "known_at": known_at,
    }


def _rows(connection: Connection, sql: str, binds: Mapping[str, Any]) -> Section:
    statement = sa.text(sql)
    used = {name: value for name, value in binds.items() if name in statement.compile().params}
    found = connection.execute(statement, used).mappings()
    return [{name: _cell(value) for name, value in row.items()} for row in found]


def _cell(value: Any) -> Any:
    """A value that JSON keeps exactly: numbers with decimals as text, without the zeros behind the last digit."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def _checked(report: Report) -> Report:
    if not report.sections["province_total"]:
        raise SettingsError(
            f"{report.set_code} has no score for {report.period.text}",
            next_step="`dx run` computes it; `dx score sets` and `dx score show` tell what there is",
        )
    return report
