"""Numbers of entries in a register book: ``15``, also written ``15/2024`` with the year of the book behind it.

The year repeats what the book says, so only the number is kept (note ``variant``).
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from dx_pipeline.clean.reading import UNREADABLE, Reading, as_text, in_distinct, read_text
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.contract.model import Column

_NUMBER = re.compile(r"(?P<number>\d{1,9})(?: ?/ ?(?:19|20)\d{2})?", re.ASCII)


def _read(text: str) -> Reading:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return UNREADABLE
    number = int(found["number"])
    return Reading(number, True, () if str(number) == text else ("variant",))


def _build(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.int64())


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return in_distinct(array, lambda part: read_text(as_text(part), column, [], _read, _build))


def _type(column: Column) -> pa.DataType:
    return pa.int64()


REGISTER_NUMBER = SemanticType(
    name="register_number",
    arrow_type=_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="số đăng ký trong quyển sổ | number of an entry in a register book",
)
