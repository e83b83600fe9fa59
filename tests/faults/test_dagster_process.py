"""``dx run`` is two processes, one that works and one that keeps Dagster's record: what happens when one ends."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from tests.faults.conftest import LoadedProvince, NewWarehouse
from tests.faults.runs import Run, holding, leftovers, somebody_waits_for
from tests.star import star_checksums

pytestmark = pytest.mark.timeout(600)

RUNS = "runs that Dagster thinks are running"


def dagster_of(run: Run) -> psutil.Process:
    """The child that runs Dagster: a fork, so it has the command line of its parent."""
    parent = psutil.Process(run.pid)
    (child,) = [one for one in parent.children() if one.cmdline() == parent.cmdline()]
    return child


def ends(process: psutil.Process) -> bool:
    """Whether it ends within a few seconds."""
    deadline = time.monotonic() + 5
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def begun(warehouse: NewWarehouse) -> bool:
    """Whether Dagster knows of a run."""
    return (warehouse.home / "dagster" / "dagster.yaml").exists() and bool(leftovers(warehouse, warehouse.url)[RUNS])


def test_dagster_killed_is_told_and_the_next_run_goes_on(new_warehouse: NewWarehouse, loaded: LoadedProvince) -> None:
    new_warehouse.dx("status")
    with holding(new_warehouse.url, "lock table core.fact_dossier in access exclusive mode") as star:
        run = Run(new_warehouse, "run", "one_stop")
        run.wait_until(lambda: somebody_waits_for(new_warehouse.url, "core.fact_dossier"), "the star being written")
        run.wait_until(lambda: begun(new_warehouse), "the run in Dagster")
        dagster_of(run).send_signal(signal.SIGKILL)
        star.rollback()
        told = run.output()
    assert run.exit_code == 1
    assert "the process that keeps Dagster's record of the run has ended (signal 9)" in told
    assert "`dx run` again" in told
    assert "Traceback" not in told
    assert "closed 1 run(s) whose process had died" in new_warehouse.dx("run", "one_stop").stdout
    assert star_checksums(new_warehouse.url) == loaded.checksums
    found = leftovers(new_warehouse, new_warehouse.url)
    assert {what: marks for what, marks in found.items() if marks} == {}


def test_dagster_ends_with_the_process_that_works(new_warehouse: NewWarehouse, loaded: LoadedProvince) -> None:
    new_warehouse.dx("status")
    with holding(new_warehouse.url, "lock table core.fact_dossier in access exclusive mode"):
        run = Run(new_warehouse, "run", "one_stop")
        run.wait_until(lambda: somebody_waits_for(new_warehouse.url, "core.fact_dossier"), "the star being written")
        run.wait_until(lambda: begun(new_warehouse), "the run in Dagster")
        child = dagster_of(run)
        run.kill()
        assert ends(child)
    assert "closed 1 run(s) whose process had died" in new_warehouse.dx("run", "one_stop").stdout
    assert star_checksums(new_warehouse.url) == loaded.checksums


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupted_run_is_over_for_dagster_too(new_warehouse: NewWarehouse, number: int, code: int) -> None:
    """Ctrl-C, and the end that systemd asks for: nothing has to be closed by the next run."""
    new_warehouse.dx("status")
    with holding(new_warehouse.url, "lock table core.fact_dossier in access exclusive mode") as star:
        run = Run(new_warehouse, "run", "one_stop")
        run.wait_until(lambda: somebody_waits_for(new_warehouse.url, "core.fact_dossier"), "the star being written")
        run.wait_until(lambda: begun(new_warehouse), "the run in Dagster")
        child = dagster_of(run)
        os.kill(run.pid, number)
        assert ends(child)
        assert leftovers(new_warehouse, new_warehouse.url)[RUNS] == []
        star.rollback()
        told = run.output()
    assert run.exit_code == code, told
    assert "interrupted: what was published is kept, `dx run` goes on from there" in told
    assert "Traceback" not in told
