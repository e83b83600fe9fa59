"""Deliveries of a period: the star is the last one of each part, what it no longer holds is closed, and the past stays.

The load files of the departments are run on a real warehouse with the delivery that their contracts declare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.errors import BatchHeld, LoadFileError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.merge import LoadBinds, MergeCounts, run_load
from tests.integration.star_warehouse import PROJECT, ask, fill_stage, load, migrated_warehouse, running_server

FIRST = datetime(2024, 7, 1, 1, 0, tzinfo=UTC)
EID = {
    "ky_bao_cao": "date", "ten_huyen": "text", "ten_xa": "text", "ma_dvhc_xa": "text", "so_nhan_khau_du_dk": "bigint",
    "so_ho_so_thu_nhan": "bigint", "so_cap_muc_1": "bigint", "so_cap_muc_2": "bigint", "so_kich_hoat_muc_1": "bigint",
    "so_kich_hoat_muc_2": "bigint", "so_tk_to_chuc": "bigint", "luy_ke_den_ngay": "date",
}  # fmt: skip
HEALTH = {
    "id": "bigint", "ky_bao_cao": "date", "ma_csyt": "text", "ten_csyt": "text", "ma_xa": "text", "tuyen": "text",
    "so_giuong": "bigint", "so_hssk_lap": "bigint", "so_the_bhyt": "bigint", "lien_thong_bhyt": "boolean",
    "co_cap_cuu": "boolean", "ngay_cap_phep": "date",
}  # fmt: skip
HOUSEHOLD = {
    "ma_ho": "text", "nam": "bigint", "ma_xa": "text", "loai_ho": "text", "so_nhan_khau": "bigint",
    "co_internet": "boolean", "co_smartphone": "boolean",
}  # fmt: skip
STEP = {
    "id": "bigint", "ma_ho_so": "text", "trang_thai": "text", "ngay_bat_dau": "timestamptz", "phong_ban_xu_ly": "text",
    "thoi_diem_xu_ly": "timestamptz", "ngay_ket_thuc_theo_quy_dinh": "timestamptz", "chuc_danh": "text",
    "ngay_cap_nhat": "timestamptz",
}  # fmt: skip
SUPPLEMENT = {
    "id": "bigint", "ma_ho_so": "text", "ngay_bo_sung": "timestamptz", "ngay_tiep_nhan_bo_sung": "timestamptz",
    "ngay_hen_tra_moi": "timestamptz", "ngay_hen_tra_truoc": "timestamptz", "trang_thai_bo_sung": "boolean",
    "ngay_cap_nhat": "timestamptz",
}  # fmt: skip
TASK = {
    "ma_nv": "text", "so_van_ban": "text", "nhom": "text", "ten_nv": "text", "don_vi_chu_tri": "text",
    "don_vi_phoi_hop": "text", "ngay_giao": "date", "han_hoan_thanh": "date", "ngay_cap_nhat": "timestamptz",
    "trang_thai": "text", "ngay_hoan_thanh": "date", "ty_le_hoan_thanh": "numeric", "id": "bigint",
}  # fmt: skip


def at(step: int) -> datetime:
    """The instant at which the batch of that number is published."""
    return FIRST + timedelta(hours=step)


def declared(system: str, dataset: str) -> Delivery:
    """What the contract of the dataset says of a delivery."""
    contract = load_contract(PROJECT / "assets" / system / f"{dataset}.odcs.yaml", PROJECT)
    return Delivery(key=contract.key_columns, covers=contract.load.covers, rejected=f"{contract.stage_table}__rejected")


class Department:
    """One dataset of a department, delivered batch by batch."""

    def __init__(self, warehouse: Warehouse, system: str, dataset: str, types: dict[str, str]) -> None:
        self.warehouse, self.system, self.dataset, self.types = warehouse, system, dataset, types
        self.delivery = declared(system, dataset)

    def deliver(
        self, step: int, rows: list[dict[str, Any]], rejected: list[tuple[str, str | None]] | None = None
    ) -> MergeCounts:
        fill_stage(
            self.warehouse, self.dataset, self.types, rows, system=self.system, rejected=rejected or []
        )  # fmt: skip
        return load(self.warehouse, self.dataset, step, at(step), system=self.system, delivery=self.delivery)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with running_server() as server, migrated_warehouse(server) as opened:
        yield opened


@pytest.fixture
def police(warehouse: Warehouse) -> Department:
    empty(warehouse)
    return Department(warehouse, "eid", "dinh_danh_xa_thang", EID)


def empty(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql(
            "truncate core.fact_eid_month, core.fact_eid_month_history, core.fact_health_month,"
            " core.fact_health_month_history, core.dim_health_facility, core.dim_health_facility_history,"
            " restricted.poor_household, core.fact_poor_household_year, core.fact_poor_household_year_history"
        )


def report(month: str, commune: str, issued: int, district: str = "Vĩnh Linh") -> dict[str, Any]:
    zeros = {name: 0 for name, kind in EID.items() if kind == "bigint"}
    return {**zeros, "ky_bao_cao": f"{month}-01", "ten_huyen": district, "ten_xa": commune, "so_cap_muc_2": issued,
            "luy_ke_den_ngay": f"{month}-28"}  # fmt: skip


def issued(warehouse: Warehouse, source: str = "core.fact_eid_month") -> dict[tuple[str, str], int]:
    """Month and commune → identities issued, of the rows that count."""
    rows = ask(
        warehouse,
        f"select to_char(f.month, 'YYYY-MM'), f.commune_name, f.issued_level_2 from {source} as f"
        " where f.closed_on is null",
    )
    return {(month, commune): count for month, commune, count in rows}


def household(code: str, year: int, members: int = 4) -> dict[str, Any]:
    return {"ma_ho": code, "nam": year, "ma_xa": "19330", "loai_ho": "ngheo", "so_nhan_khau": members,
            "co_internet": True, "co_smartphone": True}  # fmt: skip


def task(code: str, lead: str = "H50.14") -> dict[str, Any]:
    return {"ma_nv": code, "so_van_ban": "1/QĐ", "nhom": "CHUNG", "ten_nv": "Một", "don_vi_chu_tri": lead,
            "don_vi_phoi_hop": None, "ngay_giao": "2024-01-02", "han_hoan_thanh": "2024-06-30",
            "ngay_cap_nhat": "2024-05-01 08:00+07", "trang_thai": "hoan_thanh", "ngay_hoan_thanh": None,
            "ty_le_hoan_thanh": 10, "id": 1}  # fmt: skip


def key(month: str, commune: str, district: str = "Vĩnh Linh") -> tuple[str, str]:
    written = f"{month}-01|{district}|{commune}"
    return written, written


COMMUNES = ("Vĩnh Tú", "Vĩnh Thái", "Vĩnh Hà")
MONTHS = ("2024-05", "2024-06")
one_month = st.dictionaries(st.sampled_from(COMMUNES), st.one_of(st.none(), st.integers(1, 3)), min_size=1)
deliveries = st.lists(
    st.one_of(st.just("replay"), st.dictionaries(st.sampled_from(MONTHS), one_month, min_size=1)),
    min_size=2,
    max_size=5,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries)
def test_any_sequence_of_deliveries_ends_in_the_last_one_of_each_month(
    police: Department, told: list[str | dict[str, dict[str, int | None]]]
) -> None:
    """A count of None stands for a row in quarantine. Replays of the last batch may come in between."""
    warehouse = police.warehouse
    empty(warehouse)
    star: dict[tuple[str, str], int] = {}
    states = []
    rows: list[dict[str, Any]] = []
    rejected: list[tuple[str, str | None]] = []
    for step, one in enumerate(told, start=1):
        if isinstance(one, dict):
            rows = [report(m, c, n) for m, held in one.items() for c, n in held.items() if n is not None]
            rejected = [key(m, c) for m, held in one.items() for c, n in held.items() if n is None]
            for month, held in one.items():
                if any(count is not None for count in held.values()):
                    star = {spot: n for spot, n in star.items() if spot[0] != month or spot[1] in held}
                    star.update({(month, c): n for c, n in held.items() if n is not None})
        counts = police.deliver(step, rows, rejected)
        if one == "replay":
            assert (counts.inserted, counts.updated, counts.closed) == (0, 0, 0)
        assert issued(warehouse) == star
        states.append(star)
    for step, state in enumerate(states, start=1):
        assert issued(warehouse, f"core.eid_month_as_known('{at(step).isoformat()}')") == state


def test_a_row_that_left_is_closed_with_the_day_and_the_batch(police: Department) -> None:
    police.deliver(1, [report("2024-06", "Vĩnh Tú", 5), report("2024-06", "Vĩnh Thái", 7)])
    counts = police.deliver(2, [report("2024-06", "Vĩnh Tú", 5)])
    assert (counts.unchanged, counts.closed, counts.kept) == (1, 1, 0)
    assert ask(
        police.warehouse,
        "select commune_name, closed_on::text, first_batch_id, last_batch_id from core.fact_eid_month order by 1",
    ) == [("Vĩnh Thái", "2024-07-01", 1, 2), ("Vĩnh Tú", None, 1, 1)]
    back = police.deliver(3, [report("2024-06", "Vĩnh Tú", 5), report("2024-06", "Vĩnh Thái", 7)])
    assert (back.inserted, back.updated, back.unchanged, back.closed) == (0, 1, 1, 0)
    history = "select known_from, known_to, closed_on is null from core.fact_eid_month_history order by 1"
    assert ask(police.warehouse, history) == [(at(1), at(2), True), (at(2), at(3), False)]


def test_a_month_whose_file_was_taken_away_stays(police: Department) -> None:
    police.deliver(1, [report("2024-05", "Vĩnh Tú", 5), report("2024-06", "Vĩnh Tú", 6)])
    assert police.deliver(2, [report("2024-06", "Vĩnh Tú", 6)]).closed == 0
    assert issued(police.warehouse) == {("2024-05", "Vĩnh Tú"): 5, ("2024-06", "Vĩnh Tú"): 6}


def test_two_districts_that_deliver_apart_do_not_close_each_other(police: Department) -> None:
    police.delivery = replace(police.delivery, covers=("ky_bao_cao", "ten_huyen"))
    police.deliver(1, [report("2024-06", "Vĩnh Tú", 5), report("2024-06", "Vĩnh Hà", 6)])
    assert police.deliver(2, [report("2024-06", "Gio Mai", 7, "Gio Linh")]).closed == 0
    assert police.deliver(3, [report("2024-06", "Vĩnh Tú", 5)]).closed == 1
    assert issued(police.warehouse) == {("2024-06", "Vĩnh Tú"): 5, ("2024-06", "Gio Mai"): 7}


def test_a_quarantined_row_keeps_what_was_published_and_is_told(police: Department) -> None:
    police.deliver(1, [report("2024-06", "Vĩnh Tú", 5), report("2024-06", "Vĩnh Hà", 6)])
    counts = police.deliver(2, [report("2024-06", "Vĩnh Tú", 9)], [key("2024-06", "Vĩnh Hà")])
    assert (counts.updated, counts.closed, counts.kept) == (1, 0, 1)
    assert issued(police.warehouse) == {("2024-06", "Vĩnh Tú"): 9, ("2024-06", "Vĩnh Hà"): 6}
    unreadable = police.deliver(3, [report("2024-06", "Vĩnh Tú", 9)], [("tháng sáu|Vĩnh Linh|Vĩnh Hà", None)])
    assert (unreadable.closed, unreadable.unreadable) == (1, 1), "closed, and told that it may be the rejected one"


def test_a_truncated_delivery_is_held_and_closes_nothing(police: Department) -> None:
    whole = [report("2024-06", f"Xã {number}", number) for number in range(24)]
    may = [report("2024-05", f"Xã {number}", number) for number in range(24)]
    police.deliver(1, may + whole)
    with pytest.raises(BatchHeld, match=r"14 of 24 rows of core.fact_eid_month \(month 2024-06-01\)") as held:
        police.deliver(2, may + whole[:10])
    assert "volume.band" in held.value.next_step
    assert len(issued(police.warehouse)) == 48
    assert police.deliver(3, may + whole[:14]).closed == 10, "within the band"
    police.delivery = replace(police.delivery, band=1.0)
    assert police.deliver(4, may + whole[:1]).closed == 13, "the owner says it is whole"


def test_a_rejected_row_is_known_by_the_key_or_by_the_row_of_the_source(warehouse: Warehouse) -> None:
    """Its rows are followed by ``id``, its facts by month and facility: either is enough."""
    empty(warehouse)
    health = Department(warehouse, "health", "co_so_kcb", HEALTH)

    def facility(number: int, code: str) -> dict[str, Any]:
        return {"id": number, "ky_bao_cao": "2024-06-01", "ma_csyt": code, "ten_csyt": code, "ma_xa": "19330", "tuyen": "xa",
                "so_giuong": 5, "so_hssk_lap": 0, "so_the_bhyt": 0, "lien_thong_bhyt": True, "co_cap_cuu": False}  # fmt: skip

    health.deliver(1, [facility(1, "45001"), facility(2, "45002"), facility(3, "45003"), facility(4, "45004")])
    counts = health.deliver(2, [facility(1, "45001")], [("77", "2024-06-01|45002"), ("3", None)])
    assert (counts.closed, counts.kept) == (1, 2)
    assert ask(warehouse, "select facility_code from core.fact_health_month where closed_on is not null") == [
        ("45004",)
    ]


def test_counts_of_a_restricted_list_follow_it_and_their_past_stays(warehouse: Warehouse) -> None:
    """Statements of the load file, not the engine, make these counts: their former versions are kept all the same."""
    empty(warehouse)
    labour = Department(warehouse, "poor_households", "ho_ngheo", HOUSEHOLD)

    def counts(source: str = "core.fact_poor_household_year") -> list[tuple[Any, ...]]:
        return ask(warehouse, f"select f.year, f.households, f.members from {source} as f order by f.year")

    known = []
    for step, (rows, rejected, closed) in enumerate(
        (
            ([household("A", 2023), household("B", 2023), household("A", 2024)], [], 0),
            ([household("A", 2023, 5), household("A", 2024)], [], 1),  # one corrected, one gone
            ([household("B", 2024)], [], 1),  # the list of 2023 was taken away, A is not poor any more
            ([household("C", 2024)], ["B|2024"], 0),  # what came for B is in quarantine
            ([household("A", 2024, 3)], [], 2),  # A came back
        ),
        start=1,
    ):
        told = labour.deliver(step, rows, [(text, text) for text in rejected])
        assert told.closed == closed, f"batch {step}"
        known.append(counts())
    assert known == [
        [(2023, 2, 8), (2024, 1, 4)],
        [(2023, 1, 5), (2024, 1, 4)],
        [(2023, 1, 5), (2024, 1, 4)],
        [(2023, 1, 5), (2024, 2, 8)],
        [(2023, 1, 5), (2024, 1, 3)],
    ]
    for step, state in enumerate(known, start=1):
        assert counts(f"core.poor_household_year_as_known('{at(step).isoformat()}')") == state


def test_rows_of_a_restricted_list_that_stay_are_told(warehouse: Warehouse) -> None:
    empty(warehouse)
    labour = Department(warehouse, "poor_households", "ho_ngheo", HOUSEHOLD)
    labour.deliver(1, [household("A", 2023), household("A", 2024), household("B", 2024), household("C", 2024)])
    told = labour.deliver(2, [household("A", 2024)], [("B|2024", "B|2024")])
    assert (told.closed, told.kept, told.absent) == (1, 1, (("year=2023", 1),))


def test_a_withdrawn_year_is_closed_and_its_counts_go(warehouse: Warehouse) -> None:
    """However many rows it has; the year that is still delivered is judged by its band as ever."""
    empty(warehouse)
    labour = Department(warehouse, "poor_households", "ho_ngheo", HOUSEHOLD)
    old = [household(f"H{number}", 2023) for number in range(24)]
    new = [household(f"H{number}", 2024) for number in range(24)]
    labour.deliver(1, old + new)
    assert labour.deliver(2, new).closed == 0
    labour.delivery = replace(labour.delivery, withdrawn=("2023",))
    told = labour.deliver(3, new)
    assert (told.closed, told.absent) == (24, ())
    assert ask(warehouse, "select year, households from core.fact_poor_household_year") == [(2024, 24)]
    with pytest.raises(BatchHeld, match="14 of 24 rows"):
        labour.deliver(4, new[:10])
    assert labour.deliver(5, old + new).closed == 0, "delivered again, it is open again"
    assert ask(warehouse, "select count(*) from restricted.poor_household where closed_on is null") == [(48,)]


def test_a_withdrawn_month_is_closed_by_the_engine_too(police: Department) -> None:
    police.deliver(1, [report("2024-05", "Vĩnh Tú", 5), report("2024-06", "Vĩnh Tú", 6)])
    june = [report("2024-06", "Vĩnh Tú", 6)]
    assert police.deliver(2, june).absent == (("month=2024-05-01", 1),)
    police.delivery = replace(police.delivery, withdrawn=("2024-05-01",))
    assert police.deliver(3, june).closed == 1
    assert issued(police.warehouse) == {("2024-06", "Vĩnh Tú"): 6}


def step_of(number: int, room: str = "Một cửa") -> dict[str, Any]:
    return {"id": number, "ma_ho_so": f"000.00.01.H50-240{1 + number % 3}01-0001", "trang_thai": "2",
            "phong_ban_xu_ly": room, "ngay_cap_nhat": "2024-06-01 08:00+07"}  # fmt: skip


whole_reads = st.lists(st.sets(st.integers(1, 6), min_size=1), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(whole_reads)
def test_any_sequence_of_whole_re_reads_ends_in_what_the_source_has(
    warehouse: Warehouse, reads: list[set[int]]
) -> None:
    """Steps are deleted and restored without a touch of their time; events of another kind are nobody's business here."""
    with warehouse.owner() as connection:
        connection.exec_driver_sql("truncate core.fact_dossier_event, core.fact_dossier_event_history")
    steps = Department(warehouse, "one_stop", "qua_trinh_xu_ly", STEP)
    supplement = Department(warehouse, "one_stop", "ho_so_bo_sung", SUPPLEMENT)
    supplement.delivery = replace(supplement.delivery, extent="part")
    supplement.deliver(1, [{"id": 9, "ma_ho_so": "000.00.01.H50-240101-0001", "ngay_cap_nhat": "2024-06-01 08:00+07"}])
    star: set[int] = set()
    for number, held in enumerate(reads, start=2):
        steps.delivery = replace(steps.delivery, extent="all", band=1.0, read_from=at(number) - timedelta(minutes=1))
        counts = steps.deliver(number, [step_of(one) for one in sorted(held)])
        assert counts.closed == len(star - held)
        star = held
        assert open_events(warehouse) == [*((1, one) for one in sorted(star)), (2, 9)]
    for number, held in enumerate(reads, start=2):
        known = open_events(warehouse, f"core.dossier_event_as_known('{at(number).isoformat()}')")
        assert known == [*((1, one) for one in sorted(held)), (2, 9)]


