"""Moments, days and birth dates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.contract.model import Column
from tests.unit.test_clean_codes import clean, one


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("20240115103000", (utc(2024, 1, 15, 3, 30), None, None)),
        ("202401151030", (utc(2024, 1, 15, 3, 30), None, None)),
        ("20240115", (utc(2024, 1, 14, 17), None, None)),
        ("20240131235959", (utc(2024, 1, 31, 16, 59, 59), None, None)),
        ("20240229000000", (utc(2024, 2, 28, 17), None, None)),
        ("2024-01-15", (utc(2024, 1, 14, 17), None, None)),
        ("2024-01-15 10:30:00", (utc(2024, 1, 15, 3, 30), None, None)),
        ("2024-01-15T10:30:00.25", (utc(2024, 1, 15, 3, 30, 0, 250_000), None, None)),
        ("2024-02-29T10:30:00.25", (utc(2024, 2, 29, 3, 30, 0, 250_000), None, None)),
        ("2024-01-15T10:30:00+07:00", (utc(2024, 1, 15, 3, 30), None, None)),
        ("2024-01-15T10:30:00-0500", (utc(2024, 1, 15, 15, 30), None, None)),
        ("2024-01-15T03:30:00Z", (utc(2024, 1, 15, 3, 30), None, None)),
        ("15/01/2024", (utc(2024, 1, 14, 17), None, "variant")),
        ("15/01/2024 10:30", (utc(2024, 1, 15, 3, 30), None, "variant")),
        ("15/01/2024 10:30:05", (utc(2024, 1, 15, 3, 30, 5), None, "variant")),
        ("5/1/2024", (utc(2024, 1, 4, 17), None, "variant")),
        ("5/1/2024 9:05 PM", (utc(2024, 1, 5, 14, 5), None, "variant")),
        ("/Date(1705289400000)/", (utc(2024, 1, 15, 3, 30), None, "variant")),
        ("", (None, None, None)),
        (" ", (None, None, None)),
    ],
)
def test_readable_moments(source: str, expected: tuple[object, ...]) -> None:
    assert one("datetime", source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "20240231103000",
        "20230229000000",
        "20240115240000",
        "20240115106000",
        "2024011510300",
        "0x240115103000",
        "-2024011510300",
        "00/00/2024",
        "0000-00-00 00:00:00",
        "29/02/2023",
        "31/04/2024",
        "20024-01-15 10:30:00",
        "18991231235959",
        "21010101000000",
        "2024-01-15T10:30:00+99:00",
        "15/01/24",
        "chưa có",
        "/Date(99999999999999)/",
    ],
)
def test_unreadable_moments_keep_their_text(source: str) -> None:
    assert one("datetime", source) == (None, source, None)


def test_a_column_of_mixed_forms_is_read_in_one_go() -> None:
    forms = ["20240115103000", "15/01/2024 10:30", "2024-01-15T10:30:00Z", "x", None, ""]
    assert clean("datetime", forms * 300) == clean("datetime", forms) * 300


def test_every_february_from_1900_to_2100() -> None:
    days = [f"{y}02{d:02d}" for y in range(1900, 2101) for d in (28, 29, 30)]
    leap = [y for y in range(1900, 2101) if y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)]
    values = [v for v, _, _ in clean("date", days)]
    assert [v for v in values if v is not None and v.day == 29] == [date(y, 2, 29) for y in leap]
    assert values[:3] == [date(1900, 2, 28), None, None]


def test_naive_timestamps_are_local_times() -> None:
    source = pa.array([datetime(2024, 1, 15, 10, 30), None], pa.timestamp("us"))
    assert clean("datetime", source) == [(utc(2024, 1, 15, 3, 30), None, None), (None, None, None)]
    assert clean("datetime", source.cast(pa.timestamp("s")))[0][0] == utc(2024, 1, 15, 3, 30)
    assert clean("datetime", source.cast(pa.timestamp("ns")))[0][0] == utc(2024, 1, 15, 3, 30)


def test_timestamps_with_a_zone_keep_their_moment() -> None:
    source = pa.array([utc(2024, 1, 15, 3, 30)], pa.timestamp("us", "Asia/Ho_Chi_Minh"))
    assert clean("datetime", source) == [(utc(2024, 1, 15, 3, 30), None, None)]


def test_a_year_no_python_datetime_can_hold() -> None:
    microseconds = pa.array([569_717_000_000_000_000, None, 1_705_314_600_000_000])
    source = microseconds.view(pa.timestamp("us"))
    assert clean("datetime", source) == [
        (None, "20023-08-12 18:13:20", None),
        (None, None, None),
        (utc(2024, 1, 15, 3, 30), None, None),
    ]
    assert clean("date", source)[0] == (None, "20023-08-12 18:13:20", None)
    seconds = pa.array([569_717_000_000, 2**62]).view(pa.timestamp("s"))
    assert [v for v, _, _ in clean("datetime", seconds)] == [None, None]


def test_dates_are_local_midnights() -> None:
    assert clean("datetime", pa.array([date(2024, 1, 15)]))[0][0] == utc(2024, 1, 14, 17)


def test_summer_time() -> None:
    zone = "America/New_York"
    assert one("datetime", "2024-07-01 00:00:00", timezone=zone)[0] == utc(2024, 7, 1, 4)
    assert one("datetime", "2024-01-01 00:00:00", timezone=zone)[0] == utc(2024, 1, 1, 5)
    ambiguous, skipped = "2024-11-03 01:30:00", "2024-03-10 02:30:00"
    assert one("datetime", ambiguous, timezone=zone)[0] == utc(2024, 11, 3, 5, 30)
    assert one("datetime", skipped, timezone=zone)[0] == utc(2024, 3, 10, 7)


def test_month_first_order() -> None:
    assert one("datetime", "01/15/2024 10:30:00 AM", order="mdy")[0] == utc(2024, 1, 15, 3, 30)
    assert one("datetime", "01/15/2024 12:05:00 AM", order="mdy")[0] == utc(2024, 1, 14, 17, 5)
    assert one("date", "02/03/2024", order="mdy")[0] == date(2024, 2, 3)
    assert one("date", "02/03/2024")[0] == date(2024, 3, 2)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("20240115103000", date(2024, 1, 15)),
        ("2024-01-15", date(2024, 1, 15)),
        ("15/01/2024", date(2024, 1, 15)),
        ("15-1-2024", date(2024, 1, 15)),
        ("2024-01-15T20:00:00Z", date(2024, 1, 16)),  # already the next day in Việt Nam
        ("1965-06-15 23:00:00", date(1965, 6, 15)),
    ],
)
def test_days(source: str, expected: date) -> None:
    assert one("date", source) == (expected, None, None)


def test_day_of_a_timestamp_with_a_zone_is_the_local_day() -> None:
    source = pa.array([utc(2024, 1, 15, 20), utc(1965, 1, 1, 20)], pa.timestamp("us", "UTC"))
    assert [v for v, _, _ in clean("date", source)] == [date(2024, 1, 16), date(1965, 1, 2)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1965", (date(1965, 1, 1), None, "year_only")),
        ("00/00/1965", (date(1965, 1, 1), None, "year_only")),
        ("19650000", (date(1965, 1, 1), None, "year_only")),
        ("07/1965", (date(1965, 7, 1), None, "month_only")),
        ("00/07/1965", (date(1965, 7, 1), None, "month_only")),
        ("15/01/1990", (date(1990, 1, 15), None, None)),
        ("1/2/1990", (date(1990, 2, 1), None, None)),
        ("19900115", (date(1990, 1, 15), None, None)),
        ("1/2/65", (None, "1/2/65", None)),
        ("1890", (None, "1890", None)),
        ("30/02/1990", (None, "30/02/1990", None)),
    ],
)
def test_birth_dates(source: str, expected: tuple[object, ...]) -> None:
    assert one("birth_date", source) == expected


def test_birth_year_in_a_number_column() -> None:
    assert clean("birth_date", pa.array([1965.0, None]))[0] == (date(1965, 1, 1), None, "year_only")


def test_types() -> None:
    column = Column("c", "C", "datetime", "timestamp")
    assert SEMANTIC_TYPES["datetime"].arrow_type(column) == pa.timestamp("us", "UTC")
    assert SEMANTIC_TYPES["date"].arrow_type(column) == pa.date32()
