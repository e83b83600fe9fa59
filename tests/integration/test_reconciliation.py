"""Control sums through the gates, on a real road: what agrees, what is told when it does not, and the volume alarms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import BatchHeld
from dx_pipeline.orchestration.road import Road
from dx_pipeline.settings import PROJECT_ROOT, Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.control_sums import reconcile
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.migrate import migrate
from tests.faults.small_project import GOOD_ROWS, HEADER, SmallProject

ROWS = [("A1", "Một", 100), ("A2", "Hai", 200), ("A3", "Ba", 300), ("A3", "Ba", 300), ("", "Không mã", 50)]


class SmallRoad:
    """A road over one small dataset, and short ways to go along it."""

    def __init__(self, project: SmallProject, warehouse: Warehouse, home: Path) -> None:
        self.project = project
        self.warehouse = warehouse
        self._settings = Settings(home=home, extra_projects=(project.root,))
        migrate(warehouse, (PROJECT_ROOT, project.root))

    @property
    def contract(self) -> Contract:
        return load_catalog((self.project.root,)).contract("books.book")

    @property
    def road(self) -> Road:
        return Road(self._settings, self.warehouse, load_catalog((self.project.root,)))

    def go(self) -> Batch:
        road, contract = self.road, self.contract
        batch = road.land(contract, run_id=None)
        return road.publish(contract, road.stage(contract, batch).batch).batch

    def values(self, batch: Batch) -> dict[str, dict[str, str | None]]:
        with self.warehouse.loader() as connection:
            return {one.measure: dict(one.values) for one in reconcile(connection, batch.batch_id)}

    def broken(self, batch: Batch) -> dict[str, tuple[tuple[str, str], ...]]:
        with self.warehouse.loader() as connection:
            return {one.measure: one.broken for one in reconcile(connection, batch.batch_id) if one.broken}


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path / "project")


@pytest.fixture
def warehouse(source_server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    name = f"w_{tmp_path.name.lower()[-30:].replace('-', '_')}"
    source_server.create_database(name)
    opened = Warehouse(make_url(source_server.start().url(name)))
    yield opened
    opened.close()


@pytest.fixture
def table_road(
    project: SmallProject, warehouse: Warehouse, source_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SmallRoad:
    """Over a PostgreSQL table, which takes control sums itself."""
    with psycopg.connect(make_url(source_url).set(drivername="postgresql").render_as_string(False)) as connection:
        connection.execute("create schema motcua")
        connection.execute('create table motcua.book ("Ma" text, "Ten" text, "SoTien" bigint)')
        connection.cursor().executemany("insert into motcua.book values (%s, %s, %s)", ROWS)
    monkeypatch.setenv("DX_CONNECTION_BOOKS", source_url)
    project.add_table("books", "book", "book")
    project.replace(project.contract("books", "book"), "rejectedShareCap, value: 0.2", "rejectedShareCap, value: 0.9")
    return SmallRoad(project, warehouse, tmp_path / "home")


@pytest.fixture
def file_road(
    project: SmallProject, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SmallRoad:
    monkeypatch.setenv("DX_CONNECTION_BOOKS", project.files.as_uri())
    project.add_csv("books", "book", GOOD_ROWS)
    return SmallRoad(project, warehouse, tmp_path / "home")


def test_rows_keys_and_money_are_followed_from_the_source_to_the_star(table_road: SmallRoad) -> None:
    batch = table_road.go()
    assert table_road.broken(batch) == {}
    values = table_road.values(batch)
    assert values["rows"] == {
        "source": "5", "landing": "5", "cleaned": "5", "accepted": "3", "quarantined": "1", "duplicate": "1",
        "stage": "3", "star": "3",
    }  # fmt: skip
    assert values["distinct_keys"] == {"source": "4", "landing": "4", "stage": "3", "star": "3"}
    money = {gate: float(value or 0) for gate, value in values["sum(amount)"].items()}
    assert money == {
        "source": 950, "landing": 950, "cleaned": 950, "accepted": 600, "quarantined": 50, "duplicate": 300,
        "stage": 600, "star": 600,
    }  # fmt: skip


def test_an_amount_that_changes_between_stage_and_star_is_told(table_road: SmallRoad) -> None:
    road, contract = table_road.road, table_road.contract
    batch = road.stage(contract, road.land(contract, run_id=None)).batch
    with table_road.warehouse.owner() as connection:
        connection.exec_driver_sql("update stage.books__book set amount = 201 where code = 'A2'")
    published = road.publish(contract, batch).batch
    assert published.status == "published"
    assert table_road.broken(published) == {"sum(amount)": (("stage", "star"),)}
    assert any("sum(amount) is not the same: stage 600, star 601" in line for line in published.warnings or [])


def test_a_replay_is_reconciled_with_what_landed(table_road: SmallRoad) -> None:
    first = table_road.go()
    road, contract = table_road.road, table_road.contract
    again = road.publish(contract, road.stage(contract, road.replay(contract, first.batch_id, run_id=None)).batch).batch
    assert table_road.broken(again) == {}
    assert table_road.values(again)["rows"]["source"] == "5"
    assert table_road.values(again)["sum(amount)"]["star"] == "600"


def test_a_whole_read_outside_the_band_is_an_alarm_or_held(file_road: SmallRoad) -> None:
    contract_file = file_road.project.contract("books", "book")
    file_road.project.replace(
        contract_file, "- {property: minSourceRows, value: 1}", "- {property: minSourceRows, value: 1}\n"
        "  - {property: volume, value: {band: 0.5}}",
    )  # fmt: skip
    assert not file_road.go().warnings
    file_road.project.write_csv("book", HEADER + "A1,Một,100\n")
    warned = file_road.go()
    assert warned.status == "published"
    assert warned.warnings == ["books.book: 1 rows were read, usual are 3: a change of -67 %, the contract allows 50 %"]
    file_road.project.replace(contract_file, "{band: 0.5}", "{band: 0.5, outside: hold}")
    file_road.project.write_csv("book", HEADER + "".join(f"B{i},Tên,1\n" for i in range(50)))
    with pytest.raises(BatchHeld, match="50 rows were read, usual are 2: a change of \\+2400 %"):
        file_road.go()
    with file_road.warehouse.loader() as connection:
        assert connection.execute(sa.text("select count(*) from small.book where closed_on is null")).scalar() == 1


def test_success_without_anything_new_is_an_alarm_after_the_promised_time(file_road: SmallRoad) -> None:
    file_road.project.replace(
        file_road.project.contract("books", "book"), "- {property: minSourceRows, value: 1}",
        "- {property: minSourceRows, value: 1}\n  - {property: volume, value: {newWithinHours: 48}}",
    )  # fmt: skip
    assert not file_road.go().warnings
    assert not file_road.go().warnings, "nothing new, but within the time"
    with file_road.warehouse.owner() as connection:
        connection.exec_driver_sql("update ops.batch set published_at = published_at - interval '3 days'")
    warnings = file_road.go().warnings or []
    assert len(warnings) == 1
    assert "nothing new or changed for 72 hours, the contract expects something every 48 hours" in warnings[0]
    file_road.project.write_csv("book", GOOD_ROWS + "A4,Bốn,400\n")
    assert not file_road.go().warnings, "something came: the alarm is over"
