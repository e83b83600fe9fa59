"""Amounts of money, integers, numbers and flags, from typed columns or from texts as people write them.

Vietnamese writes 1.234.567,89; English 1,234,567.89. A lone separator before three digits groups
thousands in money and integers (neither has decimals) and is the decimal sign in numbers.
Option ``decimal`` of number (``,`` or ``.``) says which sign it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.reading import (
    UNREADABLE,
    Reader,
    Reading,
    Stage,
    as_text,
    in_distinct,
    null_texts,
    read_text,
)
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

_INT64_MAX = 2**63 - 1
_LONGEST = 60  # characters; a longer text is no number
DECIMAL_DIGITS = 18
_PLAIN_INTEGER = r"^-?[0-9]{1,18}$"
_PLAIN_NUMBER = r"^-?[0-9]{1,200}(?:\.[0-9]{1,200})?(?:[eE][-+]?[0-9]{1,2})?$"

_CURRENCY = re.compile(r"\s*(?:vn[dđ]|[dđ]ồng|dong|[đ₫]|(?<=\d)d)\.?$", re.IGNORECASE)
_CURRENCY_FIRST = re.compile(r"^(?:vn[dđ]|₫)\s*", re.IGNORECASE)
_SCALES = {"nghìn": 1000, "ngàn": 1000, "triệu": 10**6, "tr": 10**6, "tỷ": 10**9, "tỉ": 10**9}
_SCALE = re.compile(r"\s*(nghìn|ngàn|triệu|tr|tỷ|tỉ)$", re.IGNORECASE)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([., '])\d{3})(?:\1\d{3})*", re.ASCII)
_GROUPED_DECIMAL = re.compile(r"([1-9]\d{0,2}(?:([., '])\d{3})+)([.,])(\d+)", re.ASCII)
_DECIMAL = re.compile(r"(\d*)([.,])(\d+)", re.ASCII)
_MINUS = re.compile("^[-\u2010-\u2015\u2212] ?")


def _signed(text: str) -> tuple[int, str]:
    """(sign, rest) of -5, −5, +5 and of the bookkeeper's (5)."""
    if text.startswith("(") and text.endswith(")") and len(text) > 2:
        return -1, text[1:-1].strip()
    if _MINUS.match(text):
        return -1, _MINUS.sub("", text)
    return 1, text[1:].lstrip() if text.startswith("+") else text


def _whole(text: str) -> Decimal | None:
    """The value of unsigned digits where a lone separator before three digits groups thousands."""
    if _GROUPED.fullmatch(text):
        return Decimal(re.sub(r"\D", "", text))
    return _unsigned(text, None)


def _unsigned(text: str, decimal: str | None) -> Decimal | None:
    """The value of unsigned digits; ``decimal`` is the decimal sign if known."""
    if text.isascii() and text.isdigit():
        return Decimal(text)
    if match := _GROUPED_DECIMAL.fullmatch(text):
        digits, group, sign, fraction = match.groups()
        if group != sign and decimal in (None, sign):
            return Decimal(f"{re.sub(r'[^0-9]', '', digits)}.{fraction}")
    if match := _GROUPED.fullmatch(text):
        lone = len(re.findall(r"\D", text)) == 1 and match[1] in ".,"
        if match[1] != decimal and not (lone and decimal is None):
            return Decimal(re.sub(r"\D", "", text))
    if match := _DECIMAL.fullmatch(text):
        digits, sign, fraction = match.groups()
        if decimal in (None, sign):
            return Decimal(f"{digits or 0}.{fraction}")
    if re.fullmatch(r"\d+(?:\.\d+)?[eE][-+]?\d{1,2}", text, re.ASCII):
        return Decimal(text)
    return None


def _integer_reading(value: Decimal | None, sign: int, text: str) -> Reading:
    if value is None or value != value.to_integral_value() or value > _INT64_MAX:
        return UNREADABLE
    number = sign * int(value)
    return Reading(number, True, () if str(number) == text else ("variant",))


