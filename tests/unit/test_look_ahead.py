"""How long the rest of a run waits for the datasets it has begun."""

from __future__ import annotations

import time
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest

from dx_pipeline.orchestration.look_ahead import LookAhead

RUN = "run"


@pytest.fixture
def begun() -> LookAhead:
    """A run of two datasets, neither of which has come to an end."""
    road: Any = SimpleNamespace(warehouse=None)
    look_ahead = LookAhead(road)
    look_ahead._whole_run[RUN] = ["one_stop.ho_so", "eid.dinh_danh"]
    return look_ahead


def test_it_waits_until_the_last_is_published(begun: LookAhead) -> None:
    begun._published.add((RUN, "one_stop.ho_so"))
    Timer(0.2, begun._published.add, ((RUN, "eid.dinh_danh"),)).start()
    started = time.monotonic()
    assert begun.await_published(RUN, seconds=30)
    assert 0.15 < time.monotonic() - started < 10


def test_a_failure_ends_the_wait(begun: LookAhead) -> None:
    begun._failed.add((RUN, "one_stop.ho_so"))
    started = time.monotonic()
    assert not begun.await_published(RUN, seconds=30)
    assert time.monotonic() - started < 10


def test_a_large_load_is_not_waited_for(begun: LookAhead) -> None:
    begun._published |= {(RUN, "one_stop.ho_so"), ("another run", "eid.dinh_danh")}
    assert not begun.await_published(RUN, seconds=0.05)
