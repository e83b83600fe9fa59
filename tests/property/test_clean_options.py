"""What the cleaners promise holds with every option too; and the vectors of the field come back exactly."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dx_pipeline.clean.comparison_key import person_key, person_keys, unit_key, unit_keys
from dx_pipeline.clean.reading import as_text
from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.clean.semantic_type import Cleaned
from dx_pipeline.contract.model import Column
from tests.property.test_clean_legacy_roundtrip import phrases
from tests.property.test_clean_properties import letters, plausible

KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("text", {"encoding": "tcvn3"}),
    ("text", {"encoding": "vni"}),
    ("address", {"encoding": "cp1258"}),
    ("date", {"partial": True, "excel_epoch": 1900, "short_years_from": 1950}),
    ("birth_date", {"excel_epoch": 1904}),
    ("datetime", {"excel_epoch": 1900, "order": "mdy", "short_years_from": 1930}),
    ("money_vnd", {"unit": "trieu"}),
    ("money_vnd", {"decimal": ","}),
    ("number", {"unit": "ty", "scale": 4}),
    ("number", {"decimal": ",", "scale": 2}),
    ("percentage", {"fraction": True}),
    ("percentage", {"decimal": ".", "scale": 2}),
    ("vsic_code", {"level": 5}),
)
# With these options a value means another one than the same value in the source.
CHANGING = {"unit", "fraction"}

units = st.sampled_from(["tỷ", "triệu đồng", "nghìn", "tr", "%", "đ", "phần trăm", "tỷ 5 triệu"])
numbers = st.from_regex(r"-?[0-9]{1,4}([.,][0-9]{1,3}){0,3}", fullmatch=True)
days = st.from_regex(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{2}|[0-9]{4})( 1[0-9]:[0-5][0-9])?", fullmatch=True)
serials = st.from_regex(r"[0-9]{1,5}([.,][0-9]{1,9})?", fullmatch=True)
texts = st.one_of(
    st.none(), plausible, letters, st.text(), numbers, days, serials, st.builds("{} {}".format, numbers, units)
)


def clean(kind: str, array: pa.Array, options: dict[str, Any]) -> Cleaned:
    done = SEMANTIC_TYPES[kind].clean(array, Column("c", "C", kind, "string", options=options))
    empty = pa.nulls(len(array), pa.string())
    return Cleaned(done.value, done.unreadable or empty, done.note or empty)


@pytest.mark.parametrize(("kind", "options"), KINDS)
@settings(max_examples=80, deadline=None)
@given(values=st.lists(texts, max_size=12))
def test_a_value_is_read_or_kept_whole(kind: str, options: dict[str, Any], values: list[str | None]) -> None:
    done = clean(kind, pa.array(values, pa.string()), options)
    rows = zip(values, as_text(done.value).to_pylist(), done.unreadable.to_pylist(), done.note.to_pylist(), strict=True)
    for raw, value, unreadable, note in rows:
        if unreadable is not None:
            assert (unreadable, value) == ((raw or "").replace("\0", "\ufffd"), None)
        if raw and raw.isprintable() and raw.strip("\u00a0 \u3000\u200b") and note is None:
            assert (value is None) != (unreadable is None)


@pytest.mark.parametrize(("kind", "options"), KINDS)
@settings(max_examples=60, deadline=None)
@given(values=st.lists(texts, max_size=12))
def test_cleaning_twice_changes_nothing(kind: str, options: dict[str, Any], values: list[str | None]) -> None:
    if CHANGING & options.keys():
        return
    once = clean(kind, pa.array(values, pa.string()), options).value
    twice = clean(kind, once, options)
    assert twice.value.equals(once)
    assert twice.unreadable.null_count == len(values)


@pytest.mark.parametrize(("kind", "options"), KINDS)
@settings(max_examples=20, deadline=None)
@given(values=st.lists(texts, min_size=1, max_size=8))
def test_company_changes_nothing(kind: str, options: dict[str, Any], values: list[str | None]) -> None:
    source = pa.array(values, pa.string())
    together = clean(kind, source, options)
    alone = [clean(kind, source.slice(i, 1), options) for i in range(len(values))]
    repeated = clean(kind, pa.concat_arrays([source] * 300), options)
    for part in ("value", "unreadable", "note"):
        expected = getattr(together, part)
        assert pa.concat_arrays([getattr(a, part) for a in alone]).equals(expected)
        assert getattr(repeated, part).equals(pa.concat_arrays([expected] * 300))


@settings(max_examples=300, deadline=None)
@given(dong=st.integers(-(10**15), 10**15))
def test_amounts_come_back_from_both_ways_of_writing(dong: int) -> None:
    english = f"{dong:,}"
    for text in (english, english.replace(",", "."), english.replace(",", " "), f"{dong} đồng"):
        done = clean("money_vnd", pa.array([text]), {})
        assert done.value.to_pylist() == [dong]
    milliards = Decimal(dong) / 10**9
    done = clean("money_vnd", pa.array([f"{milliards:f} tỷ".replace(".", ",")]), {"decimal": ","})
    assert done.value.to_pylist() == [dong]


@settings(max_examples=300, deadline=None)
@given(value=st.decimals(-(10**9), 10**9, places=2))
def test_numbers_come_back_exactly(value: Decimal) -> None:
    english = f"{value:,.2f}"
    vietnamese = english.translate(str.maketrans(",.", ".,"))
    for text in (english, vietnamese, f"{value:.2f}"):
        assert clean("number", pa.array([text]), {"scale": 2}).value.to_pylist() == [value]
    for text in (f"{vietnamese}%", f"{vietnamese} %"):
        assert clean("percentage", pa.array([text]), {"fraction": True}).value.to_pylist() == [value]


@settings(max_examples=300, deadline=None)
@given(phrase=phrases, capital=st.sampled_from([str, str.title, str.upper]))
def test_a_key_of_a_name_is_its_own_key(phrase: str, capital: type[str]) -> None:
    key = person_key(phrase)
    assert person_key(key) == person_key(f"  {capital(phrase)} ") == key
    assert unit_key(capital(phrase)) == unit_key(phrase)
    assert " " not in unit_key(phrase)


@settings(max_examples=300, deadline=None)
@given(values=st.lists(st.one_of(texts, phrases, phrases.map(str.title)), max_size=8))
def test_keys_of_an_array_are_those_of_its_cleaned_values(values: list[str | None]) -> None:
    cleaned = clean("person_name", pa.array(values, pa.string()), {}).value
    names = cleaned.to_pylist()
    assert person_keys(cleaned).to_pylist() == [None if n is None else person_key(n) or None for n in names]
    assert unit_keys(cleaned).to_pylist() == [None if n is None else unit_key(n) or None for n in names]


def letters_and_tones(phrase: str) -> list[str]:
    """The letters and the tone of each word, wherever the tone stands; i for y."""
    return ["".join(sorted(unicodedata.normalize("NFD", word).replace("y", "i"))) for word in phrase.split()]


@settings(max_examples=300, deadline=None)
@given(one=phrases, other=phrases, tone=st.sampled_from("\u0300\u0301\u0303\u0309\u0323"))
def test_names_with_one_key_have_the_same_letters_and_tones(one: str, other: str, tone: str) -> None:
    for name in (other, unicodedata.normalize("NFC", one + tone), one.replace("y", "i")):
        if person_key(one) == person_key(name):
            assert letters_and_tones(one.lower()) == letters_and_tones(name.lower())


@settings(max_examples=300, deadline=None)
@given(number=st.integers(1, 40), other=st.integers(1, 40))
def test_numbered_units_share_a_key_only_with_themselves(number: int, other: int) -> None:
    assert (unit_key(f"Phường {number}") == unit_key(f"P.{other:02d}")) == (number == other)
