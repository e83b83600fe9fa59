"""Electronic identities by the ``dx`` command: workbooks to published figures, a second run, a list of persons."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest

from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

pytestmark = pytest.mark.timeout(600)


class Police:
    """An installation whose electronic identities are loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        installation.dx("sandbox", "build", "--dossiers", "300")
        installation.dx("run", "eid")
        self.url = warehouse_url(installation.home)
        self.first = star_checksums(self.url)

    def file(self, month: str) -> Path:
        return self.installation.home / "sandbox" / "eid" / f"dinh_danh_{month}.xlsx"

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()

    def figures(self) -> dict[str, Decimal]:
        return dict(
            self.ask("select figure_code, warehouse_value from mart.published_figure where figure_code like 'EID%'")
        )


@pytest.fixture(scope="module")
def police(make_installation: Callable[[], Installation]) -> Police:
    return Police(make_installation())


def test_the_published_figures_come_out_of_the_rows(police: Police) -> None:
    assert police.figures() == {
        "EID_ISSUED": Decimal(285_394),
        "EID_ACTIVATED": Decimal(189_631),
        "EID_ACTIVATION": Decimal("66.445"),
    }


def test_every_commune_of_june_is_found_once_by_code_or_name(police: Police) -> None:
    found = police.ask(
        "select count(*), count(distinct f.commune_sk), count(*) filter (where f.source_commune_code is null),"
        " count(distinct u.code) filter (where u.level = 'commune') from core.fact_eid_month as f"
        " join core.dim_admin_unit as u on u.admin_unit_sk = f.commune_sk"
        " where f.month = date '2024-06-01' and f.commune_sk > 0"
    )
    assert found == [(126, 126, 21, 125)]  # 125 communes and the island; 20 by name, and the island


def test_what_is_no_commune_is_seen_and_in_no_total(police: Police) -> None:
    rows = police.ask(
        "select m.source_rows, m.issued > 0 from mart.eid_by_commune_month as m"
        " where m.month = date '2024-06-01' and m.commune_sk = -1"
    )
    assert rows == [(3, True)]
    difference = police.ask(
        "select sum(issued), sum(issued) filter (where commune_sk > 0),"
        " sum(issued) filter (where commune_sk = -1) from mart.eid_by_commune_month where month = date '2024-06-01'"
    )[0]
    assert difference[0] - difference[2] == difference[1] == 285_394


def test_the_figures_on_each_map_add_up_to_those_of_the_reports(police: Police) -> None:
    """What could not be apportioned (map of 141: communes joined since) has rows of its own and is in every total."""
    rows = police.ask(
        "select map, sum(issued), sum(activated), sum(issued) filter (where reason <> 'unit_unknown'),"
        " count(*) filter (where unit_sk > 0) from mart.eid_on_map"
        " where month = date '2024-06-01' group by map order by map"
    )
    ((issued, activated),) = police.ask(
        "select sum(issued), sum(activated) from mart.eid_by_commune_month where month = date '2024-06-01'"
    )
    assert [row[:4] for row in rows] == [
        (number, issued, activated, Decimal(285_394)) for number in (78, 119, 125, 141)
    ]
    # The island stands beside the communes until 2025; 16 units of 2019 became others that cannot be taken apart.
    assert {row[0]: row[4] for row in rows} == {78: 37, 119: 120, 125: 126, 141: 109}
    unclear = police.ask(
        "select map, reason, issued from mart.eid_on_map where month = date '2024-06-01' and unit_sk = -1"
        " and reason <> 'unit_unknown'"
    )
    assert [(number, reason) for number, reason, _ in unclear] == [(141, "merged_from_several")]
    placed = police.ask(
        "select sum(issued) from mart.eid_on_map where month = '2024-06-01' and map = 141 and unit_sk > 0"
    )
    assert unclear[0][2] + placed[0][0] == 285_394


def test_a_fall_against_the_month_before_is_marked(police: Police) -> None:
    rows = police.ask("select issued, issued_before from mart.eid_by_commune_month where is_drop")
    assert [before - now for now, before in rows] == [25, 25, 25, 25]


def test_the_second_run_changes_nothing(police: Police) -> None:
    police.installation.dx("run", "eid")
    last = police.ask("select inserted, updated, status from ops.batch order by batch_id desc limit 1")
    assert last == [(0, 0, "published")]
    assert star_checksums(police.url) == police.first


def test_a_figure_follows_its_rows_and_a_row_that_left_no_longer_counts(police: Police) -> None:
    path = police.file("2024-06")
    kept = path.read_bytes()
    book = openpyxl.load_workbook(path)
    sheet = book.active
    spots = [
        at
        for at in range(7, 60)
        if isinstance(sheet.cell(at, 9).value, int) and sheet.cell(at, 4).value and sheet.cell(at, 10).value > 0
    ]
    changed, removed = spots[0], spots[-1]
    gone = sheet.cell(removed, 8).value + sheet.cell(removed, 9).value
    sheet.cell(changed, 9).value += 100
    sheet.delete_rows(removed)
    book.save(path)
    police.installation.dx("run", "eid")
    assert police.figures()["EID_ISSUED"] == 285_394 + 100 - gone
    path.write_bytes(kept)
    police.installation.dx("run", "eid")
    assert police.figures()["EID_ISSUED"] == 285_394


def test_a_list_of_persons_is_refused_and_none_of_it_is_kept(police: Police) -> None:
    book = openpyxl.load_workbook(police.file("2024-06"))
    sheet = book.active
    sheet.cell(4, 14, "so_cccd")
    sheet.cell(4, 15, "ho_ten")
    sheet.cell(7, 14, "045123456789")
    sheet.cell(7, 15, "Nguyễn Văn Thử")
    path = police.file("danh_sach")
    book.save(path)
    refused = police.installation.dx("run", "eid", check=False)
    told = refused.stdout + refused.stderr
    path.unlink()
    assert refused.returncode == 1
    assert "is not what contract version 1.0.0 promises: column so_cccd is new" in " ".join(told.split())
    assert "so_cccd" in told
    assert "ho_ten" in told
    assert "045123456789" not in told
    assert police.figures()["EID_ISSUED"] == 285_394
    for file in (police.installation.home / "landing").rglob("*"):
        if file.is_file():
            assert "Nguyễn Văn Thử".encode() not in file.read_bytes(), file
