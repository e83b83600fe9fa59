"""Commune codes of the Statistics Office: five digits; zeros lost by a number column are put back."""

from __future__ import annotations

import pyarrow as pa

from dx_pipeline.clean.pattern_code import clean_code, matching
from dx_pipeline.clean.reading import UNREADABLE, Reading
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

_STAGES = [matching(r"\d{5}")]
_DIGITS = 5


def _read(text: str) -> Reading:
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS) or int(digits) == 0:
        return UNREADABLE
    code = digits.zfill(_DIGITS)
    return Reading(code, True, () if code == text else ("variant",))


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return clean_code(array, column, _STAGES, _read)


COMMUNE_CODE = SemanticType(
    name="commune_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã đơn vị hành chính cấp xã, 5 chữ số | commune code, 5 digits",
)
