"""Periods of reports and scores: a month, a quarter, a half or a year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dx_pipeline.errors import SettingsError

Kind = Literal["month", "quarter", "half", "year"]
_FORM = re.compile(r"^(?P<year>\d{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])|H(?P<half>[12])))?\Z")
_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}


@dataclass(frozen=True)
class Period:
    """A period as it is written, e.g. 2024-06 or 2024-Q2."""

    text: str
    kind: Kind
    year: int
    number: int

    @property
    def starts_on(self) -> date:
        return date(self.year, (self.number - 1) * _MONTHS[self.kind] + 1, 1)

    @property
    def month(self) -> date:
        """First day of its last month."""
        return date(self.year, self.number * _MONTHS[self.kind], 1)

    @property
    def ends_on(self) -> date:
        return (self.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    @property
    def before(self) -> str:
        """The period before, as it is written."""
        count = 12 // _MONTHS[self.kind]
        year, number = (self.year, self.number - 1) if self.number > 1 else (self.year - 1, count)
        return {
            "month": f"{year}-{number:02}",
            "quarter": f"{year}-Q{number}",
            "half": f"{year}-H{number}",
            "year": f"{self.year - 1}",
        }[self.kind]


def parse_period(text: str) -> Period:
    """Read 2024-06, 2024-Q2, 2024-H1 or 2024.

    Raises:
        SettingsError: it is none of these.
    """
    found = _FORM.match(text)
    if found is None:
        raise SettingsError(f"{text!r} is no period", next_step="write 2024-06, 2024-Q2, 2024-H1 or 2024")
    for kind in ("month", "quarter", "half"):
        if found[kind]:
            return Period(text, kind, int(found["year"]), int(found[kind]))
    return Period(text, "year", int(found["year"]), 1)
