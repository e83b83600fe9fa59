"""Dagster definitions of a host that serves several provinces: one asset per system, partitioned by month and province.

Each host runs a code server of its own with these definitions, under the name ``DX_CODE_LOCATION``, for the provinces of
``DX_PROVINCES_HERE``. One run goes through all provinces of a month: what a run costs before it works is paid once.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    ROOT_RUN_ID_TAG,
)

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract, System
from dx_pipeline.errors import DxError, SettingsError
from dx_pipeline.orchestration.assets import monthly_partitions
from dx_pipeline.orchestration.process import get_catalog
from dx_pipeline.orchestration.province_road import bring_province, province_codes, province_settings
from dx_pipeline.orchestration.work_order import work_order
from dx_pipeline.settings import Settings, get_settings
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.marts import Mart, load_marts


def build_province_definitions(settings: Settings, catalog: Catalog) -> dg.Definitions:
    """An asset, a job and a schedule (off until somebody turns it on) for each system.

    Raises:
        SettingsError: the folder of the provinces cannot be used, or no dataset is cut into months.
    """
    months = monthly_partitions(catalog)
    if months is None:
        raise SettingsError("no dataset is cut into months", next_step="name a load.period in a contract")
    codes = province_codes(settings)
    partitions = dg.MultiPartitionsDefinition({"month": months, "province": dg.StaticPartitionsDefinition(list(codes))})
    marts = load_marts(settings.project_roots)
    order = {name: at for at, name in enumerate(work_order(catalog.contracts.values(), marts))}
    assets, jobs, schedules = [], [], []
    for system in catalog.systems.values():
        contracts = [contract for contract in catalog.contracts.values() if contract.system == system.name]
        contracts.sort(key=lambda contract: order[contract.id])
        asset = _asset(settings, catalog, system, contracts, marts, partitions)
        job = dg.define_asset_job(
            f"{system.name}_provinces",
            selection=dg.AssetSelection.assets(asset.key),
            description=f"{system.title_vi} | {system.title_en}",
        )
        assets.append(asset)
        jobs.append(job)
        if system.schedule:
            schedules.append(_schedule(system, job, months, codes))
    return dg.Definitions(assets=assets, jobs=jobs, schedules=schedules, executor=dg.in_process_executor)


def month_tags(month: str, codes: Sequence[str]) -> dict[str, str]:
    """Tags of a run over all provinces of a month; ``month`` is its first day."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: f"{month}|{codes[0]}",
        ASSET_PARTITION_RANGE_END_TAG: f"{month}|{codes[-1]}",
    }


def _asset(
    settings: Settings,
    catalog: Catalog,
    system: System,
    contracts: Sequence[Contract],
    marts: Sequence[Mart],
    partitions: dg.MultiPartitionsDefinition,
) -> dg.AssetsDefinition:
    key = dg.AssetKey([settings.code_location, system.name])

    @dg.asset(
        key=key,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=f"{system.pool}_{settings.code_location}",
        output_required=False,  # each province is told when it is done, not all of them at the end
        group_name=system.name,
        kinds={*system.kinds, "postgres"},
        owners=list(system.owners),
        description=f"{system.title_vi} | {system.title_en}",
    )
    def brought(context: dg.AssetExecutionContext) -> Iterator[Any]:
        done = _done_before(context)
        failures: list[str] = []
        for partition in sorted(context.partition_keys):
            if partition in done:
                context.log.info("%s was published before this run was started again", partition)
                continue
            month, code = partition.split("|")
            assert settings.provinces is not None
            try:
                report = bring_province(
                    province_settings(settings.provinces, code),
                    catalog,
                    contracts,
                    marts,
                    month=date.fromisoformat(month),
                    run_id=context.run.run_id,
                )
            except DxError as error:
                failures.append(f"{code}: {error.what}")
                continue
            failures += [f"{code}: {failure}" for failure in report.failures]
            if not report.failures:
                context.log_event(
                    dg.AssetMaterialization(
                        key,
                        partition=partition,
                        metadata={
                            "batches": report.batches,
                            "dagster/row_count": report.accepted,
                            "quarantined": report.quarantined,
                        },
                    )
                )
        if failures:
            raise dg.Failure("\n".join(failures), allow_retries=False)
        yield from ()

    return brought


def _done_before(context: dg.AssetExecutionContext) -> set[str]:
    """Partitions that the runs which this one repeats have published: their host died later."""
    root = context.run.tags.get(ROOT_RUN_ID_TAG)
    if root is None:
        return set()
    repeats = context.instance.get_runs(dg.RunsFilter(tags={ROOT_RUN_ID_TAG: root}))
    return {
        str(entry.dagster_event.partition)
        for run_id in (root, *(run.run_id for run in repeats))
        for entry in context.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        if entry.dagster_event is not None
    }


def _schedule(
    system: System,
    job: "dg.UnresolvedAssetJobDefinition",
    months: dg.MonthlyPartitionsDefinition,
    codes: Sequence[str],
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{system.name}_provinces",
        cron_schedule=str(system.schedule),
        job=job,
        execution_timezone=LOCAL_TIME_ZONE,
    )
    def due() -> dg.RunRequest:
        return dg.RunRequest(tags=month_tags(str(months.get_last_partition_key()), codes))

    return due


defs = build_province_definitions(get_settings(), get_catalog())
