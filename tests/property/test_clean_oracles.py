"""The cleaners beside independent implementations: viet-text-tools, vn-ident, vietnamadminunits, Python's codec."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from datetime import date
from importlib.resources import files
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from viet_text_tools import normalize_diacritics
from vietnamadminunits import parse_address
from vn_ident import is_valid_cccd, is_valid_mst, mst_check_digit, normalize_phone

from dx_pipeline.clean.comparison_key import person_key, unit_key
from dx_pipeline.clean.legacy_encodings import CP1258, eth_to_d
from dx_pipeline.clean.syllable import _ONSETS, _RHYMES, is_syllable
from dx_pipeline.clean.tax_code import check_digit
from tests.unit.test_clean_codes import one
from tests.unit.test_clean_legacy_encodings import unit_names

TONES = "\u0300\u0301\u0303\u0309\u0323"


def toned_syllables() -> list[str]:
    """Every possible syllable with every tone, the tone on its last vowel wherever that is wrong."""
    found = []
    for onset, rhyme, tone in product(sorted(_ONSETS), sorted(_RHYMES), TONES):
        letters = unicodedata.normalize("NFD", onset + rhyme)
        at = max(i for i, c in enumerate(letters) if c in "aeiouy") + 1
        while at < len(letters) and unicodedata.combining(letters[at]):
            at += 1
        word = unicodedata.normalize("NFC", letters[:at] + tone + letters[at:])
        if is_syllable(word):
            found.append(word)
    return found


def test_tone_placement_of_every_syllable_is_that_of_viet_text_tools() -> None:
    """Old and new placement share a key, and the key places the tone as the oracle's old style does."""
    syllables = toned_syllables()
    assert len(syllables) > 15_000
    differing = set()
    for word in syllables:
        old, new = normalize_diacritics(word), normalize_diacritics(word, new_style=True)
        assert person_key(old) == person_key(new) == person_key(word)
        if person_key(word) != old:
            differing.add("".join(c for c in unicodedata.normalize("NFD", word) if c not in TONES))
    # i is y in these; and no word has a tone on the rhyme uya, where the oracle puts it on the a.
    assert {w for w in differing if not w.endswith("uya")} == {"hi", "ki", "li", "mi", "si", "ti", "qui"}


@settings(max_examples=500, deadline=None)
@given(nine=st.from_regex(r"[0-9]{9}", fullmatch=True), last=st.integers(0, 9))
def test_tax_codes_like_vn_ident(nine: str, last: int) -> None:
    assert check_digit(nine) == mst_check_digit(nine)
    code = f"{nine}{last}"
    value, unreadable, note = one("tax_code", code)
    if note != "placeholder":
        assert (value == code) == is_valid_mst(code)
        assert (unreadable is None) == is_valid_mst(code)


@settings(max_examples=300, deadline=None)
@given(nine=st.from_regex(r"[0-9]{9}", fullmatch=True), branch=st.from_regex(r"[0-9]{3}", fullmatch=True))
def test_branch_tax_codes_like_vn_ident(nine: str, branch: str) -> None:
    code = f"{nine}{mst_check_digit(nine) or 0}-{branch}"
    value, unreadable, note = one("tax_code", code)
    if note != "placeholder":
        assert (value, unreadable) == ((code, None) if is_valid_mst(code) else (None, code))


@settings(max_examples=300, deadline=None)
@given(digits=st.from_regex(r"0[0-9]{2}[0-3][0-9]{8}", fullmatch=True))
def test_citizen_ids_like_vn_ident(digits: str) -> None:
    value, _, note = one("citizen_id", digits)
    if note != "placeholder":
        born = int(digits[4:6]) + (1900 if digits[3] in "01" else 2000)
        assert (value == digits) == (is_valid_cccd(digits) and born <= date.today().year)


@settings(max_examples=300, deadline=None)
@given(number=st.from_regex(r"01(2[0-9]|6[2-9]|86|88|99)[0-9]{7}", fullmatch=True))
def test_phones_of_2018_like_vn_ident(number: str) -> None:
    oracle = normalize_phone(number)
    value, _, note = one("phone", number)
    if note == "phone_2018" and oracle is not None:
        assert oracle.replace("+84", "0") == value


LEGACY_WARDS = json.loads(files("vietnamadminunits").joinpath("data/parser_legacy.json").read_text(encoding="utf-8"))


def wards_of_quang_tri() -> list[tuple[str, str]]:
    """(name of the ward, key of the district) in the oracle's catalogue before July 2025."""
    districts = LEGACY_WARDS["DICT_PROVINCE_DISTRICT_WARD_NO_ACCENTED"]["tinhquangtri"]
    # The island district has no commune: its only entry is empty.
    return [(w["ward"], d) for d, wards in districts.items() for w in wards.values() if isinstance(w["ward"], str)]


def test_unit_keys_tell_the_wards_of_a_district_apart() -> None:
    by_district = defaultdict(list)
    for ward, district in wards_of_quang_tri():
        by_district[district].append(unit_key(ward))
    assert sum(map(len, by_district.values())) >= 119
    assert [d for d, keys in by_district.items() if len(set(keys)) != len(keys)] == []


@pytest.mark.parametrize(
    ("written", "district"),
    [
        ("TT Ái Tử", "Huyện Triệu Phong"),
        ("Thị Trấn Ái Tử", "Huyện Triệu Phong"),
        ("P.1", "Thành phố Đông Hà"),
        ("Phường 01", "Thành phố Đông Hà"),
        ("Xã  A Dơi", "Huyện Hướng Hóa"),
        ("Xã Vĩnh Hoà", "Huyện Vĩnh Linh"),
        ("Xã Cam Thuỷ", "Huyện Cam Lộ"),
    ],
)
def test_a_written_unit_and_the_one_vietnamadminunits_finds_share_a_key(written: str, district: str) -> None:
    found = parse_address(f"{written}, {district}, Tỉnh Quảng Trị", mode="LEGACY")
    assert found.ward is not None
    assert unit_key(written) == unit_key(found.ward)


def test_windows_1258_table_is_that_of_the_codec() -> None:
    for legacy, letter in CP1258.items():
        decoded = legacy.encode("latin-1").decode("cp1258")
        assert unicodedata.normalize("NFC", decoded) == letter


def part_decomposed(text: str) -> str:
    """The text as Windows-1258 writes it: letters with their hooks and hats whole, tones by themselves."""
    out = []
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(c for c in parts if c in TONES)
        out.append(unicodedata.normalize("NFC", "".join(c for c in parts if c not in TONES)) + tone)
    return "".join(out)


@pytest.mark.parametrize("name", unit_names()[::7])
def test_part_decomposed_names_are_composed(name: str) -> None:
    name = unicodedata.normalize("NFC", name)
    through_codec = part_decomposed(name).encode("cp1258").decode("cp1258")
    for written in (through_codec, unicodedata.normalize("NFD", name)):
        value, unreadable, note = one("unit_name", written)
        assert (value, unreadable) == (name, None)
        assert note == (None if written == name else "nfc")


def test_windows_1258_read_as_western_is_repaired_or_left_alone() -> None:
    repaired = doubtful = 0
    for name in unit_names():
        name = unicodedata.normalize("NFC", name)
        western = part_decomposed(name).encode("cp1258").decode("latin-1")
        if western == name:
            continue
        value, _, note = one("unit_name", western)
        if note is None:
            assert value == western
            doubtful += 1
        elif "legacy_cp1258" in note:
            assert value == name
            repaired += 1
        else:
            assert (value, note) == (eth_to_d(western), "eth_to_d")
            doubtful += value != name
    assert repaired > 4 * doubtful
