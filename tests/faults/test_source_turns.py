"""Two runs at once read a source in turn: as many readings together as ``poolLimit`` allows, of all processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dx_pipeline.errors import DatasetBusy
from dx_pipeline.warehouse.connection import Warehouse
from tests.conftest import Installation
from tests.faults.runs import Run
from tests.faults.small_project import SmallProject
from tests.http_server import Reply, Request, json_reply, serving
from tests.warehouse_fixture import warehouse

__all__ = ["warehouse"]

API = "{kind: http_json, path: PATH, records: data, paging: {style: none}}"
ROWS = [{"Ma": "A1", "Ten": "Một", "SoTien": 100}]

pytestmark = pytest.mark.timeout(300)


def test_a_source_has_as_many_turns_as_its_limit(warehouse: Warehouse) -> None:
    with (
        warehouse.source_turn("so", limit=2, timeout_seconds=1),
        warehouse.source_turn("so", limit=2, timeout_seconds=1),
        warehouse.source_turn("khac", limit=1, timeout_seconds=1),
    ):
        started = time.monotonic()
        with (
            pytest.raises(DatasetBusy, match="the source of system so has been read by others for 1 s") as busy,
            warehouse.source_turn("so", limit=2, timeout_seconds=1),
        ):
            raise AssertionError
        assert 1 <= time.monotonic() - started < 10
        assert "raise poolLimit in assets/so/system.yaml" in busy.value.next_step
    with warehouse.source_turn("so", limit=1, timeout_seconds=1):  # given back
        pass


def test_waiting_for_sources_uses_up_no_connection_of_the_others(warehouse: Warehouse) -> None:
    """Fifteen datasets are being read; the ledger is written all the same."""
    release = threading.Event()
    entered = threading.Barrier(16)

    def read(number: int) -> None:
        with (
            warehouse.dataset_lock(f"s{number}.d", timeout_seconds=5),
            warehouse.source_turn(f"s{number}", limit=1, timeout_seconds=5),
        ):
            entered.wait(30)
            release.wait(30)

    readers = [threading.Thread(target=read, args=(number,)) for number in range(15)]
    for reader in readers:
        reader.start()
    entered.wait(30)
    try:
        with warehouse.loader() as connection:
            assert connection.exec_driver_sql("select count(*) from ops.batch").scalar_one() == 0
    finally:
        release.set()
        for reader in readers:
            reader.join()


def test_two_runs_read_one_source_in_turn(make_installation: Callable[[], Installation], tmp_path: Path) -> None:
    project = SmallProject(tmp_path / "small")
    for dataset in ("a", "b"):
        project.add_file("so", dataset, API.replace("PATH", f"/{dataset}"))
    guard = threading.Lock()
    now: set[str] = set()
    together: list[int] = []

    def answer(request: Request) -> Reply:
        with guard:
            now.add(request.path)
            together.append(len(now))
        time.sleep(4)
        with guard:
            now.discard(request.path)
        return json_reply({"data": ROWS})

    installation = make_installation()
    with serving(answer) as server:
        installation.environment |= {"DX_EXTRA_PROJECTS": str(project.root), "DX_CONNECTION_SO": server.url}
        installation.dx("batches")  # the warehouse is there
        runs = [Run(installation, "run", f"so.{dataset}") for dataset in ("a", "b")]
        outputs = [run.output() for run in runs]
    assert [run.exit_code for run in runs] == [0, 0], outputs
    assert max(together) == 1
