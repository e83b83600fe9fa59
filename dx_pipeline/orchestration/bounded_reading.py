"""Reading a source in bounded time, so that one that hangs never holds the others.

A driver waits inside C code for a server that has stopped to answer, for a share that is gone, for a lock: nobody can
interrupt it there. So the reading is done in a thread of its own, and when it has shown no sign of life for
``DX_SOURCE_SILENCE_SECONDS`` it is left behind: its batch has failed, and what it may still bring is thrown away with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceSilent
from dx_pipeline.extract import sign_of_life, source_errors
from dx_pipeline.extract.sign_of_life import SignOfLife

SILENT_ATTEMPTS = 2
_LOOK_SECONDS = 1.0
Read = TypeVar("Read")


def read_bounded(contract: Contract, read: Callable[[SignOfLife], Read], *, silence_seconds: float) -> Read:
    """What ``read`` returns; it tells a sign of life with every batch of rows.

    Raises:
        SourceSilent: no sign of life for ``silence_seconds``; the thread is left behind.
        DxError: what ``read`` raised.
    """
    life = SignOfLife()
    result: Future[Read] = Future()

    def work() -> None:
        sign_of_life.begin(life)
        try:
            result.set_result(read(life))
        except BaseException as error:
            result.set_exception(error)

    # A daemon: a reading that hangs does not keep the process from ending either.
    threading.Thread(target=work, name=f"dx-read-{contract.id}", daemon=True).start()
    while True:
        try:
            return result.result(timeout=min(_LOOK_SECONDS, silence_seconds))
        except NotYet:
            if result.done():
                raise  # a TimeoutError of the reading itself
            if life.silence() >= silence_seconds:
                life.leave_behind()
                raise source_errors.silent(contract, silence_seconds) from None


class SilentSources:
    """Which sources gave no answer in a run: after ``SILENT_ATTEMPTS`` their other datasets do not wait for it again."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[SourceSilent]] = {}

    def note(self, run_id: str | None, contract: Contract, error: SourceSilent) -> None:
        """One more attempt went by without an answer."""
        self._found.setdefault((run_id or "", contract.system), []).append(error)

    def refuse(self, run_id: str | None, contract: Contract) -> None:
        """Raise what the earlier attempts of the run met, in the name of this dataset.

        Raises:
            SourceSilent: the source was silent too often in this run.
        """
        found = self._found.get((run_id or "", contract.system), [])
        if len(found) >= SILENT_ATTEMPTS:
            last = found[-1]
            told = last.what.partition(": ")[2]
            raise SourceSilent(f"{contract.id}: {told}", next_step=last.next_step)
