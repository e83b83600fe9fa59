"""What a run is asked for and what came of it, without Dagster: for a process that has not imported it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dx_pipeline.contract.model import Contract
from dx_pipeline.orchestration.step_failure import StepFailure
from dx_pipeline.warehouse.ledger import Batch


@dataclass(frozen=True)
class RunRequest:
    """Land, stage and publish datasets and refresh the marts that depend on them, as one run.

    Attributes:
        run_id: id of the run, whose landing may have begun (see ``look_ahead``).
        month: one monthly partition instead of the increments; datasets without months are read as usual.
        replay_batch: replay this landed batch of the single dataset given.
        whole: read all of each dataset again and close what its source no longer has.
    """

    contracts: tuple[Contract, ...]
    run_id: str
    month: date | None = None
    replay_batch: int | None = None
    whole: bool = False


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