def _read_integer(text: str) -> Reading:
    if len(text) > _LONGEST:
        return UNREADABLE
    sign, rest = _signed(text)
    return _integer_reading(_whole(rest), sign, text)


def _read_money(text: str) -> Reading:
    if len(text) > _LONGEST:
        return UNREADABLE
    sign, rest = _signed(_CURRENCY_FIRST.sub("", _CURRENCY.sub("", text)).strip())
    if scaled := _SCALE.search(rest):
        value = _whole(rest[: scaled.start()])
        value = None if value is None else value * _SCALES[scaled[1].lower()]
    else:
        value = _whole(rest)
    return _integer_reading(value, sign, text)


def _build_integers(values: list[int | None]) -> pa.Array:
    return pa.array(values, pa.int64())


def _plain_integers(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    return _cast_matching(text, _PLAIN_INTEGER, pa.int64())


def _cast_matching(text: pa.Array, pattern: str, kind: pa.DataType) -> tuple[pa.Array, pa.Array] | None:
    fits = pc.match_substring_regex(text, pattern)
    if not pc.any(fits).as_py():
        return None
    return pc.if_else(fits, text, pa.scalar(None, pa.string())).cast(kind), fits


def _clean_whole(array: pa.Array, column: Column, reader: Reader) -> Cleaned:
    def clean(part: pa.Array) -> Cleaned:
        kind = part.type
        if pa.types.is_integer(kind) and not pa.types.is_uint64(kind) and not null_texts(column):
            return Cleaned(part.cast(pa.int64()))
        if pa.types.is_boolean(kind):
            part = part.cast(pa.int8())
        return read_text(as_text(part), column, [Stage(_plain_integers)], reader, _build_integers)

    kind = array.type
    if pa.types.is_integer(kind) and not null_texts(column):
        return clean(array)
    return in_distinct(array, clean)


def _clean_money(array: pa.Array, column: Column) -> Cleaned:
    return _clean_whole(array, column, _read_money)


def _clean_integer(array: pa.Array, column: Column) -> Cleaned:
    return _clean_whole(array, column, _read_integer)


def _number_type(column: Column) -> pa.DataType:
    scale = column.options.get("scale")
    return pa.float64() if scale is None else pa.decimal128(DECIMAL_DIGITS, int(scale))


def _check_number(column: Column) -> None:
    scale = column.options.get("scale")
    if scale is not None and (
        isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale <= DECIMAL_DIGITS
    ):
        raise ContractError(
            f"column {column.name}, option scale: {scale!r} is no count of decimals",
            next_step=f"write a number from 0 to {DECIMAL_DIGITS}",
        )
    decimal = column.options.get("decimal")
    if decimal not in (None, ",", "."):
        raise ContractError(
            f"column {column.name}, option decimal: {decimal!r} is no decimal sign",
            next_step='write "," or "."',
        )


def _number_reader(column: Column) -> Reader:
    decimal = column.options.get("decimal")
    scale = column.options.get("scale")

    def read(text: str) -> Reading:
        if len(text) > _LONGEST:
            return UNREADABLE
        sign, rest = _signed(text.removesuffix("%").rstrip())
        value = _unsigned(rest, decimal)
        if value is None:
            return UNREADABLE
        notes: tuple[str, ...] = ("variant",) if rest != str(value) or text.endswith("%") else ()
        if scale is None:
            number = float(sign * value)
            return UNREADABLE if abs(number) == float("inf") else Reading(number, True, notes)
        return _scaled(sign * value, int(scale), notes)

    return read


def _scaled(value: Decimal, scale: int, notes: tuple[str, ...]) -> Reading:
    try:
        fixed = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    except InvalidOperation:
        return UNREADABLE
    if abs(fixed) >= Decimal(10) ** (DECIMAL_DIGITS - scale):
        return UNREADABLE
    return Reading(fixed, True, notes if fixed == value else (*notes, "rounded"))


def _clean_number(array: pa.Array, column: Column) -> Cleaned:
    kind = _number_type(column)
    reader = _number_reader(column)
    pattern = _PLAIN_NUMBER if column.options.get("decimal") != "," else _PLAIN_INTEGER
    if pa.types.is_decimal(kind):
        before = max(1, DECIMAL_DIGITS - kind.scale)
        after = rf"(?:\.[0-9]{{1,{kind.scale}}})?" if kind.scale and "." in pattern else ""
        pattern = rf"^-?[0-9]{{1,{before}}}{after}$" if kind.scale < DECIMAL_DIGITS else "^0$"

    def build(values: list[Any]) -> pa.Array:
        return pa.array(values, kind)

    def plain(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
        return _cast_matching(text, pattern, kind)

    def clean(part: pa.Array) -> Cleaned:
        if not null_texts(column):
            typed = _typed_number(part, kind)
            if typed is not None:
                return typed
        return read_text(_number_text(part), column, [Stage(plain)], reader, build)

    return in_distinct(array, clean)


def _typed_number(array: pa.Array, kind: pa.DataType) -> Cleaned | None:
    """A numeric column cast at once, if every value fits; None if the values need a look."""
    source = array.type
    if pa.types.is_boolean(source):
        array = array.cast(pa.int8())
    elif not (pa.types.is_integer(source) or pa.types.is_floating(source) or pa.types.is_decimal(source)):
        return None
    if pa.types.is_floating(source) and (pa.types.is_decimal(kind) or not pc.all(pc.is_finite(array)).as_py()):
        return None
    try:
        return Cleaned(array.cast(kind))
    except pa.ArrowInvalid:
        if pa.types.is_decimal(kind):
            return None
        return Cleaned(array.cast(kind, safe=False))


def _number_text(array: pa.Array) -> pa.Array:
    if pa.types.is_decimal(array.type):
        return array.cast(pa.string())
    return as_text(array)


_TRUE = frozenset("1 true t yes y có x đúng rồi".split())
_FALSE = frozenset("0 false f no n không sai chưa".split())


def _clean_flag(array: pa.Array, column: Column) -> Cleaned:
    if pa.types.is_boolean(array.type):
        return Cleaned(array)
    true = _TRUE | {str(v).casefold() for v in column.options.get("true", ())}
    false = _FALSE | {str(v).casefold() for v in column.options.get("false", ())}
    true, false = true - (false - _FALSE), false - (true - _TRUE)

    def read(text: str) -> Reading:
        key = text.casefold().removesuffix(".0")
        if key in true:
            return Reading(True)
        return Reading(False) if key in false else UNREADABLE

    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, [], read, _build_flags)

    return in_distinct(array, clean)


def _build_flags(values: list[bool | None]) -> pa.Array:
    return pa.array(values, pa.bool_())


def _type(
    name: str,
    arrow_type: Callable[[Column], pa.DataType],
    clean: Callable[[pa.Array, Column], Cleaned],
    description: str,
    options: dict[str, str] | None = None,
    check: Callable[[Column], None] | None = None,
    *,
    makes_notes: bool = True,
) -> SemanticType:
    return SemanticType(
        name=name,
        arrow_type=arrow_type,
        clean=clean,
        can_fail=True,
        makes_notes=makes_notes,
        pseudonymised=False,
        description=description,
        options=options or {},
        check=check,
    )


def _int64(column: Column) -> pa.DataType:
    return pa.int64()


def _bool(column: Column) -> pa.DataType:
    return pa.bool_()


MONEY_VND = _type("money_vnd", _int64, _clean_money, "số tiền, đồng | amount of money in đồng")
INTEGER = _type("integer", _int64, _clean_integer, "số nguyên | integer")
NUMBER = _type(
    "number",
    _number_type,
    _clean_number,
    "số thực, hoặc thập phân có số chữ số lẻ cố định | number, or decimal of a fixed scale",
    {
        "scale": f"decimals of an exact decimal of {DECIMAL_DIGITS} digits (default: floating point)",
        "decimal": "decimal sign of the texts: , or .",
    },
    _check_number,
)
FLAG = _type(
    "flag",
    _bool,
    _clean_flag,
    "có hoặc không | yes or no",
    {"true": "further texts that mean yes", "false": "further texts that mean no"},
    makes_notes=False,
)
