"""The departments' systems by the ``dx`` command: published figures out of dirty rows, and what changes them.

The tests follow one installation through its life, in the order of this file. The published values are written here by
hand, as the province published them for mid-2024; nothing else in this file is taken from the warehouse's own files.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from dx_pipeline.sandbox import mariadb_store
from dx_pipeline.sandbox.mariadb_server import installed
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from tests.conftest import Installation
from tests.reports import forgotten, shown_now
from tests.star import star_checksums, warehouse_url

PUBLISHED = {
    "HH_SMARTPHONE": "92.7",
    "INTERNET_USER_RATE": "103.97",
    "HH_INTERNET": "72.595",
    "TSLCD_AGENCIES": "100",
    "DX_STAFF_AGENCIES": "100",
    "TEAMS_COMMUNE": "100",
    "TEAMS_COMMUNE_REPORTED": "115",
    "TEAMS_VILLAGE": "715",
    "TEAMS_MEMBERS": "4327",
    "EMC_PORTALS": "2",
    "IPV6_PORTALS": "2",
    "SERVICES_PARTIAL": "647",
    "SERVICES_FULL": "1081",
    "TASKS_1982_CHUNG_DONE": "11",
    "TASKS_1982_CHUNG": "11",
    "TASKS_1982_CQS_DONE": "11",
    "TASKS_1982_CQS": "21",
    "TASKS_1982_KTS_DONE": "5",
    "TASKS_1982_KTS": "9",
    "TASKS_1982_XHS_DONE": "1",
    "TASKS_1982_XHS": "6",
    "EID_ISSUED": "285394",
    "EID_ACTIVATED": "189631",
    "EID_ACTIVATION": "66.445",
    "DX_STAFF_AGENCIES_REGISTER": "100",
}
SYSTEMS = {
    "digital_infrastructure": (
        "ha_tang_so",
        "to_cong_nghe_so",
        "to_cong_nghe_so_bao_cao",
        "he_thong_thong_tin",
        "don_vi_chuyen_doi_so",
    ),
    "task_tracking": ("nhiem_vu",),
    "eid": ("dinh_danh_xa_thang",),
    "poor_households": ("ho_ngheo",),
    "civil_status": ("viec_ho_tich",),
    "land": ("thua_dat",),
    "business": ("doanh_nghiep",),
    "health": ("co_so_kcb",),
    "education": ("truong_hoc",),
    "staff": ("can_bo",),
    "dx_budget": ("kinh_phi",),
    "service_centre": ("danh_gia_hai_long", "phan_anh_kien_nghi", "luot_giao_dich"),
    "socio_economic": ("gia_tri_chi_tieu", "chi_tieu_co_du_lieu"),
    "field_reports": ("phan_anh_hien_truong",),
}
DATASETS = [(system, dataset) for system, datasets in SYSTEMS.items() for dataset in datasets]

pytestmark = pytest.mark.timeout(600)


class Province:
    """An installation with all systems of the sandbox, loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.home = installation.home
        installation.dx("sandbox", "build", "--dossiers", "2000")
        self.sandbox = SandboxProvince(Settings(home=self.home))
        self.truth = {
            system: json.loads((self.sandbox.site().truth_path(system) / "truth.json").read_text(encoding="utf-8"))
            for system in SYSTEMS
        }
        self.first_output = installation.dx("run").stdout
        self.url = warehouse_url(self.home)
        self.first = star_checksums(self.url)
        self.first_reports = shown_now(self.url)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def infrastructure(self, statement: str) -> int:
        """Change the department's PostgreSQL database; returns the rows changed."""
        url = sa.make_url(self.sandbox.admin_url()).set(drivername="postgresql", database="ha_tang_so")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            return connection.execute(statement).rowcount

    def tasks(self, statement: str) -> int:
        """Change the office's table, in MariaDB or in SQLite instead; returns the rows changed."""
        if installed():
            server = mariadb_store.server_of(self.sandbox.site())
            with closing(server.connect("task_tracking")) as connection, connection.cursor() as cursor:
                return int(cursor.execute(statement))
        with closing(sqlite3.connect(self.home / "sandbox" / "task_tracking.db")) as file, file:
            return file.execute(statement).rowcount

    def figures(self) -> dict[str, Decimal]:
        return dict(self.ask("select figure_code, warehouse_value from mart.published_figure"))

    def run(self, *names: str) -> None:
        self.installation.dx("run", *names)


@pytest.fixture(scope="module")
def province(make_installation: Callable[[], Installation]) -> Province:
    return Province(make_installation())


# -- the first load ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", PUBLISHED)
def test_published_figure_comes_out_of_the_rows(province: Province, code: str) -> None:
    found = province.ask(
        "select published_value, warehouse_value, difference from mart.published_figure where figure_code = %s", code
    )
    value = Decimal(PUBLISHED[code])
    assert found == [(value, value, Decimal(0))]


