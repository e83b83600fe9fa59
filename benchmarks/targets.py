"""What the product must reach, and what was measured: each target is a ratio or a limit taken within one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.cases import RAW, ROAD
from benchmarks.measurement import Measurement
from benchmarks.peer_copies import DLT, DLT_TUNED
from benchmarks.scaling import Growth
from benchmarks.validation.race import GX, HAND_COUNTS, HAND_HASHED, HAND_SPLIT, JUDGE

MEMORY_MIB = 1024
BASE = 1_000_000


@dataclass(frozen=True)
class Target:
    """One line: what, at which size, what was wanted, what was found."""

    what: str
    size: int
    wanted: str
    found: float
    reached: bool


def targets(measured: Iterable[Measurement], grown: Iterable[Growth]) -> list[Target]:
    """Every target that the measurements can answer."""
    rows = list(measured)
    found: list[Target] = []
    sizes = sorted({one.size for one in rows})
    for size in sizes:
        at = _Medians(rows, size)
        found += _at_most(
            "first load ÷ raw pipe", size, at.ratio(("first load", "all", ROAD), ("first load", "all", RAW)), 3
        )
        best = min((s for who in (DLT, DLT_TUNED) if (s := at.seconds("first load", "all", who.name))), default=None)
        own = at.seconds("first load", "all", ROAD)
        if best and own:
            found.append(
                Target("dlt's best bare copy ÷ first load", size, "≥ 5", round(best / own, 2), best / own >= 5)
            )
        for hand in (HAND_HASHED, HAND_SPLIT, HAND_COUNTS):
            ratio = at.ratio(("validation", "wide", JUDGE), ("validation", "wide", hand))
            found += _at_most(f"the judge ÷ {hand}", size, ratio, 1.5)
        found += _at_least(
            f"{GX} ÷ the judge", size, at.ratio(("validation", "wide", GX), ("validation", "wide", JUDGE)), 8
        )
        for tables in ("wide", "narrow"):
            found += _reload(rows, size, tables)
        if own_increment := at.seconds("increment", "all", ROAD):
            found.append(Target("increment, seconds", size, "≤ 5", round(own_increment, 2), own_increment <= 5))
        if peak := at.peak("first load", "all", ROAD):
            found.append(Target("peak memory of the first load, MiB", size, "≤ 1024", round(peak), peak <= MEMORY_MIB))
    found += _flat_memory(rows, sizes)
    own_steps = [one for one in grown if one.step.startswith(("extract ", "judge ", "publish ", "mart ", ROAD))]
    worst = max(own_steps, key=lambda one: one.exponent, default=None)
    if worst is not None:
        found.append(
            Target(f"largest exponent ({worst.step})", sizes[-1], "≤ 1.05", worst.exponent, worst.exponent <= 1.05)
        )
    return found


class _Medians:
    def __init__(self, measured: list[Measurement], size: int) -> None:
        self._rows = [one for one in measured if one.size == size]

    def seconds(self, case: str, tables: str, who: str) -> float | None:
        found = [one.seconds for one in self._rows if (one.case, one.tables, one.who) == (case, tables, who)]
        return median(found) if found else None

    def peak(self, case: str, tables: str, who: str) -> float | None:
        found = [one.peak_mib for one in self._rows if (one.case, one.tables, one.who) == (case, tables, who)]
        return median(peak for peak in found if peak) if found else None

    def ratio(self, upper: tuple[str, str, str], lower: tuple[str, str, str]) -> float | None:
        over, under = self.seconds(*upper), self.seconds(*lower)
        return over / under if over and under else None


def _at_most(what: str, size: int, found: float | None, limit: float) -> list[Target]:
    return [] if found is None else [Target(what, size, f"≤ {limit:g}", round(found, 2), found <= limit)]


def _at_least(what: str, size: int, found: float | None, limit: float) -> list[Target]:
    return [] if found is None else [Target(what, size, f"≥ {limit:g}", round(found, 2), found >= limit)]


def _reload(measured: list[Measurement], size: int, tables: str) -> list[Target]:
    """Rows a second of judging and publishing what is there already; the start of the process is not counted."""
    rates = []
    for one in measured:
        if (one.size, one.case, one.tables) == (size, "reload unchanged", tables) and one.rows:
            seconds = sum(
                float(s["seconds_judge"] or 0) + float(s["seconds_publish"] or 0) for s in one.detail["steps"]
            )
            rates.append(one.rows / seconds)
    return _at_least(f"unchanged reload, {tables}, rows/s", size, median(rates) if rates else None, 250_000)


def _flat_memory(measured: list[Measurement], sizes: list[int]) -> list[Target]:
    """Peak at the largest size against that at 1 M rows; below that, buffers are not yet full."""
    if BASE not in sizes or sizes[-1] == BASE:
        return []
    small, large = (_Medians(measured, size).peak("first load", "all", ROAD) for size in (BASE, sizes[-1]))
    if not small or not large:
        return []
    return _at_most(f"peak memory ÷ peak at {BASE:,} rows", sizes[-1], large / small, 1.1)
