"""Moments, days and birth dates: texts in the usual forms, or typed columns, to one typed value.

Local times without a zone are times of the option ``timezone`` (default Asia/Ho_Chi_Minh); moments come out
in UTC. An ambiguous local hour is read as the earlier moment, a skipped one as the end of the gap.
Years outside 1900 to 2100 are unreadable, never an error. A date that is only known by its year or month
is the first day of it, with the note ``year_only`` or ``month_only``; stage then has ``<name>__precision``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.epoch_number import check_epoch_unit, read_epoch
from dx_pipeline.clean.excel_serial import check_epoch, read_serial, serial_stage
from dx_pipeline.clean.partial_dates import check_partial, partial_reader, read_short_year
from dx_pipeline.clean.reading import (
    UNREADABLE,
    Reader,
    Reading,
    Stage,
    as_text,
    in_distinct,
    null_texts,
    read_text,
)
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.time_texts import (
    COMPACT,
    COMPACT_DAY,
    DAY_FIRST,
    DAY_FIRST_DAY,
    DAY_US,
    FIRST_US,
    ISO,
    ISO_DAY,
    LAST_US,
    MONTH_FIRST,
    MONTH_FIRST_DAY,
    Moment,
    read_iso_fraction,
    read_moment,
)
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

DEFAULT_TIMEZONE = "Asia/Ho_Chi_Minh"
NAIVE = pa.timestamp("us")
UTC = pa.timestamp("us", "UTC")
_DAY_PER_UNIT = {"s": 86_400, "ms": 86_400_000, "us": DAY_US, "ns": DAY_US * 1000}

_ORDERS = ("dmy", "mdy")
_OPTIONS = {
    "timezone": f"IANA time zone of local times (default {DEFAULT_TIMEZONE})",
    "order": "dmy (default) or mdy: how d/M/yyyy is meant",
    "excel_epoch": "1900 or 1904: plain numbers are days as Excel counts them",
    "epoch": "s or ms: a bare number of 10 or 13 digits counts seconds or milliseconds since 1970 (UTC)",
    "short_years_from": "first of the hundred years that d/M/yy may mean; without it such a text is unreadable",
}


def _check(column: Column) -> None:
    order = column.options.get("order", "dmy")
    if order not in _ORDERS:
        raise ContractError(
            f"column {column.name}, option order: {order!r} is not known", next_step=f"use one of {_ORDERS}"
        )
    check_epoch(column)
    check_epoch_unit(column)
    check_partial(column)
    zone = _zone(column)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ContractError(
            f"column {column.name}, option timezone: {zone!r} is no time zone",
            next_step=f"use an IANA name such as {DEFAULT_TIMEZONE}",
        ) from None


def _is_day_first(column: Column) -> bool:
    return bool(column.options.get("order", "dmy") == "dmy")


def _zone(column: Column) -> str:
    return str(column.options.get("timezone", DEFAULT_TIMEZONE))


def to_utc(local: pa.Array, zone: str) -> pa.Array:
    """Naive local timestamps[us] (years 1900 to 2100) as timestamps in UTC."""
    bounds = pc.min_max(local.cast(pa.int64()))
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is None:
        return pa.nulls(len(local), UTC)
    shift = _fixed_shift(zone, low // DAY_US, high // DAY_US + 1)
    if shift is not None:
        return pc.subtract(local.cast(pa.int64()), shift).cast(UTC)
    moments = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    return moments.cast(UTC)


@lru_cache(maxsize=1024)
def _fixed_shift(zone: str, first_day: int, last_day: int) -> int | None:
    """Offset from UTC in microseconds if it is the same on every day of the range, else None."""
    days = np.arange(first_day - 1, last_day + 2, dtype=np.int64) * DAY_US
    local = pa.array(days).view(NAIVE)
    moments = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    shifts = np.unique(days - moments.cast(pa.int64()).to_numpy())
    return int(shifts[0]) if len(shifts) == 1 else None


def _to_local(moments: pa.Array, zone: str) -> pa.Array:
    """Timestamps with a zone as naive local timestamps of ``zone``."""
    return pc.local_timestamp(moments.cast(pa.timestamp("us", zone)))


def _typed_in_range(array: pa.Array) -> pa.Array:
    """Mask of the typed times within 1900 to 2100 (null where null), whatever their unit."""
    scale = 1 if pa.types.is_date32(array.type) else 86_400_000
    if pa.types.is_timestamp(array.type):
        scale = _DAY_PER_UNIT[array.type.unit]
    storage = array.view(pa.int32() if pa.types.is_date32(array.type) else pa.int64())
    # A moment in UTC may lie a day outside the local years.
    slack = int(pa.types.is_timestamp(array.type) and array.type.tz is not None)
    first, last = (FIRST_US // DAY_US - slack) * scale, (LAST_US // DAY_US + slack) * scale
    return pc.and_(pc.greater_equal(storage, first), pc.less(storage, last))


def _clean_typed(array: pa.Array, convert: Callable[[pa.Array], pa.Array]) -> Cleaned:
    """Clean a timestamp or date column; ``convert`` gets the values in range."""
    good = _typed_in_range(array)
    if pc.all(good).as_py() is not False:
        return Cleaned(convert(array))
    value = convert(pc.if_else(good, array, pa.scalar(None, array.type)))
    bad = pc.fill_null(pc.invert(good), False)
    raw = pc.if_else(bad, array, pa.scalar(None, array.type))
    return Cleaned(value, _time_text(raw))


def _time_text(array: pa.Array) -> pa.Array:
    text = array.cast(pa.string())
    return pc.replace_substring_regex(text, r"\.0+(Z?)$", r"\1")


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _clean_times(
    array: pa.Array,
    column: Column,
    convert: Callable[[pa.Array], pa.Array],
    stages: list[Stage],
    reader: Reader,
    build: Callable[[list[Any]], pa.Array],
) -> Cleaned:
    def clean(part: pa.Array) -> Cleaned:
        if _is_time(part.type) and not null_texts(column):
            return _clean_typed(part, convert)
        text = _time_text(part) if _is_time(part.type) else as_text(part)
        return read_text(text, column, stages, reader, build)

    # The stages are cheaper than finding the distinct values.
    return in_distinct(array, clean) if pa.types.is_dictionary(array.type) else clean(array)


def _clean_datetime(array: pa.Array, column: Column) -> Cleaned:
    zone = _zone(column)

    def convert(times: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(times.type) and times.type.tz is not None:
            return times.cast(UTC, safe=False)
        return to_utc(times.cast(NAIVE, safe=False), zone)

    def staged(read: Callable[[pa.Array], tuple[pa.Array, pa.Array] | None]) -> Stage:
        def run(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
            found = read(text)
            if found is None:
                return None
            local, settled = found
            return convert(_only(local, settled)), settled

        return Stage(run)

    def build(moments: list[Moment | None]) -> pa.Array:
        local = pa.array([None if m is None or m.is_utc else m.microseconds for m in moments], pa.int64())
        utc = pa.array([m.microseconds if m is not None and m.is_utc else None for m in moments], pa.int64())
        return pc.coalesce(to_utc(local.view(NAIVE), zone), utc.cast(UTC))

    usual = (COMPACT, *ISO, ISO_DAY, COMPACT_DAY) + (() if _is_day_first(column) else (*MONTH_FIRST, MONTH_FIRST_DAY))
    stages = [staged(layout.read) for layout in usual] + [staged(read_iso_fraction)]
    if (epoch := column.options.get("excel_epoch")) is not None:
        stages.append(staged(serial_stage(epoch)))
    if _is_day_first(column):
        stages += [replace(staged(layout.read), note="variant") for layout in (*DAY_FIRST, DAY_FIRST_DAY)]
    return _clean_times(array, column, convert, stages, _moment_reader(column), build)


def _only(values: pa.Array, settled: pa.Array) -> pa.Array:
    if values.null_count == 0 and pc.all(settled).as_py():
        return values
    return pc.if_else(settled, values, pa.scalar(None, values.type))


def _text_reader(column: Column) -> Callable[[str], Moment | None]:
    """Reader of every form the column's options allow."""
    month_first = not _is_day_first(column)
    epoch = column.options.get("excel_epoch")
    unit = column.options.get("epoch")
    short_from = column.options.get("short_years_from")

    def read(text: str) -> Moment | None:
        moment = read_moment(text, month_first=month_first)
        if moment is None and epoch is not None:
            moment = read_serial(text, epoch)
        if moment is None and unit is not None:
            moment = read_epoch(text, unit)
        if moment is None and short_from is not None:
            moment = read_short_year(text, short_from, month_first=month_first)
        return moment

    return read


