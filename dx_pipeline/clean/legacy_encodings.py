"""Vietnamese text in the encodings TCVN3 (ABC), VNI and Windows-1258, brought to Unicode.

Such text arrives as Latin-1 characters: ``Qu¶ng TrÞ`` (TCVN3), ``Quaûng Trò`` (VNI) and ``QuaÒng Triò``
(Windows-1258 read as Western; tones are letters of their own) are Quảng Trị.
Detection is by trial: a text is converted only if nearly all its words with legacy characters become
Vietnamese syllables, most of them were none before, and the evidence is more than one letter. A text with a
letter that only Unicode Vietnamese has (ă, đ, ơ, ị ...) is never touched. Where the contract declares the
encoding of a column, one letter is evidence enough, if the text is no Vietnamese as it stands.

Tables: TCVN 5712:1993 (VN3), VNI-Windows and Windows-1258, checked against independent implementations in
the tests.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from dx_pipeline.clean.syllable import VIETNAMESE_ONLY, is_place_word, is_syllable

# TCVN3 has no upper-case letters with tones; 0xAD (soft hyphen) is ư.
_TCVN3_LEGACY = (
    "\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00aa\u00ab\u00ac\u00ad\u00ae"
    "µ¸¶·¹»¾¼½ÆÇÊÈÉËÌÐÎÏÑÒÕÓÔÖ×ÝØÜÞßãáâäåèæçéêíëìîïóñòôõøö÷ùúýûüþ"
)
_TCVN3_UNICODE = "ĂÂÊÔƠƯĐăâêôơưđàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
TCVN3: dict[str, str] = dict(zip(_TCVN3_LEGACY, _TCVN3_UNICODE, strict=True))
# Text layers of PDF files write the soft hyphen as a minus sign and the middle dot as a bullet operator.
_TCVN3_READ = {**TCVN3, "\u2212": "ư", "\u2219": "ã"}

_TONE_OF_MARK = {"ø": "\u0300", "ù": "\u0301", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_CIRCUMFLEX_MARKS = {"â": "", "à": "\u0300", "á": "\u0301", "å": "\u0309", "ã": "\u0303", "ä": "\u0323"}
_BREVE_MARKS = {"ê": "", "è": "\u0300", "é": "\u0301", "ú": "\u0309", "ü": "\u0303", "ë": "\u0323"}


def _vni_table() -> dict[str, str]:
    """Every VNI sequence in lower and upper case and with a capital before a small mark."""
    lower = {"ñ": "đ", "ô": "ơ", "ö": "ư", "ì": "ì", "í": "í", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
    for base, letter in {"a": "a", "e": "e", "o": "o", "u": "u", "y": "y", "ô": "ơ", "ö": "ư"}.items():
        for mark, tone in _TONE_OF_MARK.items():
            lower[base + mark] = letter + tone
    for base, letter in {"a": "â", "e": "ê", "o": "ô"}.items():
        for mark, tone in _CIRCUMFLEX_MARKS.items():
            lower[base + mark] = letter + tone
    for mark, tone in _BREVE_MARKS.items():
        lower["a" + mark] = "ă" + tone
    lower = {legacy: unicodedata.normalize("NFC", letter) for legacy, letter in lower.items()}
    table = dict(lower)
    for legacy, letter in lower.items():
        table[legacy.upper()] = letter.upper()
        if len(legacy) == 2:
            table[legacy[0].upper() + legacy[1]] = letter.upper()
    return table


VNI: dict[str, str] = _vni_table()

# Pairs of VNI made of letters that Vietnamese has too; no Vietnamese word holds these sequences.
VNI_PAIRS = "[aAeE][àáâãèéêùúõÀÁÂÃÈÉÊÙÚÕ]|[oO][ùõâÙÕÂ]|[uUyYôÔ][ùõÙÕ]"

_CP1258_MARKS = {"Ì": "\u0300", "ì": "\u0301", "Ò": "\u0309", "Þ": "\u0303", "ò": "\u0323"}
_CP1258_LETTERS = {"ã": "ă", "õ": "ơ", "ý": "ư", "ð": "đ"}


def _cp1258_table() -> dict[str, str]:
    """Every letter of Windows-1258 and every vowel with a tone behind it, as Latin-1 shows them."""
    table = dict(_CP1258_LETTERS) | {letter: letter for letter in "àáâèéêíóôùú"}
    vowels = {c: c for c in "aâeêioôuy"} | {c: v for c, v in _CP1258_LETTERS.items() if v != "đ"}
    table |= {legacy.upper(): letter.upper() for legacy, letter in table.items()}
    for legacy, letter in vowels.items():
        for mark, tone in _CP1258_MARKS.items():
            table[legacy + mark] = unicodedata.normalize("NFC", letter + tone)
            table[legacy.upper() + mark] = table[legacy + mark].upper()
    return table


CP1258: dict[str, str] = _cp1258_table()

# A vowel with a tone of Windows-1258 behind it; few Vietnamese words hold such a sequence (giò).
CP1258_PAIRS = "[aâãeêioôõuýyAÂÃEÊIOÔÕUÝY][ÌìÒÞò]"


@dataclass(frozen=True)
class _Encoding:
    """A legacy table with the patterns of its sequences, its words and the letters it never writes."""

    note: str
    table: dict[str, str]
    sequence: re.Pattern[str]
    word: re.Pattern[str]
    restores_case: bool


def _encoding(note: str, table: dict[str, str], *, restores_case: bool, all_signs: bool = False) -> _Encoding:
    """``all_signs``: a sign (§, ·) is a letter of a word too, if only one this encoding cannot write."""
    longest_first = sorted(table, key=len, reverse=True)
    characters = "".join(re.escape(c) for c in sorted({c for sequence in table for c in sequence}))
    characters += "\u00a1-\u00bf" if all_signs else ""
    return _Encoding(
        note,
        table,
        re.compile("|".join(re.escape(s) for s in longest_first)),
        re.compile(f"[0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff{characters}]+"),
        restores_case,
    )


_ENCODINGS = (
    _encoding("legacy_tcvn3", _TCVN3_READ, restores_case=True),
    _encoding("legacy_vni", VNI, restores_case=False),
    _encoding("legacy_cp1258", CP1258, restores_case=False, all_signs=True),
)
_BY_NAME = {encoding.note.removeprefix("legacy_"): encoding for encoding in _ENCODINGS}
ENCODINGS = tuple(_BY_NAME)

# Characters of the encodings that no Unicode Vietnamese text needs.
_FOREIGN = re.compile("[\u00a1-\u00af\u00b5-\u00bf\u2212\u2219ÄÅÆÇËÎÏÑÖ×ØÛÜÞßäåæçëîïñöøûüþ÷]")
_PAIR = re.compile(f"{VNI_PAIRS}|{CP1258_PAIRS}")
_IMPOSSIBLE = re.compile("[A-Za-z][\u00a1-\u00bf×÷][A-Za-z]|[a-z][\u00c0-\u00d6\u00d8-\u00de]")
_ETH = re.compile("[ÐðƉ]")


def repair(text: str, declared: str | None = None) -> tuple[str, str | None]:
    """The text in Unicode and the note ``legacy_<encoding>``; the same text and None if it is sound.

    Expects NFC. Decides for the whole text, never for a part of it. ``declared``: the one encoding of
    ENCODINGS that the text may be in.
    """
    if text.isascii() or not VIETNAMESE_ONLY.isdisjoint(text):
        return text, None
    if declared is not None:
        found = _trial(text, _BY_NAME[declared], declared=True)
        return (text, None) if found is None or not found.is_convincing else (found.text, found.note)
    if not (_FOREIGN.search(text) or _PAIR.search(text)):
        return text, None
    trials = [trial for e in _ENCODINGS if (trial := _trial(text, e)) is not None]
    trials.sort(key=lambda trial: trial.gain, reverse=True)
    if not trials or not trials[0].is_convincing:
        return text, None
    # Another encoding that explains the text as well leaves it open which one it is.
    if any(other.gain == trials[0].gain and other.text != trials[0].text for other in trials[1:]):
        return text, None
    return trials[0].text, trials[0].note


@dataclass(frozen=True)
class _Trial:
    """A text decoded on trial; gain: how many more of its words are sound than before."""

    gain: int
    text: str
    note: str
    is_convincing: bool


def _trial(text: str, encoding: _Encoding, *, declared: bool = False) -> _Trial | None:
    """The text decoded, if nearly all its words become sound in that encoding, else None.

    ``declared``: that it is in this encoding is known, so all words must become sound, but one letter will do.
    """
    before = after = touched = mended = 0
    evidence: set[str] = set()
    changed: set[str] = set()
    inside = False
    for word in set(encoding.word.findall(text)):
        if word.isascii():
            continue
        decoded, used = _decode_word(word, encoding)
        touched += 1
        before += _is_sound(word)
        if used is None:
            return None  # a letter this encoding cannot write
        if decoded == word:  # í, ì and ý are the same in both worlds: no evidence either way
            after += _is_sound(word)
        elif _is_sound(decoded) or (len(used) > 1 and is_place_word(decoded)):
            after += 1
            mended += not _is_sound(word)
            evidence |= used
            changed.add(decoded.lower())
            inside = inside or _is_impossible(word)
    enough = len(evidence) > 1 or len(changed) > 1 or inside
    if declared and after == touched and any(len(word) > 1 for word in changed):
        enough = True  # but a sign by itself (·) proves nothing
    if not touched or after <= before or after * 5 < touched * 4:
        return None
    # Many VNI words happen to be sound as they stand (hoà, thò): then two others must be mended and none left.
    if not declared and before * 2 > touched and not (mended > 1 and after == touched):
        enough = False
    result = encoding.word.sub(lambda m: _decode_word(m.group(), encoding)[0], text)
    if after < touched and VIETNAMESE_ONLY.isdisjoint(result):
        return None
    if encoding.restores_case and _is_capital(text):
        result = result.upper()
    return _Trial(after - before, result, encoding.note, enough)


def _is_capital(text: str) -> bool:
    """True if the plain letters, two or more, are all capitals: the font drew the others as capitals too."""
    letters = [c for c in text if c.isascii() and c.isalpha()]
    return len(letters) > 1 and all(c.isupper() for c in letters)


def _decode_word(word: str, encoding: _Encoding) -> tuple[str, set[str] | None]:
    """The decoded word and the legacy sequences it held; the word and None if a letter is impossible there."""
    used: set[str] = set()

    def letter(match: re.Match[str]) -> str:
        found = encoding.table[match.group()]
        if found != match.group():  # í is í in both worlds
            used.add(match.group().lower())
        return found

    decoded = encoding.sequence.sub(letter, word)
    rest = encoding.sequence.sub("", word)
    if not rest.isascii():
        return word, None
    return (decoded.upper() if encoding.restores_case and _is_capital(word) else decoded), used


def _is_sound(word: str) -> bool:
    """A Vietnamese syllable, or an abbreviation in capitals (QĐ, NĐ)."""
    word = _ETH.sub("Đ", word)
    return is_syllable(word) or (1 < len(word) <= 6 and word.isupper() and not _has_vowel(word))


def _has_vowel(word: str) -> bool:
    return any(unicodedata.normalize("NFD", c)[0] in "AEIOUY" for c in word)


def _is_impossible(word: str) -> bool:
    """True for a sign (¶, ×) between letters or a capital (Þ) after a small one: no language writes so."""
    return _IMPOSSIBLE.search(word) is not None


def eth_to_d(text: str) -> str:
    """The Icelandic eth, which keyboards and fonts put for Đ, back to Đ; small eth only in syllables."""
    if not _ETH.search(text):
        return text
    text = text.replace("Ð", "Đ").replace("Ɖ", "Đ")
    if "ð" not in text:
        return text
    return re.sub(r"\w*ð\w*", _small_eth, text)


def _small_eth(match: re.Match[str]) -> str:
    word = match.group().replace("ð", "đ")
    return word if is_syllable(word) else match.group()
