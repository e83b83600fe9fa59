"""Staff register and budget by the ``dx`` command: counts without persons, amounts in đồng out of three units.

The tests follow one installation through its life, in the order of this file.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from dx_pipeline.sandbox.dx_budget.kinds import KINDS
from dx_pipeline.sandbox.dx_budget.rows import UNFUNDED, budget_rows
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

K = 5
SYSTEMS = ("one_stop.groups", "task_tracking", "staff", "dx_budget")

pytestmark = pytest.mark.timeout(600)


class Offices:
    """An installation with both departments loaded once, beside the agencies and the tasks."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        installation.dx("sandbox", "build", "--dossiers", "300")
        self.sandbox = SandboxProvince(Settings(home=installation.home))
        self.output = " ".join(installation.dx("run", *SYSTEMS).stdout.split())
        self.url = warehouse_url(installation.home)
        self.first = star_checksums(self.url)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def register(self, statement: str, *values: object) -> int:
        """Change the staff register; returns the rows changed."""
        url = sa.make_url(self.sandbox.admin_url()).set(drivername="postgresql", database="ho_so_can_bo")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            return connection.execute(statement, values or None).rowcount

    def workbook(self, year: int) -> Path:
        return self.installation.home / "sandbox" / "dx_budget" / f"kinh_phi_{year}.xlsx"

    def figure(self) -> Decimal:
        ((value,),) = self.ask(
            "select warehouse_value from mart.published_figure where figure_code = 'DX_STAFF_AGENCIES_REGISTER'"
        )
        return Decimal(value)


@pytest.fixture(scope="module")
def offices(make_installation: Callable[[], Installation]) -> Offices:
    return Offices(make_installation())


def test_every_agency_has_digital_and_security_staff(offices: Offices) -> None:
    """The province published 100 %; the register has 21 departments, 10 districts and 125 communes."""
    assert offices.figure() == 100
    rows = offices.ask(
        "select agency_kind, count(*), bool_and(has_dx_and_security) from mart.staff_by_agency_year"
        " where year = 2024 and is_in_catalogue group by 1 order by 1"
    )
    assert rows == [("quan-huyen", 10, True), ("so-ban-nganh", 21, True), ("xa-phuong", 125, True)]


def test_an_agency_that_was_dissolved_is_seen_and_counts_in_no_figure(offices: Offices) -> None:
    rows = offices.ask(
        "select agency_code, sum(staff) from mart.staff_by_agency_year where not is_in_catalogue group by 1 order by 1"
    )
    assert [code for code, _ in rows] == ["H50.24.90", "H50.28.91"]
    assert sum(staff for _, staff in rows) == 8


def test_ids_of_either_generation_lead_to_one_agency(offices: Offices) -> None:
    assert offices.register('select from dbo."HoSoCanBo" where "MaDonVi" like %s', "000.%") == 30
    assert offices.ask("select count(*) from restricted.staff_member where agency_code like '000.%'") == [(0,)]


def test_counts_are_those_of_the_persons(offices: Offices) -> None:
    ((facts, persons, marts),) = offices.ask(
        "select (select sum(staff) from core.fact_staff_year), (select count(*) from restricted.staff_member),"
        " (select sum(staff) from mart.staff_by_agency_year)"
    )
    assert facts == persons == marts
    elected = offices.ask("select sum(staff) from core.fact_staff_year where rank_group = 'unranked'")
    assert elected == [(12,)]


def test_a_qualification_is_shown_where_both_parts_are_five_or_more(offices: Offices) -> None:
    rows = offices.ask(
        "select f.with_degree, f.without_degree, f.with_skill, f.without_skill,"
        " m.with_degree, m.without_degree, m.with_computer_skill, m.without_computer_skill"
        " from mart.staff_by_agency_year as m join (select agency_code, year, sum(with_degree) as with_degree,"
        " sum(without_degree) as without_degree, sum(with_computer_skill) as with_skill,"
        " sum(without_computer_skill) as without_skill from core.fact_staff_year group by 1, 2) as f"
        " using (agency_code, year)"
    )
    assert len(rows) > 310
    for row in rows:
        true, shown = row[:4], row[4:]
        for at in (0, 2):
            wanted = true[at : at + 2] if min(true[at : at + 2]) >= K else (None, None)
            assert shown[at : at + 2] == wanted
    assert {row[4] is None for row in rows} == {True, False}


def test_no_hidden_cell_comes_out_of_a_total(offices: Offices) -> None:
    """Total of a kind less the agencies shown: nothing, or two agencies and five persons in each part."""
    shown = 0
    for name in ("degree", "computer_skill"):
        rows = offices.ask(
            f"select k.agency_kind, k.year, k.with_{name}, k.without_{name}, count(*) filter (where a.with_{name} is null),"
            f" k.with_{name} - coalesce(sum(a.with_{name}), 0), k.without_{name} - coalesce(sum(a.without_{name}), 0)"
            " from mart.staff_by_kind_year as k join mart.staff_by_agency_year as a"
            " on a.agency_kind = k.agency_kind and a.year = k.year and a.is_in_catalogue group by 1, 2, 3, 4"
        )
        assert len(rows) == 6
        for _, _, with_it, without_it, hidden, left_with, left_without in rows:
            if with_it is None:
                assert without_it is None
                continue
            shown += 1
            assert (hidden == left_with == left_without == 0) or (hidden > 1 and min(left_with, left_without) >= K)
    assert 0 < shown < 12
    ((island,),) = offices.ask(
        "select with_degree from mart.staff_by_kind_year where agency_kind = 'quan-huyen' and year = 2024"
    )
    assert island is None  # one district hides alone: eight persons on an island


