"""The job that reads the incremental datasets whole again, to close what their sources have deleted, and its schedule."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.cron import parse_cron
from dx_pipeline.contract.model import Contract
from dx_pipeline.orchestration.assets import MODE_TAG, WHOLE, asset_keys, mart_keys
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.marts import Mart

NAME = "whole_reread"


def reread_datasets(catalog: Catalog) -> list[Contract]:
    """Datasets whose usual reading does not see what was deleted: all that are not snapshots."""
    return [contract for contract in catalog.contracts.values() if contract.load.mode != "snapshot"]


def whole_reread(
    catalog: Catalog, marts: Sequence[Mart], months: dg.MonthlyPartitionsDefinition | None, cron: str
) -> tuple[list[dg.UnresolvedAssetJobDefinition], list[dg.ScheduleDefinition]]:
    """The job and its schedule; nothing where every dataset is a snapshot.

    Args:
        cron: when, in the province's time (``DX_WHOLE_REREAD_CRON``).
    """
    contracts = reread_datasets(catalog)
    if not contracts:
        return [], []
    ids = {contract.id for contract in contracts}
    keys = [*asset_keys(contracts), *mart_keys(contracts, marts)]
    job = dg.define_asset_job(
        name=NAME,
        selection=dg.AssetSelection.assets(*keys),
        description="Đọc lại toàn bộ để đóng những dòng nguồn đã xóa | Reads all again and closes what the sources deleted",
        tags={MODE_TAG: WHOLE},
    )
    in_running_month = any(contract.load.period for contract in contracts)

    def whole(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """One run in the running month, in which datasets are read whole."""
        return dg.RunRequest(
            partition_key=months.get_last_partition_key() if months and in_running_month else None,
            tags={"dx/trigger": "schedule", MODE_TAG: WHOLE},
        )

    schedule = dg.ScheduleDefinition(
        name=f"{NAME}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=LOCAL_TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        execution_fn=whole,
        description=(
            f"Đọc lại toàn bộ các tập dữ liệu gia tăng, {cron} | Reads the incremental datasets whole,"
            f" {parse_cron(cron).rhythm} ({cron}): {', '.join(sorted(ids))}."
        ),
    )
    return [job], [schedule]
