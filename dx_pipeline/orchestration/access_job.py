"""The Dagster job that keeps rights up to date: an end to those whose time is over, roles for new agencies."""

import dagster as dg

from dx_pipeline.orchestration.process import get_road
from dx_pipeline.warehouse.access import end_lapsed, sync_department_roles
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE


@dg.op(name="keep_access_up_to_date")
def _keep(context: dg.OpExecutionContext) -> None:
    warehouse = get_road().warehouse
    for right in end_lapsed(warehouse):
        context.log.info(f"the right of {right.login} has ended: it was given until {right.valid_until:%Y-%m-%d %H:%M}")
    made = sync_department_roles(warehouse)
    if made:
        context.log.info(f"{made} roles and policies of departments made")


@dg.job(
    name="access",
    description="Chấm dứt quyền đã hết hạn, tạo vai trò cho cơ quan mới"
    " | Ends rights whose time is over, makes roles for new agencies",
    executor_def=dg.in_process_executor,
)
def access_job() -> None:
    """One step."""
    _keep()


access_schedule = dg.ScheduleDefinition(
    name="access_schedule",
    job=access_job,
    cron_schedule="*/5 * * * *",
    execution_timezone=LOCAL_TIME_ZONE,
    description="Năm phút một lần | Every five minutes (*/5 * * * *)",
)
