"""Checks alerts after a run, on demand, and from Dagster; a check may fail, a load never fails because of it."""

from __future__ import annotations

from dx_pipeline.alerts.check import CheckReport, check_alerts
from dx_pipeline.alerts.condition import RunNews
from dx_pipeline.alerts.outage import tell_outage
from dx_pipeline.errors import DxError, MigrationError, WarehouseUnavailable
from dx_pipeline.orchestration.process import get_catalog, get_road
from dx_pipeline.progress import listener
from dx_pipeline.settings import get_settings

UNUSABLE = (WarehouseUnavailable, MigrationError)
"""The warehouse cannot be used, whatever is wrong with a dataset."""


def check_now(news: RunNews | None = None) -> CheckReport:
    """Look at everything and tell what changed; if the warehouse cannot be used, tell that.

    Raises:
        WarehouseUnavailable, MigrationError: it cannot be used.
        DatasetBusy: another check does not end.
    """
    try:
        return check_alerts(get_road().warehouse, get_catalog(), get_settings(), news)
    except UNUSABLE:
        tell_outage(get_settings())
        raise


def check_after_run(news: RunNews) -> CheckReport | None:
    """As ``check_now``, for the end of a run: never raises, so that a load neither fails nor loses its own message."""
    try:
        return check_now(news)
    except Exception as error:
        told = error.what if isinstance(error, DxError) else type(error).__name__
        listener().warn("alerts", f"alerts were not checked, the next check does it: {told}")
        return None


def tell_outage_after_run() -> None:
    """For a run that could not begin because the warehouse cannot be used; never raises."""
    try:
        tell_outage(get_settings())
    except Exception as error:
        listener().warn("alerts", f"nobody was told: {type(error).__name__}")
