"""A report is published with its numbers: versions are stored rows, never changed, and made again from those rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError
from dx_pipeline.report.numbers import SUBJECT, Report, Sections, read_now
from dx_pipeline.report.period import Period
from dx_pipeline.warehouse import publication
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import Mart


def publish_report(
    warehouse: Warehouse,
    statements: Mapping[str, str],
    period: Period,
    set_code: str,
    marts: Sequence[Mart],
    *,
    by: str,
    note: str | None,
) -> Report:
    """Compute the marts behind the report and fix its numbers as the next version; the same numbers make no new one.

    Raises:
        SettingsError: nobody is named, or the period has no score.
    """
    definition = "\n".join(f"-- {name}\n{sql}" for name, sql in statements.items())
    datasets = tuple(sorted({dataset for mart in marts for dataset in mart.depends_on}))
    subject = publication.Subject("report", _subject(set_code), definition, datasets)

    def rows(connection: Connection) -> dict[str, dict[str, Any]]:
        made = read_now(connection, statements, period, set_code, marts=marts)
        return {name: {"rows": section} for name, section in made.sections.items()}

    fixed, _ = publication.publish(warehouse, subject, period.text, by=by, note=note, rows_of=rows)
    with warehouse.loader() as connection:
        return _report(connection, fixed, period, set_code)


def published_report(connection: Connection, period: Period, set_code: str, version: int) -> Report:
    """A published version, from its stored numbers.

    Raises:
        SettingsError: there is no such version.
    """
    known = publication.list_publications(connection, subject=_subject(set_code), period=period.text)
    fixed = next((one for one in known if one.version == version), None)
    if fixed is None:
        there = ", ".join(str(one.version) for one in reversed(known)) or "none: dx report … --publish --by NAME"
        raise SettingsError(f"the report of {period.text} has no version {version}", next_step=f"versions: {there}")
    return _report(connection, fixed, period, set_code)


def _report(connection: Connection, fixed: publication.Publication, period: Period, set_code: str) -> Report:
    stored = publication.published_rows(connection, fixed.publication_id)
    sections: Sections = {name: content["rows"] for name, content in stored.items()}
    return Report(
        period, set_code, sections, fixed.published_at, version=fixed.version, published_by=fixed.published_by
    )


def _subject(set_code: str) -> str:
    return f"{SUBJECT}:{set_code}"