def test_nothing_of_a_person_leaves_the_restricted_schema(offices: Offices) -> None:
    for table in (path for path in (offices.installation.home / "landing" / "staff").rglob("*.parquet")):
        assert not {"HoTenKhaiSinh", "GioiTinh", "DanToc"} & set(pq.read_schema(table).names)
    columns = offices.ask(
        "select string_agg(column_name, ' ') from information_schema.columns where table_schema = 'restricted'"
        " and table_name = 'staff_member'"
    )[0][0]
    for word in ("name", "birth", "salary", "dan_toc", "ethnic", "recruit"):
        assert word not in columns
    (paper,) = offices.ask("select count(*), count(distinct citizen_id_pseudonym) from restricted.staff_member")
    assert paper[0] > paper[1] > 2_000  # one person in two years has one pseudonym
    refused = offices.installation.dx("sql", "--role", "dx_analyst", "select * from core.fact_staff_year", check=False)
    assert refused.returncode == 1
    refused = offices.installation.dx("sql", "--role", "dx_engineer", "table restricted.staff_member", check=False)
    assert refused.returncode == 1


def test_amounts_of_three_units_are_in_dong(offices: Offices) -> None:
    """Every line that was loaded is what the clerk meant, whether he wrote đồng, triệu đồng or tỷ đồng."""
    meant = {
        (row["nam"], row["qhns"], row["nhiem_vu"], row["_source"]): row
        for rows in budget_rows(offices.sandbox.site().seed, TruthBook(KINDS)).values()
        for row in rows
        if isinstance(row["giao"], int)
    }
    loaded = offices.ask(
        "select f.year, f.unit_code, f.task_code, case f.source_code when 'DP' then 'ĐP' else f.source_code end,"
        " f.allocated_vnd, f.adjustment_vnd, f.disbursed_vnd, f.source_unit from core.fact_budget as f"
    )
    units = {2022: "dong", 2023: "trieu_dong", 2024: "ty_dong"}
    compared = 0
    for year, unit_code, task, source, allocated, adjustment, disbursed, unit in loaded:
        assert unit == units[year]
        row = meant.get((year, unit_code, task, source))
        if row is None:
            continue
        compared += 1
        assert allocated == row["giao"] * 1_000_000
        assert adjustment == (row["dieu_chinh"] or 0) * 1_000_000
        assert disbursed == (None if row["giai_ngan"] is None else row["giai_ngan"] * 1_000_000)
    assert compared == len(loaded) - 6  # the six amounts written as text
    written = offices.ask("select allocated_vnd from core.fact_budget where mod(allocated_vnd, 1000000) > 0")
    assert [int(amount) % 1_000_000 for (amount,) in written] == [500_000] * 6


def test_lost_zeros_are_back(offices: Offices) -> None:
    assert offices.ask("select count(*) from core.fact_budget where chapter_code !~ '^[0-9]{3}$'") == [(0,)]
    assert offices.ask(
        "select count(*) from core.fact_budget where category_code is null or category_code !~ '^[0-9]{3}-[0-9]{3}$'"
    ) == [(0,)]
    rows = offices.ask("select distinct agency_sk from core.fact_budget where chapter_code in ('009', '010')")
    assert (-2,) in rows  # police and army are no agencies of the province
    assert all(sk < 0 for (sk,) in rows)


def test_the_files_own_totals_are_compared_with_their_rows(offices: Offices) -> None:
    ((warnings,),) = offices.ask("select warnings from ops.batch where dataset = 'kinh_phi'")
    told = [(text.split(",")[0], text.split(", ")[2].split(":")[0]) for text in warnings]
    assert told == [
        ("kinh_phi_2023.xlsx", "Dự toán / Giao đầu năm"),
        ("kinh_phi_2023.xlsx", "Dự toán / Điều chỉnh"),
        ("kinh_phi_2023.xlsx", "Đã giải ngân"),
        ("kinh_phi_2024.xlsx", "Dự toán / Giao đầu năm"),
    ]
    assert "the file's total is" in offices.output
    ((number,),) = offices.ask("select batch_id from ops.batch where dataset = 'kinh_phi'")
    shown = offices.installation.dx("batches", "show", str(number)).stdout
    assert "Totals of the files" in shown
    assert "kinh_phi_2022.xlsx" in shown


