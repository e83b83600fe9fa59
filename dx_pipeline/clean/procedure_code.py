"""Procedure codes: the national code ``1.001193``; an agency suffix (``.000.00.00.H50``) is cut off."""

from __future__ import annotations

import re

import pyarrow as pa

from dx_pipeline.clean.pattern_code import NEW_AGENCY, OLD_AGENCY, clean_code, code_reader, matching
from dx_pipeline.clean.reading import UNREADABLE, Reading
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

_NATIONAL = r"[123]\.\d{6}"
_STAGES = [matching(_NATIONAL)]
_WITH_SUFFIX = code_reader(rf"{_NATIONAL}(?:\.(?:{OLD_AGENCY}|{NEW_AGENCY}))?")
_CODE_LENGTH = 8


def _read(text: str) -> Reading:
    done = _WITH_SUFFIX(re.sub(" ", "", text) if text.count(".") > 1 else text)
    if not done.readable:
        return UNREADABLE
    code = done.value[:_CODE_LENGTH]
    return Reading(code, True, done.notes if code == done.value else ("suffix_stripped",))


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return clean_code(array, column, _STAGES, _read)


PROCEDURE_CODE = SemanticType(
    name="procedure_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã thủ tục hành chính quốc gia, bỏ đuôi cơ quan | national procedure code, no agency suffix",
)
