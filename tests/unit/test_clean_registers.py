"""Tax codes, insurance numbers and codes of economic activity."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.clean.tax_code import check_digit
from dx_pipeline.errors import ContractError
from tests.unit.test_clean_batch import column, contract
from tests.unit.test_clean_codes import clean, one


def test_check_digit_of_the_circular() -> None:
    assert check_digit("010004751") == 6
    assert check_digit("000000000") is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0100047516", ("0100047516", None, None)),
        ("0100047516-001", ("0100047516-001", None, None)),
        ("0100047516001", ("0100047516-001", None, "variant")),
        ("0100 047 516", ("0100047516", None, "variant")),
        ("0100047516 – 001", ("0100047516-001", None, "variant")),
        ("0100047517", (None, "0100047517", None)),  # wrong check digit
        ("0100047516-000", (None, "0100047516-000", None)),
        ("010004751", (None, "010004751", None)),
        ("045099001234", ("045099001234", None, "personal_id")),
        ("045 099 001 234", ("045099001234", None, "personal_id,variant")),
        ("003099001234", (None, "003099001234", None)),  # no province has the code 003
        ("0000000000", (None, None, "placeholder")),
        ("MST 0100047516", (None, "MST 0100047516", None)),
    ],
)
def test_tax_codes(source: str, expected: tuple[object, ...]) -> None:
    assert one("tax_code", source) == expected


def test_tax_codes_of_a_number_column_get_their_zero_back() -> None:
    assert clean("tax_code", pa.array([100047516, None])) == [
        ("0100047516", None, "variant"),
        (None, None, None),
    ]
    assert clean("tax_code", pa.array([3200042637])) == [("3200042637", None, None)]


def test_a_long_column_of_tax_codes_is_checked_in_one_go() -> None:
    values = [f"{n:09d}" for n in range(10_000_000, 10_003_000)]
    codes = [f"{v}{check_digit(v) or 0}" for v in values]
    done = clean("tax_code", codes)
    assert [v is not None for v, _, _ in done] == [check_digit(v) is not None for v in values]
    assert sum(v is None for v, _, _ in done) == sum(u is not None for _, u, _ in done) > 100


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("bhxh_number", "4512345678", ("4512345678", None, None)),
        ("bhxh_number", "45 1234 5678", ("4512345678", None, "variant")),
        ("bhxh_number", "451234567", (None, "451234567", None)),
        ("bhxh_number", "0000000000", (None, None, "placeholder")),
        ("bhyt_card", "DN4454512345678", ("DN4454512345678", None, None)),
        ("bhyt_card", "dn 4 45 4512345678", ("DN4454512345678", None, "variant")),
        ("bhyt_card", "DN445451234567", (None, "DN445451234567", None)),
        ("bhyt_card", "4512345678", (None, "4512345678", None)),
        ("vsic_code", "A", ("A", None, None)),
        ("vsic_code", "01110", ("01110", None, None)),
        ("vsic_code", "0111", ("0111", None, None)),
        ("vsic_code", "a", ("A", None, "variant")),
        ("vsic_code", "1", (None, "1", None)),
        ("vsic_code", "Trồng lúa", (None, "Trồng lúa", None)),
    ],
)
def test_insurance_and_activities(kind: str, source: str, expected: tuple[object, ...]) -> None:
    assert one(kind, source) == expected


def test_numbers_that_lost_their_zeros() -> None:
    assert clean("bhxh_number", pa.array([45123456]))[0][0] == "0045123456"
    assert clean("vsic_code", pa.array([1110]), level=5) == [("01110", None, "variant")]
    assert clean("vsic_code", pa.array([1110]), level=4) == [("1110", None, None)]
    assert clean("vsic_code", pa.array([1110])) == [(None, "1110", None)]  # of level 4 or 5?
    assert one("vsic_code", "0111", level=5)[1] == "0111"
    with pytest.raises(ContractError, match="option level"):
        cleaned_schema(contract(column("c", "vsic_code", level=6)))


@pytest.mark.parametrize("code", ["003099001234", "005099001234", "097099001234"])
def test_identity_numbers_of_no_province(code: str) -> None:
    assert one("citizen_id", code) == (None, code, None)
