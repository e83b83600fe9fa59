"""What Dagster's steps get from the process that works for them: the value, or the error with all it tells."""

from __future__ import annotations

import inspect
import pickle
from multiprocessing import Pipe
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

import dx_pipeline.errors
from dx_pipeline.errors import DxError, SourceUnavailable
from dx_pipeline.orchestration.look_ahead_beside import Answer, LookAheadBeside, Question, portable
from dx_pipeline.orchestration.road import JudgedBatchHeld

EVERY_ERROR = [kind for _, kind in inspect.getmembers(dx_pipeline.errors, inspect.isclass) if issubclass(kind, DxError)]


class Unsendable(Exception):
    """Made with two arguments, of which it keeps one: pickle cannot make it again."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name)
        self.number = number


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_every_error_arrives_as_it_was_raised(kind: type[DxError]) -> None:
    sent = kind("one_stop: không trả lời", next_step="hỏi chủ hệ thống")
    (arrived,) = pickle.loads(pickle.dumps(portable(sent)))
    assert type(arrived) is kind
    assert (arrived.what, arrived.next_step, str(arrived), arrived.can_heal) == (
        "one_stop: không trả lời",
        "hỏi chủ hệ thống",
        "one_stop: không trả lời\n  → hỏi chủ hệ thống",
        kind.can_heal,
    )


def test_a_held_batch_brings_the_results_of_its_rules() -> None:
    outcomes: Any = ("code_missing",)
    (arrived,) = pickle.loads(pickle.dumps(portable(JudgedBatchHeld("held", next_step="look", outcomes=outcomes))))
    assert (arrived.what, arrived.next_step, arrived.outcomes) == ("held", "look", ("code_missing",))


def test_the_cause_of_an_error_is_known_on_the_other_side() -> None:
    full = OSError(28, "No space left on device")
    outer = RuntimeError("a step failed")
    outer.__cause__ = full
    with pytest.raises(RuntimeError, match="a step failed") as met:
        pickle.loads(pickle.dumps(Answer(raised=portable(outer)))).open()
    assert isinstance(met.value.__cause__, OSError)
    assert met.value.__cause__.errno == 28


def test_an_error_that_cannot_be_sent_is_told_by_name() -> None:
    (arrived,) = pickle.loads(pickle.dumps(portable(Unsendable("mất kết nối", 7))))
    assert type(arrived) is RuntimeError
    assert str(arrived) == "Unsendable: mất kết nối"


def test_a_step_gets_what_the_other_process_did_and_a_retry_asks_again() -> None:
    """The first reading fails as it did ahead; Dagster's second attempt is a question of its own."""
    asked: list[tuple[Any, ...]] = []

    def landed(contract: str, *, run_id: str, month: None, whole: bool) -> str:
        asked.append((contract, run_id, month, whole))
        if len(asked) == 1:
            raise SourceUnavailable("one_stop: the source is down", next_step="wait")
        return "batch 2"

    look_ahead: Any = SimpleNamespace(landed=landed)
    ours, theirs = Pipe()

    def serve() -> None:
        for _ in range(2):
            question: Question = ours.recv()
            ours.send(question.answer(look_ahead))

    serving = Thread(target=serve)
    serving.start()
    beside = LookAheadBeside(theirs)
    contract: Any = "one_stop.ho_so"
    with pytest.raises(SourceUnavailable, match="the source is down"):
        beside.landed(contract, run_id="r", month=None)
    assert beside.landed(contract, run_id="r", month=None, whole=True) == "batch 2"  # type: ignore[comparison-overlap]
    serving.join()
    assert asked == [("one_stop.ho_so", "r", None, False), ("one_stop.ho_so", "r", None, True)]
