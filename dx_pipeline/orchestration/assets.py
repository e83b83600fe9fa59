"""Dagster assets made from contracts: three per dataset (landing, stage, core), one per mart.

Keys are ``[layer, system, dataset]``. Everything shown in the UI (owner, kinds, column schema,
freshness, checks, partitions) is derived from the contract and the suite.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import dagster as dg

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract, System
from dx_pipeline.errors import DxError
from dx_pipeline.judge.rule_spec import Suite
from dx_pipeline.orchestration.checks import check_results, check_specs
from dx_pipeline.orchestration.column_lineage import METADATA, assets_of_tables, staged_lineage, table_lineage
from dx_pipeline.orchestration.column_schema import landed_columns, staged_columns, table_columns
from dx_pipeline.orchestration.control_checks import Layer, control_results, control_specs
from dx_pipeline.orchestration.process import get_catalog, get_lineage, get_look_ahead, get_road
from dx_pipeline.orchestration.road import JudgedBatchHeld, StageReport
from dx_pipeline.orchestration.work_order import MART_PRIORITY
from dx_pipeline.warehouse import ledger
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import Mart, dependent_marts

REPLAY_TAG = "dx/replay"
MODE_TAG = "dx/mode"
INCREMENT = "increment"
WHOLE = "whole"  # read all of a dataset again, to see what its source has deleted
RETRY = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
Months = dg.MonthlyPartitionsDefinition | None
LAYER_KINDS = {"landing": {"parquet"}, "stage": {"greatexpectations", "duckdb"}, "core": {"postgres", "table"}}
LAYER_TEXT = {
    "landing": "Bản gốc bất biến đọc từ nguồn | Immutable copy as read from the source",
    "stage": "Đã làm sạch và kiểm định từng dòng | Cleaned and judged row by row",
    "core": "Đã công bố vào kho dùng chung | Published into the shared star schema",
}


def asset_keys(contracts: Sequence[Contract]) -> list[dg.AssetKey]:
    """The assets of datasets in every layer."""
    return [asset_key(layer, contract) for contract in contracts for layer in LAYER_KINDS]


def mart_keys(contracts: Sequence[Contract], marts: Sequence[Mart]) -> list[dg.AssetKey]:
    """The assets of the marts that depend on any of the datasets."""
    return [dg.AssetKey(["mart", mart.name]) for mart in dependent_marts(marts, {one.id for one in contracts})]


def asset_key(layer: str, contract: Contract) -> dg.AssetKey:
    """``[layer, system, dataset]``."""
    return dg.AssetKey([layer, contract.system, contract.dataset])


def dataset_assets(
    contract: Contract,
    system: System,
    suite: Suite | None,
    months: dg.MonthlyPartitionsDefinition | None,
    priority: Callable[[str], int],
) -> list[dg.AssetsDefinition]:
    """The three assets of one dataset. A broken suite leaves the checks out; the stage step then says why.

    Args:
        priority: Dagster priority of a step, by layer.
    """
    partitions = months if contract.load.period else None
    return [
        _landing(contract, system, partitions, priority("landing")),
        _stage(contract, system, suite, partitions, priority("stage")),
        _core(contract, system, partitions, priority("core")),
    ]


def _landing(contract: Contract, system: System, partitions: Months, priority: int) -> dg.AssetsDefinition:
    key = asset_key("landing", contract)

    @_asset(
        **_shared("landing", contract, system, priority, landed_columns(contract)),
        partitions_def=partitions,
        pool=system.pool,
        check_specs=control_specs(contract, "landing", key),
    )
    def landing(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with _readable_failures():
            replayed = context.run.tags.get(REPLAY_TAG)
            if replayed:
                batch = get_look_ahead().replayed(contract, int(replayed), run_id=context.run.run_id)
            else:
                batch = get_look_ahead().landed(
                    contract,
                    run_id=context.run.run_id,
                    month=_month(context),
                    whole=context.run.tags.get(MODE_TAG) == WHOLE,
                )
        for warning in batch.warnings or ():
            context.log.warning(warning)
        _report_months(context, "landing", contract, batch)
        return dg.MaterializeResult(
            metadata={
                "batch": batch.batch_id,
                "kind": batch.kind,
                "dagster/row_count": batch.extracted or 0,
                "source_rows": batch.source_rows or 0,
                "window": f"{batch.window_low or '…'} → {batch.window_high or '…'}",
                **({"warnings": "\n".join(batch.warnings)} if batch.warnings else {}),
            },
            check_results=_controls(contract, "landing", key, batch),
        )

    return landing


def _stage(
    contract: Contract, system: System, suite: Suite | None, partitions: Months, priority: int
) -> dg.AssetsDefinition:
    key = asset_key("stage", contract)

    @_asset(
        **_shared("stage", contract, system, priority, staged_columns(contract)),
        partitions_def=partitions,
        deps=[asset_key("landing", contract)],
        check_specs=[*(check_specs(suite, key) if suite else ()), *control_specs(contract, "stage", key)],
    )
    def stage(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with _readable_failures():
            try:
                batch = _batch(contract, context, ("landed", "staged", "held", "failed"))
                report = get_look_ahead().staged(contract, batch)
            except JudgedBatchHeld as held:
                yield from check_results(suite, held.outcomes, key) if suite else ()
                raise
        _report_months(context, "stage", contract, report.batch)
        yield dg.MaterializeResult(
            metadata={**_stage_metadata(report), METADATA: staged_lineage(contract)},
            check_results=[
                *(check_results(suite, report.outcomes, key) if suite else ()),
                *_controls(contract, "stage", key, report.batch),
            ],
        )

    return stage


def _stage_metadata(report: StageReport) -> dict[str, Any]:
    batch = report.batch
    metadata: dict[str, Any] = {
        "batch": batch.batch_id,
        "dagster/row_count": batch.accepted or 0,
        "extracted": batch.extracted or 0,
        "quarantined": batch.quarantined or 0,
        "duplicate": batch.duplicate or 0,
        "flagged": batch.flagged or 0,
    }
    if report.repairs:
        metadata["repairs"] = dg.MetadataValue.table(
            [
                dg.TableRecord({"column": repair.column, "repair": repair.note, "rows": repair.rows})
                for repair in report.repairs
            ]
        )
    return metadata


def _core(contract: Contract, system: System, partitions: Months, priority: int) -> dg.AssetsDefinition:
    key = asset_key("core", contract)
    upstream = [asset_key("stage", contract)] + [
        dg.AssetKey(["core", *needed.split(".")]) for needed in contract.depends_on
    ]

    @_asset(
        **_shared("core", contract, system, priority),
        partitions_def=partitions,
        deps=upstream,
        freshness_policy=(
            dg.FreshnessPolicy.time_window(fail_window=contract.freshness) if contract.freshness else None
        ),
        check_specs=control_specs(contract, "core", key),
    )
    def core(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with _readable_failures():
            batch = _batch(contract, context, ("staged", "landed", "failed"))
            report = get_look_ahead().published(contract, batch)
        batch = report.batch
        _report_months(context, "core", contract, batch, report.months)
        load = parse_load_file(contract.load_path)
        return dg.MaterializeResult(
            metadata={
                **_table_metadata(str(load.ledger_step.target), key),
                "batch": batch.batch_id,
                "writes": ", ".join(load.targets),
                "accepted": batch.accepted or 0,
                "inserted": batch.inserted or 0,
                "updated": batch.updated or 0,
                "unchanged": batch.unchanged or 0,
                "closed": batch.closed or 0,
            },
            check_results=_controls(contract, "core", key, batch),
        )

    return core


def _controls(contract: Contract, layer: Layer, key: dg.AssetKey, batch: Batch) -> list[dg.AssetCheckResult]:
    with get_road().warehouse.loader() as connection:
        return control_results(connection, contract, layer, key, batch)


def _report_months(
    context: dg.AssetExecutionContext, layer: str, contract: Contract, batch: Batch, touched: Sequence[date] = ()
) -> None:
    """Tell Dagster which other months this step brought, so that the partition bar of the asset is true.

    A full read goes through every month; of an increment the core asset knows the months it touched.
    """
    partitions = context.assets_def.partitions_def
    if partitions is None:
        return
    months = {month.isoformat() for month in touched}
    for month in partitions.get_partition_keys():
        if month != context.partition_key and (month in months or batch.kind == "full"):
            context.log_event(
                dg.AssetMaterialization(
                    asset_key(layer, contract), partition=month, metadata={"batch": batch.batch_id, "kind": batch.kind}
                )
            )


def _table_metadata(table: str, key: dg.AssetKey) -> dict[str, Any]:
    """Name, columns and column lineage of a warehouse table as Dagster shows them."""
    with get_road().warehouse.loader() as connection:
        return {
            "dagster/table_name": table,
            "dagster/column_schema": table_columns(connection, table),
            METADATA: table_lineage(get_lineage(), table, _table_assets(), itself=key),
        }


@lru_cache(maxsize=1)
def _table_assets() -> dict[str, list[dg.AssetKey]]:
    return assets_of_tables(get_catalog().contracts.values())


def mart_asset(mart: Mart, contracts: dict[str, Contract]) -> dg.AssetsDefinition:
    """The asset that refreshes one mart after the datasets it depends on."""

    @dg.asset(
        key=dg.AssetKey(["mart", mart.name]),
        deps=[asset_key("core", contracts[name]) for name in mart.depends_on if name in contracts],
        group_name="mart",
        kinds={"postgres", "sql"},
        description=mart.grain,
        owners=["team:dx-warehouse"],
        tags={"dx/layer": "mart"},
        op_tags={"dagster/priority": str(MART_PRIORITY)},
        retry_policy=RETRY,
    )
    def refreshed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with _readable_failures():
            refresh = get_look_ahead().refreshed(mart, run_id=context.run.run_id)
        return dg.MaterializeResult(
            metadata={
                **_table_metadata(mart.table, dg.AssetKey(["mart", mart.name])),
                "dagster/row_count": refresh.rows,
                "computed": refresh.computed,
            }
        )

    return refreshed


def monthly_partitions(catalog: Catalog) -> dg.MonthlyPartitionsDefinition | None:
    """One set of months for the whole installation, so that any datasets can share a run.

    From the earliest month a contract names to the running month; None when no dataset is cut into months.
    """
    starts = [contract.load.period.start for contract in catalog.contracts.values() if contract.load.period]
    if not starts:
        return None
    return dg.MonthlyPartitionsDefinition(start_date=min(starts).isoformat(), timezone=LOCAL_TIME_ZONE, end_offset=1)


class _readable_failures:
    """Turns our errors into Dagster failures: the message first, retried only if it can heal."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DxError):
            raise dg.Failure(description=str(error), allow_retries=error.can_heal) from error


