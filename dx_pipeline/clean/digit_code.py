"""Codes of a fixed number of digits that a spreadsheet took for numbers: the leading zeros come back.

``groups: [3]`` reads 9 as 009, ``groups: [3, 3]`` reads ``70-98`` as ``070-098``. At most ``most_lost`` zeros of a group
are given back (default 2): 5 is no code of seven digits, it is a typing error. More digits than the group has are
unreadable. Note ``zeros_restored``.
"""

from __future__ import annotations

import re

import pyarrow as pa

from dx_pipeline.clean.pattern_code import matching
from dx_pipeline.clean.reading import UNREADABLE, Reader, Reading, as_text, in_distinct, read_text, text_array
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

MOST_LOST = 2
_BETWEEN = re.compile("[\\s.\u2010-\u2015\u2212-]+")
_POINT_ZERO = re.compile(r"\.0+$")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _check(column: Column) -> None:
    groups = column.options.get("groups")
    if not isinstance(groups, list) or not groups or not all(_is_count(size, 1) for size in groups):
        raise ContractError(
            f"column {column.name}, option groups: {groups!r} is no list of digit counts",
            next_step="write the digits of each part: groups: [7], or groups: [3, 3] for 070-098",
        )
    if not _is_count(column.options.get("most_lost", MOST_LOST), 0):
        raise ContractError(
            f"column {column.name}, option most_lost: {column.options['most_lost']!r} is no count of zeros",
            next_step="write how many leading zeros of a part may be lost, e.g. 2",
        )


def _reader(column: Column) -> Reader:
    sizes: list[int] = column.options["groups"]
    most_lost = int(column.options.get("most_lost", MOST_LOST))

    def read(text: str) -> Reading:
        if len(sizes) == 1:
            text = _POINT_ZERO.sub("", text)
        parts = _BETWEEN.split(text)
        if len(parts) == 1 and len(sizes) > 1 and len(text) == sum(sizes):
            parts = _cut(text, sizes)
        if len(parts) != len(sizes) or not all(part.isascii() and part.isdigit() for part in parts):
            return UNREADABLE
        if any(not 0 <= size - len(part) <= most_lost for part, size in zip(parts, sizes, strict=True)):
            return UNREADABLE
        code = "-".join(part.zfill(size) for part, size in zip(parts, sizes, strict=True))
        lost = any(len(part) < size for part, size in zip(parts, sizes, strict=True))
        notes = ("zeros_restored",) if lost else () if code == text else ("variant",)
        return Reading(code, True, notes)

    return read


def _cut(text: str, sizes: list[int]) -> list[str]:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return parts


def _clean(array: pa.Array, column: Column) -> Cleaned:
    whole = "-".join(f"[0-9]{{{size}}}" for size in column.options["groups"])
    reader = _reader(column)

    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, [matching(whole)], reader, text_array)

    return in_distinct(array, clean)


DIGIT_CODE = SemanticType(
    name="digit_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã có số chữ số cố định, trả lại số 0 ở đầu | code of a fixed number of digits, leading zeros restored",
    options={
        "groups": "digits of each part, e.g. [7] or [3, 3]",
        "most_lost": f"leading zeros of a part that may be missing (default {MOST_LOST})",
    },
    check=_check,
)
