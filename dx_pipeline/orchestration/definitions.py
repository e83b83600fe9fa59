"""All Dagster definitions, made from the contracts of every project folder."""

from __future__ import annotations

from functools import partial

import dagster as dg

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract, System
from dx_pipeline.errors import DxError, SuiteError
from dx_pipeline.judge.rule_spec import Suite
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.orchestration.access_sensor import access_sensor
from dx_pipeline.orchestration.alert_sensors import alerts_check, alerts_on_failed_run
from dx_pipeline.orchestration.assets import INCREMENT, MODE_TAG, dataset_assets, mart_asset, monthly_partitions
from dx_pipeline.orchestration.file_drop_sensor import file_drop_sensor
from dx_pipeline.orchestration.process import get_catalog
from dx_pipeline.orchestration.retention_job import retention_job, retention_schedule
from dx_pipeline.orchestration.schedules import system_schedules
from dx_pipeline.orchestration.whole_reread import whole_reread
from dx_pipeline.orchestration.work_order import step_priority, work_order
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse.marts import load_marts


def build_definitions(catalog: Catalog) -> dg.Definitions:
    """Assets, checks, one job per system, its schedules, a sensor for folders of files, the marts, and alerts."""
    logger = dg.get_dagster_logger("dx")
    for error in catalog.broken:
        logger.error("left out: %s", error)
    assets: list[dg.AssetsDefinition] = []
    months = monthly_partitions(catalog)
    try:
        marts = load_marts(get_settings().project_roots)
    except DxError as error:
        logger.error("marts left out: %s", error)
        marts = []
    order = work_order(catalog.contracts.values(), marts)
    for position, name in enumerate(order):
        contract = catalog.contracts[name]
        priority = partial(step_priority, position=position, datasets=len(order))
        assets += dataset_assets(contract, catalog.systems[contract.system], _suite(contract), months, priority)
    assets += [mart_asset(mart, catalog.contracts) for mart in marts]
    mart_keys = [dg.AssetKey(["mart", mart.name]) for mart in marts]
    jobs = {system.name: _job(system, catalog, mart_keys) for system in catalog.systems.values()}
    schedules = [
        schedule
        for system in catalog.systems.values()
        for schedule in system_schedules(system, catalog, jobs[system.name], marts, months)
    ]
    sensors = [
        file_drop_sensor(system, of_system, jobs[system.name], marts, {MODE_TAG: INCREMENT})
        for system in catalog.systems.values()
        if (of_system := [c for c in catalog.contracts.values() if c.system == system.name and c.source.is_file])
    ]
    reread_jobs, reread_schedules = whole_reread(catalog, marts, months, get_settings().whole_reread_cron)
    # One process per run, as `dx run` does: a process per step would spend more time importing than working.
    return dg.Definitions(
        assets=assets,
        jobs=[*jobs.values(), *reread_jobs, retention_job],
        schedules=[*schedules, *reread_schedules, retention_schedule],
        sensors=[*sensors, access_sensor, alerts_check, alerts_on_failed_run],
        executor=dg.in_process_executor,
    )


def _suite(contract: Contract) -> Suite | None:
    try:
        return load_suite(contract)
    except SuiteError as error:
        dg.get_dagster_logger("dx").error("no checks for %s: %s", contract.id, error)
        return None


def _job(system: System, catalog: Catalog, marts: list[dg.AssetKey]) -> dg.UnresolvedAssetJobDefinition:
    groups = dg.AssetSelection.groups(system.name)
    selection = groups | (groups.downstream() & dg.AssetSelection.assets(*marts)) if marts else groups
    return dg.define_asset_job(
        name=f"{system.name}_refresh",
        selection=selection,
        description=f"{system.title_vi} | {system.title_en}",
        tags={"dx/system": system.name},
    )


defs = build_definitions(get_catalog())
