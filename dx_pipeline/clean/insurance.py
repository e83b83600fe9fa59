"""Social insurance: the ten-digit number (mã số BHXH) and the health insurance card of 15 characters.

A card number is ``XX`` (group of people), one digit (level of benefit), two digits (province) and the
ten digits of the social insurance number: ``DN 4 45 4512345678``. Neither has a check digit. Cards printed
since 2021 show the ten digits only: a column of such cards is a ``bhxh_number``.
"""

from __future__ import annotations

import re

import pyarrow as pa

from dx_pipeline.clean.pattern_code import matching
from dx_pipeline.clean.reading import UNREADABLE, Reading, as_text, in_distinct, read_text, text_array
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

_DIGITS = 10
_CARD = r"[A-Z]{2}[0-9]{13}"
_CARD_TEXT = re.compile(_CARD, re.ASCII)
_SEPARATORS = re.compile("[ .\u2010-\u2015\u2212-]+")
_CARD_STAGES = [matching(_CARD)]


def _clean_number(array: pa.Array, column: Column) -> Cleaned:
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    from_number = not (pa.types.is_string(kind) or pa.types.is_large_string(kind))

    def read(text: str) -> Reading:
        digits = _SEPARATORS.sub("", text)
        if not (digits.isascii() and digits.isdigit()):
            return UNREADABLE
        if len(digits) > _DIGITS - 2 and len(set(digits)) == 1:
            return Reading(notes=("placeholder",))
        if from_number and _DIGITS - 3 < len(digits) < _DIGITS:
            digits = digits.zfill(_DIGITS)  # a number column has lost the leading zeros
        if len(digits) != _DIGITS:
            return UNREADABLE
        return Reading(digits, True, () if digits == text else ("variant",))

    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, [], read, text_array)

    return in_distinct(array, clean)


def _read_card(text: str) -> Reading:
    card = _SEPARATORS.sub("", text).upper()
    if not _CARD_TEXT.fullmatch(card):
        return UNREADABLE
    return Reading(card, True, () if card == text else ("variant",))


def _clean_card(array: pa.Array, column: Column) -> Cleaned:
    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, _CARD_STAGES, _read_card, text_array)

    return in_distinct(array, clean)


BHXH_NUMBER = SemanticType(
    name="bhxh_number",
    arrow_type=text_type,
    clean=_clean_number,
    can_fail=True,
    makes_notes=True,
    pseudonymised=True,
    description="mã số bảo hiểm xã hội, 10 chữ số | social insurance number, 10 digits",
)
BHYT_CARD = SemanticType(
    name="bhyt_card",
    arrow_type=text_type,
    clean=_clean_card,
    can_fail=True,
    makes_notes=True,
    pseudonymised=True,
    description="số thẻ bảo hiểm y tế, 15 ký tự | number of a health insurance card, 15 characters",
)
