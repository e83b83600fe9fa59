"""Codes: dossiers, procedures, agencies, communes and closed lists."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.contract.model import Column


def clean(kind: str, values: Any, **options: Any) -> list[tuple[Any, str | None, str | None]]:
    """(value, unreadable, note) of each source value."""
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    done = SEMANTIC_TYPES[kind].clean(array, Column("c", "C", kind, "string", options=options))
    empty = [None] * len(array)
    unreadable = empty if done.unreadable is None else done.unreadable.to_pylist()
    note = empty if done.note is None else done.note.to_pylist()
    return list(zip(done.value.to_pylist(), unreadable, note, strict=True))


def one(kind: str, value: str, **options: Any) -> tuple[Any, str | None, str | None]:
    return clean(kind, [value], **options)[0]


@pytest.mark.parametrize(
    "code",
    [
        "000.00.06.H56-231027-0361",
        "000.17.22.H56-210531-0001",
        "H56.14-240823-0001",
        "H50-240823-0001",
        "H50.14.02-240229-10000",  # leap day, number of the day above 9999
        "G22.99-240823-000123",
    ],
)
def test_dossier_codes_of_both_generations(code: str) -> None:
    assert one("dossier_code", code) == (code, None, None)


@pytest.mark.parametrize(
    "code",
    [
        "H50.14-240231-0001",
        "H50.14-230229-0001",
        "H50.14-241301-0001",
        "H50.14-240431-0001",
        "H50.14-20240823-0001",
        "H50.14-240823-001",
        "H50.14_240823_0001",
        "00.00.06.H50-231027-0361",
        "xyz",
    ],
)
def test_malformed_dossier_codes_keep_their_text(code: str) -> None:
    assert one("dossier_code", code) == (None, code, None)


def test_dossier_code_written_loosely() -> None:
    assert one("dossier_code", " h50.14 - 240823 – 0001 ") == ("H50.14-240823-0001", None, "whitespace,variant")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("2.000815", ("2.000815", None, None)),
        ("1.010708.000.00.00.H56", ("1.010708", None, "suffix_stripped")),
        ("1.010708.H56", ("1.010708", None, "suffix_stripped")),
        ("1. 010708", ("1.010708", None, "variant")),
        ("4.010708", (None, "4.010708", None)),
        ("1.01070", (None, "1.01070", None)),
        ("1.010708.xx", (None, "1.010708.xx", None)),
    ],
)
def test_procedure_codes(source: str, expected: tuple[Any, ...]) -> None:
    assert one("procedure_code", source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("000.00.00.H50", ("000.00.00.H50", None, None)),
        ("H50", ("H50", None, None)),
        ("h50.14", ("H50.14", None, "variant")),
        ("H50.", (None, "H50.", None)),
        ("0.00.00.H50", (None, "0.00.00.H50", None)),
    ],
)
def test_agency_codes(source: str, expected: tuple[Any, ...]) -> None:
    assert one("agency_code", source) == expected


def test_commune_codes_get_their_zeros_back() -> None:
    assert clean("commune_code", pa.array([19333, 1, None])) == [
        ("19333", None, None),
        ("00001", None, "variant"),
        (None, None, None),
    ]
    assert one("commune_code", "193330") == (None, "193330", None)


CODES = {"1": ["Công dân", "cong-dan"], "2": ["Doanh nghiệp"], "10": []}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1", ("1", None, None)),
        ("01", ("1", None, "variant")),
        ("Công dân", ("1", None, "variant")),
        ("CÔNG  DÂN", ("1", None, "whitespace,variant")),
        ("Doanh nghiÖp", ("2", None, "legacy_tcvn3,variant")),
        ("10", ("10", None, None)),
        ("11", (None, "11", None)),
        ("", (None, None, None)),
    ],
)
def test_code_list(source: str, expected: tuple[Any, ...]) -> None:
    assert one("code_list", source, codes=CODES) == expected


def test_code_list_of_integers() -> None:
    assert [v for v, _, _ in clean("code_list", pa.array([1, 2, 7, None], pa.int16()), codes=CODES)] == [
        "1",
        "2",
        None,
        None,
    ]


def test_code_list_empty_value_may_mean_a_code() -> None:
    assert clean("code_list", ["2", None, "", "7"], codes=CODES, null_as="1") == [
        ("2", None, None),
        ("1", None, "null_as"),
        ("1", None, "null_as"),
        (None, "7", None),
    ]


def test_null_values_are_null_in_every_path() -> None:
    assert clean("code_list", ["1", "N/A", " N/A"], codes=CODES, null_values=["N/A", "1"]) == [
        (None, None, "null_text"),
        (None, None, "null_text"),
        (None, None, "null_text"),
    ]


def test_many_rows_and_dictionaries_give_the_same() -> None:
    values = ["1", "Công dân", "11", None, "", " 2"] * 500
    expected = clean("code_list", values[:6], codes=CODES) * 500
    assert clean("code_list", values, codes=CODES) == expected
    assert clean("code_list", pa.array(values).dictionary_encode(), codes=CODES) == expected
    assert clean("code_list", pa.array(values, pa.large_string()), codes=CODES) == expected
