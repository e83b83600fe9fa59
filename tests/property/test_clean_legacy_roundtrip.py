"""Vietnamese text in TCVN3 or VNI comes back; Vietnamese Unicode text is never touched."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dx_pipeline.clean.legacy_encodings import CP1258, ENCODINGS, TCVN3, VNI, repair
from dx_pipeline.clean.syllable import VIETNAMESE_ONLY
from tests.unit.test_clean_legacy_encodings import encoded, unit_names

SYLLABLES = sorted({w.lower() for name in unit_names() for w in name.replace("-", " ").split() if w.isalpha()})
phrases = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=8).map(" ".join)


@pytest.mark.parametrize(("note", "table"), [("legacy_tcvn3", TCVN3), ("legacy_vni", VNI), ("legacy_cp1258", CP1258)])
@settings(max_examples=500, deadline=None)
@given(phrase=phrases)
def test_round_trip(note: str, table: dict[str, str], phrase: str) -> None:
    legacy = encoded(phrase, table)
    text, found = repair(legacy)
    assert text in (phrase, legacy)  # the right text, or left alone for want of evidence
    assert found == (None if text == legacy else note)


@settings(max_examples=500, deadline=None)
@given(phrase=phrases, capital=st.sampled_from([str, str.title, str.upper]))
def test_unicode_vietnamese_is_never_altered(phrase: str, capital: type[str]) -> None:
    text = unicodedata.normalize("NFC", capital(phrase))
    assert repair(text) == (text, None)


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(max_codepoint=0xFF)), letter=st.sampled_from(sorted(VIETNAMESE_ONLY)))
def test_one_vietnamese_letter_protects_the_whole_text(text: str, letter: str) -> None:
    assert repair(text + letter) == (text + letter, None)


@settings(max_examples=500, deadline=None)
@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF)))
def test_repair_is_done_after_one_round(text: str) -> None:
    once, _ = repair(unicodedata.normalize("NFC", text))
    assert repair(once) == (once, None)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF)))
def test_repair_of_a_declared_encoding_is_done_after_one_round(encoding: str, text: str) -> None:
    once, _ = repair(unicodedata.normalize("NFC", text), encoding)
    assert repair(once, encoding) == (once, None)
