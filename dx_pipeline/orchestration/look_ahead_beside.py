"""The look-ahead of another process, asked over a pipe: what Dagster's steps see when they run beside the work.

One question at a time, each answered by the same method of ``LookAhead`` in the process that has it; an error that was
raised there is raised here.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dx_pipeline.contract.model import Contract
    from dx_pipeline.orchestration.look_ahead import LookAhead
    from dx_pipeline.orchestration.road import PublishReport, StageReport
    from dx_pipeline.warehouse.ledger import Batch
    from dx_pipeline.warehouse.marts import Mart, MartRefresh


@dataclass(frozen=True)
class Question:
    """A method of ``LookAhead`` and what it is given."""

    method: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def answer(self, look_ahead: LookAhead) -> Answer:
        """What the method returns or raises."""
        try:
            return Answer(getattr(look_ahead, self.method)(*self.arguments, **self.options))
        except Exception as error:
            return Answer(raised=portable(error))


@dataclass(frozen=True)
class Answer:
    """What a call returned, or the error that it raised, before it those that caused it."""

    value: Any = None
    raised: tuple[BaseException, ...] = ()

    def open(self) -> Any:
        """The value.

        Raises:
            Exception: what the call raised.
        """
        if not self.raised:
            return self.value
        error = self.raised[0]
        for effect, cause in zip(self.raised, self.raised[1:], strict=False):
            effect.__cause__ = cause
        raise error


class LookAheadBeside:
    """The methods of ``LookAhead`` that Dagster's steps call."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def landed(self, contract: Contract, *, run_id: str, month: date | None, whole: bool = False) -> Batch:
        """See ``LookAhead.landed``."""
        batch: Batch = self._ask("landed", contract, run_id=run_id, month=month, whole=whole)
        return batch

    def replayed(self, contract: Contract, batch_id: int, *, run_id: str) -> Batch:
        """See ``LookAhead.replayed``."""
        batch: Batch = self._ask("replayed", contract, batch_id, run_id=run_id)
        return batch

    def staged(self, contract: Contract, batch: Batch) -> StageReport:
        """See ``LookAhead.staged``."""
        report: StageReport = self._ask("staged", contract, batch)
        return report

    def published(self, contract: Contract, batch: Batch) -> PublishReport:
        """See ``LookAhead.published``."""
        report: PublishReport = self._ask("published", contract, batch)
        return report

    def refreshed(self, mart: Mart, *, run_id: str) -> MartRefresh:
        """See ``LookAhead.refreshed``."""
        refresh: MartRefresh = self._ask("refreshed", mart, run_id=run_id)
        return refresh

    def _ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        self._pipe.send(Question(method, arguments, options))
        answer: Answer = self._pipe.recv()
        return answer.open()


def portable(error: BaseException) -> tuple[BaseException, ...]:
    """An error and its causes, the last effect first, as they can be sent to another process."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 10:
        chain.append(_that_can_be_sent(cause))
        cause = cause.__cause__ or cause.__context__
    return tuple(chain)


def _that_can_be_sent(error: BaseException) -> BaseException:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
