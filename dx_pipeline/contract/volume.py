"""What a contract promises about the amount of data: how often something new comes, how much a whole read may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, NoReturn

_KEYS = ("newWithinHours", "band", "outside")


@dataclass(frozen=True)
class VolumePromise:
    """``customProperties.volume`` of a contract.

    Attributes:
        new_within: time within which at least one row is new or changed; None: no promise.
        band: share by which the rows of a whole read may differ from those before (0.5: half to one and a half).
        outside: what happens to a batch outside the band.
    """

    new_within: timedelta | None = None
    band: float | None = None
    outside: Literal["warn", "hold"] = "warn"


def parse_volume(value: object, refuse: Callable[[str], NoReturn]) -> VolumePromise:
    """The promise written as a mapping; none written: nothing is promised. ``refuse`` raises with its reason."""
    if value is None:
        return VolumePromise()
    if not isinstance(value, Mapping) or set(value) - set(_KEYS):
        refuse(f"must be a mapping of {', '.join(_KEYS)}")
    hours, band = (_positive(value, name, refuse) for name in ("newWithinHours", "band"))
    outside: Any = value.get("outside", "warn")
    if outside not in ("warn", "hold"):
        refuse("outside must be warn or hold")
    return VolumePromise(None if hours is None else timedelta(hours=hours), band, outside)


def _positive(value: Mapping[str, Any], name: str, refuse: Callable[[str], NoReturn]) -> float | None:
    number = value.get(name)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or number <= 0:
        refuse(f"{name} must be a number above 0")
    return float(number)
