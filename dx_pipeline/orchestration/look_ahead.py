"""Stage landed batches ahead of their turn, in one background thread.

Reading a source and publishing keep database servers busy, cleaning and judging keep this process busy. So as soon as
a batch has landed its staging begins here, while Dagster's next step already reads the next source or publishes
the batch before. The stage step of Dagster then only waits for the result. Nothing else changes: staging is the same
function under the same lock, and a batch whose staging never ran ahead is staged when its step comes.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from dx_pipeline.contract.model import Contract
    from dx_pipeline.orchestration.road import Road, StageReport
    from dx_pipeline.warehouse.ledger import Batch


class StageLookAhead:
    """One background worker, so that memory is that of one dataset at a time."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="dx-stage")
        self._running: dict[int, Future[StageReport]] = {}
        self._guard = Lock()

    def begin(self, contract: Contract, batch: Batch) -> None:
        """Start to stage a batch that has just landed."""
        with self._guard:
            self._running[batch.batch_id] = self._worker.submit(self._stage, contract, batch)

    def result(self, contract: Contract, batch: Batch) -> StageReport:
        """The report of a batch: waits for the one begun earlier, else stages now.

        Raises:
            DxError: what staging raised; a further call stages again.
        """
        with self._guard:
            begun = self._running.pop(batch.batch_id, None)
        return begun.result() if begun is not None else self._road.stage(contract, batch)

    def _stage(self, contract: Contract, batch: Batch) -> StageReport:
        try:
            return self._road.stage(contract, batch)
        finally:
            pa.default_memory_pool().release_unused()
