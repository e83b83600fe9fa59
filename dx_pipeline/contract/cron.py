"""When a dataset is due: cron lines of five fields (minute, hour, day, month, weekday), as Dagster reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
_PART = re.compile(r"^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?$")
_LONGEST_DAYS = 366 * 8 + 2  # the 29th of February may be eight years away


@dataclass(frozen=True)
class Cron:
    """The times a cron line names; weekdays count from Sunday, 0."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    @property
    def rhythm(self) -> str:
        """In one word how often, for names and people."""
        if len(self.hours) > 1 and self.any_day and self.any_weekday:
            return "hourly"
        if not self.any_weekday and self.any_day:
            return "weekly"
        if not self.any_day:
            return "yearly" if len(self.months) == 1 else "quarterly" if len(self.months) <= 4 else "monthly"
        return "daily"

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after ``moment``, in its time zone; None if there is none (the 30th of February)."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(_LONGEST_DAYS):
            if self._falls_on(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        found = day.replace(hour=hour, minute=minute)
                        if found > moment:
                            return found
            day += timedelta(days=1)
        return None

    def _falls_on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return in_month and in_week
        return in_month or in_week  # as cron has it: either, when both are named


def parse_cron(text: str) -> Cron:
    """Read a cron line.

    Raises:
        ValueError: it is none, or names no time that exists; the message says what is wrong.
    """
    fields = text.split()
    if len(fields) != len(_RANGES):
        raise ValueError(f"has {len(fields)} fields, a cron line has five: minute hour day month weekday")
    minutes, hours, days, months, weekdays = (
        _values(field, name, *limits) for field, (name, limits) in zip(fields, _RANGES.items(), strict=True)
    )
    cron = Cron(
        text=" ".join(fields),
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(value % 7 for value in weekdays),
        any_day=fields[2] == "*",
        any_weekday=fields[4] == "*",
    )
    if cron.next_after(datetime(2024, 1, 1)) is None:
        raise ValueError("names a day that no month has")
    return cron


def _values(field: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.match(part)
        if match is None:
            raise ValueError(f"its {name} {part!r} is not *, a number, a range a-b or a step */n")
        every, start, end, step = match.groups()
        first = low if every else int(start)
        last = high if every or (step and end is None) else int(end or start)
        if not low <= first <= last <= high or (end and first == last) or step == "0":
            raise ValueError(f"its {name} {part!r} is not within {low}-{high}")
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)
