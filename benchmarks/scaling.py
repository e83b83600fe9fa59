"""How a step's time grows with its rows: the exponent b of seconds = a · rows^b, fitted over the sizes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measurement import Measurement

SHORTEST = 0.2
"""Seconds below which a step is mostly its fixed cost; such points are left out of a fit."""


@dataclass(frozen=True)
class Growth:
    """A fitted exponent, and over what it was fitted."""

    step: str
    exponent: float
    points: tuple[tuple[int, float], ...]
    """Rows and median seconds."""


def fit(points: Sequence[tuple[int, float]]) -> float | None:
    """Slope of the least-squares line through (log rows, log seconds); None for fewer than two different sizes."""
    logs = [(math.log(rows), math.log(seconds)) for rows, seconds in points if rows > 0 and seconds > 0]
    if len({x for x, _ in logs}) < 2:
        return None
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def growth(measured: Iterable[Measurement]) -> list[Growth]:
    """Exponents of the road's steps in first loads (each dataset's extract, judge, publish; marts) and of every case."""
    seen: dict[str, dict[int, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for one in measured:
        if one.rows:
            name = one.who if one.who == one.case else f"{one.who}: {one.case}, {one.tables}"
            seen[name][one.size].append((one.rows, one.seconds))
        if one.case == "first load" and one.tables == "all":
            _steps(one, seen)
    found = []
    for step, by_size in seen.items():
        points = tuple((size_rows(rows), middle(rows)) for _, rows in sorted(by_size.items()))
        long_enough = tuple(point for point in points if point[1] >= SHORTEST)
        exponent = fit(long_enough)
        if exponent is not None:
            found.append(Growth(step, round(exponent, 3), long_enough))
    return found


def size_rows(points: Sequence[tuple[int, float]]) -> int:
    """Rows of a size: equal in all repeats but for a few."""
    return round(median(rows for rows, _ in points))


def middle(points: Sequence[tuple[int, float]]) -> float:
    """Median seconds of the repeats."""
    return median(seconds for _, seconds in points)


def _steps(one: Measurement, seen: Mapping[str, Mapping[int, list[tuple[int, float]]]]) -> None:
    for step in one.detail.get("steps", ()):
        for part in ("extract", "judge", "publish"):
            seconds = step[f"seconds_{part}"]
            if step["extracted"] and seconds:
                seen[f"{part} {step['dataset']}"][one.size].append((int(step["extracted"]), float(seconds)))
    for mart, seconds in one.detail.get("marts", {}).items():
        seen[f"mart {mart}"][one.size].append((one.rows, float(seconds)))
