"""Dagster's two alert sensors: one looks every five minutes, one at each run that failed. On unless somebody stops them."""

from __future__ import annotations

import dagster as dg

from dx_pipeline.alerts.check import CheckReport
from dx_pipeline.alerts.condition import RunNews
from dx_pipeline.errors import DxError
from dx_pipeline.orchestration.alerting import check_now
from dx_pipeline.orchestration.step_failure import StepFailure

CHECK_EVERY_SECONDS = 300


@dg.sensor(
    name="alerts_check",
    minimum_interval_seconds=CHECK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Năm phút một lần: dữ liệu cũ, lô bị giữ, chất lượng, kênh báo chưa nhận tin | Every five minutes: stale data, held"
        " batches, quality, channels that have not taken a message yet."
    ),
)
def alerts_check() -> dg.SkipReason:
    """Starts no run: what it did is shown in its ticks."""
    return dg.SkipReason(_in_words(check_now()))


@dg.run_failure_sensor(
    name="alerts_on_failed_run",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Báo ngay khi một lượt chạy thất bại | Tells at once of a run that failed.",
)
def alerts_on_failed_run(context: dg.RunFailureSensorContext) -> dg.SkipReason:
    """The failed steps and the run itself, whose batches will never end."""
    failed = tuple(StepFailure.of_step(str(one.step_key), "").subject for one in context.get_step_failure_events())
    try:
        return dg.SkipReason(_in_words(check_now(RunNews(failed, (context.dagster_run.run_id,)))))
    except DxError as error:  # alerts_check tells it as soon as the warehouse is there again
        return dg.SkipReason(error.what)


def _in_words(report: CheckReport) -> str:
    failing = [f"{name}: {outcome.trouble}" for name, outcome in report.channels.items() if outcome.trouble]
    counts = f"{len(report.raised)} new, {len(report.recovered)} recovered, {report.open} open, {report.muted} muted"
    return "; ".join([counts, *failing])
