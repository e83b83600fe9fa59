"""Identity papers, telephone numbers and e-mail addresses."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.phone import MOBILE_PREFIX_2018
from tests.unit.test_clean_codes import clean, one


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("045099001234", ("045099001234", None, None)),  # Quảng Trị, man, 1999
        ("045224001234", ("045224001234", None, None)),  # Quảng Trị, man, 2024
        ("123099001234", ("123099001234", None, None)),  # born abroad
        ("191234567", ("191234567", None, None)),
        ("045 099 001234", ("045099001234", None, "variant")),
        ("000000001", (None, None, "placeholder")),
        ("111111111", (None, None, "placeholder")),
        ("111111111111", (None, None, "placeholder")),
        ("04509900123", (None, "04509900123", None)),
        ("097099001234", (None, "097099001234", None)),  # no such province
        ("000099001234", (None, "000099001234", None)),
        ("045499001234", (None, "045499001234", None)),  # the 22nd century
        ("045225001234", (None, "045225001234", None)),  # born after as_of_year
        ("C1234567", (None, "C1234567", None)),
    ],
)
def test_citizen_ids(source: str, expected: tuple[Any, ...]) -> None:
    assert one("citizen_id", source, as_of_year=2024) == expected


def test_number_column_lost_its_leading_zeros() -> None:
    assert clean("citizen_id", pa.array([45099001234, 191234567, 1, 4509]), as_of_year=2024) == [
        ("045099001234", None, "variant"),
        ("191234567", None, None),
        (None, None, "placeholder"),
        (None, "4509", None),
    ]


def test_own_placeholders() -> None:
    assert one("citizen_id", "045099001234", placeholders=["045099001234"]) == (None, None, "placeholder")


@pytest.mark.parametrize(("old", "new"), MOBILE_PREFIX_2018.items())
def test_mobile_numbers_of_2018_keep_their_last_seven_digits(old: str, new: str) -> None:
    assert one("phone", old + "1234567") == (new + "1234567", None, "phone_2018")
    assert one("phone", f"{old}.123.4567") == (new + "1234567", None, "phone_2018")
    assert one("phone", new + "1234567") == (new + "1234567", None, None)


def test_there_are_21_old_mobile_prefixes() -> None:
    assert len(MOBILE_PREFIX_2018) == 21


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0912345678", ("0912345678", None, None)),
        ("0912 345.678", ("0912345678", None, "variant")),
        ("+84912345678", ("0912345678", None, "variant")),
        ("84912345678", ("0912345678", None, "variant")),
        ("0084 912 345 678", ("0912345678", None, "variant")),
        ("+84 (0)912 345 678", ("0912345678", None, "variant")),
        ("912345678", ("0912345678", None, "variant")),
        ("02333852123", ("02333852123", None, None)),
        ("(0233) 3 852 123", ("02333852123", None, "variant")),
        ("0533852123", ("02333852123", None, "phone_2018")),
        ("0000000000", (None, None, "placeholder")),
        ("091234567", (None, "091234567", None)),
        ("0912345678/0987654321", (None, "0912345678/0987654321", None)),
        ("không có", (None, "không có", None)),
    ],
)
def test_phones(source: str, expected: tuple[Any, ...]) -> None:
    assert one("phone", source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b@quangtri.gov.vn", ("a.b@quangtri.gov.vn", None, None)),
        ("A.B@Gmail.com", ("a.b@gmail.com", None, "variant")),
        ("a@b", (None, "a@b", None)),
        ("a b@c.vn", (None, "a b@c.vn", None)),
        ("không có", (None, "không có", None)),
    ],
)
def test_emails(source: str, expected: tuple[Any, ...]) -> None:
    assert one("email", source) == expected
