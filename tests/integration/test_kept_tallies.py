"""When the counts behind a mart are kept, when everything is counted again, and what happens when they cannot be used."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import Mart, load_marts, refresh_mart
from tests.integration.star_warehouse import PROJECT, ask, migrated_warehouse, running_server
from tests.integration.test_star_load import dossier, local
from tests.property.test_kept_tallies import assert_as_from_nothing, bring, empty, is_kept

ON_TIME, GAP = (
    next(mart for mart in load_marts([PROJECT]) if mart.name == name) for name in ("dossier_on_time", "national_gap")
)
NOT_DUE = dossier(
    "H50.7-240618-0001",
    ngay_tiep_nhan=local("2024-06-18 08:00"),
    ngay_hen_tra=local("2024-06-24 17:00"),
    ngay_cap_nhat=local("2024-06-20 08:00"),
)
CODES = [f"H50.7-240610-{number:04}" for number in range(1, 21)]


@pytest.fixture(scope="module")
def server_warehouse() -> Iterator[Warehouse]:
    with running_server() as server, migrated_warehouse(server) as opened:
        yield opened


@pytest.fixture
def warehouse(server_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """As of 20 June: twenty dossiers under way, due on 14 June, and one due on 24 June; the counts of both marts kept."""
    monkeypatch.setattr(server_warehouse, "tallies_from_rows", 21)
    empty(server_warehouse)
    bring(server_warehouse, 1, 1, "ho_so", NOT_DUE, *(dossier(code) for code in CODES))
    for mart in (ON_TIME, GAP):
        refresh_mart(server_warehouse, mart)
        refresh_mart(server_warehouse, mart)
        assert is_kept(server_warehouse, mart)
    return server_warehouse


def built_at(warehouse: Warehouse, mart: Mart) -> str:
    return str(ask(warehouse, "select built_at from ops.mart_tally where mart = :mart", mart=mart.name)[0][0])


def batches(warehouse: Warehouse, mart: Mart) -> str:
    return str(ask(warehouse, "select batches::text from ops.mart_tally where mart = :mart", mart=mart.name)[0][0])


def test_a_changed_dossier_is_counted_again_and_the_others_are_not(warehouse: Warehouse) -> None:
    before = built_at(warehouse, ON_TIME)
    finished = local("2024-06-20 08:00")
    late = dossier(CODES[0], trang_thai="10", ngay_ket_thuc_xu_ly=finished, ngay_cap_nhat=finished)
    bring(warehouse, 2, 2, "ho_so", late)
    # A row that no batch names: it would be seen if everything were counted again.
    with warehouse.owner() as connection:
        connection.execute(
            sa.text("update core.fact_dossier set deleted_at = now() where dossier_code = :code"), {"code": CODES[5]}
        )
    refresh_mart(warehouse, ON_TIME)
    found = ask(warehouse, "select received, finished, in_progress, overdue_766 from mart.dossier_on_time")
    # Twenty are under way, one of them not due yet; overdue as well is the one that was finished six days late.
    assert found == [(21, 1, 20, 20)]
    assert built_at(warehouse, ON_TIME) == before
    assert batches(warehouse, ON_TIME) == "{[1,3)}"


def test_time_alone_makes_a_waiting_dossier_overdue(warehouse: Warehouse) -> None:
    question = "select in_progress, overdue_766 from mart.dossier_on_time where month = date '2024-06-01'"
    assert ask(warehouse, question) == [(21, 20)]
    before = built_at(warehouse, ON_TIME)
    moment = {"ngay_tiep_nhan": local("2024-06-25 08:00"), "ngay_cap_nhat": local("2024-06-25 08:00")}
    bring(warehouse, 2, 2, "ho_so", dossier("H50.7-240625-0001", ngay_hen_tra=local("2024-06-28 17:00"), **moment))
    refresh_mart(warehouse, ON_TIME)
    assert ask(warehouse, question) == [(22, 21)]
    assert built_at(warehouse, ON_TIME) == before


def test_everything_is_counted_again_when_holidays_change_or_the_day_does(warehouse: Warehouse) -> None:
    kept = {mart.name: built_at(warehouse, mart) for mart in (ON_TIME, GAP)}
    bring(warehouse, 2, 2, "ngay_nghi", {"ngay": local("2024-06-12 08:00").date(), "mo_ta": "Nghỉ bù"})
    for mart in (ON_TIME, GAP):
        assert_as_from_nothing(warehouse, mart)
    assert built_at(warehouse, ON_TIME) > kept["dossier_on_time"]
    assert built_at(warehouse, GAP) == kept["national_gap"], "no day of it is a working day"
    with warehouse.owner() as connection:
        connection.exec_driver_sql("update ops.mart_tally set built_at = built_at - interval '1 day'")
    refresh_mart(warehouse, GAP)
    assert built_at(warehouse, GAP) > kept["national_gap"]


def test_what_was_changed_by_hand_is_told_and_mended_the_next_day(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with warehouse.owner() as connection:
        connection.execute(
            sa.text("update core.fact_dossier set deleted_at = now() where dossier_code = :code"), {"code": CODES[5]}
        )
        connection.exec_driver_sql("update ops.mart_tally set built_at = built_at - interval '1 day'")
    assert_as_from_nothing(warehouse, GAP)
    assert "national_gap: 2 groups of gap_month" in caplog.text  # 21 dossiers of June there, 20 here
    assert ask(warehouse, "select differing from ops.mart_tally where mart = 'national_gap'") == [(2,)]
    with warehouse.owner() as connection:
        connection.exec_driver_sql("update ops.mart_tally set built_at = built_at - interval '1 day'")
    refresh_mart(warehouse, GAP)
    assert ask(warehouse, "select differing from ops.mart_tally where mart = 'national_gap'") == [(0,)]


def test_everything_is_counted_again_when_most_dossiers_have_changed(warehouse: Warehouse) -> None:
    before = built_at(warehouse, GAP)
    moved = (dossier(code, trang_thai="9", ngay_cap_nhat=local("2024-06-11 08:00")) for code in CODES[:5])
    bring(warehouse, 2, 2, "ho_so", *moved)
    assert_as_from_nothing(warehouse, GAP)
    assert built_at(warehouse, GAP) > before


def test_counts_that_were_dropped_are_made_again(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql("drop table mart_tally.national_gap__gap_month")
    bring(warehouse, 2, 2, "ho_so", dossier(CODES[0], trang_thai="9", ngay_cap_nhat=local("2024-06-11 08:00")))
    assert_as_from_nothing(warehouse, GAP)


def test_counts_that_cannot_be_used_are_forgotten_and_the_mart_is_computed(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql("alter table mart_tally.national_gap__gap_month drop column accepted")
    bring(warehouse, 2, 2, "ho_so", dossier(CODES[0], trang_thai="9", ngay_cap_nhat=local("2024-06-11 08:00")))
    with caplog.at_level(logging.WARNING, logger="dx_pipeline"):
        refresh_mart(warehouse, GAP)
    assert "national_gap" in caplog.text
    assert "computed from nothing instead" in caplog.text
    assert ask(warehouse, "select accepted, done from mart.national_gap where scope = 'province' limit 1") == [(21, 1)]
    assert not is_kept(warehouse, GAP)
    assert_as_from_nothing(warehouse, GAP)


def test_few_rows_are_not_kept(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "tallies_from_rows", 22)
    with warehouse.owner() as connection:
        connection.exec_driver_sql("delete from ops.mart_tally")
    refresh_mart(warehouse, GAP)
    assert not is_kept(warehouse, GAP)


def test_a_view_of_one_refresh_is_not_in_the_way_of_the_next(warehouse: Warehouse) -> None:
    """Sessions are used again: what a mart's SQL makes for itself must not stay in them."""
    score = next(mart for mart in load_marts([PROJECT]) if mart.name == "indicator_score")
    for _ in range(3):
        refresh_mart(warehouse, score)


@pytest.mark.parametrize("role", ["dx_engineer", "dx_analyst", "dx_bi"])
def test_nobody_but_the_loader_reads_the_counts(warehouse: Warehouse, role: str) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql(f"set local role {role}")
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema mart_tally"):
            connection.exec_driver_sql("select * from mart_tally.national_gap__gap_month")
