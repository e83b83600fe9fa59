"""Land, stage and publish batches ahead of their turn, in background threads.

Reading a source and publishing keep database servers busy, cleaning and judging keep this process busy. So the sources
of a run are read one after the other in a thread for each system, a batch is cleaned in another thread as soon as it has
landed, judged in a third as soon as it is cleaned, and published in a fourth as soon as it is judged and its turn has
come; Dagster's steps wait for their results, refresh the marts, and write down what happened. Nothing else changes: each
step is the same function under the same lock, and a step for which nothing ran ahead does the work when its turn comes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import Lock, Timer
from typing import TYPE_CHECKING

import pyarrow as pa

from dx_pipeline.errors import LandedFileLost
from dx_pipeline.judge.verdict import prepare_to_judge
from dx_pipeline.orchestration.marts_ahead import MartsAhead
from dx_pipeline.progress import listener

if TYPE_CHECKING:
    from dx_pipeline.contract.model import Contract
    from dx_pipeline.orchestration.judging import CleanedBatch
    from dx_pipeline.orchestration.road import PublishReport, Road, StageReport
    from dx_pipeline.warehouse.ledger import Batch
    from dx_pipeline.warehouse.marts import Mart, MartRefresh


PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, eq=False)
class _Judged:
    """A batch that can be published when its turn comes."""

    contract: Contract
    batch: Batch
    published: Future[PublishReport]
    patient_until: float  # on the monotonic clock; until then datasets of other systems that come before are waited for


class LookAhead:
    """A landing thread for each system, one thread that cleans, one that judges, one that publishes: memory is bounded."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._marts = MartsAhead(road.warehouse)
        self._readers: dict[str, ThreadPoolExecutor] = {}
        self._cleaner = ThreadPoolExecutor(1, thread_name_prefix="dx-clean-ahead")
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="dx-stage")
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix="dx-publish")
        self._landing: dict[tuple[str, str], Future[Batch]] = {}
        self._staging: dict[int, Future[StageReport]] = {}
        self._publishing: dict[int, Future[PublishReport]] = {}
        self._judged: list[_Judged] = []  # not published yet, in the order they were judged
        self._whole_run: dict[str, list[str]] = {}  # by run: its datasets in order, when all their steps are in it
        self._published: set[tuple[str, str]] = set()
        self._failed: set[tuple[str, str]] = set()
        self._guard = Lock()

    def begin(
        self,
        contracts: Sequence[Contract],
        *,
        run_id: str,
        month: date | None,
        marts: Sequence[Mart] = (),
        whole: bool = False,
    ) -> None:
        """Start to work on the datasets of a run that lands, stages and publishes each of them, in this order.

        Args:
            whole: read all of each dataset, not what is new.
            marts: marts that the run refreshes; of these, those that depend on one of the datasets.
        """
        self._marts.begin(marts, [contract.id for contract in contracts], run_id=run_id)
        self.prepare()
        with self._guard:
            self._whole_run[run_id] = [contract.id for contract in contracts]
            for contract in contracts:
                reader = self._readers.setdefault(
                    contract.system, ThreadPoolExecutor(1, thread_name_prefix=f"dx-land-{contract.system}")
                )
                self._landing[run_id, contract.id] = reader.submit(self._land, contract, run_id, month, whole)

    def prepare(self) -> None:
        """Import what judging needs, in the thread that judges, and connect for COPY: no batch waits for it."""
        self._judge.submit(prepare_to_judge)
        self._cleaner.submit(self._road.warehouse.arrow.prepare)

    def landed(self, contract: Contract, *, run_id: str, month: date | None, whole: bool = False) -> Batch:
        """The batch of a dataset: waits for the reading begun earlier, else reads now; its staging has begun.

        Raises:
            DxError: what landing raised; a further call reads again.
        """
        with self._guard:
            begun = self._landing.pop((run_id, contract.id), None)
        return begun.result() if begun is not None else self._land(contract, run_id, month, whole)

    def replayed(self, contract: Contract, batch_id: int, *, run_id: str) -> Batch:
        """A new batch over the landed files of an earlier one; its staging has begun.

        Raises:
            LandingError, WarehouseError: see ``Road.replay``.
        """
        batch = self._road.replay(contract, batch_id, run_id=run_id)
        self.begin_stage(contract, batch)
        return batch

    def begin_stage(self, contract: Contract, batch: Batch) -> None:
        """Start to clean and stage a batch that has just landed."""
        with self._guard:
            cleaning = self._cleaner.submit(self._road.clean, contract, batch)
            self._staging[batch.batch_id] = self._judge.submit(self._stage, contract, batch, cleaning)

    def staged(self, contract: Contract, batch: Batch) -> StageReport:
        """The report of a batch: waits for the staging begun earlier, else stages now.

        Raises:
            DxError: what staging raised; a further call stages again.
        """
        with self._guard:
            begun = self._staging.pop(batch.batch_id, None)
        return begun.result() if begun is not None else self._stage_or_read_again(contract, batch)

    def published(self, contract: Contract, batch: Batch) -> PublishReport:
        """What publishing did: waits for what was begun earlier, else publishes now.

        Raises:
            DxError: what publishing raised; a further call publishes again.
        """
        with self._guard:
            begun = self._publishing.pop(batch.batch_id, None)
            for judged in self._judged:
                if judged.batch.batch_id == batch.batch_id:  # Dagster says that its turn has come
                    self._judged.remove(judged)
                    begun = None
                    break
        return begun.result() if begun is not None else self._publish(contract, batch)

    def refreshed(self, mart: Mart, *, run_id: str) -> MartRefresh:
        """What refreshing a mart did: waits for what was begun earlier, else refreshes now.

        Raises:
            LoadFileError: a statement failed; the mart keeps its former rows. A further call computes again.
        """
        return self._marts.refreshed(mart, run_id=run_id)

    def _land(self, contract: Contract, run_id: str, month: date | None, whole: bool) -> Batch:
        with self._noting_failure(contract, run_id):
            try:
                batch = self._road.land(contract, run_id=run_id, month=month, whole=whole)
            except LandedFileLost as lost:
                _tell_of_reading_again(contract, lost)
                batch = self._road.land(contract, run_id=run_id, month=month, whole=whole)
        self.begin_stage(contract, batch)
        return batch

    def _stage(self, contract: Contract, batch: Batch, cleaning: Future[CleanedBatch | None]) -> StageReport:
        # A batch that could not be cleaned ahead is cleaned again by the step itself, which writes its reason down.
        cleaned = cleaning.result() if cleaning.exception() is None else None
        try:
            with self._noting_failure(contract, batch.run_id):
                report = self._stage_or_read_again(contract, batch, cleaned)
        finally:
            pa.default_memory_pool().release_unused()
        if contract.id in self._whole_run.get(batch.run_id or "", ()):
            judged = _Judged(contract, report.batch, Future(), time.monotonic() + PATIENCE_SECONDS)
            with self._guard:
                self._publishing[report.batch.batch_id] = judged.published
                self._judged.append(judged)
            self._publisher.submit(self._publish_what_may)
            later = Timer(PATIENCE_SECONDS, self._publisher.submit, (self._publish_what_may,))
            later.daemon = True
            later.start()
        return report

    def _stage_or_read_again(
        self, contract: Contract, batch: Batch, cleaned: CleanedBatch | None = None
    ) -> StageReport:
        """Stage a batch; if its landed files are lost, say so and read the source again, once, as a batch of its own.

        A replay is not read again: it was asked for these very files.
        """
        try:
            return self._road.stage(contract, batch, cleaned)
        except LandedFileLost as lost:
            if batch.replay_of is not None or batch.run_id is None:
                raise
            _tell_of_reading_again(contract, lost)
        again = self._road.land(contract, run_id=batch.run_id, month=batch.period_month, whole=batch.kind == "full")
        return self._road.stage(contract, again)

    def _publish_what_may(self) -> None:
        """Publish the judged batches whose turn has come, until there is none."""
        while (judged := self._next_to_publish()) is not None:
            try:
                with self._noting_failure(judged.contract, judged.batch.run_id):
                    judged.published.set_result(self._publish(judged.contract, judged.batch))
            except BaseException as error:
                judged.published.set_exception(error)

    def _next_to_publish(self) -> _Judged | None:
        with self._guard:
            for judged in self._judged:
                if self._may_publish(judged):
                    self._judged.remove(judged)
                    return judged
        return None

    def _may_publish(self, judged: _Judged) -> bool:
        """Whether what comes before is published or has failed; what it depends on must be published.

        The order among systems spares later completions of what a load finds unknown, and nothing more: a source that is
        slow or hangs holds the datasets of others for ``PATIENCE_SECONDS`` at most.
        """
        run_id = str(judged.batch.run_id)
        datasets = self._whole_run[run_id]
        for name in datasets[: datasets.index(judged.contract.id)]:
            if (run_id, name) in self._published:
                continue
            if name in judged.contract.depends_on:
                return False
            is_of_another_system = name.partition(".")[0] != judged.contract.system
            waited_enough = is_of_another_system and time.monotonic() >= judged.patient_until
            if (run_id, name) not in self._failed and not waited_enough:
                return False
        return True

    def _publish(self, contract: Contract, batch: Batch) -> PublishReport:
        report = self._road.publish(contract, batch)
        self._published.add((str(batch.run_id), contract.id))
        self._marts.published(contract.id, run_id=str(batch.run_id))
        return report

    @contextmanager
    def _noting_failure(self, contract: Contract, run_id: str | None) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._failed.add((str(run_id), contract.id))
            self._publisher.submit(self._publish_what_may)
            raise


def _tell_of_reading_again(contract: Contract, lost: LandedFileLost) -> None:
    listener().warn(contract.id, f"{lost.what}; the source is read again")
