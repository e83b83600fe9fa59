"""Public holidays 2023-2025 and arithmetic in working days.

A day number is the count of days since 1970-01-01. Working days are Monday to Friday that are no
holiday; the two Saturdays worked in exchange (2024-05-04, 2025-04-26) are not working days here,
because the source's table ``ngay_nghi`` can't say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

EPOCH: Final = date(1970, 1, 1)

#: (first day, last day, name): the days off that the authorities announced for state agencies.
_DAYS_OFF: Final[tuple[tuple[date, date, str], ...]] = (
    (date(2023, 1, 1), date(2023, 1, 1), "Tết Dương lịch"),
    (date(2023, 1, 2), date(2023, 1, 2), "Nghỉ bù Tết Dương lịch"),
    (date(2023, 1, 20), date(2023, 1, 26), "Tết Nguyên đán Quý Mão"),
    (date(2023, 4, 29), date(2023, 4, 29), "Giỗ Tổ Hùng Vương (10/3 âm lịch)"),
    (date(2023, 4, 30), date(2023, 4, 30), "Ngày Chiến thắng"),
    (date(2023, 5, 1), date(2023, 5, 1), "Ngày Quốc tế lao động"),
    (date(2023, 5, 2), date(2023, 5, 3), "Nghỉ bù Giỗ Tổ Hùng Vương và Ngày Chiến thắng"),
    (date(2023, 9, 1), date(2023, 9, 2), "Quốc khánh"),
    (date(2023, 9, 4), date(2023, 9, 4), "Nghỉ bù Quốc khánh"),
    (date(2024, 1, 1), date(2024, 1, 1), "Tết Dương lịch"),
    (date(2024, 2, 8), date(2024, 2, 14), "Tết Nguyên đán Giáp Thìn"),
    (date(2024, 4, 18), date(2024, 4, 18), "Giỗ Tổ Hùng Vương (10/3 âm lịch)"),
    (date(2024, 4, 29), date(2024, 4, 29), "Nghỉ hoán đổi (làm bù 04/5)"),
    (date(2024, 4, 30), date(2024, 4, 30), "Ngày Chiến thắng"),
    (date(2024, 5, 1), date(2024, 5, 1), "Ngày Quốc tế lao động"),
    (date(2024, 9, 2), date(2024, 9, 3), "Quốc khánh"),
    (date(2025, 1, 1), date(2025, 1, 1), "Tết Dương lịch"),
    (date(2025, 1, 27), date(2025, 1, 31), "Tết Nguyên đán Ất Tỵ"),
    (date(2025, 4, 7), date(2025, 4, 7), "Giỗ Tổ Hùng Vương (10/3 âm lịch)"),
    (date(2025, 4, 30), date(2025, 4, 30), "Ngày Chiến thắng"),
    (date(2025, 5, 1), date(2025, 5, 1), "Ngày Quốc tế lao động"),
    (date(2025, 5, 2), date(2025, 5, 2), "Nghỉ hoán đổi (làm bù 26/4)"),
    (date(2025, 9, 1), date(2025, 9, 2), "Quốc khánh"),
)


def holidays() -> list[tuple[date, str]]:
    """Every single day off with its name, in order."""
    days: list[tuple[date, str]] = []
    for first, last, name in _DAYS_OFF:
        days.extend((first + timedelta(days=step), name) for step in range((last - first).days + 1))
    return days


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class WorkCalendar:
    """Look-up tables over a span of days, so that no row needs a calendar computation."""

    first: int
    is_working: Bools
    next_index: Int64s
    working_days: Int64s
    compact_date: Int64s
    last_of_month: Bools

    @classmethod
    def spanning(cls, first: date, last: date) -> WorkCalendar:
        """Tables for ``first`` to ``last``, both included."""
        start = day_number(first)
        days = np.arange(start, day_number(last) + 1, dtype=np.int64)
        stamps = days.astype("datetime64[D]")
        off = np.array([day_number(day) for day, _ in holidays()], dtype=np.int64)
        weekday = (days + 3) % 7
        working = (weekday < 5) & ~np.isin(days, off)
        months = stamps.astype("datetime64[M]")
        month_number = months.astype(np.int64)
        day_of_month = (stamps - months).astype(np.int64) + 1
        compact = (1970 + month_number // 12) * 10_000 + (month_number % 12 + 1) * 100 + day_of_month
        return cls(
            first=start,
            is_working=working,
            next_index=np.cumsum(working) - working,
            working_days=days[working],
            compact_date=compact,
            last_of_month=(stamps + 1).astype("datetime64[M]") != months,
        )

    def works_on(self, days: Int64s) -> Bools:
        """Whether each day is a working day."""
        return self.is_working[days - self.first]

    def index_from(self, days: Int64s) -> Int64s:
        """Index of the first working day that is not before each day."""
        return self.next_index[days - self.first]

    def day_at(self, indexes: Int64s) -> Int64s:
        """Day number of each working-day index."""
        return self.working_days[indexes]

    def yyyymmdd(self, days: Int64s) -> Int64s:
        """Each day as the number yyyymmdd."""
        return self.compact_date[days - self.first]

    def ends_month(self, days: Int64s) -> Bools:
        """Whether each day is the last of its month."""
        return self.last_of_month[days - self.first]
