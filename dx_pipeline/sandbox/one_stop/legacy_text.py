"""What a person sees when text in a legacy Vietnamese font encoding is read as cp1252.

TCVN3 (ABC) puts one byte above 0xA0 per letter and has no upper-case letter with a tone mark, so
those lose their case. VNI writes a base letter and a mark. Tables: the public TCVN 5712 and VNI
code charts; vectors ``Qu¶ng TrÞ`` and ``Quaûng Trò``.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_TCVN3_LETTERS: Final = "ăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
_TCVN3_CODES: Final = bytes.fromhex(
    "a8a9aaabacadae"  # ă â ê ô ơ ư đ
    "b5b6b7b8b9"
    "bbbcbdbec6"
    "c7c8c9cacb"  # à.. ằ.. ầ..
    "cccecfd0d1"
    "d2d3d4d5d6"  # è.. ề..
    "d7d8dcddde"  # ì..
    "dfe1e2e3e4"
    "e5e6e7e8e9"
    "eaebecedee"  # ò.. ồ.. ờ..
    "eff1f2f3f4"
    "f5f6f7f8f9"  # ù.. ừ..
    "fafbfcfdfe"  # ỳ..
)
_TCVN3_CAPITALS: Final = dict(zip("ĂÂÊÔƠƯĐ", "\xa1\xa2\xa3\xa4\xa5\xa6\xa7", strict=True))

# Marks of the VNI font, by (circumflex/breve or none) and tone: grave, hook, tilde, acute, dot.
_TONES: Final = ("\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_VNI_PLAIN: Final = "øûõùï"
_VNI_CIRCUMFLEX: Final = "àåãáä"
_VNI_BREVE: Final = "èúüéë"
_VNI_I: Final = "ìæóíò"


def _vni_table() -> dict[str, str]:
    table = {"đ": "ñ", "ơ": "ô", "ư": "ö", "ă": "aê", "â": "aâ", "ê": "eâ", "ô": "oâ"}
    for order, tone in enumerate(_TONES):
        for base in "aeouy":
            table[unicodedata.normalize("NFC", base + tone)] = base + _VNI_PLAIN[order]
        table[unicodedata.normalize("NFC", "i" + tone)] = _VNI_I[order]
        for base in "âêô":
            plain = unicodedata.normalize("NFD", base)[0]
            table[unicodedata.normalize("NFC", base + tone)] = plain + _VNI_CIRCUMFLEX[order]
        table[unicodedata.normalize("NFC", "ă" + tone)] = "a" + _VNI_BREVE[order]
        table[unicodedata.normalize("NFC", "ơ" + tone)] = "ô" + _VNI_PLAIN[order]
        table[unicodedata.normalize("NFC", "ư" + tone)] = "ö" + _VNI_PLAIN[order]
    table["ỵ"] = "î"
    table.update({letter.upper(): seen.upper() for letter, seen in list(table.items())})
    return table


_TCVN3: Final[dict[str, str]] = {
    **dict(zip(_TCVN3_LETTERS, _TCVN3_CODES.decode("latin-1"), strict=True)),
    **_TCVN3_CAPITALS,
}
_VNI: Final[dict[str, str]] = _vni_table()


def to_tcvn3(text: str) -> str:
    """``text`` as TCVN3 bytes misread as cp1252; upper-case toned letters fall to lower case."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(_TCVN3.get(letter) or _TCVN3.get(letter.lower(), letter) for letter in composed)


def to_vni(text: str) -> str:
    """``text`` as VNI bytes misread as cp1252."""
    return "".join(_VNI.get(letter, letter) for letter in unicodedata.normalize("NFC", text))


def survives_tcvn3(text: str) -> bool:
    """True if ``text`` has no letter whose case TCVN3 loses, so that decoding gives it back."""
    return not any(letter not in _TCVN3 and letter.lower() in _TCVN3 for letter in unicodedata.normalize("NFC", text))


def accented_letters(text: str) -> int:
    """How many letters of ``text`` are not plain ASCII."""
    return sum(not letter.isascii() for letter in unicodedata.normalize("NFC", text))
