"""A mart is computed again only when something it is made of has changed, or the day has."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import Mart, load_marts, refresh_mart
from tests.warehouse_fixture import warehouse

__all__ = ["warehouse"]

SQL = """-- Grain: one row. What the test wants to know.
-- dx:mart name=probe depends=health.facility,health.bed
delete from mart.probe;
insert into mart.probe (computed_at) values (clock_timestamp());
"""


@pytest.fixture
def mart(warehouse: Warehouse, tmp_path: Path) -> Mart:
    folder = tmp_path / "warehouse_sql" / "marts"
    folder.mkdir(parents=True)
    (folder / "probe.sql").write_text(SQL, encoding="utf-8")
    with warehouse.owner() as connection:
        connection.exec_driver_sql("create table mart.probe (computed_at timestamptz)")
        connection.exec_driver_sql("grant select, insert, delete on mart.probe to dx_loader")
    return load_marts([tmp_path])[0]


def publish(warehouse: Warehouse, dataset: str, *, inserted: int = 0, unchanged: int = 0, beside: int = 0) -> None:
    accepted = inserted + unchanged
    with warehouse.owner() as connection:
        connection.execute(
            sa.text(
                "insert into ops.batch (system, dataset, kind, status, contract_version, source_rows, extracted, accepted,"
                " quarantined, duplicate, inserted, updated, unchanged, closed, also_changed, started_at, published_at)"
                " values ('health', :dataset, 'snapshot', 'published', '1.0.0', :accepted, :accepted, :accepted, 0, 0,"
                " :inserted, 0, :unchanged, 0, :beside, now(), now())"
            ),
            {"dataset": dataset, "accepted": accepted, "inserted": inserted, "unchanged": unchanged, "beside": beside},
        )


def computed(warehouse: Warehouse, mart: Mart) -> bool:
    refreshed = refresh_mart(warehouse, mart, only_if_changed=True)
    assert refreshed.rows == 1
    return refreshed.computed


def test_it_is_computed_once_until_a_batch_changes_something(warehouse: Warehouse, mart: Mart) -> None:
    publish(warehouse, "facility", inserted=3)
    assert computed(warehouse, mart)
    assert not computed(warehouse, mart)
    publish(warehouse, "facility", unchanged=3)
    assert not computed(warehouse, mart), "a batch that changed nothing asks for no work"
    publish(warehouse, "school", inserted=1)
    assert not computed(warehouse, mart), "nor does a dataset the mart does not depend on"
    publish(warehouse, "bed", inserted=1)
    assert computed(warehouse, mart)
    publish(warehouse, "bed", unchanged=3, beside=1)
    assert computed(warehouse, mart), "a statement beside the ledger step closed or opened a row"


def test_a_month_that_is_published_late_asks_for_it_again(warehouse: Warehouse, mart: Mart) -> None:
    """Two runs read two months; the one that began first ends last."""
    for number in (2, 1):
        with warehouse.owner() as connection:
            connection.exec_driver_sql(f"alter table ops.batch alter column batch_id restart with {number}")
        publish(warehouse, "bed", inserted=1)
        assert computed(warehouse, mart)
    assert not computed(warehouse, mart)


def test_a_new_day_a_new_text_or_a_migration_asks_for_it_again(warehouse: Warehouse, mart: Mart) -> None:
    assert computed(warehouse, mart)
    with warehouse.owner() as connection:
        connection.exec_driver_sql("update ops.mart_refresh set refreshed_at = refreshed_at - interval '1 day'")
    assert computed(warehouse, mart), "what is late depends on the day"
    mart.path.write_text(SQL + "-- mended\n", encoding="utf-8")
    assert computed(warehouse, mart)
    with warehouse.owner() as connection:
        connection.exec_driver_sql(
            "insert into ops.migration (project, name, checksum, seconds) values ('p', '9999_x.sql', '', 0)"
        )
    assert computed(warehouse, mart)
    assert not computed(warehouse, mart)


def test_asked_for_without_condition_it_is_always_computed(warehouse: Warehouse, mart: Mart) -> None:
    assert refresh_mart(warehouse, mart).computed
    assert refresh_mart(warehouse, mart).computed
