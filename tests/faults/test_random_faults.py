"""Faults drawn by seed, done to real runs. After each a plain run brings the star of an undisturbed one.

``DX_FAULTS`` says how many (14, one of each kind; ``make nightly``: 200), ``DX_FAULT_SEED`` the first seed. One alone:
``DX_FAULTS=1 DX_FAULT_SEED=<its seed>``. ``DX_FAULT_WORKERS`` (2) of them are done at the same time.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Installation
from tests.faults.harness.doing import Outcome, cannot_be_done, do_fault, fail_if_wrong
from tests.faults.harness.fault import KINDS, Fault, faults_to_do
from tests.faults.harness.scene import Workshop, fault_workers

pytestmark = pytest.mark.timeout(3600)
FAULTS = faults_to_do()
FEWEST_TO_COUNT = 10


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, make_installation: Callable[[], Installation]
) -> Iterator[dict[Fault, Future[Outcome]]]:
    """The chosen faults, being done a few at a time."""
    here = [item for item in request.session.items if item.module is request.module]
    chosen = [item.callspec.params["fault"] for item in here if hasattr(item, "callspec")]
    folder = Path(tempfile.mkdtemp(prefix="dx-faults-"))
    province = make_installation()
    workshop = Workshop(province, folder)
    pool = ThreadPoolExecutor(fault_workers(), thread_name_prefix="fault")
    try:
        possible = [fault for fault in chosen if cannot_be_done(fault) is None]
        yield {fault: pool.submit(do_fault, fault, workshop) for fault in possible}
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        province.dx("sandbox", "down", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_plain_run_recovers(fault: Fault, outcomes: dict[Fault, Future[Outcome]]) -> None:
    if (reason := cannot_be_done(fault)) is not None:
        pytest.skip(reason)
    fail_if_wrong(outcomes[fault].result())


def test_the_faults_met_their_runs(outcomes: dict[Fault, Future[Outcome]]) -> None:
    """A fault that comes after the end of its run proves nothing; a few that are drawn late may."""
    done = [future.result() for future in outcomes.values() if future.exception() is None]
    missed = [one.fault.name for one in done if not one.struck]
    print(f"{len(done) - len(missed)} of {len(done)} faults met a run; not: {missed}")
    assert len(done) < FEWEST_TO_COUNT or len(missed) <= len(done) // 5, missed


def test_any_few_seeds_meet_every_kind() -> None:
    assert len(FAULTS) < len(KINDS) or {fault.kind for fault in FAULTS} == set(KINDS)
