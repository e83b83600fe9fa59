"""Health facilities and schools by the ``dx`` command: from MariaDB and CSV exports to the marts, a second run, a change."""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dotenv import dotenv_values

from dx_pipeline.sandbox import mariadb_store
from dx_pipeline.sandbox.education.build import FORMS
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from tests.conftest import Installation
from tests.mariadb import require_mariadb
from tests.star import star_checksums, warehouse_url

pytestmark = pytest.mark.timeout(600)
SYSTEMS = ("digital_infrastructure", "health", "education")


class Departments:
    """An installation whose facilities and schools are loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.built = installation.dx("sandbox", "build", "--dossiers", "300").stdout
        installation.dx("run", *SYSTEMS)
        self.url = warehouse_url(installation.home)
        self.first = star_checksums(self.url)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()

    def health(self, statement: str) -> int:
        """Change the department's table in MariaDB; returns the rows changed."""
        server = mariadb_store.server_of(SandboxProvince(Settings(home=self.installation.home)).site())
        with closing(server.connect("health")) as connection, connection.cursor() as cursor:
            return int(cursor.execute(statement))

    def file(self, year: str) -> Path:
        return self.installation.home / "sandbox" / "education" / f"truong_hoc_{year}.csv"


@pytest.fixture(scope="module")
def departments(make_installation: Callable[[], Installation]) -> Departments:
    require_mariadb()
    return Departments(make_installation())


def test_the_build_says_where_the_tables_are_and_only_the_owner_reads_the_passwords(departments: Departments) -> None:
    assert "health, task_tracking in MariaDB at 127.0.0.1:" in departments.built
    path = departments.installation.home / "connections.env"
    assert path.stat().st_mode & 0o777 == 0o600
    for name in ("HEALTH", "TASK_TRACKING"):
        url = dotenv_values(path)[f"DX_CONNECTION_{name}"] or ""
        assert url.startswith(f"mysql+pymysql://{name.lower()}_doc:")


def test_facilities_by_commune_add_up_to_the_rows(departments: Departments) -> None:
    """135 facilities report each month; three more of June stand in dissolved communes and in no commune's figures."""
    rows = departments.ask(
        "select sum(facilities) filter (where commune_sk > 0), sum(stations) filter (where commune_sk > 0),"
        " sum(facilities) filter (where commune_sk = -1), count(*) filter (where commune_sk > 0)"
        " from mart.health_by_commune_month where month = date '2024-06-01'"
    )
    assert rows == [(135, 125, 3, 125)]
    beds = departments.ask(
        "select beds from mart.health_by_commune_month where month = date '2024-06-01' and beds > 700"
    )
    assert beds == [(Decimal(700 + 200 + 5),)]  # the provincial hospital, Đông Hà's centre and a station


def test_records_per_resident_use_the_population_of_the_other_department(departments: Departments) -> None:
    rows = departments.ask(
        "select count(*), min(records_per_resident), max(records_per_resident), sum(population)"
        " from mart.health_by_commune_month where month = date '2024-06-01' and population is not null"
    )
    count, lowest, highest, people = rows[0]
    assert count == 125
    assert Decimal("0.69") < lowest < highest < Decimal("0.91")
    assert people == 654_237


def test_what_several_rows_show_is_marked(departments: Departments) -> None:
    assert departments.ask("select count(*) from mart.health_by_commune_month where cards_over_population") == [(3,)]
    assert departments.ask(
        "select count(*), max(facilities_with_fewer_records) from mart.health_by_commune_month"
        " where facilities_with_fewer_records > 0"
    ) == [(5, 1)]


def test_names_are_vietnamese_in_the_star(departments: Departments) -> None:
    names = dict(departments.ask("select facility_code, name from core.dim_health_facility"))
    assert names["45001"] == "Bệnh viện Đa khoa tỉnh"
    assert names["45011"] == "Trung tâm Y tế Đông Hà"
    assert not [code for code in names if code.startswith("44")]


def test_schools_of_each_form_of_file_are_there(departments: Departments) -> None:
    """376 schools each year, less what is rejected; in 2023-2024 three more in no known commune."""
    kept = dict(departments.ask("select school_year, count(*) from core.fact_school_year group by 1"))
    assert set(kept) == set(FORMS)
    refused = {
        row[0]: row[1]
        for row in departments.ask(
            "select split_part(replace(row_key, '#2', ''), '|', 2), count(distinct replace(row_key, '#2', ''))"
            " from ops.quarantine where system = 'education' and row_key like '45%|%'"
            " and not 'ma_truong_excel' = any(reasons) group by 1"
        )
    }
    for year in FORMS:
        more = 3 if year == "2023-2024" else 0
        assert kept[year] == 376 - refused.get(year, 0) + more


def test_rates_of_a_commune_can_be_worked_out_from_its_file(departments: Departments) -> None:
    encoding, delimiter = FORMS["2023-2024"]
    code = "19372"
    with departments.file("2023-2024").open(encoding=encoding, newline="") as stream:
        every = list(csv.DictReader(stream, delimiter=delimiter))
    loaded = {
        row[0]
        for row in departments.ask(
            f"select school_code from core.fact_school_year where school_year = '2023-2024' and commune_code = '{code}'"
        )
    }
    rows = list({row["ma_truong"]: row for row in every if row["ma_truong"] in loaded}.values())
    assert len(rows) >= 2
    pupils = sum(int(row["so_hoc_sinh"].replace(".", "")) for row in rows)
    classes = sum(int(row["so_lop"]) for row in rows)
    found = departments.ask(
        "select schools, pupils, classes, pupils_per_class from mart.education_by_commune_year"
        f" where school_year = '2023-2024' and commune_code = '{code}'"
    )
    assert found == [(len(rows), pupils, classes, round(Decimal(pupils) / classes, 2))]


def test_schools_of_two_levels_are_a_level_of_their_own(departments: Departments) -> None:
    rows = departments.ask(
        "select l.code, l.is_combined, count(*) > 80 from core.fact_school_year as f"
        " join core.dim_school_level as l on l.level_sk = f.level_sk group by 1, 2 order by 1"
    )
    assert rows == [
        ("MN", False, True),
        ("TH", False, True),
        ("TH&THCS", True, True),
        ("THCS", False, True),
        ("THPT", False, True),
    ]


def test_nothing_of_the_heads_and_their_telephones_is_landed(departments: Departments) -> None:
    for file in (departments.installation.home / "landing" / "education").rglob("*.parquet"):
        assert b"hieu_truong" not in file.read_bytes()


def test_the_second_run_changes_nothing(departments: Departments) -> None:
    departments.installation.dx("run", *SYSTEMS)
    changed = departments.ask(
        "select system, dataset, inserted, updated from ops.batch where (inserted > 0 or updated > 0) and run_id ="
        " (select run_id from ops.batch order by batch_id desc limit 1)"
    )
    assert changed == []
    assert star_checksums(departments.url) == departments.first


def test_servers_stop_and_are_found_again_and_a_mended_row_is_released(departments: Departments) -> None:
    departments.installation.dx("down")
    departments.installation.dx("up")
    assert departments.health("update co_so_kcb set so_hssk_lap = 10 where so_hssk_lap < 0") == 3
    departments.installation.dx("run", "health")
    last = departments.ask(
        "select inserted, updated, quarantined from ops.batch where system = 'health' order by batch_id desc limit 1"
    )
    assert last == [(3, 0, 21)]
    released = departments.ask(
        "select count(*) from ops.quarantine where system = 'health' and status <> 'open' and 'so_am' = any(reasons)"
    )
    assert released == [(3,)]
