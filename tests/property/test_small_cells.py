"""Whatever the counts are, no suppressed cell of the mart of poor households follows from what the mart shows.

An attacker knows the shown rows, the districts' totals, that a row stands for one household at least, and that a household
without Internet or a smartphone is a household with at least one member. Against all of that, ways to fill the hidden rows
are written out: between them every hidden count moves by 5 or more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.marts import load_marts, refresh_mart
from tests.integration.star_warehouse import migrated_warehouse

K = 5
COUNTS = ("households", "members", "households_without_internet", "households_without_smartphone")
JUDGED = (COUNTS[0], *COUNTS[2:])
KINDS = ("poor", "near_poor", "no_longer_poor")


@pytest.fixture(scope="module")
def warehouse(source_server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(source_server) as opened:
        yield opened


def fill(warehouse: Warehouse, seed: int) -> dict[tuple[str, int, str], dict[str, int]]:
    """Random counts for every commune of 2024, one level of size per kind; returns them by row."""
    rng = np.random.default_rng(seed)
    with warehouse.owner() as connection:
        communes = connection.execute(
            sa.text(
                "select code, admin_unit_sk from core.dim_admin_unit where level = 'commune' and province_code = '45'"
                " and date '2024-06-30' >= valid_from and date '2024-06-30' < valid_to order by code"
            )
        ).all()
        assert len(communes) == 125
        rows = []
        for code, key in communes:
            for kind, most in zip(KINDS, rng.permutation([3, 20, 60]), strict=True):
                households = int(rng.integers(0, most))
                if households:
                    rows.append(
                        {
                            "commune_code": code,
                            "year": 2024,
                            "household_kind": kind,
                            "commune_sk": key,
                            "households": households,
                            "members": households + int(rng.integers(0, 4 * households)),
                            "households_without_internet": int(rng.integers(0, households + 1)),
                            "households_without_smartphone": int(rng.integers(0, households + 1)),
                        }
                    )
        connection.execute(sa.text("delete from core.fact_poor_household_year"))
        names = ", ".join(rows[0])
        binds = ", ".join(f":{name}" for name in rows[0])
        connection.execute(
            sa.text(
                f"insert into core.fact_poor_household_year ({names}, first_batch_id, last_batch_id, loaded_at)"
                f" values ({binds}, 1, 1, now())"
            ),
            rows,
        )
    return {(row["commune_code"], 2024, row["household_kind"]): row for row in rows}


def shown(warehouse: Warehouse) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The mart's rows by district and kind."""
    (mart,) = [one for one in load_marts([PROJECT_ROOT]) if one.name == "poor_households_by_commune_year"]
    refresh_mart(warehouse, mart)
    with warehouse.loader() as connection:
        rows = connection.execute(sa.text("select * from mart.poor_households_by_commune_year")).mappings().all()
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["district_code"], row["household_kind"]].append(dict(row))
    return groups


Row = dict[str, int]


def filling(remainder: Row, rows: int, full: int, spared: int) -> list[Row]:
    """Hidden rows of which ``full`` holds all it can, the others one household each; ``spared`` gets parts last."""
    found = [dict.fromkeys(COUNTS, 0) | {"households": 1, "members": 1} for _ in range(rows)]
    for name in COUNTS[:2]:
        found[full][name] = remainder[name] - (rows - 1)
    order = [full, *(at for at in range(rows) if at not in (full, spared)), spared]
    for name in JUDGED[1:]:
        left = remainder[name]
        for at in dict.fromkeys(order):
            found[at][name] = min(left, found[at]["households"])
            left -= found[at][name]
    return found


def is_possible(rows: list[Row], remainder: Row) -> bool:
    """Whether such hidden rows fit the remainder and what a household is."""
    fits = all(sum(row[name] for row in rows) == remainder[name] for name in COUNTS)
    sound = all(row[part] <= row["households"] <= row["members"] for row in rows for part in JUDGED[1:])
    return fits and sound and min(row["households"] for row in rows) >= 1


@pytest.mark.parametrize("seed", range(12))
def test_every_suppressed_count_may_be_many_things(warehouse: Warehouse, seed: int) -> None:
    truth = fill(warehouse, seed)
    groups = shown(warehouse)
    partly = 0
    for rows in groups.values():
        (district,) = [row for row in rows if row["level"] == "district"]
        communes = [row for row in rows if row["level"] == "commune"]
        hidden = [row for row in communes if row["is_suppressed"]]
        for row in communes:
            counts = truth[row["unit_code"], row["year"], row["household_kind"]]
            assert row["is_suppressed"] or all(row[name] == counts[name] for name in COUNTS)
            assert row["is_suppressed"] or min(counts[name] for name in JUDGED) >= K
        if district["is_suppressed"]:
            assert len(hidden) == len(communes)
            continue
        if not hidden:
            continue
        partly += 1
        open_rows = [row for row in communes if not row["is_suppressed"]]
        remainder = {name: int(district[name]) - sum(row[name] for row in open_rows) for name in COUNTS}
        assert len(hidden) >= 2
        for at in range(len(hidden)):
            other = (at + 1) % len(hidden)
            most = filling(remainder, len(hidden), full=at, spared=other)
            least = filling(remainder, len(hidden), full=other, spared=at)
            assert is_possible(most, remainder)
            assert is_possible(least, remainder)
            assert min(most[at][name] - least[at][name] for name in COUNTS) >= K
    assert partly >= 5
    assert len(groups) >= 24
