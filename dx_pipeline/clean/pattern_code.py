"""The frame of the codes that one regular expression decides: dossier, procedure, agency, commune."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.reading import (
    UNREADABLE,
    Reading,
    Stage,
    as_text,
    in_distinct,
    read_text,
    text_array,
)
from dx_pipeline.clean.semantic_type import Cleaned
from dx_pipeline.contract.model import Column

_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\uff0d]")
_SPACES_AROUND = re.compile(" *([-.]) *")

# The old agency id of QCVN 102:2016 and the new one of Decision 20/2020/QĐ-TTg.
OLD_AGENCY = r"\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}"
NEW_AGENCY = r"[A-Z]\d{2}(?:\.[0-9A-Z]{1,3}){0,4}"


def matching(pattern: str) -> Stage:
    """Stage that settles the texts which match the whole pattern, unchanged (RE2 syntax)."""

    def read(text: pa.Array) -> tuple[pa.Array, pa.Array]:
        return text, pc.match_substring_regex(text, f"^(?:{pattern})$")

    return Stage(read)


def code_reader(pattern: str) -> Callable[[str], Reading]:
    """Reader of codes in small letters, with spaces or other dashes; note ``variant``."""
    whole = re.compile(pattern, re.ASCII)

    def read(text: str) -> Reading:
        code = _SPACES_AROUND.sub(r"\1", _DASHES.sub("-", text)).upper()
        if not whole.fullmatch(code):
            return UNREADABLE
        return Reading(code, True, () if code == text else ("variant",))

    return read


def clean_code(array: pa.Array, column: Column, stages: list[Stage], reader: Callable[[str], Reading]) -> Cleaned:
    """Clean a column of codes, on its distinct values where they repeat."""

    def clean(text: pa.Array) -> Cleaned:
        return read_text(as_text(text), column, stages, reader, text_array)

    return in_distinct(array, clean)
