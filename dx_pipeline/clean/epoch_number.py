"""Moments as computers count them: seconds or milliseconds since 1970 in UTC, written as a bare number.

A number of ten digits (seconds, years 2001 to 2286) or thirteen (milliseconds) can be no date: those have 8, 12 or 14.
Others are left unreadable.
"""

from __future__ import annotations

import re

from dx_pipeline.clean.time_texts import FIRST_US, LAST_US, Moment
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

_UNITS = {"s": (re.compile(r"[0-9]{10}", re.ASCII), 1_000_000), "ms": (re.compile(r"[0-9]{13}", re.ASCII), 1000)}


def check_epoch_unit(column: Column) -> None:
    """ContractError if the option ``epoch`` is no unit."""
    unit = column.options.get("epoch")
    if unit is not None and unit not in _UNITS:
        raise ContractError(
            f"column {column.name}, option epoch: {unit!r} is not known",
            next_step="write s (seconds since 1970) or ms (milliseconds)",
        )


def read_epoch(text: str, unit: str) -> Moment | None:
    """The moment of one number, None if it is none."""
    form, microseconds = _UNITS[unit]
    if not form.fullmatch(text):
        return None
    moment = int(text) * microseconds
    return Moment(moment, is_utc=True, usual=False) if FIRST_US <= moment < LAST_US else None