def test_no_other_figure_is_claimed(province: Province) -> None:
    assert set(province.figures()) == set(PUBLISHED)


def test_the_query_shown_is_the_one_that_gives_the_value(province: Province) -> None:
    for code, query, value in province.ask("select figure_code, query, warehouse_value from mart.published_figure"):
        assert province.ask(query) == [(value,)], code


@pytest.mark.parametrize(("system", "dataset"), DATASETS)
def test_first_batch_balances_as_the_truth_says(province: Province, system: str, dataset: str) -> None:
    wanted = province.truth[system]["tables"][dataset]
    assert wanted["quarantined"] > 0
    assert wanted["duplicate"] > 0 or dataset == "gia_tri_chi_tieu", "an API that is asked value by value repeats none"
    found = province.ask(
        "select source_rows, extracted, accepted, quarantined, duplicate, inserted, updated from ops.batch"
        " where system = %s and dataset = %s and status = 'published' order by batch_id limit 1",
        system,
        dataset,
    )
    rows, accepted = wanted["rows"], wanted["accepted"]
    assert found == [(rows, rows, accepted, wanted["quarantined"], wanted["duplicate"], accepted, 0)]


def test_every_planted_fault_is_found_and_nobody_else_accused(province: Province) -> None:
    told = province.installation.dx("sandbox", "verify", check=False)
    assert told.returncode == 0, told.stdout
    assert "recall 1.0000, clean rows rejected 0" in told.stdout
    for code in (
        "xa_ghi_ten",
        "ho_internet_vuot_tong_ho",
        "xa_da_giai_the",
        "hoan_thanh_thieu_ngay",
        "flag_marks",
        "soft_hyphen",
    ):
        assert code in told.stdout


def test_each_month_has_its_own_rates_and_none_is_above_the_last(province: Province) -> None:
    rows = province.ask(
        "select month, 100.0 * sum(households_with_smartphone) / sum(households) from core.fact_infrastructure_month"
        " group by month order by month"
    )
    rates = [float(rate) for _, rate in rows]
    assert len(rows) == 18
    assert len(set(rates)) == 18
    assert max(rates) == rates[-1] == pytest.approx(92.7, abs=0.0005)
    assert 80 < rates[0] < 90


def test_all_125_communes_are_there_each_under_its_district(province: Province) -> None:
    found = province.ask(
        "select count(distinct u.code), count(distinct u.parent_code), min(f.commune_sk)"
        " from core.fact_infrastructure_month as f join core.dim_admin_unit as u on u.admin_unit_sk = f.commune_sk"
        " where f.month = date '2024-06-01'"
    )
    assert found[0][:2] == (125, 9)
    assert found[0][2] > 0


def test_more_subscriptions_than_people_is_loaded(province: Province) -> None:
    ((count,),) = province.ask(
        "select count(*) from core.fact_infrastructure_month where month = date '2024-06-01'"
        " and fixed_broadband_subscriptions + mobile_broadband_subscriptions > population"
    )
    assert count > 10


def test_both_registers_are_kept_with_their_source_and_priority(province: Province) -> None:
    rows = province.ask(
        "select r.priority, t.reported_by, count(*) filter (where t.level = 'commune'),"
        " count(*) filter (where t.level = 'village') from core.fact_community_team as t"
        " join core.dim_team_register as r on r.register_sk = t.register_sk"
        " where t.dissolved_on is null group by 1, 2 order by 1"
    )
    assert rows == [(1, "decision", 100, 715), (2, "district_report", 115, 715)]
    ((only_reported,),) = province.ask(
        "select count(*) from (select commune_code from core.fact_community_team where level = 'commune' and"
        " register_sk = 2 except select commune_code from core.fact_community_team where level = 'commune' and"
        " register_sk = 1) as x"
    )
    assert only_reported == 15


def test_an_agency_takes_part_in_a_task_once_however_often_it_is_written(province: Province) -> None:
    rows = province.ask(
        "select count(*), count(*) filter (where b.agency_sk < 0), count(distinct a.agency_code)"
        " from core.bridge_task_agency as b join core.dim_agency as a on a.agency_sk = b.agency_sk"
    )
    total, unknown, agencies = rows[0]
    assert total > 55 * 2
    assert unknown == 0
    assert agencies == 21  # 20 departments and the one-stop centre


def test_the_second_run_changes_nothing(province: Province) -> None:
    province.run(*SYSTEMS)
    changed = province.ask(
        "select system, dataset, inserted, updated from ops.batch where (inserted > 0 or updated > 0) and run_id ="
        " (select run_id from ops.batch order by batch_id desc limit 1)"
    )
    assert changed == []
    assert star_checksums(province.url) == province.first


