"""Tax codes (mã số thuế): ten digits, a dash and three digits more for a branch, ``0100109106-001``.

The tenth digit is a check digit (Circular 105/2020/TT-BTC, appendix I): the first nine digits times
31, 29, 23, 19, 17, 13, 7, 5, 3 are added; ten minus the remainder of the sum by eleven. A remainder of nought
gives no digit, so no code has such a start. Since 2025-07-01 households and persons use their 12-digit
personal number as tax code: it is read with the note ``personal_id``, so that a rule can ask for the date.
"""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.identity import sound_cccd
from dx_pipeline.clean.reading import UNREADABLE, Reader, Reading, Stage, as_text, in_distinct, read_text, text_array
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

PERSONAL_ID = "personal_id"
WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_DIGITS = 10
_BRANCH_DIGITS = 3
_SEPARATORS = re.compile("[ .\u2010-\u2015\u2212-]+")


def check_digit(nine: str) -> int | None:
    """The tenth digit of a tax code from its first nine; None if no code starts so."""
    remainder = sum(int(digit) * weight for digit, weight in zip(nine, WEIGHTS, strict=True)) % 11
    return None if remainder == 0 else 10 - remainder


def _sound(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: codes of ten digits whose check digit is right."""
    fits = pc.fill_null(pc.match_substring_regex(text, r"^[0-9]{10}$"), False)
    if not pc.any(fits).as_py():
        return None
    found = text.filter(fits)
    first = np.frombuffer(found.buffers()[1], dtype=np.int32)[found.offset]
    letters = np.frombuffer(found.buffers()[2], dtype=np.uint8)[first : first + len(found) * _DIGITS]
    digits = letters.reshape(-1, _DIGITS).astype(np.int32) - ord("0")
    remainder = digits[:, :-1] @ np.array(WEIGHTS, dtype=np.int32) % 11
    settled = fits.to_numpy(zero_copy_only=False).copy()
    settled[settled] = (remainder > 0) & (digits[:, -1] == 10 - remainder)
    return text, pa.array(settled)


_STAGES = [Stage(_sound)]


def _reader(*, from_number: bool) -> Reader:
    personal = re.compile(sound_cccd(date.today().year), re.ASCII)

    def read(text: str) -> Reading:
        digits = _SEPARATORS.sub("", text)
        if not (digits.isascii() and digits.isdigit()):
            return UNREADABLE
        if len(digits) > _DIGITS - 2 and len(set(digits)) == 1:
            return Reading(notes=("placeholder",))
        if from_number and len(digits) == _DIGITS - 1:
            digits = "0" + digits  # a number column has lost the leading zero
        if len(digits) == 12:
            if not personal.fullmatch(digits):
                return UNREADABLE
            return Reading(digits, True, (PERSONAL_ID,) if digits == text else (PERSONAL_ID, "variant"))
        if len(digits) not in (_DIGITS, _DIGITS + _BRANCH_DIGITS) or check_digit(digits[:9]) != int(digits[9]):
            return UNREADABLE
        code, branch = digits[:_DIGITS], digits[_DIGITS:]
        if branch:
            if branch == "000":
                return UNREADABLE
            code = f"{code}-{branch}"
        return Reading(code, True, () if code == text else ("variant",))

    return read


def _clean(array: pa.Array, column: Column) -> Cleaned:
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    reader = _reader(from_number=not (pa.types.is_string(kind) or pa.types.is_large_string(kind)))

    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, _STAGES, reader, text_array)

    return in_distinct(array, clean)


TAX_CODE = SemanticType(
    name="tax_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=True,
    description="mã số thuế, có kiểm tra chữ số cuối | tax code, its check digit verified",
)
