"""Marts refreshed in the background while a run goes on, and the statistics that their plans are made from."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from dx_pipeline.errors import LoadFileError
from dx_pipeline.orchestration.marts_ahead import MartsAhead
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import Mart, load_marts, refresh_mart
from tests.warehouse_fixture import warehouse

__all__ = ["warehouse"]

SQL = """-- Grain: one row. How many facilities there are.
-- dx:mart name=probe depends=health.facility,health.bed
delete from mart.probe;
insert into mart.probe (facilities) select count(*) from core.facility_probe;
"""


@pytest.fixture
def mart(warehouse: Warehouse, tmp_path: Path) -> Mart:
    folder = tmp_path / "warehouse_sql" / "marts"
    folder.mkdir(parents=True)
    (folder / "probe.sql").write_text(SQL, encoding="utf-8")
    with warehouse.owner() as connection:
        connection.exec_driver_sql(
            "create table mart.probe (facilities bigint);"
            " grant select, insert, delete on mart.probe to dx_loader;"
            " create table core.facility_probe (month date not null, name text) partition by range (month);"
            " create table core.facility_probe_05 partition of core.facility_probe"
            " for values from ('2024-05-01') to ('2024-06-01');"
            " create table core.facility_probe_06 partition of core.facility_probe"
            " for values from ('2024-06-01') to ('2024-07-01');"
            " grant select on core.facility_probe to dx_loader"
        )
    return load_marts([tmp_path])[0]


def fill(warehouse: Warehouse, month: str, rows: int) -> None:
    with warehouse.owner() as connection:
        connection.execute(
            sa.text(
                "insert into core.facility_probe select cast(:m as date), 'Trạm ' || n from generate_series(1, :n) n"
            ),
            {"m": month, "n": rows},
        )


def facilities(warehouse: Warehouse) -> list[int]:
    with warehouse.loader() as connection:
        return list(connection.exec_driver_sql("select facilities from mart.probe").scalars())


def known(warehouse: Warehouse) -> list[str]:
    """Tables of the probe that have statistics."""
    with warehouse.owner() as connection:
        return list(
            connection.exec_driver_sql(
                "select distinct tablename from pg_stats where tablename like 'facility_probe%%' order by tablename"
            ).scalars()
        )


def test_a_mart_starts_when_the_last_dataset_it_needs_is_published(warehouse: Warehouse, mart: Mart) -> None:
    fill(warehouse, "2024-05-01", 7)
    ahead = MartsAhead(warehouse)
    ahead.begin([mart], ["health.facility", "health.bed", "health.staff"], run_id="run")
    ahead.published("health.facility", run_id="run")
    ahead.published("health.bed", run_id="another run")
    assert facilities(warehouse) == []
    ahead.published("health.bed", run_id="run")
    assert ahead.refreshed(mart, run_id="run").rows == 1
    assert facilities(warehouse) == [7]


def test_a_mart_of_a_run_without_what_it_needs_is_refreshed_by_its_step(warehouse: Warehouse, mart: Mart) -> None:
    ahead = MartsAhead(warehouse)
    ahead.begin([mart], ["health.facility"], run_id="run")
    assert ahead.refreshed(mart, run_id="run").computed
    ahead.published("health.facility", run_id="run")
    assert not ahead.refreshed(mart, run_id="run").computed, "not waited for any more, and nothing has changed"


def test_a_failure_is_told_by_the_step_and_mended_by_the_next_call(warehouse: Warehouse, mart: Mart) -> None:
    broken = mart.path.read_text(encoding="utf-8").replace("facilities)", "beds)")
    mart.path.write_text(broken, encoding="utf-8")
    ahead = MartsAhead(warehouse)
    ahead.begin([mart], ["health.facility"], run_id="run")
    ahead.published("health.facility", run_id="run")
    with pytest.raises(LoadFileError, match=r"mart probe .*beds"):
        ahead.refreshed(mart, run_id="run")
    mart.path.write_text(SQL, encoding="utf-8")
    assert ahead.refreshed(mart, run_id="run").computed


def test_statistics_are_taken_of_the_parts_a_load_has_filled(warehouse: Warehouse, mart: Mart) -> None:
    fill(warehouse, "2024-05-01", 20_000)
    refresh_mart(warehouse, mart)
    assert known(warehouse) == ["facility_probe", "facility_probe_05"], "an empty month is left alone"
    fill(warehouse, "2024-06-01", 20_000)
    refresh_mart(warehouse, mart)
    assert known(warehouse) == ["facility_probe", "facility_probe_05", "facility_probe_06"]
    with warehouse.loader() as connection:
        taken = sa.text("select ops.refresh_statistics(:name)")
        assert connection.execute(taken, {"name": "core.facility_probe"}).scalar_one() == 0, "they are fresh"
        for name in ("ops.batch", "pg_catalog.pg_class", "core.nothing", "core.x; drop table core.facility_probe"):
            assert connection.execute(taken, {"name": name}).scalar_one() == 0, name


def test_of_those_that_may_begin_the_longest_comes_first(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "warehouse_sql" / "marts"
    folder.mkdir(parents=True)
    for name in ("first", "second"):  # they keep both threads busy until the lock is given back
        write_mart(folder, name, "select pg_advisory_xact_lock_shared(7102);")
    for name in ("brief", "short", "unknown", "long"):
        write_mart(folder, name, "select pg_sleep(0.3);")
    marts = {mart.name: mart for mart in load_marts([tmp_path])}
    with warehouse.owner() as connection:
        for name in marts:
            connection.exec_driver_sql(f"create table mart.{name} (); grant select on mart.{name} to dx_loader")
        connection.exec_driver_sql(
            "insert into ops.mart_refresh (mart, definition, inputs, refreshed_at, seconds)"
            " values ('brief', '-', '-', now(), 0.1), ('short', '-', '-', now(), 1), ('long', '-', '-', now(), 9)"
        )
    ahead = MartsAhead(warehouse)
    ahead.begin([*marts.values()], ["health.first", "health.second", "health.other"], run_id="run")
    with warehouse.owner() as held:
        held.exec_driver_sql("select pg_advisory_xact_lock(7102)")
        ahead.published("health.first", run_id="run")
        ahead.published("health.second", run_id="run")
        wait_until_two_wait(warehouse)
        ahead.published("health.other", run_id="run")
    for mart in marts.values():
        ahead.refreshed(mart, run_id="run")
    with warehouse.loader() as connection:
        begun = connection.exec_driver_sql("select m.mart from ops.mart_refresh as m order by m.refreshed_at").scalars()
        others = [name for name in begun if name not in ("first", "second")]
    assert set(others[:2]) == {"long", "short"}, "two at once, the longest before all others"


def write_mart(folder: Path, name: str, sql: str) -> None:
    dataset = name if name in ("first", "second") else "other"
    text = f"-- Grain: nothing.\n-- dx:mart name={name} depends=health.{dataset}\n{sql}\n"
    (folder / f"{name}.sql").write_text(text, encoding="utf-8")


def wait_until_two_wait(warehouse: Warehouse) -> None:
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and objid = 7102 and not granted"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with warehouse.owner() as connection:
            if connection.exec_driver_sql(waiting).scalar_one() == 2:
                return
        time.sleep(0.05)
    raise AssertionError("the two marts never waited for the lock")
