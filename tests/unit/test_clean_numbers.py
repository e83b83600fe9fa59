"""Money, integers, numbers and flags."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.test_clean_codes import clean, one


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("150000", 150_000),
        ("1.234.567", 1_234_567),
        ("1,234,567", 1_234_567),
        ("1 234 567", 1_234_567),
        ("150.000 đ", 150_000),
        ("150.000đồng", 150_000),
        ("150,000 VND", 150_000),
        ("VNĐ 20.000", 20_000),
        ("150000.0", 150_000),
        ("1.234.567,00", 1_234_567),
        ("1500.000", 1500),
        ("1,5 triệu", 1_500_000),
        ("2 tỷ", 2_000_000_000),
        ("0", 0),
        ("0.000", 0),
        ("-50000", -50_000),
        ("-1.000", -1000),
        ("(50.000)", -50_000),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_money(source: str, expected: int) -> None:
    value, unreadable, _ = one("money_vnd", source)
    assert (value, unreadable) == (expected, None)


@pytest.mark.parametrize(
    "source", ["150.50", "0.5", "12a", "một trăm", "1.23.456", "9223372036854775808", "9" * 5000, "--5", "₫", "1e400"]
)
def test_unreadable_money_keeps_its_text(source: str) -> None:
    assert one("money_vnd", source) == (None, source, None)


def test_typed_money() -> None:
    assert clean("money_vnd", pa.array([1.0, 2.5, None, float("nan")])) == [
        (1, None, None),
        (None, "2.5", None),
        (None, None, None),
        (None, "nan", None),
    ]
    assert clean("money_vnd", pa.array([-3, None], pa.int32())) == [(-3, None, None), (None, None, None)]
    assert clean("money_vnd", pa.array([Decimal("150000.00")]))[0][0] == 150_000
    assert clean("money_vnd", pa.array([2**64 - 1], pa.uint64())) == [(None, str(2**64 - 1), None)]


def test_integers() -> None:
    assert clean("integer", ["7", "-7", "007", "1.0", "1.234", "x", "1.5"]) == [
        (7, None, None),
        (-7, None, None),
        (7, None, None),
        (1, None, "variant"),
        (1234, None, "variant"),
        (None, "x", None),
        (None, "1.5", None),
    ]
    assert clean("integer", pa.array([True, False, None]))[0][0] == 1


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("103.97", {}, 103.97),
        ("103,97", {}, 103.97),
        ("1.234.567,89", {}, 1_234_567.89),
        ("1,234,567.89", {}, 1_234_567.89),
        ("1.234", {"decimal": "."}, 1.234),
        ("1.234", {"decimal": ","}, 1234.0),
        ("1,234", {"decimal": "."}, 1234.0),
        ("82,1 %", {}, 82.1),
        ("1e3", {}, 1000.0),
        (".5", {}, 0.5),
        ("-3", {}, -3.0),
        ("1.5", {"scale": 4}, Decimal("1.5000")),
        ("1.23456", {"scale": 4}, Decimal("1.2346")),
    ],
)
def test_numbers(source: str, options: dict[str, Any], expected: float | Decimal) -> None:
    assert one("number", source, **options)[:2] == (expected, None)


@pytest.mark.parametrize("source", ["nan", "inf", "-", "1.2.3", "1,23,4", "0x1F", "chưa có số liệu", "9" * 5000])
def test_unreadable_numbers(source: str) -> None:
    assert one("number", source) == (None, source, None)


def test_typed_numbers() -> None:
    assert clean("number", pa.array([0.1, float("inf"), None]))[1] == (None, "inf", None)
    assert clean("number", pa.array([0.1, None]), scale=2)[0] == (Decimal("0.10"), None, None)
    assert clean("number", pa.array([2**60]))[0][0] == float(2**60)
    assert clean("number", pa.array([10**17]), scale=4) == [(None, str(10**17), None)]


def test_flags() -> None:
    sources = ["1", "0", "Có", "không", "TRUE", "x", "1.0", "2", ""]
    assert [v for v, _, _ in clean("flag", sources)] == [True, False, True, False, True, True, True, None, None]
    assert one("flag", "2")[1] == "2"
    assert [v for v, _, _ in clean("flag", pa.array([1, 0, None], pa.int16()))] == [True, False, None]
    assert [v for v, _, _ in clean("flag", pa.array([True, None]))] == [True, None]
    assert one("flag", "Nam", true=["Nam"], false=["Nữ"])[0] is True


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("3,05 €", "3.05"), ("€ 1.234,50", "1234.50"), ("-€3,05", "-3.05"), ("€-3,05", "-3.05"), ("12", "12.00"),
        ("3,05 $", None), ("€", None), ("3,05 € €", None),
    ],
)  # fmt: skip
def test_foreign_money_is_a_number_with_its_sign(source: str, expected: str | None) -> None:
    value, unreadable, _ = one("number", source, decimal=",", scale=2, currency="€")
    assert (value, unreadable) == ((Decimal(expected), None) if expected else (None, source))