def _shared(
    layer: str, contract: Contract, system: System, priority: int, columns: dg.TableSchema | None = None
) -> dict[str, Any]:
    return {
        "key": asset_key(layer, contract),
        "group_name": contract.system,
        "kinds": {*system.kinds, *LAYER_KINDS["landing"]} if layer == "landing" else LAYER_KINDS[layer],
        "owners": list(system.owners),
        "description": f"{LAYER_TEXT[layer]}.\n\n{contract.purpose_vi} | {contract.purpose_en}",
        "metadata": {
            "contract": f"{contract.id} {contract.version}",
            **({"dagster/column_schema": columns} if columns else {}),
        },
        "tags": {"dx/layer": layer, "dx/system": contract.system},
        "op_tags": {"dagster/priority": str(priority)},
        "retry_policy": RETRY,
    }


def _asset(**settings: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """``dg.asset`` with its settings from a mapping, typed."""
    decorator: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(**settings)
    return decorator


def _month(context: dg.AssetExecutionContext) -> date | None:
    """The month to read again; None when the run brings what is new, or all."""
    if context.run.tags.get(MODE_TAG) in (INCREMENT, WHOLE) or not context.has_partition_key:
        return None
    return date.fromisoformat(context.partition_key)


def _batch(contract: Contract, context: dg.AssetExecutionContext, statuses: Sequence[str]) -> Batch:
    """The batch this run opened for the dataset, else the newest unfinished one."""
    with get_road().warehouse.loader() as connection:
        batch = ledger.batch_of_run(connection, contract, context.run.run_id)
        if batch is None:
            batch = ledger.latest_batch(connection, contract, statuses)
    if batch is None:
        raise dg.Failure(
            f"{contract.id}: there is no landed batch to work on; materialize the landing asset first",
            allow_retries=False,
        )
    return batch
