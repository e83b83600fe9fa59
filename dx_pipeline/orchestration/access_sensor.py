"""The Dagster sensor that keeps rights up to date: an end to those whose time is over, roles for new agencies.

A sensor and not a schedule, because it starts no run: a run a minute would bury the others.
"""

import dagster as dg

from dx_pipeline.errors import DxError
from dx_pipeline.orchestration.process import get_road
from dx_pipeline.warehouse.access import end_lapsed, sync_department_roles

SECONDS = 60


@dg.sensor(
    name="access_sensor",
    minimum_interval_seconds=SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,  # a right must end although nobody has turned anything on
    description="Chấm dứt quyền đã hết hạn, tạo vai trò cho cơ quan mới; không chạy lượt nào"
    " | Ends rights whose time is over, makes roles for new agencies; starts no run",
)
def access_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """What was done, as the reason to start no run."""
    try:
        warehouse = get_road().warehouse
        ended = [right.login for right in end_lapsed(warehouse)]
        made = sync_department_roles(warehouse)
    except DxError as error:
        return dg.SkipReason(str(error))
    return dg.SkipReason(f"rights ended: {', '.join(ended) or 'none'}; roles and policies made: {made}")
