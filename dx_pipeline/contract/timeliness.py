"""Whether a dataset is on time: next due by its schedule, late by its promise of freshness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dx_pipeline.contract.cron import parse_cron


@dataclass(frozen=True)
class Timeliness:
    """When a dataset is due and how late it is.

    Attributes:
        due: first time of the schedule after the last publishing, in local time; None without a schedule.
        is_overdue: that time has passed and nothing was published since: the schedule is off, or the runs fail.
        late_by: how much older the published data is than its contract promises; None if it is not late, or if
            nothing was promised or published.
    """

    due: datetime | None
    is_overdue: bool
    late_by: timedelta | None


def timeliness(cron: str | None, freshness: timedelta | None, published: datetime | None, now: datetime) -> Timeliness:
    """Compare schedule and promise with what was published.

    Args:
        published: last publishing, None if there was none.
        now: both moments in the time zone of the schedule.
    """
    due = parse_cron(cron).next_after(published or now) if cron else None
    age = now - published if published is not None else None
    late_by = age - freshness if age is not None and freshness is not None and age > freshness else None
    return Timeliness(due, due is not None and due <= now, late_by)


def in_words(span: timedelta) -> str:
    """A span as people say it: ``3 d``, ``5 h``, ``12 min``."""
    seconds = span.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds / 60, 1):.0f} min"
