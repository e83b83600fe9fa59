"""File drops: only settled files start a run, each state of a file one run, each dataset by itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.orchestration.definitions import build_definitions
from dx_pipeline.orchestration.file_drop_sensor import file_drop_sensor
from dx_pipeline.settings import get_settings
from tests.faults.small_project import GOOD_ROWS, SmallProject

SETTLE = 60.0


class Watched:
    """The sensor of system ``so`` with two datasets in one folder, looked at by a real Dagster instance."""

    def __init__(self, project: SmallProject, instance: dg.DagsterInstance) -> None:
        self.files = project.files
        catalog = load_catalog([project.root])
        self.definitions = build_definitions(catalog)
        self._instance = instance
        self._cursor: str | None = None
        self.now = 1_800_000_000.0
        self.sensor = file_drop_sensor(
            catalog.systems["so"],
            list(catalog.contracts.values()),
            dg.define_asset_job("so_refresh", selection=dg.AssetSelection.groups("so")),
            [],
            {"dx/mode": "increment"},
            settle_seconds=SETTLE,
            clock=lambda: self.now,
        )

    def look(self, *, after: float = 0.0) -> dg.SensorExecutionData | object:
        """One tick, ``after`` seconds later; the cursor goes on as the daemon keeps it."""
        self.now += after
        with dg.build_sensor_context(
            instance=self._instance, cursor=self._cursor, definitions=self.definitions
        ) as context:
            found = self.sensor.evaluate_tick(context)
        if found.cursor is not None:
            self._cursor = found.cursor
        return found

    def started(self, *, after: float = 0.0) -> list[str]:
        """Datasets for which this tick asks for a run."""
        found = self.look(after=after)
        return [request.tags["dx/dataset"] for request in found.run_requests]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallProject]:
    made = SmallProject(tmp_path / "project")
    for dataset in ("a", "b"):
        made.add_csv("so", dataset, GOOD_ROWS)
        (made.files / f"{dataset}.csv").unlink()
    monkeypatch.setenv("DX_CONNECTION_SO", f"file://{made.files}")
    monkeypatch.setenv("DX_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield made
    get_settings.cache_clear()


@pytest.fixture
def watched(project: SmallProject) -> Iterator[Watched]:
    with dg.instance_for_test() as instance:
        yield Watched(project, instance)


def test_a_file_starts_its_dataset_once_it_stood_still(watched: Watched) -> None:
    assert watched.started() == []
    (watched.files / "a.csv").write_text(GOOD_ROWS, encoding="utf-8")
    assert watched.started(after=30) == []
    assert watched.started(after=59) == []
    found = watched.look(after=1)
    (request,) = found.run_requests
    assert request.tags["dx/trigger"] == "file_drop"
    assert sorted(key.to_user_string() for key in request.asset_selection) == [
        "core/so/a", "landing/so/a", "stage/so/a",
    ]  # fmt: skip
    assert watched.started(after=3600) == []


def test_a_growing_file_is_left_alone(watched: Watched) -> None:
    file = watched.files / "a.csv"
    for part in range(5):
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"A{part},Một,100\n")
        found = watched.look(after=45)
        assert found.run_requests == []
        assert "so.a: waits until a.csv has settled" in found.skip_message
    assert watched.started(after=60) == ["so.a"]


def test_a_marker_says_at_once_that_the_file_is_whole(watched: Watched) -> None:
    file, marker = watched.files / "a.csv", watched.files / "a.csv.done"
    file.write_text(GOOD_ROWS, encoding="utf-8")
    marker.touch()
    assert watched.started() == ["so.a"]
    file.write_text(GOOD_ROWS + "A4,Bốn,400\n", encoding="utf-8")  # the marker of before says nothing of this
    os.utime(marker, (0, 0))
    assert watched.started(after=10) == []
    marker.touch()
    assert watched.started(after=10) == ["so.a"]


def test_one_late_source_never_holds_another(watched: Watched) -> None:
    (watched.files / "a.csv").write_text(GOOD_ROWS, encoding="utf-8")
    assert watched.started() == []
    (watched.files / "b.csv").write_text(GOOD_ROWS, encoding="utf-8")
    assert watched.started(after=60) == ["so.a"]  # b is still settling
    assert watched.started(after=60) == ["so.b"]


def test_the_run_key_is_that_of_the_file(watched: Watched) -> None:
    file = watched.files / "a.csv"
    file.write_text(GOOD_ROWS, encoding="utf-8")
    (watched.files / "a.csv.done").touch()
    first = watched.look().run_requests[0].run_key
    watched._cursor = None  # somebody resets the cursor: Dagster refuses the key it knows
    assert watched.look().run_requests[0].run_key == first
    file.write_text(GOOD_ROWS + "A4,Bốn,400\n", encoding="utf-8")
    (watched.files / "a.csv.done").touch()
    assert watched.look().run_requests[0].run_key != first


def test_a_removed_file_starts_nothing(watched: Watched) -> None:
    (watched.files / "a.csv").write_text(GOOD_ROWS, encoding="utf-8")
    (watched.files / "a.csv.done").touch()
    assert watched.started() == ["so.a"]
    (watched.files / "a.csv").unlink()
    assert watched.started(after=100) == []


def test_a_missing_folder_is_one_reason(watched: Watched) -> None:
    watched.files.rename(watched.files.with_name("unmounted"))
    found = watched.look()
    assert found.run_requests == []
    assert found.skip_message == "the connection of system so leads to no folder: is the share mounted?"


def test_a_cursor_that_is_not_ours_is_forgotten(watched: Watched) -> None:
    watched._cursor = "[1, 2]"
    (watched.files / "a.csv").write_text(GOOD_ROWS, encoding="utf-8")
    assert watched.started() == []
    assert watched.started(after=60) == ["so.a"]


def test_only_systems_of_files_have_a_sensor_and_it_is_off(watched: Watched) -> None:
    sensors = [sensor for sensor in watched.definitions.sensors or () if sensor.name.endswith("_file_drop")]
    assert [(s.name, s.default_status, s.minimum_interval_seconds) for s in sensors] == [
        ("so_file_drop", dg.DefaultSensorStatus.STOPPED, 30)
    ]
    ours = {sensor.name for sensor in build_definitions(load_catalog([get_settings().project_roots[0]])).sensors or ()}
    assert "one_stop_file_drop" not in ours


def test_a_file_that_really_grows_starts_its_run_when_it_is_whole(project: SmallProject) -> None:
    """The clock of the machine, a sender that copies for two seconds, one look every 0.2 seconds."""
    catalog = load_catalog([project.root])
    sensor = file_drop_sensor(
        catalog.systems["so"],
        list(catalog.contracts.values()),
        dg.define_asset_job("so_refresh", selection=dg.AssetSelection.groups("so")),
        [],
        {},
        settle_seconds=3.0,  # a loaded machine may stop the sender for a second
    )
    rows = [f"A{number},Tên {number},{number}\n" for number in range(20)]
    file, finished = project.files / "a.csv", threading.Event()

    def copy() -> None:
        with file.open("w", encoding="utf-8") as stream:
            stream.write("Ma,Ten,SoTien\n")
            for row in rows:
                stream.write(row)
                stream.flush()
                time.sleep(0.1)
        finished.set()

    sender = threading.Thread(target=copy)
    sender.start()
    cursor, looked, early = None, 0, []
    with dg.instance_for_test() as instance:
        definitions = build_definitions(catalog)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            was_whole = finished.is_set()
            with dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions) as context:
                found = sensor.evaluate_tick(context)
            cursor, looked = found.cursor, looked + 1
            if found.run_requests:
                early = [] if was_whole else ["asked for a run before the file was whole"]
                break
            time.sleep(0.2)
    sender.join()
    assert early == []
    assert [request.tags["dx/dataset"] for request in found.run_requests] == ["so.a"]
    assert looked > 8, "it was looked at while it grew"
    assert file.read_text(encoding="utf-8").count("\n") == 21


def test_a_marker_ends_the_waiting_at_once_by_the_clock_of_the_machine(project: SmallProject) -> None:
    catalog = load_catalog([project.root])
    sensor = file_drop_sensor(
        catalog.systems["so"],
        list(catalog.contracts.values()),
        dg.define_asset_job("so_refresh", selection=dg.AssetSelection.groups("so")),
        [],
        {},
    )
    cursor = None
    with dg.instance_for_test() as instance:
        definitions = build_definitions(catalog)
        for content, has_marker, wanted in (("Ma,Ten", False, []), (GOOD_ROWS, False, []), (GOOD_ROWS, True, ["so.b"])):
            (project.files / "b.csv").write_text(content, encoding="utf-8")
            if has_marker:
                (project.files / "b.csv.done").touch()
            with dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions) as context:
                found = sensor.evaluate_tick(context)
            cursor = found.cursor
            assert [request.tags["dx/dataset"] for request in found.run_requests] == wanted
