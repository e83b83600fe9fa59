"""Publications: a mart's period or a figure, fixed with its values, its SQL and the batches behind it.

Publishing computes the mart anew while nothing else is being published into the star, copies its rows and gives them the
next version number. A version is never changed: later data shows in the mart, and in the next version.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.as_known import exact_cells, mart_as_known, query_as_known
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.known_time import nothing_published_meanwhile
from dx_pipeline.warehouse.marts import Mart, compute_mart

Rows = dict[str, dict[str, Any]]
"""Row key → cells by column name."""
PERIOD = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{0,19}$")
_PERIOD_COLUMNS = ("month", "year", "school_year", "period")
_PERIOD_CELL = re.compile(r"^\d{4}(-\d\d|-Q[1-4]|-H[12])?$")  # what a column `period` must hold to be one
_NOT_A_VALUE = ("refreshed_at",)


@dataclass(frozen=True)
class Subject:
    """What can be published: a mart, a figure of the reference table, or a report, in one period."""

    kind: Literal["mart", "figure", "report"]
    name: str
    definition: str
    datasets: tuple[str, ...]
    mart: Mart | None = None

    @property
    def definition_hash(self) -> str:
        return hashlib.sha256(self.definition.encode()).hexdigest()


@dataclass(frozen=True)
class Publication:
    """One published version, without its rows."""

    publication_id: int
    subject_kind: str
    subject: str
    period: str
    version: int
    published_at: datetime
    published_by: str
    note: str | None
    definition: str
    definition_hash: str
    values_hash: str
    row_count: int
    batches: Mapping[str, int]


_COLUMNS = ", ".join(f"p.{name}" for name in Publication.__dataclass_fields__)


def find_subject(connection: Connection, marts: Sequence[Mart], name: str, period: str) -> Subject:
    """The mart of that name, or the figure of that code in the period.

    Raises:
        SettingsError: there is none; names those there are.
    """
    if not PERIOD.match(period):
        raise SettingsError(
            f"period {period!r} is none", next_step="write 2024-06, 2024-Q2, 2024-H1, 2024 or 2023-2024"
        )
    for mart in marts:
        if name in (mart.name, mart.table):
            return Subject("mart", mart.name, mart.script, mart.depends_on, mart)
    found = connection.execute(
        sa.text(
            "select figure_code, query, dataset from ops.reference_published_figure"
            " where figure_code = :code and period = :period"
        ),
        {"code": name.upper(), "period": period},
    ).one_or_none()
    if found is not None:
        return Subject("figure", found.figure_code, found.query, (found.dataset,))
    figures = connection.execute(
        sa.text("select figure_code || ' ' || period from ops.reference_published_figure order by position")
    ).scalars()
    raise SettingsError(
        f"there is no mart {name!r}, and no figure of that code for {period}",
        next_step="marts: " + ", ".join(mart.name for mart in marts) + "; figures: " + ", ".join(figures),
    )


def subjects_of(connection: Connection, marts: Sequence[Mart], period: str) -> list[Subject]:
    """Every mart that has the period as a month or year and rows of it, and every figure of the period."""
    found = []
    for mart in marts:
        if _period_column(connection, mart) and _count(connection, mart, period):
            found.append(find_subject(connection, marts, mart.name, period))
    codes = connection.execute(
        sa.text("select figure_code from ops.reference_published_figure where period = :period order by position"),
        {"period": period},
    ).scalars()
    return found + [find_subject(connection, [], code, period) for code in codes]


def publish(
    warehouse: Warehouse,
    subject: Subject,
    period: str,
    *,
    by: str,
    note: str | None,
    rows_of: Callable[[Connection], Rows] | None = None,
) -> tuple[Publication, bool]:
    """Fix the values of a period as the next version; (version, whether it is new).

    Values and SQL equal to those of the newest version make no new one.

    Args:
        rows_of: gives the rows of a report, which is more than one mart.

    Raises:
        SettingsError: nobody is named, or there is nothing to publish.
    """
    if not by.strip():
        raise SettingsError("a publication needs a name", next_step="say who publishes: --by 'Nguyễn Văn A'")
    with nothing_published_meanwhile(warehouse) as connection:
        rows = rows_of(connection) if rows_of is not None else rows_now(connection, subject, period)
        if not rows:
            raise SettingsError(
                f"{subject.name} has no row of {period}", next_step="`dx run` loads; is the period right?"
            )
        values_hash = _hash(rows)
        versions = list_publications(connection, subject=subject.name, period=period)
        newest = versions[0] if versions else None
        if newest and (newest.values_hash, newest.definition_hash) == (values_hash, subject.definition_hash):
            return newest, False
        publication_id = connection.execute(
            sa.text(
                "insert into ops.indicator_publication (subject_kind, subject, period, version, published_at,"
                " published_by, note, definition, definition_hash, values_hash, row_count, batches) values (:kind,"
                " :subject, :period, :version, now(), :by, :note, :definition, :definition_hash, :values_hash, :rows,"
                " cast(:batches as jsonb)) returning publication_id"
            ),
            {
                "kind": subject.kind,
                "subject": subject.name,
                "period": period,
                "version": newest.version + 1 if newest else 1,
                "by": by.strip(),
                "note": note,
                "definition": subject.definition,
                "definition_hash": subject.definition_hash,
                "values_hash": values_hash,
                "rows": len(rows),
                "batches": json.dumps(_batches_in_force(connection, subject)),
            },
        ).scalar_one()
        connection.execute(
            sa.text("insert into ops.indicator_publication_row values (:id, :key, cast(:content as jsonb))"),
            [
                {"id": publication_id, "key": key, "content": _json(row)}
                for key, row in rows.items()
            ],
        )  # fmt: skip
        return get_publication(connection, publication_id), True


def list_publications(
    connection: Connection, *, subject: str | None = None, period: str | None = None
) -> list[Publication]:
    """Publications, newest first."""
    rows = connection.execute(
        sa.text(
            f"select {_COLUMNS} from ops.indicator_publication as p"
            " where (cast(:subject as text) is null or p.subject = :subject)"
            " and (cast(:period as text) is null or p.period = :period) order by p.publication_id desc"
        ),
        {"subject": subject, "period": period},
    )
    return [Publication(**row) for row in rows.mappings()]


def get_publication(connection: Connection, publication_id: int) -> Publication:
    """One publication.

    Raises:
        SettingsError: there is none of that number.
    """
    row = connection.execute(
        sa.text(f"select {_COLUMNS} from ops.indicator_publication as p where p.publication_id = :id"),
        {"id": publication_id},
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        raise SettingsError(f"there is no publication {publication_id}", next_step="`dx publication list` names them")
    return Publication(**row)


def published_rows(connection: Connection, publication_id: int) -> Rows:
    """The rows of a publication, by their keys."""
    found = connection.execute(
        sa.text(
            "select r.row_key, r.content::text as content from ops.indicator_publication_row as r"
            " where r.publication_id = :id order by r.row_key"
        ),
        {"id": publication_id},
    )
    return {row.row_key: exact_cells(row.content) for row in found}


def rows_now(connection: Connection, subject: Subject, period: str) -> Rows:
    """The rows of a period as the warehouse has them now; a mart is computed first."""
    if subject.mart is None:
        value = connection.exec_driver_sql(subject.definition.replace("%", "%%")).scalar()
        return {"-": {"value": value}} if value is not None else {}
    compute_mart(connection, subject.mart)
    key = key_columns(connection, subject.mart)
    texts = connection.exec_driver_sql(f"select to_jsonb(m)::text from {subject.mart.table} as m").scalars()
    return rows_of_period([exact_cells(text) for text in texts], key, period)


def rows_as_known(connection: Connection, subject: Subject, period: str, at: datetime) -> tuple[Rows, tuple[str, ...]]:
    """The rows of a period as known at an instant, and the tables that could only be read as they are now."""
    if subject.mart is None:
        value, present = query_as_known(connection, subject.definition, at)
        return ({"-": {"value": value}} if value is not None else {}), present
    found = mart_as_known(connection, subject.mart, at)
    return rows_of_period(found.rows, key_columns(connection, subject.mart), period), found.read_as_now


def rows_of_period(rows: Sequence[Mapping[str, Any]], key: Sequence[str], period: str) -> Rows:
    """Those of a period (``2024-06``, ``2024``), by their key; a mart without months or years is one period whole."""
    chosen = {
        " | ".join(str(row[name]) for name in key): {n: value for n, value in row.items() if n not in _NOT_A_VALUE}
        for row in rows
        if _is_of(row, period)
    }
    return dict(sorted(chosen.items()))


def key_columns(connection: Connection, mart: Mart) -> list[str]:
    """Columns of the primary key of a mart's table."""
    found = connection.execute(
        sa.text(
            "select a.attname::text from pg_catalog.pg_index as x join pg_catalog.pg_attribute as a"
            " on a.attrelid = x.indrelid and a.attnum = any(x.indkey)"
            " where x.indrelid = cast(:name as regclass) and x.indisprimary order by array_position(x.indkey, a.attnum)"
        ),
        {"name": mart.table},
    ).scalars()
    names = list(found)
    if not names:
        raise SettingsError(f"{mart.table} has no primary key", next_step="its rows need one to be told apart")
    return names


