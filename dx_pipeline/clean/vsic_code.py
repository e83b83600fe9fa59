"""Codes of economic activity (VSIC): a letter, or two to five digits: ``A``, ``01``, ``011``, ``0111``, ``01110``.

Levels 1 to 5 of the Vietnam Standard Industrial Classification. A number column loses the leading zero, and
1110 could be of level 4 or (01110) of level 5: such a column is read only if option ``level`` says which.
"""

from __future__ import annotations

import re

import pyarrow as pa

from dx_pipeline.clean.reading import UNREADABLE, Reading, as_text, in_distinct, read_text, text_array
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

_CODE = re.compile(r"[A-V]|\d{2,5}", re.ASCII)
_LEVELS = (1, 2, 3, 4, 5)


def _check(column: Column) -> None:
    level = column.options.get("level")
    if level is not None and level not in _LEVELS:
        raise ContractError(
            f"column {column.name}, option level: {level!r} is no level of VSIC",
            next_step="write 1 (a letter) to 5 (five digits), or leave it out if the column mixes levels",
        )


def _clean(array: pa.Array, column: Column) -> Cleaned:
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    from_number = not (pa.types.is_string(kind) or pa.types.is_large_string(kind))
    level = column.options.get("level")

    def read(text: str) -> Reading:
        code = text.replace(" ", "").replace(".", "").upper()
        if not (code.isascii() and code.isalnum()):
            return UNREADABLE
        if from_number and level is None:
            return UNREADABLE
        if level is not None and level > 1 and code[0] in "123456789" and len(code) == level - 1:
            code = "0" + code
        if not _CODE.fullmatch(code) or (level is not None and len(code) != level):
            return UNREADABLE
        return Reading(code, True, () if code == text else ("variant",))

    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, [], read, text_array)

    return in_distinct(array, clean)


VSIC_CODE = SemanticType(
    name="vsic_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã ngành kinh tế Việt Nam | code of economic activity (VSIC)",
    options={"level": "1 to 5: the level of all codes in the column; puts lost zeros back"},
    check=_check,
)
