"""Capacity from coefficients: every figure is a product of measured numbers, and says which.

The coefficients are data (``coefficients.yaml``), each with its source and date; replace them by your own measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dx_pipeline.errors import SettingsError
from dx_pipeline.yaml_document import parse_yaml

FILE = Path(__file__).with_name("coefficients.yaml")
DAYS = 365
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000


@dataclass(frozen=True)
class Coefficient:
    """One measured or assumed number."""

    value: float
    unit: str
    kind: str
    """``measured`` or ``assumed``."""
    source: str
    measured_on: date


@dataclass(frozen=True)
class Estimate:
    """What a warehouse of that size takes."""

    dossiers: int
    rows: int
    star_bytes: float
    landing_bytes: float
    daily_load_seconds: float
    first_load_hours: float
    scan_year_seconds: float
    slowest_mart_seconds: float
    restore_hours: float
    hot_bytes: float
    years_until_memory: float | None
    """After so many years the months people ask about are larger than the memory; None for never."""
    years_until_restore: float
    advice: tuple[str, ...]


def coefficients(path: Path = FILE) -> dict[str, Coefficient]:
    """The coefficients by name.

    Raises:
        SettingsError: an entry is incomplete; names the file and the entry.
    """
    found: dict[str, Coefficient] = {}
    for name, entry in parse_yaml(path.read_text(encoding="utf-8")).items():
        try:
            number = Coefficient(float(entry["value"]), *(entry[key] for key in ("unit", "kind", "source", "date")))
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"{path.name}: {name} is incomplete ({error})", next_step="give value, unit, kind, source and date"
            ) from None
        found[name] = number
    return found


def estimate(
    dossiers_per_year: int, years: int, *, provinces: int, cores: int, memory_gb: int, by: Mapping[str, Coefficient]
) -> Estimate:
    """Size, times and limits of a warehouse on one server.

    Args:
        dossiers_per_year: of one province.
        cores: of the server; times of scans divide by them at the assumed efficiency, loads do not divide.
    """
    c = {name: number.value for name, number in by.items()}
    yearly = dossiers_per_year * provinces
    dossiers = yearly * years
    star_per_dossier = c["star_bytes_per_dossier"]
    star = dossiers * star_per_dossier
    read_again = yearly * c["updates_per_dossier"] * c["landing_retention_days"] / DAYS
    landing = (dossiers + read_again) * c["landing_bytes_per_dossier"]
    daily = yearly / DAYS * (1 + c["updates_per_dossier"] + c["events_per_dossier"]) / c["upsert_rows_per_second"]
    first = dossiers * (1 + c["events_per_dossier"]) / c["road_rows_per_second"] / 3600
    used_cores = max(1.0, cores * (c["parallel_efficiency"] if cores > 1 else 1))
    scan_year = yearly / c["scan_rows_per_second_core"] / used_cores
    restore = star * c["bloat"] / (c["restore_megabytes_per_second"] * MEGABYTE) / 3600
    hot = yearly * min(years, c["hot_months"] / 12) * star_per_dossier
    restore_years = c["restore_hours_limit"] * 3600 * c["restore_megabytes_per_second"] * MEGABYTE
    restore_years /= yearly * star_per_dossier * c["bloat"]
    years_in_memory = memory_gb * GIGABYTE / (yearly * star_per_dossier)
    memory_limit = None if years_in_memory * 12 > c["hot_months"] else years_in_memory
    return Estimate(
        dossiers=dossiers,
        rows=round(dossiers * (1 + c["events_per_dossier"])),
        star_bytes=star,
        landing_bytes=landing,
        daily_load_seconds=daily,
        first_load_hours=first,
        scan_year_seconds=scan_year,
        slowest_mart_seconds=dossiers / 1_000_000 * c["slowest_mart_seconds_per_million"],
        restore_hours=restore,
        hot_bytes=hot,
        years_until_memory=memory_limit,
        years_until_restore=restore_years,
        advice=_advice(years, memory_limit, restore_years),
    )


def _advice(years: int, memory_limit: float | None, restore_years: float) -> tuple[str, ...]:
    lines = []
    if memory_limit is not None and memory_limit < years:
        lines.append(
            f"from about year {memory_limit:.1f} on the months people ask about no longer fit into memory: questions that"
            " read the star itself get slow; marts do not. More memory first, then Citus"
        )
    if restore_years < years:
        lines.append(
            f"from about year {restore_years:.1f} on a restore takes longer than the limit: a standby server, or Citus"
        )
    return tuple(lines) or ("one server is enough for all these years: neither Citus nor Spark is needed",)
