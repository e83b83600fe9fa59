"""Percentages: 92,7 % and 103,97% (over a hundred is legitimate), always as a number of percent, exact.

Whether a bare 0,927 means 0,927 % or 92,7 % cannot be seen in a value, so the contract says it: option
``fraction: true`` for columns of fractions (a cell of Excel shown as 92,7% holds 0.927). A text with a
percent sign is in percent whatever the column is.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from dx_pipeline.clean.number_texts import LONGEST, check_decimal, signed, unsigned
from dx_pipeline.clean.numbers import DECIMAL_DIGITS, check_scale, is_number, number_text, plain_numbers, scaled
from dx_pipeline.clean.reading import UNREADABLE, Reader, Reading, in_distinct, read_text
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

DEFAULT_SCALE = 4
_SIGN = re.compile(r" ?(?:[%\uff05]|phần trăm)$", re.IGNORECASE)


def _check(column: Column) -> None:
    check_decimal(column)
    check_scale(column)
    fraction = column.options.get("fraction", False)
    if not isinstance(fraction, bool):
        raise ContractError(
            f"column {column.name}, option fraction: {fraction!r} is neither true nor false",
            next_step="look at the source: true if 92.7 % is written 0.927, false if it is written 92.7",
        )


def _type(column: Column) -> pa.DataType:
    return pa.decimal128(DECIMAL_DIGITS, int(column.options.get("scale", DEFAULT_SCALE)))


def _reader(column: Column, *, typed: bool) -> Reader:
    decimal = "." if typed else column.options.get("decimal")
    scale = int(column.options.get("scale", DEFAULT_SCALE))
    is_fraction = bool(column.options.get("fraction", False))

    def read(text: str) -> Reading:
        if len(text) > LONGEST:
            return UNREADABLE
        bare = _SIGN.sub("", text)
        sign, rest = signed(bare)
        value = unsigned(rest, decimal)
        if value is None:
            return UNREADABLE
        if bare != text:
            return scaled(sign * value, scale, ("own_unit",) if is_fraction else ("variant",))
        notes: tuple[str, ...] = () if "," not in rest else ("variant",)
        return scaled(sign * value * (100 if is_fraction else 1), scale, notes)

    return read


def _clean(array: pa.Array, column: Column) -> Cleaned:
    typed = is_number(array.type)
    kind = _type(column)
    reader = _reader(column, typed=typed)
    stages = []
    if not column.options.get("fraction", False):
        stages = [plain_numbers(kind, "." if typed else column.options.get("decimal"))]

    def build(values: list[Any]) -> pa.Array:
        return pa.array(values, kind)

    def clean(part: pa.Array) -> Cleaned:
        return read_text(number_text(part), column, stages, reader, build)

    return in_distinct(array, clean)


PERCENTAGE = SemanticType(
    name="percentage",
    arrow_type=_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="tỷ lệ phần trăm, tính bằng % | percentage, in percent",
    options={
        "fraction": "true: the source writes 92.7 % as 0.927 (default false)",
        "scale": f"decimals of the exact result (default {DEFAULT_SCALE})",
        "decimal": "decimal sign of the texts: , or .",
    },
    check=_check,
)