def open_events(warehouse: Warehouse, source: str = "core.fact_dossier_event") -> list[tuple[Any, ...]]:
    return ask(warehouse, f"select event_kind_sk, event_id from {source} where closed_on is null order by 1, 2")


def test_what_was_published_after_the_re_read_began_is_not_closed_by_it(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql("truncate core.fact_dossier_event, core.fact_dossier_event_history")
    steps = Department(warehouse, "one_stop", "qua_trinh_xu_ly", STEP)
    steps.delivery = replace(steps.delivery, extent="part")
    steps.deliver(1, [step_of(1), step_of(2)])
    steps.deliver(3, [step_of(3)])
    steps.delivery = replace(steps.delivery, extent="all", read_from=at(2))
    assert steps.deliver(4, [step_of(1)]).closed == 1
    assert open_events(warehouse) == [(1, 1), (1, 3)]
    steps.delivery = replace(steps.delivery, extent="part", read_from=at(2))
    assert steps.deliver(5, [step_of(2)]).updated == 0, "read before it was found gone, replayed after"


def test_a_task_that_is_gone_is_closed_in_its_dimension(warehouse: Warehouse) -> None:
    """Its statuses are its past: they come one by one, so that a delivery never holds them all."""
    with warehouse.owner() as connection:
        connection.exec_driver_sql("truncate core.dim_task, core.fact_task_status, core.bridge_task_agency")
    tasks = Department(warehouse, "task_tracking", "nhiem_vu", TASK)
    tasks.deliver(1, [task("NV1"), task("NV2")])
    tasks.delivery = replace(tasks.delivery, read_from=at(2))
    assert (tasks.deliver(3, [task("NV1")])).closed == 1
    assert ask(warehouse, "select task_code, closed_on::text from core.dim_task order by 1") == [
        ("NV1", None), ("NV2", "2024-07-01"),
    ]  # fmt: skip
    assert ask(warehouse, "select count(*) from core.fact_task_status") == [(2,)]


def test_a_statement_that_changes_a_row_without_dating_it_is_refused(warehouse: Warehouse, tmp_path: Any) -> None:
    empty(warehouse)
    police = Department(warehouse, "eid", "dinh_danh_xa_thang", EID)
    police.deliver(1, [report("2024-06", "Vĩnh Tú", 5)])
    text = (PROJECT / "warehouse_sql" / "load" / "eid" / "dinh_danh_xa_thang.sql").read_text(encoding="utf-8")
    path = tmp_path / "undated.sql"
    path.write_text(
        f"{text}\n-- dx:step merge=sql fills=core.fact_eid_month\nupdate core.fact_eid_month set issued_level_2 = 6;\n",
        encoding="utf-8",
    )
    with (
        pytest.raises(LoadFileError, match="1 rows of core.fact_eid_month were changed"),
        warehouse.loader() as open_one,
    ):
        run_load(open_one, parse_load_file(path), LoadBinds(2, at(2), 1), police.delivery)
    assert issued(warehouse) == {("2024-06", "Vĩnh Tú"): 5}


def test_what_moves_to_an_agency_of_two_identifiers_reads_then_as_it_did(warehouse: Warehouse) -> None:
    """Tasks came under the old identifier before the catalogue knew it; the catalogue's load moves them."""
    old, new = "000.14.45.H50", "H50.14"
    with warehouse.owner() as connection:
        connection.exec_driver_sql("truncate core.dim_task, core.fact_task_status, core.bridge_task_agency")
    Department(warehouse, "task_tracking", "nhiem_vu", TASK).deliver(1, [task("NV1", old)])
    question = (
        "select t.lead_agency_code, b.agency_code, t.lead_agency_sk = b.agency_sk"
        " from {} as t inner join {} as b on t.task_code = b.task_code"
    )
    now = question.format("core.dim_task", "core.bridge_task_agency")
    known = question.format(*(f"core.{name}_as_known('{at(1)}')" for name in ("dim_task", "bridge_task_agency")))
    assert ask(warehouse, now) == [(old, old, True)]
    agency = {
        "group_code": "14", "group_name": "Sở Tư pháp", "ma_dinh_danh": new, "ma_dinh_danh_cu": old,
        "catalog": "so-ban-nganh", "of_group_code": None, "ma_tinh": None, "ma_huyen": None, "ma_xa": None,
        "hieu_luc_tu": None,
    }  # fmt: skip
    fill_stage(warehouse, "groups", dict.fromkeys(agency, "text") | {"hieu_luc_tu": "date"}, [agency])
    load(warehouse, "groups", 2, at(2))
    assert ask(warehouse, now) == [(new, new, True)]
    assert ask(warehouse, known) == [(old, old, True)]
