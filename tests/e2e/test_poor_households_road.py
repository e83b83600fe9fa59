"""Poor households by the ``dx`` command: FoxPro tables in, counts out, and no small cell that can be computed."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dx_pipeline.sandbox.poor_households.build import build_poor_households
from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

SEED = 7
K = 5
COUNTS = ("households", "members", "households_without_internet", "households_without_smartphone")
JUDGED = COUNTS[:1] + COUNTS[2:]

pytestmark = pytest.mark.timeout(600)


class Labour:
    """An installation with the department's folder alone, loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.folder = installation.home / "lists"
        self.truth_path = installation.home / "truth"
        build_poor_households(self.folder, seed=SEED, truth_path=self.truth_path)
        self.truth: dict[str, Any] = json.loads((self.truth_path / "truth.json").read_text(encoding="utf-8"))
        installation.environment["DX_CONNECTION_POOR_HOUSEHOLDS"] = self.folder.resolve().as_uri()
        installation.dx("run", "poor_households")
        self.url = warehouse_url(installation.home)
        self.first = star_checksums(self.url)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def shown(self) -> list[dict[str, Any]]:
        names = ("level", "unit_code", "district_code", "year", "household_kind", "is_suppressed", *COUNTS)
        rows = self.ask(f"select {', '.join(names)} from mart.poor_households_by_commune_year")
        return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def labour(make_installation: Callable[[], Installation]) -> Labour:
    return Labour(make_installation())


def test_ledger_is_what_the_truth_says(labour: Labour) -> None:
    wanted = labour.truth["tables"]["ho_ngheo"]
    assert labour.ask("select source_rows, accepted, quarantined, duplicate, inserted from ops.batch") == [
        (wanted["rows"], wanted["accepted"], wanted["quarantined"], wanted["duplicate"], wanted["accepted"])
    ]
    assert (wanted["quarantined"], wanted["duplicate"]) == (24 + 18 + 24 + 24 + 12, 30)


def test_deleted_records_are_not_loaded(labour: Labour) -> None:
    deleted = json.loads((labour.truth_path / "deleted.json").read_text(encoding="utf-8"))
    assert len(deleted) == 3 * 40
    hashes = [hashlib.sha256(row["MAHO"].encode()).digest() for row in deleted]
    loaded = "select count(*) from restricted.poor_household where household_hash = any(%s)"
    assert labour.ask(loaded, hashes) == [(0,)]
    raw = b"".join(path.read_bytes() for path in sorted(labour.folder.glob("*.DBF")))
    assert all(b"*" + row["MAHO"].encode() in raw for row in deleted)


def test_counts_are_those_of_the_households(labour: Labour) -> None:
    ((households, members, cells),) = labour.ask(
        "select sum(households), sum(members), count(*) from core.fact_poor_household_year"
    )
    accepted = labour.truth["tables"]["ho_ngheo"]["accepted"]
    assert households == accepted
    assert labour.ask("select sum(members), min(commune_sk) > 0 from restricted.poor_household") == [(members, True)]
    assert cells > 300


def test_a_flag_that_is_not_known_is_not_a_no(labour: Labour) -> None:
    ((unknown,),) = labour.ask("select count(*) from restricted.poor_household where has_internet is null")
    assert unknown == 20
    ((without, with_it),) = labour.ask(
        "select count(*) filter (where not has_internet), count(*) filter (where has_internet)"
        " from restricted.poor_household"
    )
    assert labour.ask("select sum(households_without_internet) from core.fact_poor_household_year") == [(without,)]
    assert without + with_it + unknown == labour.truth["tables"]["ho_ngheo"]["accepted"]


# -- suppression -------------------------------------------------------------------------------------


def test_small_cells_are_not_shown_and_others_are(labour: Labour) -> None:
    rows = labour.shown()
    communes = [row for row in rows if row["level"] == "commune"]
    open_rows = [row for row in rows if not row["is_suppressed"]]
    assert len(communes) > 300
    assert sum(row["is_suppressed"] for row in communes) > 50
    assert sum(not row["is_suppressed"] for row in communes) > 50
    assert min(row[name] for row in open_rows for name in JUDGED) >= K
    for row in rows:
        assert {row[name] is None for name in COUNTS} == {row["is_suppressed"]}


