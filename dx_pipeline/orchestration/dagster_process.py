"""Dagster in a process of its own, beside the one that reads, judges and publishes.

To write a run down costs Dagster seconds of Python: its import, then a step and a dozen events for each asset. Python
runs one thread at a time, so in the same process they would hold up the work itself. ``dx run`` therefore forks before
it has threads: the child runs Dagster, and its steps ask the parent, over a pipe, for what the look-ahead has done.

Neither outlives the other. When the parent is killed, the kernel kills the child; the run then has no living owner and
is closed by the next one. A child that is killed ends the run with a message.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import dx_pipeline.orchestration.look_ahead  # noqa: F401  (imported before the fork, the road serves both processes)
from dx_pipeline.errors import RunCutShort
from dx_pipeline.orchestration.look_ahead_beside import Answer, LookAheadBeside, Question, portable
from dx_pipeline.orchestration.process import own_look_ahead, work_beside
from dx_pipeline.orchestration.process_tag import process_tag
from dx_pipeline.progress import SilentProgress, listen

if TYPE_CHECKING:
    from dx_pipeline.orchestration.run_report import RunReport, RunRequest

_PR_SET_PDEATHSIG = 1
NICENESS = 5
"""The work comes first, the record of it after."""
_AGAIN = "`dx run` again: what was published is kept, and nothing is brought twice"
END_SECONDS = 10.0
"""How long Dagster may take to write down that its run was interrupted."""


class DagsterProcess:
    """The parent's end: it answers the questions of Dagster's steps and gets the report in the end."""

    def __init__(self, pipe: Connection, process: BaseProcess) -> None:
        self._pipe = pipe
        self._process = process
        self._has_begun = False
        self._open: Question | None = None  # asked, not answered

    def report(self) -> RunReport:
        """Let Dagster begin, answer its steps, and return what came of the run. The warehouse must have been opened.

        Raises:
            DxError: what ``run_datasets`` raised.
            RunCutShort: the process was ended from outside.
        """
        look_ahead = own_look_ahead()
        try:
            self._pipe.send(None)
            self._has_begun = True
            last_word = self._serve(lambda question: question.answer(look_ahead))
        except (EOFError, ConnectionError):
            self._process.join(END_SECONDS)
            raise RunCutShort(
                f"the process that keeps Dagster's record of the run has ended ({_how(self._process.exitcode)})",
                next_step=_AGAIN,
            ) from None
        report: RunReport = last_word.open()
        return report

    def end(self) -> None:
        """See to its end. If its run is not over, each step that is left is told so and fails, and that is written down."""
        too_long = threading.Timer(END_SECONDS if self._has_begun else 0, self._process.kill)
        too_long.start()
        cut_short = Answer(raised=(RunCutShort("the run was interrupted", next_step=_AGAIN),))
        with suppress(EOFError, OSError):
            self._serve(lambda _: cut_short)
        self._process.join()
        too_long.cancel()
        self._pipe.close()

    def _serve(self, answer: Callable[[Question], Answer]) -> Answer:
        """Answer all questions, first the one that is still open, until the last word."""
        while True:
            if self._open is None:
                received = self._pipe.recv()
                if isinstance(received, Answer):
                    return received
                self._open = received
            self._pipe.send(answer(self._open))
            self._open = None


@contextmanager
def dagster_beside(request: RunRequest) -> Iterator[DagsterProcess | None]:
    """Start Dagster's import in a child; None where a fork is not safe: threads run already, or it is not Linux."""
    if sys.platform != "linux" or threading.active_count() > 1:
        yield None
        return
    forking = get_context("fork")
    ours, theirs = forking.Pipe()
    process = forking.Process(target=_run, args=(request, theirs, ours, process_tag(), os.getpid()), daemon=True)
    process.start()
    theirs.close()
    started = DagsterProcess(ours, process)
    with _ended_by_term():
        try:
            yield started
        finally:
            started.end()


def run_here(request: RunRequest, *, owner: str | None = None) -> RunReport:
    """Run Dagster in this process; ``owner``: the process that must live for the run to go on, if it is another."""
    from dx_pipeline.orchestration.run import run_datasets

    return run_datasets(request, owner=owner)


def _run(request: RunRequest, pipe: Connection, parents_end: Connection, owner: str, parent: int) -> None:
    """The child: import Dagster, wait until the parent has opened the warehouse, run, send what came of it."""
    _end_with_parent(parent)
    os.setpgid(0, 0)  # Ctrl-C is for the parent, which tells of it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICENESS)
    parents_end.close()
    listen(SilentProgress())
    work_beside(LookAheadBeside(pipe))
    try:
        import dx_pipeline.orchestration.run  # noqa: F401

        pipe.recv()
        answer = Answer(run_here(request, owner=owner))
    except BaseException as error:
        answer = Answer(raised=portable(error))
    pipe.send(answer)


def _end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone, however that came about.

    Source: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it was gone before the kernel was told


@contextmanager
def _ended_by_term() -> Iterator[None]:
    """SIGTERM leaves through every ``finally``."""
    former = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _how(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"status {exit_code}"
    return f"signal {-exit_code}"