def _is_of(row: Mapping[str, Any], period: str) -> bool:
    for name in _PERIOD_COLUMNS:
        if name in row and _names_a_period(name, str(row[name])):
            return str(row[name]).startswith(period) if name == "month" else str(row[name]) == period
    return True


def _names_a_period(column: str, cell: str) -> bool:
    return column != "period" or bool(_PERIOD_CELL.match(cell))


def _period_column(connection: Connection, mart: Mart) -> str | None:
    names = set(connection.exec_driver_sql(f"select * from {mart.table} limit 0").keys())
    return next((name for name in _PERIOD_COLUMNS if name in names), None)


def _count(connection: Connection, mart: Mart, period: str) -> bool:
    column = _period_column(connection, mart)
    found = connection.exec_driver_sql(f"select distinct {column}::text from {mart.table}").scalars()
    return any(_names_a_period(str(column), str(v)) and _is_of({str(column): v}, period) for v in found)


def _batches_in_force(connection: Connection, subject: Subject) -> dict[str, int]:
    found = connection.execute(
        sa.text(
            "select b.system || '.' || b.dataset as name, max(b.batch_id) as batch_id from ops.batch as b"
            " where b.status = 'published' and b.system || '.' || b.dataset = any(:names) group by 1 order by 1"
        ),
        {"names": list(subject.datasets)},
    )
    return {row.name: row.batch_id for row in found}


def _hash(rows: Rows) -> str:
    text = json.dumps(rows, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _json(row: Mapping[str, Any]) -> str:
    """A row as JSON, its numbers digit by digit."""
    cells = (
        f"{json.dumps(name)}: {format(value, 'f') if isinstance(value, Decimal) else json.dumps(value, default=str)}"
        for name, value in row.items()
    )
    return "{" + ", ".join(cells) + "}"
