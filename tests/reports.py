"""What the marts show, and whether the warehouse still knows later what they showed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa

from dx_pipeline.warehouse.as_known import exact_cells, mart_as_known
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import load_marts
from tests.conftest import ROOT

MARTS = [mart for mart in load_marts([ROOT]) if mart.name != "published_figure"]  # the server runs its queries

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Reports:
    """The rows of every mart, without the time they were computed at, and the instant at which they were read."""

    at: datetime
    rows: dict[str, Rows]


def shown_now(url: str) -> Reports:
    """What the marts of a warehouse (its owner's libpq URL) show."""
    with psycopg.connect(url) as connection:
        (at,) = connection.execute("select now()").fetchone()  # type: ignore[misc]
        rows = {
            mart.name: _without_refresh(
                exact_cells(text) for (text,) in connection.execute(f"select to_jsonb(m)::text from {mart.table} as m")
            )
            for mart in MARTS
        }
    return Reports(at, rows)


def forgotten(url: str, reports: Reports) -> list[str]:
    """Marts that do not come out as they were shown, when they are asked for as known at that instant."""
    warehouse = Warehouse(sa.make_url(url).set(drivername="postgresql+psycopg"))
    found = []
    try:
        with warehouse.loader() as connection:
            for mart in MARTS:
                known = mart_as_known(connection, mart, reports.at)
                if known.read_as_now or _without_refresh(known.rows) != reports.rows[mart.name]:
                    found.append(mart.name)
            connection.rollback()
    finally:
        warehouse.close()
    return found


def _without_refresh(rows: Iterable[dict[str, Any]]) -> Rows:
    return sorted(({name: row[name] for name in row if name != "refreshed_at"} for row in rows), key=str)
