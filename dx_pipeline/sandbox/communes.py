"""Communes of old Quảng Trị from the warehouse's own reference file, as a department's list holds them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from dx_pipeline.sandbox.one_stop.agencies import PROVINCE, UNITS_FILE


@dataclass(frozen=True)
class Commune:
    """A commune's latest state up to the day the list was made; ``ceased_on`` is the first day it was no more."""

    code: str
    name: str
    kind: str
    district: str
    ceased_on: date | None


def commune_list(day: date, units_file: Path = UNITS_FILE) -> list[Commune]:
    """All communes that exist on ``day`` or ceased before, one per code: a code used again is the present commune."""
    found: dict[str, Commune] = {}
    with units_file.open(encoding="utf-8", newline="") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if row["level"] == "commune" and row["province_code"] == PROVINCE and (row["valid_from"] or "") <= str(day)
        ]
    for row in sorted(rows, key=lambda row: (row["code"], row["valid_from"])):
        ended = row["valid_to"] and row["valid_to"] < str(day)
        ceased_on = date.fromordinal(date.fromisoformat(row["valid_to"]).toordinal() + 1) if ended else None
        found[row["code"]] = Commune(row["code"], row["name"], row["unit_type"], row["parent_code"], ceased_on)
    return list(found.values())


#: About the share of the province's people in each district, in percent.
DISTRICT_SHARES: Final = {
    "461": 15.0,
    "462": 4.0,
    "464": 13.5,
    "465": 14.5,
    "466": 11.5,
    "467": 7.0,
    "468": 7.5,
    "469": 13.0,
    "470": 13.0,
}
