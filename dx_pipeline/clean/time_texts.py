"""Texts of days and moments, read to microseconds of local time; nothing here knows a time zone.

Forms: yyyyMMdd, yyyyMMddHHmm, yyyyMMddHHmmss, ISO 8601 (T or space, fraction, offset or Z),
d/M/yyyy (also with - or .) with an optional HH:mm[:ss] and AM/PM, and /Date(milliseconds)/ of .NET.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FIRST_YEAR = 1900
LAST_YEAR = 2100
DAY_US = 86_400_000_000
NO_DAY = np.int64(-(2**62))

Ints = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1)
_FIRST_DAY_NUMBER = FIRST_YEAR * 10_000
_DAY_NUMBERS = (LAST_YEAR - FIRST_YEAR + 1) * 10_000

_HOUR = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_YEAR = r"(?:19[0-9]{2}|20[0-9]{2}|2100)"
_ISO_DAY = (
    rf"{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
ISO_MOMENT = rf"^{_ISO_DAY}(?:[ T]{_HOUR}(?::[0-5][0-9](?:\.[0-9]{{1,6}})?)?)?$"
# 29 February goes to the reader, which knows the leap years.
_DMY_DAY = (
    r"(?:(0[1-9]|[12][0-9]|3[01])/(0[13578]|1[02])|(0[1-9]|[12][0-9]|30)/(0[469]|11)"
    r"|(0[1-9]|1[0-9]|2[0-8])/(02))"
)
DMY_MOMENT = rf"^{_DMY_DAY}/({_YEAR})(?: ({_HOUR}(?::[0-5][0-9])?))?$"


@lru_cache(maxsize=1)
def _day_table() -> Ints:
    """Microseconds of midnight by day number ``yyyymmdd - 19000000``; NO_DAY where no such day exists."""
    table = np.full(_DAY_NUMBERS, NO_DAY, dtype=np.int64)
    days = np.arange(f"{FIRST_YEAR}-01-01", f"{LAST_YEAR + 1}-01-01", dtype="datetime64[D]")
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    table[years * 10_000 + month * 100 + day - _FIRST_DAY_NUMBER] = days.astype(np.int64) * DAY_US
    return table


@lru_cache(maxsize=1)
def _clock_table() -> Ints:
    """Microseconds since midnight by clock number ``HHmmss``; NO_DAY where no such time exists."""
    table = np.full(240_000, NO_DAY, dtype=np.int64)
    seconds = np.arange(86_400, dtype=np.int64)
    numbers = seconds // 3600 * 10_000 + seconds // 60 % 60 * 100 + seconds % 60
    table[numbers] = seconds * 1_000_000
    return table


def _numbers_of_length(text: pa.Array, length: int) -> tuple[Ints, pa.Array] | None:
    """(numbers, mask) of the texts that are exactly ``length`` digits; None if there are none."""
    fits = pc.fill_null(pc.equal(pc.binary_length(text), length), False)
    if not pc.any(fits).as_py():
        return None
    some = text if pc.all(fits).as_py() else pc.if_else(fits, text, pa.scalar(None, pa.string()))
    # Below "1" sort signs and the 0x of hexadecimal numbers, which the cast would accept.
    if pc.min(some).as_py() >= "1":
        try:
            return some.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), fits
        except pa.ArrowInvalid:
            pass
    fits = pc.fill_null(pc.match_substring_regex(some, f"^[0-9]{{{length}}}$"), False)
    some = pc.if_else(fits, some, pa.scalar(None, pa.string()))
    return some.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), fits


def read_14_digits(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: yyyyMMddHHmmss as naive timestamps."""
    found = _numbers_of_length(text, 14)
    if found is None:
        return None
    numbers, _ = found
    days = numbers // 1_000_000
    clocks = numbers - days * 1_000_000
    return _timestamps(_look_up_days(days) + _look_up(_clock_table(), clocks))


