"""The nightly Dagster job that carries out ``dx retention``, and its schedule."""

import dagster as dg

from dx_pipeline.orchestration.process import get_road
from dx_pipeline.orchestration.retention import carry_out, make_plan
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE


@dg.op(name="remove_what_is_old_enough")
def _remove(context: dg.OpExecutionContext) -> None:
    road = get_road()
    done = carry_out(
        road.warehouse, road.settings, road.landing, make_plan(road.warehouse, road.settings, road.landing)
    )
    for line in done.lines:
        context.log.info(f"{line.what}: {line.number} removed, {line.kept} older ones still needed")


@dg.job(
    name="retention",
    description="Xóa những gì đã giữ đủ lâu theo cấu hình | Removes what has been kept for as long as the settings say",
    executor_def=dg.in_process_executor,
)
def retention_job() -> None:
    """One step: plan and carry out."""
    _remove()


retention_schedule = dg.ScheduleDefinition(
    name="retention_schedule",
    job=retention_job,
    cron_schedule="30 2 * * *",
    execution_timezone=LOCAL_TIME_ZONE,
    description="Mỗi đêm lúc 2:30 | Every night at 2:30 (30 2 * * *)",
)
