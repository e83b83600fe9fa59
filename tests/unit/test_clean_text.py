"""Free text, names and identifiers."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest

from tests.unit.test_clean_codes import clean, one


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Xã  A Dơi", ("Xã A Dơi", None, "whitespace")),
        ("Quảng\u00a0Trị ", ("Quảng Trị", None, "whitespace")),
        ("Quảng\u200b Trị", ("Quảng Trị", None, "whitespace")),
        (unicodedata.normalize("NFD", "Hướng Hóa"), ("Hướng Hóa", None, "nfc")),
        ("Ðông Hà", ("Đông Hà", None, "eth_to_d")),
        ("Qu¶ng TrÞ", ("Quảng Trị", None, "legacy_tcvn3")),
        ("Quaûng  Trò", ("Quảng Trị", None, "whitespace,legacy_vni")),
        ("a\x00b", ("a\ufffdb", None, "nul_replaced")),
        ("Noise - Residential", ("Noise - Residential", None, None)),
        ("José Müller", ("José Müller", None, None)),
        ("", (None, None, None)),
        (" \u00a0\t", (None, None, None)),
    ],
)
@pytest.mark.parametrize("kind", ["text", "person_name", "address"])
def test_prose(kind: str, source: str, expected: tuple[str | None, ...]) -> None:
    assert one(kind, source) == expected


def test_nfd_is_thirteen_code_points_and_nfc_nine() -> None:
    assert len(unicodedata.normalize("NFD", "Hướng Hóa")) == 13
    value = one("text", unicodedata.normalize("NFD", "Hướng Hóa"))[0]
    assert value is not None
    assert len(value) == 9


def test_soft_hyphen_is_a_letter_in_tcvn3_and_stays_elsewhere() -> None:
    assert one("text", "H\u00ad\u00edng Hãa")[0] == "Hướng Hóa"
    assert one("text", "co\u00adoperate")[0] == "co\u00adoperate"


def test_identifier_keeps_its_form() -> None:
    assert clean("identifier", [" LV 01 ", "1982/QĐ-UBND", "Qu¶ng TrÞ", "0012"]) == [
        ("LV 01", None, "whitespace"),
        ("1982/QĐ-UBND", None, None),
        ("Qu¶ng TrÞ", None, None),
        ("0012", None, None),
    ]


def test_typed_columns_become_text() -> None:
    assert [v for v, _, _ in clean("identifier", pa.array([12, None]))] == ["12", None]
    assert [v for v, _, _ in clean("identifier", pa.array([12.0, 1.5, None]))] == ["12", "1.5", None]
    assert [v for v, _, _ in clean("text", pa.array([b"H\xc3\xa0", b"\xff"]))] == ["Hà", "\\xff"]
    assert [v for v, _, _ in clean("text", pa.array([{"a": 1}, None]))] == ['{"a": 1}', None]
    assert [v for v, _, _ in clean("text", pa.array([True, None]))] == ["true", None]


def test_repetitive_and_single_texts_are_cleaned_alike() -> None:
    names = ["Quảng  Trị", "Hà Nội", None, "", "Qu¶ng TrÞ"]
    assert clean("text", names * 400) == clean("text", names) * 400
