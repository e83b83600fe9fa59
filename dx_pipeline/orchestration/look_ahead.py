"""Land, stage and publish batches ahead of their turn, in background threads.

Reading a source and publishing keep database servers busy, cleaning and judging keep this process busy. So the sources
of a run are read one after the other in a thread for each system, a batch is cleaned in another thread as soon as it has
landed, judged in a third as soon as it is cleaned and published in a fourth as soon as it is judged; Dagster's steps
wait for their results, refresh the marts, and write down what happened. Nothing else changes: each step is the same
function under the same lock, and a step for which nothing ran ahead does the work when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa

from dx_pipeline.judge.verdict import prepare_to_judge

if TYPE_CHECKING:
    from dx_pipeline.contract.model import Contract
    from dx_pipeline.orchestration.judging import CleanedBatch
    from dx_pipeline.orchestration.road import PublishReport, Road, StageReport
    from dx_pipeline.warehouse.ledger import Batch


class LookAhead:
    """A landing thread for each system, one thread that cleans, one that judges, one that publishes: memory is bounded."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._readers: dict[str, ThreadPoolExecutor] = {}
        self._cleaner = ThreadPoolExecutor(1, thread_name_prefix="dx-clean-ahead")
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="dx-stage")
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix="dx-publish")
        self._landing: dict[tuple[str, str], Future[Batch]] = {}
        self._staging: dict[int, Future[StageReport]] = {}
        self._publishing: dict[int, Future[PublishReport | None]] = {}
        self._whole_run: dict[str, list[str]] = {}  # by run: its datasets in order, when all their steps are in it
        self._published: set[tuple[str, str]] = set()
        self._failed: set[tuple[str, str]] = set()
        self._guard = Lock()

    def begin(self, contracts: Sequence[Contract], *, run_id: str, month: date | None) -> None:
        """Start to work on the datasets of a run that lands, stages and publishes each of them, in this order."""
        self._judge.submit(prepare_to_judge)
        with self._guard:
            self._whole_run[run_id] = [contract.id for contract in contracts]
            for contract in contracts:
                reader = self._readers.setdefault(
                    contract.system, ThreadPoolExecutor(1, thread_name_prefix=f"dx-land-{contract.system}")
                )
                self._landing[run_id, contract.id] = reader.submit(self._land, contract, run_id, month)

    def landed(self, contract: Contract, *, run_id: str, month: date | None) -> Batch:
        """The batch of a dataset: waits for the reading begun earlier, else reads now; its staging has begun.

        Raises:
            DxError: what landing raised; a further call reads again.
        """
        with self._guard:
            begun = self._landing.pop((run_id, contract.id), None)
        return begun.result() if begun is not None else self._land(contract, run_id, month)

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
        return begun.result() if begun is not None else self._road.stage(contract, batch)

    def published(self, contract: Contract, batch: Batch) -> PublishReport:
        """What publishing did: waits for what was begun earlier, else publishes now.

        Raises:
            DxError: what publishing raised; a further call publishes again.
        """
        with self._guard:
            begun = self._publishing.pop(batch.batch_id, None)
        return (begun.result() if begun is not None else None) or self._publish(contract, batch)

    def _land(self, contract: Contract, run_id: str, month: date | None) -> Batch:
        with self._noting_failure(contract, run_id):
            batch = self._road.land(contract, run_id=run_id, month=month)
        self.begin_stage(contract, batch)
        return batch

    def _stage(self, contract: Contract, batch: Batch, cleaning: Future[CleanedBatch | None]) -> StageReport:
        # A batch that could not be cleaned ahead is cleaned again by the step itself, which writes its reason down.
        cleaned = cleaning.result() if cleaning.exception() is None else None
        try:
            with self._noting_failure(contract, batch.run_id):
                report = self._road.stage(contract, batch, cleaned)
        finally:
            pa.default_memory_pool().release_unused()
        if contract.id in self._whole_run.get(batch.run_id or "", ()):
            with self._guard:
                self._publishing[batch.batch_id] = self._publisher.submit(self._publish_in_turn, contract, report.batch)
        return report

    def _publish_in_turn(self, contract: Contract, batch: Batch) -> PublishReport | None:
        """None while a dataset that comes before is on its way, or one it depends on is missing: then Dagster decides."""
        run_id = str(batch.run_id)
        datasets = self._whole_run[run_id]
        for name in datasets[: datasets.index(contract.id)]:
            done = (run_id, name) in self._published
            if not done and (name in contract.depends_on or (run_id, name) not in self._failed):
                return None
        with self._noting_failure(contract, run_id):
            return self._publish(contract, batch)

    def _publish(self, contract: Contract, batch: Batch) -> PublishReport:
        report = self._road.publish(contract, batch)
        self._published.add((str(batch.run_id), contract.id))
        return report

    @contextmanager
    def _noting_failure(self, contract: Contract, run_id: str | None) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._failed.add((str(run_id), contract.id))
            raise
