"""What came of a run, without Dagster: it is shown by a process that has not imported it."""

from __future__ import annotations

from dataclasses import dataclass

from dx_pipeline.orchestration.step_failure import StepFailure
from dx_pipeline.warehouse.ledger import Batch


@dataclass(frozen=True)
class RunReport:
    """What a run did: the last batch of each dataset, failures, and whether every step succeeded.

    A source that does not answer is tried again within the run, each time with a batch of its own.
    ``waiting`` names what did not fail itself but was not brought, because something it needs failed; ``dead_runs`` are
    earlier runs that were found to have died.
    """

    run_id: str
    succeeded: bool
    batches: tuple[Batch, ...]
    failures: tuple[StepFailure, ...]
    waiting: tuple[str, ...]
    dead_runs: tuple[str, ...]