# -- what changes at the source changes the figure ---------------------------------------------------


def test_a_figure_follows_its_rows(province: Province) -> None:
    """It is a sum over rows: (165,388 - 1,000) of 178,412 households are 92.14 %."""
    change = (
        "update cds.ha_tang_so set ho_co_smartphone = (ho_co_smartphone::integer {} 500)::text,"
        " ngay_cap_nhat = ngay_cap_nhat + interval '3 days' where ky = '202406' and ma_xa in ('19330', '19336')"
        " and id <= 2250"
    )
    assert province.infrastructure(change.format("-")) == 2
    province.run("digital_infrastructure.ha_tang_so")
    assert province.figures()["HH_SMARTPHONE"] == Decimal("92.140")
    assert province.infrastructure(change.format("+")) == 2
    province.run("digital_infrastructure.ha_tang_so")
    assert province.figures()["HH_SMARTPHONE"] == Decimal("92.700")


def test_a_team_that_leaves_its_register_is_closed_and_may_come_back(province: Province) -> None:
    team = "select ma_to from cds.to_cnscd where id = 200"
    code = "core.fact_community_team where source_row_id = 200 and register_sk = 1"
    province.infrastructure("create table cds.kept as select * from cds.to_cnscd where id = 200")
    assert province.infrastructure(f"delete from cds.to_cnscd where ma_to = ({team})") == 1
    province.run("digital_infrastructure.to_cong_nghe_so")
    assert province.ask(f"select closed_on is not null from {code}") == [(True,)]
    assert province.ask("select count(*) from core.fact_community_team where closed_on is not null") == [(1,)]
    province.infrastructure("insert into cds.to_cnscd select * from cds.kept")
    province.run("digital_infrastructure.to_cong_nghe_so")
    assert province.ask(f"select closed_on is not null from {code}") == [(False,)]
    assert province.figures()["TEAMS_MEMBERS"] == 4327


def test_a_task_keeps_the_status_it_had_on_a_day(province: Province) -> None:
    as_of = (
        "select count(*) filter (where st.carried_out) from (select distinct on (f.task_code) f.task_code,"
        " f.status_code from core.fact_task_status as f where f.status_on <= %s order by f.task_code, f.status_on desc)"
        " as s join core.dim_task as t on t.task_code = s.task_code"
        " join core.dim_task_status as st on st.status_code = s.status_code"
        " where t.document_no = '1982/QĐ-UBND' and t.group_code = 'XHS'"
    )
    assert province.ask(as_of, "2024-06-30") == [(1,)]
    changed = province.tasks(
        "update nhiem_vu set trang_thai = 'Đã triển khai', ngay_cap_nhat = '2024-07-05 09:00:00'"
        " where ma_nv = '1982-XHS-04'"
    )
    assert changed == 1
    province.run("task_tracking")
    assert province.ask(as_of, "2024-06-30") == [(1,)]
    assert province.ask(as_of, "2024-07-31") == [(2,)]
    assert province.figures()["TASKS_1982_XHS_DONE"] == 1


# -- one system fails --------------------------------------------------------------------------------


def test_one_system_that_fails_stops_no_other(province: Province) -> None:
    other = Installation(province.home)
    other.environment["DX_CONNECTION_TASK_TRACKING"] = f"sqlite:///{province.home}/nowhere.db"
    done = other.dx("quickstart", check=False)
    assert done.returncode == 1
    assert "task_tracking.nhiem_vu" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    last = province.ask(
        "select distinct system, status from ops.batch where run_id ="
        " (select run_id from ops.batch order by batch_id desc limit 1) order by 1"
    )
    assert last == [
        (system, "failed" if system == "task_tracking" else "published") for system in sorted({*SYSTEMS, "one_stop"})
    ]
    for shown in ("dx figures HH_INTERNET", "72.595", "103.97", "4,327", "dx figures TASKS_1982_XHS"):
        assert shown in done.stdout


def test_a_figure_tells_its_source_and_its_query(province: Province) -> None:
    told = province.installation.dx("figures", "teams_commune").stdout
    assert "quangtri.gov.vn" in told
    assert "core.fact_community_team" in told
    unknown = province.installation.dx("figures", "nope", check=False)
    assert unknown.returncode == 1
    assert "figure 'nope' is unknown" in unknown.stdout + unknown.stderr


def test_every_report_as_known_after_the_first_load_is_what_it_showed_then(province: Province) -> None:
    """Rows have been corrected, closed, opened again and reread since; the marts that show them have changed."""
    now = shown_now(province.url)
    changed = {name for name, rows in now.rows.items() if rows != province.first_reports.rows[name]}
    assert "task_by_lead_agency_month" in changed
    assert forgotten(province.url, province.first_reports) == []