def test_every_small_row_of_core_is_suppressed(labour: Labour) -> None:
    rows = labour.ask(
        "select count(*), count(*) filter (where m.is_suppressed) from core.fact_poor_household_year as f"
        " join mart.poor_households_by_commune_year as m on m.level = 'commune' and m.unit_code = f.commune_code"
        " and m.year = f.year and m.household_kind = f.household_kind"
        " where least(f.households, f.households_without_internet, f.households_without_smartphone) < 5"
    )
    assert rows[0][0] == rows[0][1] > 0


def test_no_suppressed_cell_can_be_computed(labour: Labour) -> None:
    """What the shown rows leave of a district is a sum over two rows or more, of 5 or more, in every count."""
    groups: dict[tuple[str, int, str], list[dict[str, Any]]] = defaultdict(list)
    for row in labour.shown():
        groups[row["district_code"], row["year"], row["household_kind"]].append(row)
    attacked = 0
    for rows in groups.values():
        (district,) = [row for row in rows if row["level"] == "district"]
        communes = [row for row in rows if row["level"] == "commune"]
        hidden = [row for row in communes if row["is_suppressed"]]
        if district["is_suppressed"]:
            assert len(hidden) == len(communes)  # nothing is told of the district at all
        elif hidden:
            attacked += 1
            assert len(hidden) >= 2
            for name in COUNTS:
                assert district[name] - sum(row[name] for row in communes if row["is_suppressed"] is False) >= K
        else:
            assert all(district[name] == sum(row[name] for row in communes) for name in COUNTS)
    assert attacked > 5


# -- personal data -----------------------------------------------------------------------------------


def test_no_personal_column_and_no_name_in_the_warehouse(labour: Labour) -> None:
    names = labour.ask(
        "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns"
        " where (table_schema in ('core', 'mart') and column_name ~ '(household_hash|ho_ten|cmnd|dan_toc|ngay_sinh)')"
        " or (table_schema = 'restricted' and table_name = 'poor_household'"
        " and column_name ~ '(name|birth|citizen|ethnic|ho_ten|cmnd|dan_toc|ngay_sinh)')"
    )
    assert names == []


@pytest.mark.parametrize(
    ("role", "table", "allowed"),
    [
        ("dx_loader", "restricted.poor_household", True),
        ("dx_engineer", "restricted.poor_household", False),
        ("dx_analyst", "restricted.poor_household", False),
        ("dx_engineer", "core.fact_poor_household_year", True),
        ("dx_analyst", "core.fact_poor_household_year", False),
        ("dx_bi", "core.fact_poor_household_year", False),
        ("dx_analyst", "mart.poor_households_by_commune_year", True),
        ("dx_bi", "mart.poor_households_by_commune_year", True),
    ],
)
def test_who_reads_what(labour: Labour, role: str, table: str, allowed: bool) -> None:
    assert labour.ask("select has_table_privilege(%s, %s, 'select')", role, table) == [(allowed,)]


# -- later runs --------------------------------------------------------------------------------------


def test_the_second_run_changes_nothing(labour: Labour) -> None:
    labour.installation.dx("run", "poor_households")
    assert labour.ask("select inserted, updated from ops.batch order by batch_id desc limit 1") == [(0, 0)]
    assert star_checksums(labour.url) == labour.first


def test_a_household_deleted_in_the_file_leaves_the_counts_and_may_come_back(labour: Labour) -> None:
    path: Path = labour.folder / "HONGHEO_2024.DBF"
    raw = path.read_bytes()
    ((rejected,),) = labour.ask(
        "select array_agg(split_part(row_key, '|', 1)) from ops.quarantine where row_key like '%%|2024%%'"
    )
    start = int.from_bytes(raw[8:10], "little")
    size = int.from_bytes(raw[10:12], "little")
    records = [raw[at : at + size] for at in range(start, len(raw) - 1, size)]
    codes = [record[1:13].decode() for record in records]
    chosen = next(
        at
        for at, code in enumerate(codes)
        if records[at][:1] == b" " and code not in rejected and codes.count(code) == 1
    )
    at = start + chosen * size
    total = "select sum(households) from core.fact_poor_household_year"
    ((before,),) = labour.ask(total)
    path.write_bytes(raw[:at] + b"*" + raw[at + 1 :])
    labour.installation.dx("run", "poor_households")
    assert labour.ask(total) == [(before - 1,)]
    assert labour.ask("select count(*) from restricted.poor_household where closed_on is not null") == [(1,)]
    path.write_bytes(raw)
    labour.installation.dx("run", "poor_households")
    assert star_checksums(labour.url) == labour.first