def read_8_digits(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: yyyyMMdd as naive timestamps at midnight."""
    found = _numbers_of_length(text, 8)
    return None if found is None else _timestamps(_look_up_days(found[0]))


def read_iso(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: ISO 8601 without an offset as naive timestamps."""
    return _cast_matching(text, pc.match_substring_regex(text, ISO_MOMENT))


def read_day_first(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: dd/MM/yyyy[ HH:mm[:ss]] as naive timestamps."""
    fits = pc.match_substring_regex(text, DMY_MOMENT)
    if not pc.any(fits).as_py():
        return None
    some = pc.if_else(fits, text, pa.scalar(None, pa.string()))
    iso = pc.replace_substring_regex(some, DMY_MOMENT, r"\7-\2\4\6-\1\3\5 \8")
    iso = pc.utf8_trim_whitespace(iso)
    return iso.cast(pa.timestamp("us")), fits


def _cast_matching(text: pa.Array, fits: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    if not pc.any(fits).as_py():
        return None
    some = pc.if_else(fits, text, pa.scalar(None, pa.string()))
    return some.cast(pa.timestamp("us")), fits


def _look_up_days(days: Ints) -> Ints:
    return _look_up(_day_table(), days - _FIRST_DAY_NUMBER)


def _look_up(table: Ints, at: Ints) -> Ints:
    outside = (at < 0) | (at >= len(table))
    if not outside.any():
        return table[at]
    return np.where(outside, NO_DAY, table[np.where(outside, 0, at)])


def _timestamps(moments: Ints) -> tuple[pa.Array, pa.Array]:
    """Naive timestamps and the mask of the moments that exist."""
    settled = moments > NO_DAY // 2
    return pa.array(moments).view(pa.timestamp("us")), pa.array(settled)


_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?", re.ASCII)
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?)? ?(Z|z|UTC|[+-]\d\d:?(?:\d\d)?)?",
    re.ASCII,
)
_DAY_FIRST = re.compile(
    r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ,]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?"
    r" ?([AaPp][Mm]|SA|CH)?)?",
    re.ASCII,
)
_CLOCK_FIRST = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?[ ,]+(\d{1,2}/\d{1,2}/\d{4})", re.ASCII)
_DOT_NET = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moment:
    """Microseconds since 1970, of local time or (``is_utc``) of UTC; ``usual`` unless rarely written so."""

    microseconds: int
    is_utc: bool = False
    usual: bool = True


def read_moment(text: str, *, month_first: bool = False) -> Moment | None:
    """The moment a tidy text stands for; None if it is none, or lies outside 1900 to 2100."""
    if match := _DIGITS.fullmatch(text):
        return _moment(*match.groups())
    if match := _ISO.fullmatch(text):
        *parts, offset = match.groups()
        return _moment(*parts, offset=offset)
    if match := _CLOCK_FIRST.fullmatch(text):
        text = f"{match[4]} {match[1]}:{match[2]}" + (f":{match[3]}" if match[3] else "")
    if match := _DAY_FIRST.fullmatch(text):
        first, second, year, hour, minute, second_of, fraction, half = match.groups()
        day, month = (second, first) if month_first else (first, second)
        if half and (hour := _full_hour(hour, half)) is None:
            return None
        return _moment(year, month, day, hour, minute, second_of, fraction, usual=month_first)
    if match := _DOT_NET.fullmatch(text):
        return _in_range(timedelta(milliseconds=int(match[1])), is_utc=True, usual=False)
    return None


def _full_hour(hour: str, half: str) -> str | None:
    """Hour 0 to 23 of a twelve-hour clock (SA = morning, CH = afternoon)."""
    value = int(hour)
    if not 1 <= value <= 12:
        return None
    return str(value % 12 + (12 if half.upper() in ("PM", "CH") else 0))


def _moment(
    year: str,
    month: str,
    day: str,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    fraction: str | None = None,
    *,
    offset: str | None = None,
    usual: bool = True,
) -> Moment | None:
    try:
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        zone = _offset(offset)
    except ValueError:
        return None
    since = local - _EPOCH + timedelta(microseconds=int((fraction or "0")[:6].ljust(6, "0")))
    if zone is None or not _FIRST <= since < _LAST:
        return _in_range(since, is_utc=False, usual=usual)
    return Moment((since - zone) // timedelta(microseconds=1), True, usual)


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    zone = timezone(timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))  # ValueError beyond a day
    return (1 if text[0] == "+" else -1) * (zone.utcoffset(None))


def _in_range(since: timedelta, *, is_utc: bool, usual: bool) -> Moment | None:
    if not _FIRST <= since < _LAST:
        return None
    return Moment(since // timedelta(microseconds=1), is_utc, usual)


_FIRST = datetime(FIRST_YEAR, 1, 1) - _EPOCH
_LAST = datetime(LAST_YEAR + 1, 1, 1) - _EPOCH
FIRST_US = _FIRST // timedelta(microseconds=1)
LAST_US = _LAST // timedelta(microseconds=1)
