"""Land and stage batches ahead of their turn, in background threads.

Reading a source and publishing keep database servers busy, cleaning and judging keep this process busy. So the sources
of a run are read one after the other in a thread for each system, a batch is judged in another thread as soon as it has
landed, and Dagster's steps publish what is ready; its landing and stage steps only wait for their results.
Nothing else changes: landing and staging are the same functions under the same locks, and a step for which
nothing ran ahead does the work when its turn comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from dx_pipeline.contract.model import Contract
    from dx_pipeline.orchestration.road import Road, StageReport
    from dx_pipeline.warehouse.ledger import Batch


class LookAhead:
    """One landing thread for each system, and one staging thread, so that memory is that of one dataset each."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._readers: dict[str, ThreadPoolExecutor] = {}
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="dx-stage")
        self._landing: dict[tuple[str, str], Future[Batch]] = {}
        self._staging: dict[int, Future[StageReport]] = {}
        self._guard = Lock()

    def warm_up(self) -> None:
        """Import Great Expectations in the staging thread: 4 s, while the first source is read."""
        self._judge.submit(_import_judge)

    def begin(self, contracts: Sequence[Contract], *, run_id: str, month: date | None) -> None:
        """Start to read the datasets of a run, in this order."""
        with self._guard:
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
        """Start to stage a batch that has just landed."""
        with self._guard:
            self._staging[batch.batch_id] = self._judge.submit(self._stage, contract, batch)

    def staged(self, contract: Contract, batch: Batch) -> StageReport:
        """The report of a batch: waits for the staging begun earlier, else stages now.

        Raises:
            DxError: what staging raised; a further call stages again.
        """
        with self._guard:
            begun = self._staging.pop(batch.batch_id, None)
        return begun.result() if begun is not None else self._road.stage(contract, batch)

    def _land(self, contract: Contract, run_id: str, month: date | None) -> Batch:
        batch = self._road.land(contract, run_id=run_id, month=month)
        self.begin_stage(contract, batch)
        return batch

    def _stage(self, contract: Contract, batch: Batch) -> StageReport:
        try:
            return self._road.stage(contract, batch)
        finally:
            pa.default_memory_pool().release_unused()


def _import_judge() -> None:
    import dx_pipeline.judge.results  # noqa: F401
