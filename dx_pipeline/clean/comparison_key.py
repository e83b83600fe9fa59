"""Keys that all writings of one name have in common, for comparing and joining; the stored text stays as it is.

Two keys are equal where only the writing differs: Unicode form, capitals, spaces, tone placement (hoà, hòa),
i or y where the spelling rules allow both (Mĩ, Mỹ), Ð for Đ. A tone or a letter that makes another name is
never folded: Quảng Tiên and Quảng Tiến, Phường 1 and Phường 2 have different keys.

The key of a unit also spells out the usual abbreviations (TT, TP, P., UBND) and joins its words, because
catalogues write Đakrông, Đa Krông and ĐaKrông. Equal keys are the same name, not the same unit: a province
has several units called Phường 1, so join within the parent unit, or by code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.reading import tidy
from dx_pipeline.clean.syllable import TONES, is_syllable
from dx_pipeline.clean.text import VIETNAMESE_LETTERS, read_prose

_WORD = re.compile(r"[^\W\d_]+")
_APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u02b9\u00b4`]")
_DASHES = re.compile(" ?[\u2010-\u2015\u2212-] ?")

# Anything but words of Vietnamese letters with single spaces between them.
_NOT_WORDS = f"^ | $|  |[^A-Za-z {VIETNAMESE_LETTERS}]|^$"

# Anything but words of Vietnamese letters with single spaces between them.
_NOT_WORDS = f"^ | $|  |[^A-Za-z {VIETNAMESE_LETTERS}]|^$"

_VOWELS = frozenset("aăâeêioôơuưy")
_MARKED_VOWELS = frozenset("ăâêôơư")

# Open syllables in which school spelling writes i and older spelling y for the same word (kĩ, kỹ). Only with a
# tone: Mi and My, Ti and Ty are different names. Vĩ and Vỹ, Thi and Thy stay apart.
_I_OR_Y_ONSETS = frozenset("hklmst")


def person_key(text: str) -> str:
    """The key of a person's name, in small letters and composed Unicode; empty for an empty text."""
    tidied, _ = tidy(text)
    return _folded(str(read_prose(tidied).value))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFC", text.casefold())
    plain = _DASHES.sub("-", _APOSTROPHES.sub("'", plain))
    return _WORD.sub(lambda match: _syllable_key(match.group()), plain)


def person_keys(names: pa.Array) -> pa.Array:
    """``person_key`` of every cleaned name of a ``string`` array; null where null.

    Nearly all names are distinct, but made of few words: each distinct word is worked out once.
    """
    unusual = pc.match_substring_regex(names, _NOT_WORDS)
    if names.null_count or pc.any(unusual).as_py():
        usual = pc.fill_null(pc.invert(unusual), False)
        keys = _keys_singly(pc.if_else(usual, pa.scalar(None, pa.string()), names), person_key)
        return pc.replace_with_mask(keys, usual, person_keys(names.filter(usual))) if pc.any(usual).as_py() else keys
    words = pc.split_pattern(names, " ")
    coded = words.flatten().dictionary_encode()
    folded = pa.array([_folded(word) for word in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)
    return pc.binary_join(pa.ListArray.from_arrays(words.offsets, folded), " ")


def unit_keys(names: pa.Array) -> pa.Array:
    """``unit_key`` of every name of a ``string`` array, each distinct name worked out once; null where null."""
    return _keys_singly(names, unit_key)


def _keys_singly(values: pa.Array, key: Callable[[str], str]) -> pa.Array:
    coded = values.dictionary_encode()
    keys = [key(text) or None for text in coded.dictionary.to_pylist()]
    return pa.array(keys, pa.string()).take(coded.indices)


@lru_cache(maxsize=100_000)
def _syllable_key(word: str) -> str:
    """A Vietnamese syllable in small letters with its tone in one place; any other word as it is."""
    if word.isascii() and word != "qui":
        return word
    if not is_syllable(word):
        return word
    letters = unicodedata.normalize("NFD", word)
    tone = next((c for c in letters if c in TONES), "")
    plain = unicodedata.normalize("NFC", "".join(c for c in letters if c not in TONES))
    if plain == "qui" or (tone and len(plain) == 2 and plain[0] in _I_OR_Y_ONSETS and plain[1] == "i"):
        plain = plain[:-1] + "y"
    if not tone:
        return plain
    at = _tone_place(plain)
    return unicodedata.normalize("NFC", plain[: at + 1] + tone + plain[at + 1 :])


def _tone_place(plain: str) -> int:
    """Where the traditional placement (hòa, thủy, khuỷu) puts the tone: the index of a vowel."""
    first = next(i for i, c in enumerate(plain) if c in _VOWELS)
    is_onset = plain.startswith("qu") or (plain.startswith("gi") and plain[2:3] in _VOWELS)
    if is_onset and plain[first + 1 : first + 2] and plain[first + 1] in _VOWELS:
        first += 1
    last = first
    while last + 1 < len(plain) and plain[last + 1] in _VOWELS:
        last += 1
    marked = [i for i in range(first, last + 1) if plain[i] in _MARKED_VOWELS]
    if marked:
        return marked[-1]
    count = last - first + 1
    if count == 3 or (count == 2 and last + 1 < len(plain)):
        return first + 1
    return first


# Abbreviations of kinds of units. Those of one letter only where a unit's name can begin.
_BEGIN = r"(^|[,;/-] ?|nhân dân |công an )"
# First words of what a TT that is a trung tâm (centre) is for; any other TT is a thị trấn (township).
_CENTRE = (
    "y tế|gd|giáo|dạy|dịch|phục|hành|hcc|văn|thể|truyền|kiểm|phát|khuyến|bảo|công|tin|ngoại|giới|quản|xúc|hỗ|đào"
    "|chính|bồi|điều|cnt|ứng|kỹ|quan|lưu|pháp"
)
_ABBREVIATIONS = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bubnd\b\.?", "ủy ban nhân dân"),
        (r"\bhđnd\b\.?", "hội đồng nhân dân"),
        (rf"\btt\.? ?(?={_CENTRE})", "trung tâm "),
        (rf"{_BEGIN}tt(?:\. ?| )nt\b\.?", r"\1thị trấn nông trường"),
        (rf"{_BEGIN}tt\b\.?", r"\1thị trấn "),
        (r"\bthị trấn nt\b\.?", "thị trấn nông trường"),
        (r"\btp(?:\.|\b)", "thành phố "),
        (rf"{_BEGIN}tx\b\.?", r"\1thị xã "),
        (rf"{_BEGIN}đk\b\.?", r"\1đặc khu "),
        (rf"{_BEGIN}p(?:\. ?| ?(?=\d))", r"\1phường "),
        (rf"{_BEGIN}q(?:\. ?| ?(?=\d))", r"\1quận "),
        (rf"{_BEGIN}x\. ?", r"\1xã "),
        (rf"{_BEGIN}h\. ?", r"\1huyện "),
        (rf"{_BEGIN}t\. ?", r"\1tỉnh "),
    )
)
_ZEROS = re.compile(r"\b0+(?=[1-9])")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
_BETWEEN = re.compile(r"[^\w.]+|(?<!\d)\.|\.(?!\d)")


def unit_key(text: str) -> str:
    """The key of the name of a commune, district, province or agency; empty for an empty text.

    The kind of unit belongs to the name: Thị xã Quảng Trị and Tỉnh Quảng Trị have different keys.
    """
    key = person_key(text)
    for pattern, full in _ABBREVIATIONS:
        key = pattern.sub(full, key)
    key = _BETWEEN_DIGITS.sub(".", _ZEROS.sub("", key))
    return _BETWEEN.sub("", key)
