"""What every cleaner promises, on any text: no error, same length, nothing lost, the same when done twice."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dx_pipeline.clean.reading import as_text
from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.clean.semantic_type import Cleaned
from dx_pipeline.contract.model import Column

OPTIONS: dict[str, dict[str, Any]] = {
    "code_list": {"codes": {"1": ["Công dân"], "2": ["Có"]}},
    "digit_code": {"groups": [3, 3]},
}
TYPES = sorted(SEMANTIC_TYPES)

plausible = st.sampled_from(
    """
    20240115103000 20240231103000 2024-01-15 15/01/2024 1.234.567 1,5 150.000đ -5 0 1 01 x có 045099001234
    000000001 0912345678 01621234567 +84912345678 H50.14-240823-0001 h50 1.001193.H50 19333 a@b.vn 1965
    00/00/1965 Qu¶ngTrÞ Quaûng L×a Ðông N/A 1e5 nan inf 0x1F /Date(0)/ 12:30 99999999999999999999 1.5.2024
    """.split()
)
letters = st.text(
    st.sampled_from("aAeoôuöydđÐðhgnctHQ 0123456789.,-/:+()%§¨©ª«¬\xad®µ¶·¸¹øùûõïâáàåãäêéèúüëñæóò\u0301\u00a0\u200b\0T")
)
texts = st.one_of(st.none(), plausible, letters, st.text(), st.builds("{} {}".format, plausible, letters))
huge = st.builds(lambda t, n: t * n, st.text(min_size=1, max_size=5), st.integers(1000, 20_000))


def clean(kind: str, array: pa.Array) -> Cleaned:
    column = Column("c", "C", kind, "string", options=OPTIONS.get(kind, {}))
    done = SEMANTIC_TYPES[kind].clean(array, column)
    empty = pa.nulls(len(array), pa.string())
    return Cleaned(done.value, done.unreadable or empty, done.note or empty)


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=150, deadline=None)
@given(values=st.lists(texts, max_size=12))
def test_any_text(kind: str, values: list[str | None]) -> None:
    source = pa.array(values, pa.string())
    done = clean(kind, source)
    assert len(done.value) == len(done.unreadable) == len(done.note) == len(values)
    for array in (done.value, done.unreadable, done.note):
        array.validate(full=True)
    assert done.value.type == SEMANTIC_TYPES[kind].arrow_type(Column("c", "C", kind, "string"))
    for raw, value, unreadable, note in zip(
        values, as_text(done.value).to_pylist(), done.unreadable.to_pylist(), done.note.to_pylist(), strict=True
    ):
        if raw is None:
            assert value is unreadable is note is None
        elif unreadable is not None:
            assert unreadable == raw.replace("\0", "\ufffd")
            assert value is None
        if raw and raw.strip(" \t\n\u00a0\u200b") and raw.isprintable() and note is None:
            assert value is not None or unreadable is not None


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=150, deadline=None)
@given(values=st.lists(texts, max_size=12))
def test_cleaning_twice_changes_nothing(kind: str, values: list[str | None]) -> None:
    once = clean(kind, pa.array(values, pa.string())).value
    twice = clean(kind, once)
    assert twice.value.equals(once)
    assert twice.unreadable.null_count == len(values)


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=60, deadline=None)
@given(values=st.lists(texts, min_size=1, max_size=8))
def test_company_changes_nothing(kind: str, values: list[str | None]) -> None:
    """A value is cleaned the same alone, among others, in a long column and in a dictionary."""
    source = pa.array(values, pa.string())
    together = clean(kind, source)
    alone = [clean(kind, source.slice(i, 1)) for i in range(len(values))]
    repeated = clean(kind, pa.concat_arrays([source] * 300))
    coded = clean(kind, source.dictionary_encode())
    for part in ("value", "unreadable", "note"):
        expected = getattr(together, part)
        assert pa.concat_arrays([getattr(a, part) for a in alone]).equals(expected)
        assert getattr(repeated, part).equals(pa.concat_arrays([expected] * 300))
        assert getattr(coded, part).equals(expected)


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=10, deadline=None)
@given(value=huge)
def test_huge_text(kind: str, value: str) -> None:
    done = clean(kind, pa.array([value]))
    assert len(done.value) == 1


@settings(max_examples=300, deadline=None)
@given(value=st.text(st.characters(max_codepoint=0x24F), min_size=1))
def test_prose_loses_no_letter(value: str) -> None:
    """Text without surplus white space and legacy encodings keeps every letter and digit."""
    done = clean("text", pa.array([value]))
    note = done.note[0].as_py() or ""
    if not any(repair in note for repair in ("legacy", "eth", "utf8_twice")):
        kept = "" if done.value[0].as_py() is None else done.value[0].as_py()
        assert [c for c in kept if c.isalnum()] == [c for c in value if c.isalnum()]
