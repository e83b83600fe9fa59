"""Dates that are not known to the day, and years written with two digits.

``1965``, ``00/00/1965`` and ``19650000`` are the first day of 1965 with the note ``year_only``; ``05/1965``,
``00/05/1965`` and ``1965-05-00`` are the first day of May with the note ``month_only``.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dx_pipeline.clean.reading import UNREADABLE, Reader, Reading
from dx_pipeline.clean.time_texts import FIRST_YEAR, LAST_YEAR, Moment, read_moment
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

YEAR_ONLY = "year_only"
MONTH_ONLY = "month_only"
SHORT_YEAR = "short_year"

_YEAR = re.compile(r"(?:00?[-/.]00?[-/.])?(\d{4})(?:0000|-00-00)?", re.ASCII)
_MONTH_FIRST = re.compile(r"(?:00?[-/.])?(\d{1,2})[-/.](\d{4})", re.ASCII)
_MONTH_LAST = re.compile(r"(\d{4})-?(\d\d)-?00", re.ASCII)
_YEAR_AND_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})", re.ASCII)
_TWO_DIGITS = re.compile(r"(\d{1,2}[-/.]\d{1,2}[-/.])(\d\d)((?:[ ,T].*)?)", re.ASCII)


def check_partial(column: Column) -> None:
    """ContractError if the options ``partial`` or ``short_years_from`` are wrong."""
    partial = column.options.get("partial", False)
    if not isinstance(partial, bool):
        raise ContractError(
            f"column {column.name}, option partial: {partial!r} is neither true nor false",
            next_step="write true if the source may know only the year or the month",
        )
    first = column.options.get("short_years_from")
    latest = LAST_YEAR - 99
    if first is not None and (
        isinstance(first, bool) or not isinstance(first, int) or not FIRST_YEAR <= first <= latest
    ):
        raise ContractError(
            f"column {column.name}, option short_years_from: {first!r} is no such year",
            next_step=f"write a year from {FIRST_YEAR} to {latest}: 1950 means 1950 to 2049",
        )


def partial_reader(read_whole: Reader) -> Reader:
    """Reader of dates that may be known by their year or month only; ``read_whole`` reads the others."""

    def read(text: str) -> Reading:
        if match := _YEAR.fullmatch(text):
            return _first_day(match[1], "1", YEAR_ONLY)
        if match := _MONTH_FIRST.fullmatch(text):
            return _first_day(match[2], match[1], MONTH_ONLY)
        if match := (_MONTH_LAST.fullmatch(text) or _YEAR_AND_MONTH.fullmatch(text)):
            return _first_day(match[1], match[2], MONTH_ONLY)
        return read_whole(text)

    return read


def _first_day(year: str, month: str, note: str) -> Reading:
    moment = read_moment(f"{year}-{month}-1")
    return UNREADABLE if moment is None else Reading(moment, True, (note,))


def read_short_year(text: str, first: int, *, month_first: bool) -> Moment | None:
    """The moment of d/M/yy, whose year lies in the hundred years from ``first`` on; note ``short_year``."""
    match = _TWO_DIGITS.fullmatch(text)
    if match is None:
        return None
    year = first + (int(match[2]) - first) % 100
    moment = read_moment(f"{match[1]}{year}{match[3]}", month_first=month_first)
    return None if moment is None else replace(moment, notes=(SHORT_YEAR,))
