"""Schedules: one for each system and cron line, off until somebody turns it on.

A dataset is read when its contract says (``slaProperties`` frequency), else when its system does. What is read at the same
times is one run; a run of a part of the system refreshes only the marts that show this part.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import dagster as dg

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.cron import parse_cron
from dx_pipeline.contract.model import Contract, System
from dx_pipeline.orchestration.assets import INCREMENT, MODE_TAG, asset_keys, mart_keys
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.marts import Mart


def system_schedules(
    system: System,
    catalog: Catalog,
    job: dg.UnresolvedAssetJobDefinition,
    marts: Sequence[Mart],
    months: dg.MonthlyPartitionsDefinition | None,
) -> list[dg.ScheduleDefinition]:
    """The schedules of one system, the system's own first.

    Args:
        job: the system's job, for a schedule that brings all of it.
        months: the partitions of the installation, for runs with datasets that are cut into months.
    """
    by_cron: dict[str, list[Contract]] = {system.schedule: []} if system.schedule else {}
    of_system = [contract for contract in catalog.contracts.values() if contract.system == system.name]
    for contract in of_system:
        cron = catalog.schedule_of(contract)
        if cron is not None:
            by_cron.setdefault(cron, []).append(contract)
    names = _names(system, by_cron)
    return [
        _schedule(
            names[cron],
            cron,
            system,
            contracts,
            job if len(contracts) == len(of_system) else _part(names[cron], system, contracts, marts),
            months if any(contract.load.period for contract in contracts) else None,
        )
        for cron, contracts in by_cron.items()
        if contracts
    ]


def _names(system: System, crons: Collection[str]) -> dict[str, str]:
    """``<system>`` for the system's own times, else ``<system>_monthly``; with the cron line where two are alike."""
    rhythms = {cron: parse_cron(cron).rhythm for cron in crons}
    alike = [rhythm for cron, rhythm in rhythms.items() if cron != system.schedule]
    names = {}
    for cron, rhythm in rhythms.items():
        if cron == system.schedule:
            names[cron] = system.name
        elif alike.count(rhythm) == 1:
            names[cron] = f"{system.name}_{rhythm}"
        else:
            told = re.sub(r"[^0-9A-Za-z]+", "_", cron.replace("*", "x").replace("/", "by")).strip("_")
            names[cron] = f"{system.name}_{rhythm}_{told}"
    return names


def _part(
    name: str, system: System, contracts: Sequence[Contract], marts: Sequence[Mart]
) -> dg.UnresolvedAssetJobDefinition:
    """A job over some datasets of a system and the marts that show them."""
    ids = {contract.id for contract in contracts}
    keys = [*asset_keys(contracts), *mart_keys(contracts, marts)]
    return dg.define_asset_job(
        name=f"{name}_refresh_part",
        selection=dg.AssetSelection.assets(*keys),
        description=f"{system.title_vi} | {system.title_en}: {', '.join(sorted(ids))}",
        tags={"dx/system": system.name},
    )


def _schedule(
    name: str,
    cron: str,
    system: System,
    contracts: Sequence[Contract],
    job: dg.UnresolvedAssetJobDefinition,
    months: dg.MonthlyPartitionsDefinition | None,
) -> dg.ScheduleDefinition:
    def increment(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """One run in the running month: each dataset reads what changed since its watermark."""
        return dg.RunRequest(
            partition_key=months.get_last_partition_key() if months else None,
            tags={"dx/trigger": "schedule", MODE_TAG: INCREMENT},
        )

    datasets = ", ".join(sorted(contract.dataset for contract in contracts))
    return dg.ScheduleDefinition(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=LOCAL_TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        execution_fn=increment,
        description=(
            f"{system.title_vi}: đọc những gì mới ở nguồn, theo lịch {cron} | {system.title_en}: reads what is new at the"
            f" source, {parse_cron(cron).rhythm} ({cron}): {datasets}."
        ),
    )
