"""Labels of a sheet's rows and cells: how they are levelled, and what "begins with this text" means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def beginning_with(texts: Sequence[str]) -> str | None:
    """A pattern for folded texts that begin with one of these, as whole words; None without any.

    "Cộng" begins "Cộng:" and "Cộng (9 phường)", and also the name Cộng Hòa: the contract must say enough.
    """
    if not texts:
        return None
    levelled = (folded_text(text) for text in texts)
    return "^(?:" + "|".join(re.escape(text) for text in levelled) + r")(?:[^\pL\pM\pN]|$)"


def folded(labels: pa.Array) -> pa.Array:
    """Labels in NFC with single blanks."""
    composed = pc.utf8_normalize(labels, "NFC")
    return pc.utf8_trim(pc.replace_substring_regex(composed, r"[\s\p{Z}]+", " "), " ")


def folded_text(text: str) -> str:
    """One label in NFC with single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())
