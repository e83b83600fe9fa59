"""A mart whose counts are kept is the mart computed from nothing, whatever was published between its refreshes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dx_pipeline.warehouse import kept_tally
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import Mart, compute_mart, load_marts, refresh_mart
from tests.integration.star_warehouse import PROJECT, fill_stage, load, migrated_warehouse, running_server
from tests.integration.test_star_load import dossier, local, stage_types

MARTS = {mart.name: mart for mart in load_marts([PROJECT]) if "-- dx:tally" in mart.script}
CODES = ("H50.7-240410-0001", "H50.7-240510-0002", "G22.99-240509-0003", "H50.9-240610-0004")
MOMENTS = [
    local(text)
    for text in ("2024-04-30 23:59", "2024-05-01 00:00", "2024-05-20 09:30", "2024-06-14 17:00", "2024-06-30 08:00")
]
LATER = [*MOMENTS, local("2024-08-02 10:00")]
STATUSES = ("2", "3", "4", "5", "6", "7", "8", "9", "10")


@dataclass(frozen=True)
class Delivery:
    """Rows of one dataset, and whether the marts are refreshed once they are published."""

    dataset: str
    rows: tuple[dict[str, Any], ...]
    is_refreshed: bool


def maybe(moments: list[datetime]) -> st.SearchStrategy[datetime | None]:
    return st.none() | st.sampled_from(moments)


def rows_of(dataset: str) -> st.SearchStrategy[dict[str, Any]]:
    code: dict[str, st.SearchStrategy[Any]] = {
        "ma_ho_so": st.sampled_from(CODES),
        "ngay_cap_nhat": st.sampled_from(MOMENTS),
    }
    number: dict[str, st.SearchStrategy[Any]] = {"id": st.integers(1, 3)}
    if dataset == "ho_so":
        return st.fixed_dictionaries(
            {
                **code,
                "ma_ho_so_khac": st.none() | st.sampled_from(CODES),
                "trang_thai": st.sampled_from(STATUSES),
                "kenh_thuc_hien": st.sampled_from(["1", "2", None]),
                "ma_dinh_danh": st.sampled_from(["H50.7", "H50.9"]),
                "ngay_tiep_nhan": maybe(LATER),
                "ngay_hen_tra": maybe(LATER),
                "ngay_ket_thuc_xu_ly": maybe(MOMENTS),
                "deleted_on": st.none() | st.none() | st.sampled_from(MOMENTS),
            }
        ).map(lambda changes: dossier(changes.pop("ma_ho_so"), **changes))
    of_dataset: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "qua_trinh_xu_ly": {
            "ngay_bat_dau": maybe(MOMENTS),
            "thoi_diem_xu_ly": st.sampled_from(MOMENTS),
            "trang_thai": st.sampled_from(STATUSES),
            "phong_ban_xu_ly": st.sampled_from(["Phòng 1", None]),
        },
        "ho_so_bo_sung": {"ngay_bo_sung": st.sampled_from(MOMENTS), "ngay_tiep_nhan_bo_sung": maybe(MOMENTS)},
        "yeu_cau_thanh_toan": {
            "so_tien": st.sampled_from([0, 50_000]),
            "trang_thai": st.sampled_from(["da_thanh_toan", "huy_thanh_toan"]),
            "hinh_thuc_thanh_toan": st.sampled_from(["tien-mat", "truc-tuyen"]),
        },
        "giay_to_ket_qua": {"duong_dan_tep_tin_ket_qua": st.sampled_from(["a/b.pdf", None])},
        "dong_bo_dvcqg": {
            "trang_thai_gui": st.sampled_from(["4", "9"]),
            "thoi_gian_gui": st.sampled_from(MOMENTS),
        },
    }
    return st.fixed_dictionaries({**code, **number, **of_dataset[dataset]})


def deliveries_of(dataset: str) -> st.SearchStrategy[Delivery]:
    key = "ma_ho_so" if dataset == "ho_so" else "id"
    rows = st.lists(rows_of(dataset), min_size=1, max_size=4, unique_by=lambda row: row[key])
    return st.builds(Delivery, st.just(dataset), rows.map(tuple), st.booleans())


DELIVERIES = st.lists(
    st.sampled_from(
        ["ho_so", "ho_so", "qua_trinh_xu_ly", "ho_so_bo_sung", "yeu_cau_thanh_toan", "giay_to_ket_qua", "dong_bo_dvcqg"]
    ).flatmap(deliveries_of),
    min_size=2,
    max_size=7,
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with running_server() as server, migrated_warehouse(server) as opened:
        opened.tallies_from_rows = 0
        for mart in MARTS.values():  # nothing is kept of a mart that is computed for the first time
            refresh_mart(opened, mart)
        yield opened


def empty(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql(
            "truncate core.fact_dossier, core.fact_dossier_history, core.fact_dossier_event,"
            " core.fact_dossier_event_history, core.dossier_alias, core.dossier_alias_history;"
            " delete from ops.batch; delete from ops.mart_tally"
        )


def publish(warehouse: Warehouse, batch: int, dataset: str, *, changed: int) -> None:
    with warehouse.owner() as connection:
        connection.execute(
            sa.text(
                "insert into ops.batch (batch_id, system, dataset, kind, status, contract_version, source_rows, extracted,"
                " accepted, quarantined, duplicate, inserted, updated, unchanged, closed, also_changed, started_at,"
                " published_at) overriding system value values (:batch, 'one_stop', :dataset, 'snapshot', 'published',"
                " '1.0.0', :changed, :changed, :changed, 0, 0, :changed, 0, 0, 0, 0, now(), now())"
            ),
            {"batch": batch, "dataset": dataset, "changed": changed},
        )


def bring(warehouse: Warehouse, batch: int, hour: int, dataset: str, *rows: dict[str, Any]) -> None:
    fill_stage(warehouse, dataset, stage_types(dataset), rows)
    counts = load(warehouse, dataset, batch, local("2024-07-01 08:00") + timedelta(hours=hour))
    changed = counts.inserted + counts.updated + counts.closed + counts.also_changed
    publish(warehouse, batch, dataset, changed=changed)


def mart_content(connection: sa.Connection, mart: Mart) -> list[str]:
    rows = connection.exec_driver_sql(f"select (to_jsonb(m) - 'refreshed_at')::text from {mart.table} as m")
    return sorted(rows.scalars())


def is_kept(warehouse: Warehouse, mart: Mart) -> bool:
    with warehouse.owner() as connection:
        found = connection.execute(sa.text("select count(*) from ops.mart_tally where mart = :m"), {"m": mart.name})
        return int(found.scalar_one()) == 1


def assert_as_from_nothing(warehouse: Warehouse, mart: Mart) -> list[str]:
    """Refresh the mart from what is kept and compare it with a full computation; its rows."""
    refresh_mart(warehouse, mart)
    assert is_kept(warehouse, mart), mart.name
    with warehouse.loader() as connection:
        kept = mart_content(connection, mart)
        compute_mart(connection, mart)
        assert kept == mart_content(connection, mart), mart.name
        connection.rollback()
    return kept


@pytest.fixture
def always_kept(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(kept_tally, "MOST_TOUCHED", 1_000)
    return monkeypatch


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deliveries=DELIVERIES,
    numbers=st.permutations(range(1, 8)),  # a batch begun first may be published last
    few=st.sampled_from([0, 1_000]),
    names=st.sets(st.sampled_from(sorted(MARTS)), min_size=2, max_size=4).map(
        lambda names: names | {"dossier_on_time"}
    ),
)
def test_a_kept_mart_is_the_mart_from_nothing(
    warehouse: Warehouse,
    always_kept: pytest.MonkeyPatch,
    deliveries: list[Delivery],
    numbers: list[int],
    few: int,
    names: set[str],
) -> None:
    always_kept.setattr(kept_tally, "FEW_TOUCHED", few)
    empty(warehouse)
    for hour, (delivery, batch) in enumerate(zip(deliveries, numbers, strict=False)):
        bring(warehouse, batch, hour, delivery.dataset, *delivery.rows)
        if delivery.is_refreshed or delivery is deliveries[-1]:
            for name in sorted(names):
                assert_as_from_nothing(warehouse, MARTS[name])
