"""A fact keeps the agency of its day; a report may restate it on the agency of today. Totals stay, splits are shown."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.marts import load_marts, refresh_mart
from tests.integration.star_warehouse import PROJECT, ask, ask_as, migrated_warehouse, running_server
from tests.integration.test_star_load import agency, dossier, local, run

REFORM = date(2025, 3, 1)
BEFORE = {
    "H50.02": "Sở Nội vụ",
    "H50.05": "Sở Tài chính",
    "H50.07": "Sở Nông nghiệp và Phát triển nông thôn",
    "H50.10": "Sở Tài nguyên và Môi trường",
    "H50.11": "Sở Thông tin và Truyền thông",
    "H50.12": "Sở Lao động - Thương binh và Xã hội",
    "H50.14": "Sở Khoa học và Công nghệ",
}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def warehouse(server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(server) as opened:
        yield opened


def catalogue(names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        agency(code, group_name=name, ma_dinh_danh_cu=f"000.00.{code[-2:]}.H50", hieu_luc_tu=date(2016, 7, 1))
        for code, name in names.items()
    ]


def dossiers_of_2024(codes: dict[str, int]) -> list[dict[str, Any]]:
    """So many dossiers of 10 June 2024 of each agency."""
    return [
        dossier(f"{code}-240610-{number:04d}", ma_dinh_danh=code)
        for code, many in codes.items()
        for number in range(1, many + 1)
    ]


BY_AGENCY = (
    "select t.today_agency_code, t.today_agency_name, t.reason, count(*) from core.fact_dossier as d"
    " join core.agency_today as t on t.agency_sk = d.agency_sk group by 1, 2, 3 order by 1 nulls last, 3 nulls first"
)


def test_the_succession_names_agencies_as_the_sandbox_does() -> None:
    """The identifiers are made up in the sandbox; the reference file must speak of the same agencies."""
    names = {row.new_id: row.name for row in build_agencies(1).rows}
    path = PROJECT / "warehouse_sql" / "reference" / "agency_succession.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["effective_on"] for row in rows} == {REFORM.isoformat()}
    assert [row for row in rows if names[row["predecessor_code"]] != row["predecessor_name"]] == []
    new = {"H50.31": "Sở Nông nghiệp và Môi trường", "H50.32": "Sở Dân tộc và Tôn giáo"}
    assert not set(new) & set(names)
    successors = {row["successor_code"]: row["successor_name"] for row in rows if row["successor_code"]}
    assert successors == {code: {**names, **new}[code] for code in successors}


def test_dossiers_of_2024_on_the_agencies_of_today(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue(BEFORE))
    many = {"H50.02": 1, "H50.07": 2, "H50.10": 3, "H50.11": 4, "H50.12": 5, "H50.14": 6}
    run(warehouse, "ho_so", 2, *dossiers_of_2024(many))
    assert ask(warehouse, BY_AGENCY) == [
        ("H50.02", "Sở Nội vụ", None, 1),
        ("H50.14", "Sở Khoa học và Công nghệ", None, 6),
        ("H50.14", "Sở Khoa học và Công nghệ", "succeeded", 4),
        ("H50.31", "Sở Nông nghiệp và Môi trường", "succeeded", 5),
        (None, "Đã chia cho nhiều cơ quan | Split among several agencies", "split_share_unknown", 5),
    ]
    # Beside the agencies of their day: the same 21 dossiers.
    then = ask(
        warehouse,
        "select a.name, count(*) from core.fact_dossier as d join core.dim_agency as a using (agency_sk) group by 1",
    )
    assert dict(then) == {BEFORE[code]: count for code, count in many.items()}
    assert sum(row[3] for row in ask(warehouse, BY_AGENCY)) == sum(many.values()) == 21


def test_the_mart_shows_both_agencies_and_loses_no_dossier(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue(BEFORE))
    run(warehouse, "ho_so", 2, *dossiers_of_2024({"H50.07": 2, "H50.10": 3, "H50.12": 5, "H50.14": 6}))
    (mart,) = [one for one in load_marts((PROJECT,)) if one.name == "dossier_by_agency_today"]
    assert refresh_mart(warehouse, mart).rows == 4
    rows = ask(
        warehouse,
        "select agency_code, agency_name, today_agency_code, reason, main_agency_code, dossiers, month::text"
        " from mart.dossier_by_agency_today order by 1",
    )
    assert [row[1] for row in rows] == [BEFORE[row[0]] for row in rows]
    assert [(row[0], *row[2:]) for row in rows] == [
        ("H50.07", "H50.31", "succeeded", None, 2, "2024-06-01"),
        ("H50.10", "H50.31", "succeeded", None, 3, "2024-06-01"),
        ("H50.12", None, "split_share_unknown", "H50.02", 5, "2024-06-01"),
        ("H50.14", "H50.14", "", None, 6, "2024-06-01"),
    ]


def test_a_split_names_the_agencies_it_may_have_gone_to(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue(BEFORE))
    assert ask(
        warehouse,
        "select today_agency_code, today_agency_sk, is_split, main_agency_code, possible_agencies"
        " from core.agency_today where agency_code = 'H50.12'",
    ) == [
        (
            None,
            -1,
            True,
            "H50.02",
            "Sở Nông nghiệp và Môi trường (H50.31); Sở Nội vụ (H50.02); chưa rõ | not known",
        )
    ]


def test_every_agency_version_has_one_row_and_a_key_of_today(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue(BEFORE))
    rows = ask(
        warehouse,
        "select count(*), count(distinct t.agency_sk), (select count(*) from core.dim_agency),"
        " count(*) filter (where t.today_agency_sk = -1 and not t.is_split and t.agency_sk <> -1)"
        " from core.agency_today as t",
    )
    assert rows[0][0] == rows[0][1] == rows[0][2]
    assert rows[0][3] == 0
    # The new department is there before the catalogue names it, as an inferred member.
    assert ask(warehouse, "select name, is_inferred from core.dim_agency where agency_code = 'H50.31'") == [
        ("Sở Nông nghiệp và Môi trường", True)
    ]


def test_the_catalogue_after_the_reform_closes_the_old_and_completes_the_new(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue(BEFORE))
    run(warehouse, "ho_so", 2, *dossiers_of_2024({"H50.10": 2, "H50.14": 1}))
    keys = ask(warehouse, "select dossier_code, agency_sk from core.fact_dossier order by 1")
    after = {code: name for code, name in BEFORE.items() if code not in ("H50.07", "H50.10", "H50.11", "H50.12")}
    after["H50.31"] = "Sở Nông nghiệp và Môi trường tỉnh"
    run(warehouse, "groups", 3, *catalogue(after), as_of="2025-03-01 08:00")
    assert ask(
        warehouse,
        "select agency_code, is_current, is_inferred, valid_to::text from core.dim_agency"
        " where agency_code in ('H50.10', 'H50.31') order by 1",
    ) == [("H50.10", False, False, "2025-03-01"), ("H50.31", True, False, "9999-12-31")]
    run(
        warehouse,
        "ho_so",
        4,
        dossier("H50.31-250310-0001", ma_dinh_danh="H50.31", ngay_tiep_nhan=local("2025-03-10 08:00")),
    )
    # The facts of 2024 kept their agency; on today's agencies all three of the environment are one department.
    kept = ask(
        warehouse, "select dossier_code, agency_sk from core.fact_dossier where dossier_code < 'H50.31' order by 1"
    )
    assert kept == keys
    assert ask(warehouse, BY_AGENCY) == [
        ("H50.14", "Sở Khoa học và Công nghệ", None, 1),
        ("H50.31", "Sở Nông nghiệp và Môi trường tỉnh", None, 1),
        ("H50.31", "Sở Nông nghiệp và Môi trường tỉnh", "succeeded", 2),
    ]


def test_an_agency_that_left_without_a_successor_says_so(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue({**BEFORE, "H50.17": "Sở Ngoại vụ"}))
    run(warehouse, "groups", 2, *catalogue(BEFORE), as_of="2025-03-02 08:00")
    assert ask(
        warehouse,
        "select today_agency_code, today_agency_name, reason from core.agency_today where agency_code = 'H50.17'",
    ) == [("H50.17", "Sở Ngoại vụ", "closed_without_successor")]


def add_reform(warehouse: Warehouse, before: str, after: str | None, day: str, extent: str = "whole") -> None:
    with warehouse.owner() as connection:
        connection.execute(
            sa.text(
                "insert into core.agency_succession (predecessor_code, predecessor_name, successor_code, successor_name,"
                " effective_on, extent, confidence, source) values (:before, :before, :after, 'Mới ' || :after,"
                " cast(:day as date), :extent, 'high', 'test')"
            ),
            {"before": before, "after": after, "day": day, "extent": extent},
        )
        connection.exec_driver_sql("select core.refresh_agency_successors()")


def today(warehouse: Warehouse, code: str) -> list[tuple[Any, ...]]:
    return ask(
        warehouse,
        "select today_agency_code, is_split from core.agency_successor where predecessor_code = :code"
        " order by effective_on",
        code=code,
    )


def test_chains_are_followed_to_the_agency_of_today(warehouse: Warehouse) -> None:
    add_reform(warehouse, "H50.14", "H50.40", "2026-01-01")
    assert today(warehouse, "H50.11") == [("H50.40", False)]
    assert today(warehouse, "H50.14") == [("H50.40", False)]
    # A split further on splits what came before it; parts that meet again are no split.
    add_reform(warehouse, "H50.40", "H50.41", "2027-01-01", "main_part")
    add_reform(warehouse, "H50.40", "H50.42", "2027-01-01", "part")
    assert today(warehouse, "H50.11") == [(None, True)]
    add_reform(warehouse, "H50.41", "H50.43", "2028-01-01")
    add_reform(warehouse, "H50.42", "H50.43", "2028-01-01")
    assert today(warehouse, "H50.11") == [("H50.43", False)]


def test_agencies_that_swap_their_identifiers_do_not_run_in_circles(warehouse: Warehouse) -> None:
    add_reform(warehouse, "H50.51", "H50.52", "2026-01-01")
    add_reform(warehouse, "H50.52", "H50.51", "2026-01-01")
    assert ask(warehouse, "select count(*) from core.agency_today where agency_sk = -1") == [(1,)]


def test_an_identifier_given_to_another_agency_is_not_restated_by_the_older_reform(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, *catalogue(BEFORE))
    again = {**BEFORE, "H50.11": "Sở Du lịch"}
    rows = [
        {**row, "hieu_luc_tu": date(2026, 1, 1)} if row["ma_dinh_danh"] == "H50.11" else row for row in catalogue(again)
    ]
    run(warehouse, "groups", 2, *rows, as_of="2026-01-02 08:00")
    assert ask(
        warehouse,
        "select a.name, t.today_agency_code, t.reason from core.agency_today as t join core.dim_agency as a"
        " using (agency_sk) where a.agency_code = 'H50.11' order by a.valid_from",
    ) == [("Sở Thông tin và Truyền thông", "H50.14", "succeeded"), ("Sở Du lịch", "H50.11", None)]


@pytest.mark.parametrize("role", ["dx_loader", "dx_engineer", "dx_analyst"])
def test_readers_may_ask(warehouse: Warehouse, role: str) -> None:
    assert ask_as(warehouse, role, "select count(*) from core.agency_today where agency_sk < 0") == [(2,)]
    assert ask_as(warehouse, role, "select count(*) from core.agency_succession") == [(9,)]