def test_the_mart_tells_execution_and_tasks_without_funding(offices: Offices) -> None:
    rows = offices.ask(
        "select year, sum(tasks_without_funding), sum(tasks_led), sum(implausible_lines), max(execution_rate),"
        " sum(lines), sum(lines_of_unknown_tasks) from mart.dx_budget_by_agency_year group by year order by year"
    )
    unfunded = {year: without for year, without, *_ in rows}
    assert unfunded[2022] == 0  # the tasks were assigned in 2023
    assert unfunded[2023] >= len(UNFUNDED) + 8  # the eight tasks of the plan have no line either
    assert all(led in (0, 55) and rate <= 100 for _, _, led, _, rate, *_ in rows)
    assert [implausible for _, _, _, implausible, *_ in rows] == [0, 5, 0]
    assert sum(unknown for *_, unknown in rows) == 5
    ((facts, lines),) = offices.ask(
        "select (select sum(allocated_vnd + adjustment_vnd) from core.fact_budget),"
        " (select sum(adjusted_vnd + implausible_vnd) from mart.dx_budget_by_agency_year)"
    )
    assert facts == lines
    assert offices.ask(
        "select count(*) from mart.dx_budget_by_agency_year where adjusted_vnd <> central_vnd + local_vnd + private_vnd"
    ) == [(0,)]


def test_the_second_run_changes_nothing(offices: Offices) -> None:
    offices.installation.dx("run", *SYSTEMS)
    last = offices.ask("select distinct inserted, updated, status from ops.batch where batch_id > 4")
    assert last == [(0, 0, "published")]
    assert star_checksums(offices.url) == offices.first


def test_the_figure_follows_the_register(offices: Offices) -> None:
    """A commune whose only contact is gone, then a department without a person: 155 of 156 each time."""
    total = "select sum(staff) from core.fact_staff_year where year = 2024"
    ((before,),) = offices.ask(total)
    ((commune,),) = offices.ask(
        "select min(agency_code) from mart.staff_by_agency_year where agency_kind = 'xa-phuong' and year = 2024"
    )
    change = (
        'update dbo."HoSoCanBo" set "LaDauMoiATTT" = %s where "MaDonVi" = %s and "Nam" = 2024 and "LaDauMoiATTT" = %s'
    )
    assert offices.register(change, "không", commune, "1") == 1
    with psycopg.connect(offices.url) as connection:  # the catalogue learns that an office was closed in 2020
        closed = (
            "update core.dim_agency set valid_to = '2020-01-01', is_current = false where agency_code = 'H50.28.91'"
        )
        assert connection.execute(closed).rowcount == 1
    offices.installation.dx("run", "staff")
    assert offices.ask(
        "select distinct agency_sk, agency_name, is_in_catalogue from mart.staff_by_agency_year"
        " where agency_code = 'H50.28.91'"
    ) == [(-1, "Không xác định | Unknown", False)]
    assert offices.figure() == Decimal("99.359")
    assert offices.register(change, "x", commune, "không") == 1
    of_office = 'where "MaDonVi" = \'H50.17\' and "Nam" = 2024'
    gone = offices.register(f'create table dbo.kept as select * from dbo."HoSoCanBo" {of_office}')
    assert offices.register(f'delete from dbo."HoSoCanBo" {of_office}') == gone
    offices.installation.dx("run", "staff")
    assert offices.figure() == Decimal("99.359")  # an agency without staff is not overlooked
    assert 0 < before - offices.ask(total)[0][0] <= gone
    offices.register('insert into dbo."HoSoCanBo" select * from dbo.kept')
    offices.register("drop table dbo.kept")
    offices.installation.dx("run", "staff")
    assert offices.figure() == 100
    assert offices.ask(total) == [(before,)]


def test_a_changed_unit_changes_the_amounts_and_a_missing_one_is_refused(offices: Offices) -> None:
    """A line that was loaded and is wrong now keeps its last good state until it is mended."""
    total = "select sum(allocated_vnd) from core.fact_budget where year = 2022 and closed_on is null"
    ((before,),) = offices.ask(total)
    book = openpyxl.load_workbook(offices.workbook(2022))
    sheet: Any = book.active
    (unit,) = [cell for cell in sheet[3] if cell.value]
    unit.value = "Đơn vị tính: nghìn đồng"
    key = offices.ask(
        "select unit_code, task_code, allocated_vnd from core.fact_budget where year = 2022 and source_code = 'XHH'"
        " and quality_flags is null order by 1, 2 limit 1"
    )[0]
    spoilt = next(row for row in sheet.iter_rows(min_row=7) if (row[2].value, row[6].value) == key[:2] and is_xhh(row))
    spoilt[10].value = spoilt[8].value * 5
    book.save(offices.workbook(2022))
    offices.installation.dx("run", "dx_budget")
    assert offices.ask(total) == [((before - key[2]) * 1000 + key[2],)]
    unit.value = None
    book.save(offices.workbook(2022))
    refused = offices.installation.dx("run", "dx_budget", check=False)
    assert refused.returncode == 1
    told = " ".join((refused.stdout + refused.stderr).split())
    assert "no cell above the data begins with 'ĐVT' or 'Đơn vị tính'" in told
    assert offices.ask(total) == [((before - key[2]) * 1000 + key[2],)]


def is_xhh(row: Any) -> bool:
    return str(row[7].value).casefold() in ("xhh", "xã hội hóa", "xã hội hoá")
