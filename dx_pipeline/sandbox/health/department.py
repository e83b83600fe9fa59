"""Health facilities (Sở Y tế) as a system of the sandbox: a table in MariaDB, or in SQLite instead."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox import mariadb_store
from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.health.build import TABLE, planned_rows

    rows, truth = planned_rows(site.seed)
    url = mariadb_store.build_table(site, "health", TABLE, rows)
    truth.write(site.truth_path("health"), {TABLE.name: len(rows)})
    return url


def _told_by_the_mart(flag: str, condition: str) -> str:
    """What only several rows show is told by the mart, for communes with one facility alone."""
    return (
        f" union all select t.source_row_id::text, '{flag}' from core.fact_health_month as t"
        " join mart.health_by_commune_month as m on m.month = t.month and m.commune_sk = t.commune_sk"
        f" where t.closed_on is null and {condition}"
    )


HEALTH: Final = Department(
    "health",
    _build,
    located=mariadb_store.located,
    flagged={
        "co_so_kcb": flags_of("core.fact_health_month", key="t.source_row_id")
        + _told_by_the_mart("hssk_giam", "m.facilities_with_fewer_records > 0")
        + _told_by_the_mart("the_vuot_dan_so", "m.cards_over_population")
    },
    stop=mariadb_store.stop,
)
