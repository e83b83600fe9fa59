"""Run datasets through Dagster: what ``dx run`` and ``dx replay`` do, in a process beside the work.

The run is written to the same ``DAGSTER_HOME`` that the UI reads, so each asset and check shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseUnavailable
from dx_pipeline.orchestration.assets import (
    INCREMENT,
    MODE_TAG,
    REPLAY_TAG,
    WHOLE,
    asset_key,
    asset_keys,
    mart_keys,
    monthly_partitions,
)
from dx_pipeline.orchestration.definitions import defs
from dx_pipeline.orchestration.instance import (
    OWNER_TAG,
    apply_pool_limits,
    close_dead_runs,
    open_instance,
    prepare_dagster_home,
)
from dx_pipeline.orchestration.process import get_road
from dx_pipeline.orchestration.process_tag import process_tag
from dx_pipeline.orchestration.run_report import RunReport, RunRequest
from dx_pipeline.orchestration.step_failure import StepFailure
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse import ledger
from dx_pipeline.warehouse.marts import load_marts


def run_datasets(request: RunRequest, *, owner: str | None = None) -> RunReport:
    """Do what is asked for.

    Args:
        owner: tag of the process without which the run cannot go on; default: this one.

    Raises:
        DxError: the warehouse cannot be opened or migrated; failures of datasets are in the report.
    """
    prepare_dagster_home(get_settings())
    road = get_road()

    contracts = request.contracts
    shown = mart_keys(contracts, load_marts(get_settings().project_roots))
    tags = {OWNER_TAG: owner or process_tag(), "dx/trigger": "cli"}
    if request.month is None:
        tags[MODE_TAG] = WHOLE if request.whole else INCREMENT
    if request.replay_batch is not None:
        tags[REPLAY_TAG] = str(request.replay_batch)
    with open_instance() as instance:
        dead = close_dead_runs(instance)
        apply_pool_limits(instance, road.catalog.systems.values())
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[*asset_keys(contracts), *shown],
            partition_key=_partition_key(contracts, request.month),
            tags=tags,
            run_id=request.run_id,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    failures = tuple(_failure(event) for event in result.all_events if event.is_step_failure)
    try:
        with road.warehouse.loader() as connection:
            batches = ledger.list_batches(connection, run_id=result.run_id, limit=10_000)
    except WarehouseUnavailable:
        batches = []  # it went down during the run: the failures of the steps say so
    return RunReport(
        run_id=result.run_id,
        succeeded=result.success,
        batches=tuple({batch.dataset_id: batch for batch in reversed(batches)}.values()),
        failures=failures,
        waiting=_waiting(result, contracts, shown, failures),
        dead_runs=tuple(dead),
    )


def _partition_key(contracts: Sequence[Contract], month: date | None) -> str | None:
    """The month asked for, else the running month, in which increments are run."""
    if all(contract.load.period is None for contract in contracts):
        return None
    if month is not None:
        return month.isoformat()
    months = monthly_partitions(get_road().catalog)
    return months.get_last_partition_key() if months else None


def _failure(event: dg.DagsterEvent) -> StepFailure:
    data = event.step_failure_data
    message = data.user_failure_data.description if data.user_failure_data else None
    if not message and data.error is not None:
        cause = data.error.cause or data.error
        message = cause.message.strip()
    return StepFailure.of_step(str(event.step_key), str(message))


def _waiting(
    result: dg.ExecuteInProcessResult,
    contracts: Sequence[Contract],
    marts: Sequence[dg.AssetKey],
    failures: Sequence[StepFailure],
) -> tuple[str, ...]:
    """Datasets and marts whose last step was never run."""
    brought = {event.asset_key for event in result.all_events if event.is_step_materialization}
    failed = {failure.dataset for failure in failures}
    wanted = {contract.id: asset_key("core", contract) for contract in contracts}
    wanted |= {key.path[-1]: key for key in marts}
    return tuple(name for name, key in wanted.items() if key not in brought and name not in failed)
