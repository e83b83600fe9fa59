"""Vietnamese in UTF-8 that was read as Western text (``Tráº¡m Y táº¿`` for Trạm Y tế), brought back.

So arrives what an old application wrote as UTF-8 into a MySQL column declared ``latin1``, and what was exported twice.
A text is brought back only as a whole: every character must be a byte of Windows-1252, the bytes must be sound UTF-8, and
what comes out must be Vietnamese letters and signs of print. Western text hardly ever passes the second test, and
Vietnamese text never the first.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.reading import tidy
from dx_pipeline.clean.syllable import VIETNAMESE_ONLY

NOTE: Final = "utf8_twice"
# First byte of a letter of two or three bytes, and what follows, as Windows-1252 (and C1 where that has a hole) shows them.
_FOLLOWS: Final = "[\u0080-\u00bfŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"
_PATTERN: Final = f"[ÃÄÅÆÌáâ]{_FOLLOWS}"
_PRINT: Final = frozenset("–—‘’“”…•°²³½×\u00a0")
_LETTERS: Final = VIETNAMESE_ONLY | frozenset(
    "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúý\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b"
)
_TEXT: Final = re.compile(_PATTERN)


def brought_back(text: str) -> str | None:
    """The text that was meant, or None if this one is none that was encoded twice."""
    if not _TEXT.search(text):
        return None
    try:
        meant = b"".join(_byte(character) for character in text).decode("utf-8")
    except UnicodeError:
        return None
    special = {character for character in meant if not character.isascii()}
    if not special <= _LETTERS | _PRINT or special.isdisjoint(_LETTERS):
        return None
    # A mark without a letter before it is no Vietnamese, whatever the bytes say.
    marks = [at for at, character in enumerate(meant) if unicodedata.combining(character)]
    return meant if all((at and meant[at - 1].isalpha()) or at - 1 in marks for at in marks) else None


def stage_read(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """A stage of prose: the texts that were encoded twice, as they were meant; None if there is none."""
    if not pc.any(pc.match_substring_regex(text, _PATTERN)).as_py():
        return None
    meant = [None if one is None else brought_back(one) for one in text.to_pylist()]
    values = pa.array([None if one is None else tidy(one)[0] or None for one in meant], pa.string())
    return values, pc.is_valid(values)


def _byte(character: str) -> bytes:
    """The byte that Windows-1252 shows so; its five holes are shown as control characters."""
    return bytes([ord(character)]) if "\u0080" <= character <= "\u009f" else character.encode("cp1252")
