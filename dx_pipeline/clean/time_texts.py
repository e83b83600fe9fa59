"""Texts of days and moments, read to microseconds of local time; nothing here knows a time zone.

Forms: yyyyMMdd, yyyyMMddHHmm, yyyyMMddHHmmss, ISO 8601 (T or space, fraction, offset or Z),
d/M/yyyy (also with - or .) with an optional HH:mm[:ss] and AM/PM, and /Date(milliseconds)/ of .NET.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FIRST_YEAR = 1900
LAST_YEAR = 2100
DAY_US = 86_400_000_000
NO_MOMENT = np.int64(-(2**62))
_NO_DAY = -1_000_000  # days before 1970: far before the first year, also as microseconds

Ints = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1)
_FIRST_DAY_NUMBER = FIRST_YEAR * 10_000
_DAY_NUMBERS = (LAST_YEAR - FIRST_YEAR + 1) * 10_000

# 29 February goes to the reader, which knows the leap years.
_ISO_FRACTION = (
    r"^(?:19[0-9]{2}|20[0-9]{2}|2100)-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{1,6}$"
)


@lru_cache(maxsize=1)
def _day_table() -> npt.NDArray[np.int32]:
    """Days since 1970 by day number ``yyyymmdd - 19000000``; _NO_DAY where no such day exists."""
    table = np.full(_DAY_NUMBERS, _NO_DAY, dtype=np.int32)
    days = np.arange(f"{FIRST_YEAR}-01-01", f"{LAST_YEAR + 1}-01-01", dtype="datetime64[D]")
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    table[years * 10_000 + month * 100 + day - _FIRST_DAY_NUMBER] = days.astype(np.int64)
    return table


@lru_cache(maxsize=1)
def _clock_table() -> Ints:
    """Microseconds since midnight by clock number ``HHmmss``; NO_MOMENT where no such time exists."""
    table = np.full(240_001, NO_MOMENT, dtype=np.int64)
    seconds = np.arange(86_400, dtype=np.int64)
    numbers = seconds // 3600 * 10_000 + seconds // 60 % 60 * 100 + seconds % 60
    table[numbers] = seconds * 1_000_000
    return table


@dataclass(frozen=True)
class Layout:
    """Times of fixed width, written as ``yyyyMMddHHmmss`` or ``dd/MM/yyyy HH:mm``; other letters as they are.

    ``day`` and ``clock`` are the places of the digits, most significant first (clock: four or six digits).
    """

    width: int
    day: tuple[int, ...]
    clock: tuple[int, ...]
    literals: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, form: str) -> Layout:
        """The layout of a form whose fields are yyyy, MM, dd, HH, mm and ss."""
        places = {letter: [i for i, c in enumerate(form) if c == letter] for letter in "yMdHms"}
        return cls(
            len(form),
            tuple(places["y"] + places["M"] + places["d"]),
            tuple(places["H"] + places["m"] + places["s"]),
            tuple((i, ord(c)) for i, c in enumerate(form) if c not in "yMdHms"),
        )

    def read(self, text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
        """Stage: the texts of this layout as naive timestamps; None if no text has its width."""
        offsets = np.frombuffer(text.buffers()[1], dtype=np.int32)[text.offset : text.offset + len(text) + 1]
        fits = np.diff(offsets) == self.width
        if text.null_count:
            fits &= pc.is_valid(text).to_numpy(zero_copy_only=False)
        if not fits.any():
            return None
        if fits.all():
            return timestamps(self._parse(text))
        moments = np.full(len(text), NO_MOMENT, dtype=np.int64)
        moments[fits] = self._parse(text.filter(pa.array(fits)))
        return timestamps(moments)

    def _parse(self, text: pa.Array) -> Ints:
        """Microseconds of texts that all have the layout's width; NO_MOMENT where the form is another."""
        first = np.frombuffer(text.buffers()[1], dtype=np.int32)[text.offset]
        content = np.frombuffer(text.buffers()[2], dtype=np.uint8)
        letters = content[first : first + len(text) * self.width].reshape(-1, self.width)
        days = _look_up(_day_table(), _number(letters, self.day) - _FIRST_DAY_NUMBER)
        moments = days.astype(np.int64) * DAY_US
        if self.clock:
            clock = _number(letters, self.clock) * (1 if len(self.clock) == 6 else 100)
            moments += _look_up(_clock_table(), clock)
        if self.literals or (letters - ord("0") > 9).any():
            moments[~self._has_form(letters)] = NO_MOMENT
        return moments

    def _has_form(self, letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        good = np.ones(len(letters), dtype=bool)
        for place, letter in self.literals:
            good &= letters[:, place] == letter
        for place in self.day + self.clock:
            good &= letters[:, place] - ord("0") <= 9
        return good


def _number(letters: npt.NDArray[np.uint8], places: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """The number whose ASCII digits stand at these places of each row (any number if they are no digits)."""
    number = letters[:, places[0]].astype(np.int32)
    zeros = ord("0")
    for place in places[1:]:
        number *= 10
        number += letters[:, place]
        zeros = zeros * 10 + ord("0")
    number -= zeros
    return number


COMPACT = Layout.of("yyyyMMddHHmmss")
COMPACT_DAY = Layout.of("yyyyMMdd")
ISO_DAY = Layout.of("yyyy-MM-dd")
ISO = (Layout.of("yyyy-MM-dd HH:mm:ss"), Layout.of("yyyy-MM-ddTHH:mm:ss"))
DAY_FIRST_DAY = Layout.of("dd/MM/yyyy")
DAY_FIRST = (Layout.of("dd/MM/yyyy HH:mm:ss"), Layout.of("dd/MM/yyyy HH:mm"))
MONTH_FIRST_DAY = Layout.of("MM/dd/yyyy")
MONTH_FIRST = (Layout.of("MM/dd/yyyy HH:mm:ss"), Layout.of("MM/dd/yyyy HH:mm"))


def read_iso_fraction(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: ISO 8601 with a fraction of the second and without an offset, as naive timestamps."""
    fits = pc.match_substring_regex(text, _ISO_FRACTION)
    if not pc.any(fits).as_py():
        return None
    some = pc.if_else(fits, text, pa.scalar(None, pa.string()))
    return some.cast(pa.timestamp("us")), fits


def _look_up(table: npt.NDArray[Any], at: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    """Entries of the table; a number outside it finds the first or last entry, where no day and no time is."""
    return table.take(at, mode="clip")


def timestamps(moments: Ints) -> tuple[pa.Array, pa.Array]:
    """Naive timestamps and the mask of the moments that exist."""
    settled = moments >= FIRST_US
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
# The milliseconds are UTC; the offset only tells where the writer was. JSON may escape the slashes.
_DOT_NET = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moment:
    """Microseconds since 1970, of local time or (``is_utc``) of UTC; ``usual`` unless rarely written so.

    notes: codes of what was made up for (an incomplete year).
    """

    microseconds: int
    is_utc: bool = False
    usual: bool = True
    notes: tuple[str, ...] = ()


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
