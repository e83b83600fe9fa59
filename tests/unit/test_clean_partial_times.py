"""Days known by year or month only, Excel's serial numbers, .NET dates, years of two digits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, to_excel

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.errors import ContractError
from tests.unit.test_clean_batch import column, contract
from tests.unit.test_clean_codes import clean, one

PARTIAL = {"partial": True}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1965", (date(1965, 1, 1), None, "year_only")),
        ("00/00/1965", (date(1965, 1, 1), None, "year_only")),
        ("1965-00-00", (date(1965, 1, 1), None, "year_only")),
        ("05/1965", (date(1965, 5, 1), None, "month_only")),
        ("5/1965", (date(1965, 5, 1), None, "month_only")),
        ("00/05/1965", (date(1965, 5, 1), None, "month_only")),
        ("1965-05", (date(1965, 5, 1), None, "month_only")),
        ("1965-05-00", (date(1965, 5, 1), None, "month_only")),
        ("01/05/1965", (date(1965, 5, 1), None, None)),
        ("13/1965", (None, "13/1965", None)),
        ("15/00/1965", (None, "15/00/1965", None)),
        ("khoảng 1965", (None, "khoảng 1965", None)),
    ],
)
def test_dates_by_year_and_month(source: str, expected: tuple[object, ...]) -> None:
    assert one("date", source, **PARTIAL) == expected
    assert one("birth_date", source) == expected
    if expected[2] is not None:
        assert one("date", source) == (None, source, None)  # only where the contract allows it


def test_every_serial_of_both_epochs_is_that_of_openpyxl() -> None:
    days = [date(1904, 1, 1) + timedelta(days=n) for n in range(0, 71_000, 13)]
    for epoch, calendar in ((1900, CALENDAR_WINDOWS_1900), (1904, CALENDAR_MAC_1904)):
        serials = [int(to_excel(datetime(d.year, d.month, d.day), calendar)) for d in days]
        found = [v for v, _, _ in clean("date", [str(s) for s in serials], excel_epoch=epoch)]
        expected = [None if 1900 <= s <= 2100 else d for s, d in zip(serials, days, strict=True)]
        assert found == expected


@pytest.mark.parametrize(
    ("source", "epoch", "expected"),
    [
        ("1", 1900, date(1900, 1, 1)),
        ("59", 1900, date(1900, 2, 28)),
        ("60", 1900, None),  # 1900-02-29 never was
        ("60.5", 1900, None),
        ("61", 1900, date(1900, 3, 1)),
        ("0", 1900, None),
        ("0", 1904, date(1904, 1, 1)),
        ("45306", 1900, date(2024, 1, 15)),
        ("43844", 1904, date(2024, 1, 15)),
        ("45306.99", 1900, date(2024, 1, 15)),
        ("1965", 1900, None),  # may as well be a year
        ("1965.5", 1900, date(1905, 5, 18)),
        ("73415", 1900, date(2100, 12, 31)),
        ("73416", 1900, None),
        ("99999", 1904, None),
        ("20240115", 1900, date(2024, 1, 15)),
        ("15/01/2024", 1900, date(2024, 1, 15)),
    ],
)
def test_excel_days(source: str, epoch: int, expected: date | None) -> None:
    assert one("date", source, excel_epoch=epoch) == (expected, None if expected else source, None)
    assert clean("date", pa.array([f" {source}"]), excel_epoch=epoch)[0][0] == expected
    assert one("date", "45306") == (None, "45306", None)  # only where the contract says so


def test_excel_times_are_local_and_exact_to_the_millisecond() -> None:
    cells = pa.array([45306.4375, 45306.437511574077, 45306.0, None])
    assert [v for v, _, _ in clean("datetime", cells, excel_epoch=1900)] == [
        datetime(2024, 1, 15, 3, 30, tzinfo=UTC),
        datetime(2024, 1, 15, 3, 30, 1, tzinfo=UTC),
        datetime(2024, 1, 14, 17, tzinfo=UTC),
        None,
    ]
    assert one("datetime", "45306,4375", excel_epoch=1900)[0] == datetime(2024, 1, 15, 3, 30, tzinfo=UTC)


def test_a_year_in_a_column_of_birth_dates_with_serials_is_a_year() -> None:
    assert one("birth_date", "1965", excel_epoch=1900) == (date(1965, 1, 1), None, "year_only")
    assert one("birth_date", "23916", excel_epoch=1900) == (date(1965, 6, 23), None, None)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/Date(1718000000000+0700)/", datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)),
        ("/Date(1718000000000)/", datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)),
        ("/Date(1718000000000-0500)/", datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)),
        ("\\/Date(1718000000000)\\/", datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)),
        ("/Date(-157766400000)/", datetime(1965, 1, 1, tzinfo=UTC)),
    ],
)
def test_dates_of_dot_net(source: str, expected: datetime) -> None:
    assert one("datetime", source) == (expected, None, "variant")
    assert one("date", source)[0] == (expected + timedelta(hours=7)).date()


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("15/01/24", {"short_years_from": 1950}, (date(2024, 1, 15), None, "short_year")),
        ("15-1-65", {"short_years_from": 1950}, (date(1965, 1, 15), None, "short_year")),
        ("15/1/49", {"short_years_from": 1950}, (date(2049, 1, 15), None, "short_year")),
        ("1/15/24", {"short_years_from": 1950, "order": "mdy"}, (date(2024, 1, 15), None, "short_year")),
        ("15/01/24 10:30", {"short_years_from": 1950}, (date(2024, 1, 15), None, "short_year")),
        ("30/02/24", {"short_years_from": 1950}, (None, "30/02/24", None)),
        ("15/01/24", {}, (None, "15/01/24", None)),
    ],
)
def test_years_of_two_digits(source: str, options: dict[str, Any], expected: tuple[object, ...]) -> None:
    assert one("date", source, **options) == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"excel_epoch": 1901}, "option excel_epoch"),
        ({"partial": "yes"}, "option partial"),
        ({"short_years_from": 24}, "option short_years_from"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError, match=told):
        cleaned_schema(contract(column("c", "date", **options)))
