"""The three HTTP systems by the ``dx`` command: from three APIs to marts, a server that moves, one that is down.

The tests follow one installation through its life, in the order of this file.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from dx_pipeline.sandbox.department import Site
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.sandbox.web.process import WebServer
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.embedded_process import is_alive
from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

SYSTEMS = {
    "field_reports": ("phan_anh_hien_truong",),
    "service_centre": ("danh_gia_hai_long", "phan_anh_kien_nghi", "luot_giao_dich"),
    "socio_economic": ("chi_tieu_co_du_lieu", "gia_tri_chi_tieu"),
}
DATASETS = [(system, dataset) for system, datasets in SYSTEMS.items() for dataset in datasets]

pytestmark = pytest.mark.timeout(600)


class Centre:
    """An installation whose HTTP systems, and what they look up, are loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.home = installation.home
        installation.dx("sandbox", "build", "--dossiers", "1000")
        self.site: Site = SandboxProvince(Settings(home=self.home)).site()
        self.web = WebServer(self.site.folder / "web")
        self.truth = {
            system: json.loads((self.site.truth_path(system) / "truth.json").read_text(encoding="utf-8"))
            for system in SYSTEMS
        }
        installation.dx("run")
        self.url = warehouse_url(self.home)
        self.first = star_checksums(self.url)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def lists(self, system: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = json.loads((self.web._folder / f"{system}.json").read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def centre(make_installation: Callable[[], Installation]) -> Centre:
    return Centre(make_installation())


@pytest.mark.parametrize(("system", "dataset"), DATASETS)
def test_first_batch_balances_as_the_truth_says(centre: Centre, system: str, dataset: str) -> None:
    wanted = centre.truth[system]["tables"][dataset]
    assert wanted["quarantined"] > 0
    found = centre.ask(
        "select source_rows, accepted, quarantined, duplicate, inserted from ops.batch"
        " where system = %s and dataset = %s and status = 'published' order by batch_id limit 1",
        system,
        dataset,
    )
    accepted = wanted["accepted"]
    assert found == [(wanted["rows"], accepted, wanted["quarantined"], wanted["duplicate"], accepted)]


def test_every_planted_fault_is_found_and_nobody_else_accused(centre: Centre) -> None:
    told = centre.installation.dx("sandbox", "verify", check=False)
    assert told.returncode == 0, told.stdout
    assert "recall 1.0000, clean rows rejected 0" in told.stdout


def test_busy_answers_came_and_were_asked_again(centre: Centre) -> None:
    statuses = {line.split()[-1] for line in centre.web.log.read_text(encoding="utf-8").splitlines()}
    assert {"200", "429", "503"} <= statuses


def test_no_name_no_telephone_and_no_text_of_a_citizen_is_kept(centre: Centre) -> None:
    for text in ("Người gửi thử nghiệm", "0900000000", "Nội dung phản ánh (dữ liệu thử)"):
        for file in (centre.home / "landing").rglob("*"):
            assert not file.is_file() or text.encode() not in file.read_bytes()
        assert centre.ask("select count(*) from ops.quarantine where raw_record::text like %s", f"%{text}%") == [(0,)]


def test_no_token_is_in_any_file_but_the_two_that_hold_it(centre: Centre) -> None:
    tokens = [centre.web.token(system).encode() for system in SYSTEMS]
    holders = {"connections.env", "tokens.json"}
    for file in centre.home.rglob("*"):
        if file.is_file() and file.name not in holders and "data" not in file.parts:
            content = file.read_bytes()
            assert not any(token in content for token in tokens), file


# -- the star ----------------------------------------------------------------------------------------


def test_field_reports_add_up_and_the_communes_of_names_are_found(centre: Centre) -> None:
    ((received, parts, loaded),) = centre.ask(
        "select sum(received), sum(handled_in_time + handled_late + open),"
        " (select count(*) from core.fact_field_report) from mart.field_report_by_commune_month"
    )
    assert received == parts == loaded == centre.truth["field_reports"]["tables"]["phan_anh_hien_truong"]["accepted"]
    named = centre.ask(
        "select count(*), count(*) filter (where commune_sk > 0) from core.fact_field_report"
        " where 'xa_ghi_ten' = any(quality_flags)"
    )
    assert named == [(60, 60)]
    assert centre.ask("select sum(received) from mart.field_report_by_commune_month where commune_sk = -1") == [(6,)]
    assert centre.ask("select sum(handled_late) from mart.field_report_by_commune_month") == [(40,)]


def test_an_agency_dissolved_in_march_2025_is_flagged_from_that_day_on(centre: Centre) -> None:
    rows = centre.ask(
        "select min(received_on), count(*), count(distinct handler_agency_code) from core.fact_field_report"
        " where 'don_vi_da_giai_the' = any(quality_flags)"
    )
    ((first, count, agencies),) = rows
    assert (count, agencies) == (25, 5)
    assert first >= date(2025, 3, 1)


def test_a_value_in_another_unit_stands_beside_the_one_it_means(centre: Centre) -> None:
    """1 tỷ đồng is 1,000 triệu đồng."""
    rows = centre.ask(
        "select value, standard_value, unit, standard_unit from core.fact_indicator_reported"
        " where 'don_vi_tinh_khac' = any(quality_flags)"
    )
    assert len(rows) == 9
    assert all(value == standard * 1000 for value, standard, _, _ in rows)
    assert {(unit, usual) for _, _, unit, usual in rows} == {("triệu đồng", "tỷ đồng")}


def test_kind_3_is_kept_apart_from_kind_4_and_its_doubt_is_told(centre: Centre) -> None:
    ((note,),) = centre.ask("select note from core.dim_indicator_data_type where data_type_id = 3")
    assert "chính thức" in note
    ((both,),) = centre.ask(
        "select count(*) from mart.socio_economic_indicator where carried_out is not null and final_value is not null"
        " and carried_out <> final_value"
    )
    assert both > 10


def test_period_19_is_in_no_table_and_what_is_listed_without_a_value_can_be_asked(centre: Centre) -> None:
    assert centre.ask("select count(*) from core.dim_report_period where period_id = 19") == [(0,)]
    missing = centre.ask(
        "select count(*) from core.fact_indicator_listed as l left join core.fact_indicator_reported as f"
        " using (office_code, indicator_code, data_type_id, year, period_id) where f.indicator_code is null"
    )
    # 7 empty values, 8 texts, 3 of another indicator, 3 without a unit, 2 for which the system answers "no data"
    assert missing == [(7 + 8 + 3 + 3 + 2,)]


def test_a_growth_below_zero_and_three_decimals_are_what_they_are(centre: Centre) -> None:
    values = centre.ask(
        "select value, count(*) from core.fact_indicator_reported where value in (-2.4, 12.345) group by 1"
    )
    assert dict(values) == {Decimal("-2.400000"): 4, Decimal("12.345000"): 6}


def test_a_rating_belongs_to_the_agency_of_its_dossier(centre: Centre) -> None:
    found = centre.ask(
        "select count(*), count(*) filter (where s.is_known), count(*) filter (where s.agency_sk = d.agency_sk)"
        " from core.satisfaction_checked as s left join core.fact_dossier as d using (dossier_code)"
    )
    ((ratings, known, same),) = found
    assert ratings - known == 9
    assert same == known
    ((in_mart, unknown, early),) = centre.ask(
        "select sum(ratings), sum(of_unknown_dossiers), sum(before_the_end) from mart.satisfaction_by_agency_month"
    )
    assert (in_mart, unknown, early) == (ratings, 9, 8)


def test_the_second_run_changes_nothing(centre: Centre) -> None:
    centre.installation.dx("run", *SYSTEMS)
    last = centre.ask(
        "select sum(inserted), sum(updated) from ops.batch where batch_id > (select max(batch_id) - 6 from ops.batch)"
    )
    assert last == [(0, 0)]
    assert star_checksums(centre.url) == centre.first


# -- what changes at the source ----------------------------------------------------------------------


def test_time_limits_count_working_days_over_tet(centre: Centre) -> None:
    """Received on Monday 29 January 2024; Tết was 8 to 14 February. 15 days: 26 February, 5: 5 February, 2: 31 January."""
    lists = centre.lists("service_centre")
    kept = json.dumps(lists)
    base = next(row for row in lists["phan_anh_kien_nghi"] if row["MaHoSo"] is None)
    for code, way, handled in (
        ("T.1", "Giải quyết", "26/02/2024 23:30"),
        ("T.2", "Giải quyết", "27/02/2024 07:00"),
        ("T.3", "Yêu cầu bổ sung", "05/02/2024 16:00"),
        ("T.4", "Từ chối", "01/02/2024 08:00"),
        ("T.5", None, None),
    ):
        lists["phan_anh_kien_nghi"].append(
            {**base, "MaPAKN": code, "MaDinhDanh": "H50.99", "NgayTiepNhan": "29/01/2024 08:00", "HinhThucXuLy": way,
             "NgayXuLy": handled, "NgayCongKhai": None, "HanXuLy": None, "HaiLong": None, "KienNghiLai": False}
        )  # fmt: skip
    centre.web.publish("service_centre", lists)
    centre.installation.dx("run", "service_centre")
    found = centre.ask(
        "select petition_code, due_on, is_on_time from core.petition_deadline where petition_code like 'T.%' order by 1"
    )
    long = date(2024, 2, 26)
    assert found == [
        ("T.1", long, True),
        ("T.2", long, False),
        ("T.3", date(2024, 2, 5), True),
        ("T.4", date(2024, 1, 31), False),
        ("T.5", long, None),
    ]
    ((row),) = centre.ask(
        "select received, handled_on_time, handled_late, waiting, waiting_overdue, on_time_rate"
        " from mart.petition_by_agency_month where agency_code = 'H50.99'"
    )
    assert row == (5, 2, 2, 0, 1, Decimal("40.00"))
    centre.web.publish("service_centre", json.loads(kept))
    centre.installation.dx("run", "service_centre")
    assert centre.ask("select count(*) from core.petition_deadline where petition_code like 'T.%'") == [(0,)]


def test_a_new_rating_comes_with_the_next_increment_and_replaces_the_former(centre: Centre) -> None:
    lists = centre.lists("service_centre")
    latest = max(lists["danh_gia_hai_long"], key=lambda row: row["ThoiGianDanhGia"])
    lists["danh_gia_hai_long"].append({**latest, "DanhGia": "Không hài lòng", "ThoiGianDanhGia": "2024-09-02T10:00:00"})
    centre.web.publish("service_centre", lists)
    centre.installation.dx("run", "service_centre.danh_gia_hai_long")
    ((extracted, inserted, updated),) = centre.ask(
        "select extracted, inserted, updated from ops.batch order by batch_id desc limit 1"
    )
    assert extracted < 20
    assert (inserted, updated) == (0, 1)
    assert centre.ask(
        "select rating_code from core.fact_satisfaction where dossier_code = %s and rated_on = date '2024-09-02'",
        latest["MaHoSo"],
    ) == [("khong_hai_long",)]


# -- the server --------------------------------------------------------------------------------------


def test_a_source_that_is_down_is_told_once_and_holds_no_other(centre: Centre) -> None:
    found = centre.web.address()
    assert found is not None
    os.kill(found[0], signal.SIGKILL)
    while is_alive(found[0]):
        time.sleep(0.05)
    done = centre.installation.dx("run", "field_reports", "task_tracking", check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in told
    assert "connection refused" in told
    assert told.count("field_reports.phan_anh_hien_truong:") == 1
    last = centre.ask(
        "select distinct system, status from ops.batch where run_id ="
        " (select run_id from ops.batch order by batch_id desc limit 1) order by 1"
    )
    assert last == [("field_reports", "failed"), ("task_tracking", "published")]


def test_the_server_is_found_again_on_another_port_and_stopped_with_the_installation(centre: Centre) -> None:
    before = centre.web.url("field_reports")
    centre.web.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(before.rsplit(":", 1)[1].split("/")[0])))
        other.listen(1)
        centre.installation.dx("up")
    assert centre.web.url("field_reports") != before
    centre.installation.dx("run", "field_reports")
    assert centre.ask("select inserted, updated, status from ops.batch order by batch_id desc limit 1") == [
        (0, 0, "published")
    ]
    found = centre.web.address()
    assert found is not None
    centre.installation.dx("down")
    assert not is_alive(found[0])
    assert centre.web.address() is None
