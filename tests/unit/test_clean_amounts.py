"""Numbers with units and percentages: exact, or unreadable where two readings are possible."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.errors import ContractError
from tests.unit.test_clean_batch import column, contract
from tests.unit.test_clean_codes import clean, one

TY = 1_000_000_000


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("1,5 tỷ", {}, 1_500_000_000),
        ("1,5 tỉ đồng", {}, 1_500_000_000),
        ("250 triệu đồng", {}, 250_000_000),
        ("250 TRIỆU ĐỒNG", {}, 250_000_000),
        ("250tr", {}, 250_000_000),
        ("5 trđ", {}, 5_000_000),
        ("35 nghìn", {}, 35_000),
        ("1,2 nghìn tỷ đồng", {}, 1_200 * TY),
        ("1 tỷ 500 triệu", {}, 1_500_000_000),
        ("2 tỷ 35 triệu 500 nghìn đồng", {}, 2_035_500_000),
        ("1.234,5 tỷ", {}, 1_234_500_000_000),
        ("-2,5 tỷ", {}, -2_500_000_000),
        ("1.500 tỷ", {"decimal": ","}, 1500 * TY),
        ("1.500 tỷ", {"decimal": "."}, 1_500_000_000),
        ("12", {"unit": "ty"}, 12 * TY),
        ("1.234.567", {"unit": "nghin"}, 1_234_567_000),
        ("1.234,5", {"unit": "trieu"}, 1_234_500_000),
        ("1,234.5", {"unit": "trieu"}, 1_234_500_000),
        ("1.234", {"unit": "trieu", "decimal": ","}, 1_234_000_000),
        ("1.234", {"unit": "trieu", "decimal": "."}, 1_234_000),
        ("0,000001", {"unit": "ty"}, 1000),
        ("1.234", {"unit": "dong"}, 1234),
        ("150.000 đ", {"decimal": ","}, 150_000),
    ],
)
def test_money_in_units(source: str, options: dict[str, Any], expected: int) -> None:
    assert one("money_vnd", source, **options)[:2] == (expected, None)


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("1.500 tỷ", {}),  # 1500 or 1.5
        ("1,500 triệu", {}),
        ("1.234", {"unit": "trieu"}),
        ("1 tỷ 500", {}),  # 500 what?
        ("500 triệu 1 tỷ", {}),
        ("1 triệu 2 tỷ", {}),
        ("1 tỷ 2000 triệu", {}),
        ("1.234", {"decimal": "."}),  # a part of a đồng
        ("tỷ", {}),
        ("một tỷ", {}),
        ("12 tỷ USD", {}),
        ("99999999999", {"unit": "ty"}),  # beyond 64 bits
    ],
)
def test_ambiguous_or_impossible_money_keeps_its_text(source: str, options: dict[str, Any]) -> None:
    assert one("money_vnd", source, **options) == (None, source, None)


def test_notes_tell_what_was_made_of_an_amount() -> None:
    assert one("money_vnd", "250 triệu", unit="ty") == (250_000_000, None, "own_unit")
    assert one("money_vnd", "12", unit="ty") == (12 * TY, None, None)
    assert one("money_vnd", "0.30000000000000004", unit="ty") == (300_000_000, None, "rounded")
    assert one("money_vnd", "1,5 tỷ") == (1_500_000_000, None, "variant")


def test_a_number_column_has_decimal_points_and_never_groups() -> None:
    assert clean("money_vnd", pa.array([1.234, 2.0])) == [(None, "1.234", None), (2, None, None)]
    assert clean("money_vnd", pa.array([1.234, None]), unit="trieu")[0][0] == 1_234_000
    assert clean("money_vnd", pa.array([5, None]), unit="trieu") == [(5_000_000, None, None), (None, None, None)]
    assert clean("integer", pa.array([1.234])) == [(None, "1.234", None)]
    assert clean("number", pa.array([1.234]), scale=3) == [(Decimal("1.234"), None, None)]
    assert clean("number", pa.array([Decimal("1.234")]), scale=3)[0][0] == Decimal("1.234")


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("1.234.567,89", {"scale": 2}, Decimal("1234567.89")),
        ("1,234,567.89", {"scale": 2}, Decimal("1234567.89")),
        ("1 234 567,89", {"scale": 2}, Decimal("1234567.89")),
        ("1,5 tỷ", {"unit": "dong", "scale": 0}, Decimal(1_500_000_000)),
        ("1,1", {"unit": "trieu", "scale": 1}, Decimal("1100000.0")),
        ("1,1", {"unit": "trieu"}, 1_100_000.0),
        ("1234,567", {}, 1234.567),
        ("0.123", {}, 0.123),
    ],
)
def test_numbers_are_exact(source: str, options: dict[str, Any], expected: Decimal | float) -> None:
    assert one("number", source, **options)[:2] == (expected, None)


@pytest.mark.parametrize("source", ["1.234", "1,234", "-12.345", "999,999"])
def test_a_lone_separator_before_three_digits_is_ambiguous(source: str) -> None:
    for kind in ("number", "percentage"):
        assert one(kind, source) == (None, source, None)
        assert one(kind, source, decimal=",")[1] is None
        assert one(kind, source, decimal=".")[1] is None
    assert one("number", "1.234", decimal=",")[0] == 1234.0
    assert one("number", "1.234", decimal=".")[0] == 1.234
    # The vectorised stage leaves it alone too.
    assert clean("number", ["1.5", source, "2"]) == [(1.5, None, None), (None, source, None), (2.0, None, None)]


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("92,7 %", {}, (Decimal("92.7"), None, "variant")),
        ("103,97%", {}, (Decimal("103.97"), None, "variant")),
        ("103.97", {}, (Decimal("103.97"), None, None)),
        ("100", {}, (Decimal(100), None, None)),
        ("-2,5 phần trăm", {}, (Decimal("-2.5"), None, "variant")),
        ("0,927", {"fraction": True}, (Decimal("92.7"), None, "variant")),
        ("0.927", {"fraction": True}, (Decimal("92.7"), None, None)),
        ("1.0397", {"fraction": True}, (Decimal("103.97"), None, None)),
        ("92,7%", {"fraction": True}, (Decimal("92.7"), None, "own_unit")),
        ("0.927", {}, (Decimal("0.927"), None, None)),
        ("33.33333", {}, (Decimal("33.3333"), None, "rounded")),
        ("không có", {}, (None, "không có", None)),
        ("%", {}, (None, "%", None)),
        ("5%%", {}, (None, "5%%", None)),
    ],
)
def test_percentages(source: str, options: dict[str, Any], expected: tuple[object, ...]) -> None:
    assert one("percentage", source, **options) == expected


def test_typed_percentages() -> None:
    cells = pa.array([0.927, 1.0397, None])
    assert [v for v, _, _ in clean("percentage", cells, fraction=True)] == [Decimal("92.7"), Decimal("103.97"), None]
    assert [v for v, _, _ in clean("percentage", pa.array([12.345, 7.0]))] == [Decimal("12.345"), Decimal(7)]


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("percentage", {"fraction": "auto"}, "option fraction"),
        ("percentage", {"scale": 40}, "option scale"),
        ("money_vnd", {"unit": "billion"}, "option unit"),
        ("money_vnd", {"decimal": ";"}, "option decimal"),
        ("number", {"unit": 1000}, "option unit"),
        ("number", {"currency": ""}, "option currency"),
        ("number", {"currency": "5"}, "option currency"),
        ("number", {"currency": 7}, "option currency"),
    ],
)
def test_wrong_options_are_refused(kind: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError, match=told):
        cleaned_schema(contract(column("c", kind, **options)))
