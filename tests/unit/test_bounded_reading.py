"""A reading that hangs is left behind; one that goes on, however slowly, is not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, SourceSilent
from dx_pipeline.extract.sign_of_life import LeftBehindError, SignOfLife, still_alive
from dx_pipeline.orchestration.bounded_reading import SilentSources, read_bounded
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(Path(ROOT / "assets" / "eid" / "dinh_danh_xa_thang.odcs.yaml"), ROOT)


def test_silence_is_left_behind_and_what_comes_later_is_refused(contract: Contract) -> None:
    woken, told = threading.Event(), []

    def hang(life: SignOfLife) -> str:
        woken.wait(10)
        try:
            life.seen()
        except LeftBehindError:
            told.append("too late")
            raise
        return "rows"

    started = time.monotonic()
    with pytest.raises(SourceSilent, match="the source of system eid has given no answer for 0.3 seconds") as silent:
        read_bounded(contract, hang, silence_seconds=0.3)
    assert time.monotonic() - started < 5
    assert "raise DX_SOURCE_SILENCE_SECONDS" in silent.value.next_step
    woken.set()
    deadline = time.monotonic() + 5
    while not told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told == ["too late"]


def test_slow_is_not_silent(contract: Contract) -> None:
    def slow(life: SignOfLife) -> int:
        for number in range(8):
            time.sleep(0.1)
            life.seen() if number % 2 else still_alive()
        return 8

    assert read_bounded(contract, slow, silence_seconds=0.5) == 8


def test_errors_pass_through(contract: Contract) -> None:
    def drifted(life: SignOfLife) -> None:
        raise SourceDrift("column gone")

    with pytest.raises(SourceDrift, match="column gone"):
        read_bounded(contract, drifted, silence_seconds=5)
    still_alive()  # outside of a reading nobody listens


def test_after_two_silences_a_run_asks_no_more(contract: Contract) -> None:
    sources = SilentSources()
    error = SourceSilent("eid.khac: the source of system eid has given no answer for 3 seconds", next_step="ask")
    sources.refuse("run 1", contract)
    sources.note("run 1", contract, error)
    sources.refuse("run 1", contract)
    sources.note("run 1", contract, error)
    with pytest.raises(SourceSilent, match="^eid.dinh_danh_xa_thang: the source of system eid has given no answer"):
        sources.refuse("run 1", contract)
    sources.refuse("run 2", contract)