def _moment_reader(column: Column) -> Reader:
    read_any = _text_reader(column)

    def read(text: str) -> Reading:
        moment = read_any(text)
        if moment is None:
            return UNREADABLE
        return Reading(moment, True, moment.notes or (() if moment.usual else ("variant",)))

    return read


def _day_reader(column: Column) -> Reader:
    """Days are usually written d/M/yyyy, so that form is no variant."""
    read_any = _text_reader(column)

    def read(text: str) -> Reading:
        moment = read_any(text)
        return UNREADABLE if moment is None else Reading(moment, True, moment.notes)

    return read


def _clean_day(array: pa.Array, column: Column, reader: Reader) -> Cleaned:
    zone = _zone(column)

    def convert(times: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(times.type):
            times = times.cast(pa.timestamp("us", times.type.tz), safe=False)
            if times.type.tz is not None:
                times = _to_local(times, zone)
        return _days(times)

    def staged(read: Callable[[pa.Array], tuple[pa.Array, pa.Array] | None]) -> Stage:
        def run(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
            found = read(text)
            return None if found is None else (_days(_only(*found)), found[1])

        return Stage(run)

    def build(moments: list[Moment | None]) -> pa.Array:
        local = pa.array([None if m is None or m.is_utc else m.microseconds for m in moments], pa.int64())
        utc = pa.array([m.microseconds if m is not None and m.is_utc else None for m in moments], pa.int64())
        return _days(pc.coalesce(local.view(NAIVE), _to_local(utc.cast(UTC), zone)))

    day_only, with_clock = (DAY_FIRST_DAY, DAY_FIRST) if _is_day_first(column) else (MONTH_FIRST_DAY, MONTH_FIRST)
    layouts = (ISO_DAY, day_only, COMPACT_DAY, *ISO, COMPACT, *with_clock)
    stages = [staged(layout.read) for layout in layouts] + [staged(read_iso_fraction)]
    if (epoch := column.options.get("excel_epoch")) is not None:
        stages.append(staged(serial_stage(epoch)))
    return _clean_times(array, column, convert, stages, reader, build)


def _days(times: pa.Array) -> pa.Array:
    """The day of naive timestamps or dates, rounded down."""
    if pa.types.is_date32(times.type):
        return times
    if pa.types.is_date(times.type):
        return times.cast(pa.date32(), safe=False)
    return pc.floor_temporal(times, unit="day").cast(pa.date32())


def _clean_date(array: pa.Array, column: Column) -> Cleaned:
    reader = _day_reader(column)
    return _clean_day(array, column, partial_reader(reader) if _is_partial(column) else reader)


def _clean_birth_date(array: pa.Array, column: Column) -> Cleaned:
    return _clean_day(array, column, partial_reader(_day_reader(column)))


def _is_partial(column: Column) -> bool:
    return bool(column.options.get("partial", False))


def _always(column: Column) -> bool:
    return True


def _utc_type(column: Column) -> pa.DataType:
    return UTC


def _date_type(column: Column) -> pa.DataType:
    return pa.date32()


def _type(
    name: str,
    arrow_type: Callable[[Column], pa.DataType],
    clean: Callable[[pa.Array, Column], Cleaned],
    description: str,
    options: dict[str, str] | None = None,
    is_partial: Callable[[Column], bool] | None = None,
) -> SemanticType:
    return SemanticType(
        name=name,
        arrow_type=arrow_type,
        clean=clean,
        can_fail=True,
        makes_notes=True,
        pseudonymised=False,
        description=description,
        options=_OPTIONS | (options or {}),
        check=_check,
        is_partial=is_partial,
    )


DATETIME = _type("datetime", _utc_type, _clean_datetime, "thời điểm, về UTC | moment, in UTC")
DATE = _type(
    "date",
    _date_type,
    _clean_date,
    "ngày | day",
    {"partial": "true: 1965, 05/1965 and 00/00/1965 are read too, with their precision (default false)"},
    _is_partial,
)
BIRTH_DATE = _type(
    "birth_date",
    _date_type,
    _clean_birth_date,
    "ngày sinh, có thể chỉ biết năm | birth date, may be known by its year only",
    is_partial=_always,
)
