"""Amounts of money, integers, numbers and flags, from typed columns or from texts as people write them.

Vietnamese writes 1.234.567,89; English 1,234,567.89. A lone separator before three digits (1.234) groups
thousands in integers and in money counted in đồng (neither has decimals); everywhere else it is ambiguous
and unreadable, unless option ``decimal`` (``,`` or ``.``) says which sign it is. Option ``unit`` is the unit
in the heading of the column. All values are worked out exactly, in decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.number_texts import (
    AMBIGUOUS,
    LONGEST,
    UNITS,
    amount,
    check_decimal,
    check_unit,
    signed,
    unit_factor,
    unsigned,
    whole,
)
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
DECIMAL_DIGITS = 18
_PLAIN_NUMBER = r"^-?[0-9]{1,200}(?:\.[0-9]{1,200})?(?:[eE][-+]?[0-9]{1,2})?$"

_CURRENCY = re.compile(r"\s*(?:vn[dđ]|[dđ]ồng|dong|[đ₫]|(?<=\d)d)\.?$", re.IGNORECASE)
_CURRENCY_FIRST = re.compile(r"^(?:vn[dđ]|₫)\s*", re.IGNORECASE)
_DECIMAL_OPTION = {"decimal": "decimal sign of the texts: , or ."}
_CURRENCY_OPTION = {"currency": 'sign of a foreign money beside the number, left away: "€", "US$"'}
_UNIT_OPTION = {"unit": f"what the column counts in: {', '.join(UNITS)} (a text may name its own)"}


def _integer_reading(value: Decimal | None, sign: int, text: str, notes: tuple[str, ...] = ()) -> Reading:
    if value is None or value != value.to_integral_value() or value > _INT64_MAX:
        return UNREADABLE
    number = sign * int(value)
    return Reading(number, True, notes or (() if str(number) == text else ("variant",)))


def _integer_reader(column: Column, *, typed: bool) -> Reader:
    def read(text: str) -> Reading:
        if len(text) > LONGEST:
            return UNREADABLE
        sign, rest = signed(text)
        return _integer_reading(unsigned(rest, ".") if typed else whole(rest), sign, text)

    return read


def _money_reader(column: Column, *, typed: bool) -> Reader:
    """Reader of amounts; a number column (``typed``) holds decimal points and never groups."""
    decimal = "." if typed else column.options.get("decimal")
    factor = unit_factor(column)

    def read(text: str) -> Reading:
        if len(text) > LONGEST:
            return UNREADABLE
        sign, rest = signed(_CURRENCY_FIRST.sub("", _CURRENCY.sub("", text)).strip())
        if factor == 1 and decimal is None and (plain := whole(rest)) is not None:
            return _integer_reading(plain, sign, text)
        value, own_unit = amount(rest, decimal, factor)
        if own_unit:
            notes: tuple[str, ...] = ("own_unit",) if factor != 1 else ("variant",)
        else:
            notes = () if factor == 1 or rest == text.lstrip("-") else ("variant",)
        if value is not None and (factor != 1 or own_unit) and value != value.to_integral_value():
            # A part of a đồng is left over from a formula in tỷ or triệu.
            value, notes = value.to_integral_value(ROUND_HALF_UP), (*notes, "rounded")
        if value is not None and factor != 1 and value <= _INT64_MAX:
            return Reading(sign * int(value), True, notes)
        return _integer_reading(value, sign, text, notes)

    return read


def _build_integers(values: list[int | None]) -> pa.Array:
    return pa.array(values, pa.int64())


def _plain_integers(factor: int) -> Stage:
    """Stage: plain whole numbers, counted in units of ``factor`` (a power of ten)."""
    digits = DECIMAL_DIGITS - len(str(factor)) + 1

    def read(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
        found = _cast_matching(text, rf"^-?[0-9]{{1,{digits}}}$", pa.int64())
        if found is None or factor == 1:
            return found
        return pc.multiply(found[0], factor), found[1]

    return Stage(read)


def _cast_matching(
    text: pa.Array, pattern: str, kind: pa.DataType, but_not: str | None = None
) -> tuple[pa.Array, pa.Array] | None:
    fits = pc.match_substring_regex(text, pattern)
    if but_not is not None:
        fits = pc.and_not(fits, pc.match_substring_regex(text, but_not))
    if not pc.any(fits).as_py():
        return None
    return pc.if_else(fits, text, pa.scalar(None, pa.string())).cast(kind), fits


def is_number(kind: pa.DataType) -> bool:
    """True for a source column of floating or decimal numbers, whose texts hold decimal points."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _clean_whole(array: pa.Array, column: Column, reader: Reader, factor: int) -> Cleaned:
    plain = _plain_integers(factor)

    def clean(part: pa.Array) -> Cleaned:
        kind = part.type
        if pa.types.is_integer(kind) and not pa.types.is_uint64(kind) and not null_texts(column) and factor == 1:
            return Cleaned(part.cast(pa.int64()))
        if pa.types.is_boolean(kind):
            part = part.cast(pa.int8())
        return read_text(as_text(part), column, [plain], reader, _build_integers)

    kind = array.type
    if pa.types.is_integer(kind) and not null_texts(column) and factor == 1:
        return clean(array)
    return in_distinct(array, clean)


def _clean_money(array: pa.Array, column: Column) -> Cleaned:
    return _clean_whole(array, column, _money_reader(column, typed=is_number(array.type)), unit_factor(column))


def _check_money(column: Column) -> None:
    check_decimal(column)
    check_unit(column)


def _clean_integer(array: pa.Array, column: Column) -> Cleaned:
    return _clean_whole(array, column, _integer_reader(column, typed=is_number(array.type)), 1)


def _number_type(column: Column) -> pa.DataType:
    scale = column.options.get("scale")
    return pa.float64() if scale is None else pa.decimal128(DECIMAL_DIGITS, int(scale))


def check_scale(column: Column) -> None:
    """ContractError if the option ``scale`` is no count of decimals."""
    scale = column.options.get("scale")
    if scale is not None and (
        isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale <= DECIMAL_DIGITS
    ):
        raise ContractError(
            f"column {column.name}, option scale: {scale!r} is no count of decimals",
            next_step=f"write a number from 0 to {DECIMAL_DIGITS}",
        )


def _check_number(column: Column) -> None:
    currency = column.options.get("currency")
    if "currency" in column.options and (
        not isinstance(currency, str) or not currency.strip() or re.search(r"[\d.,%-]", currency)
    ):
        raise ContractError(
            f"column {column.name}, option currency: {currency!r} is no sign of money",
            next_step='write it as the source does, e.g. "€"',
        )
    check_scale(column)
    check_decimal(column)
    check_unit(column)


def _number_reader(column: Column, *, typed: bool) -> Reader:
    decimal = "." if typed else column.options.get("decimal")
    scale = column.options.get("scale")
    factor = unit_factor(column)
    with_unit = "unit" in column.options
    currency = str(column.options.get("currency", "")).strip()

    def read(text: str) -> Reading:
        if len(text) > LONGEST:
            return UNREADABLE
        bare = text.removesuffix("%").rstrip()
        if currency:
            bare = bare.removesuffix(currency).rstrip()
            bare = bare.removeprefix(currency).lstrip()
        sign, rest = signed(bare)
        if currency:
            rest = rest.removeprefix(currency).lstrip()
        value, own_unit = amount(rest, decimal, factor) if with_unit else (unsigned(rest, decimal), False)
        if value is None:
            return UNREADABLE
        as_written = rest == str(value) or (factor != 1 and not own_unit)
        notes: tuple[str, ...] = () if as_written and not text.endswith("%") else ("variant",)
        if own_unit:
            notes = ("own_unit",)
        if scale is None:
            number = float(sign * value)
            return UNREADABLE if abs(number) == float("inf") else Reading(number, True, notes)
        return scaled(sign * value, int(scale), notes)

    return read


def scaled(value: Decimal, scale: int, notes: tuple[str, ...]) -> Reading:
    """The value as an exact decimal of ``scale`` decimals; note ``rounded`` if it has more."""
    try:
        fixed = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    except InvalidOperation:
        return UNREADABLE
    if abs(fixed) >= Decimal(10) ** (DECIMAL_DIGITS - scale):
        return UNREADABLE
    return Reading(fixed, True, notes if fixed == value else (*notes, "rounded"))


def plain_numbers(kind: pa.DataType, decimal: str | None) -> Stage:
    """Stage: numbers as machines write them, cast to ``kind``; leaves 1.234 if the decimal sign is not known."""
    pattern = _PLAIN_NUMBER if decimal != "," else r"^-?[0-9]{1,18}$"
    if pa.types.is_decimal(kind):
        before = max(1, DECIMAL_DIGITS - kind.scale)
        after = rf"(?:\.[0-9]{{1,{kind.scale}}})?" if kind.scale and decimal != "," else ""
        pattern = rf"^-?[0-9]{{1,{before}}}{after}$" if kind.scale < DECIMAL_DIGITS else "^0$"

    def read(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
        return _cast_matching(text, pattern, kind, AMBIGUOUS if decimal is None else None)

    return Stage(read)


def _clean_number(array: pa.Array, column: Column) -> Cleaned:
    kind = _number_type(column)
    typed = is_number(array.type)
    reader = _number_reader(column, typed=typed)
    as_is = unit_factor(column) == 1
    stages = [plain_numbers(kind, "." if typed else column.options.get("decimal"))] if as_is else []

    def build(values: list[Any]) -> pa.Array:
        return pa.array(values, kind)

    def clean(part: pa.Array) -> Cleaned:
        if as_is and not null_texts(column):
            cast = _typed_number(part, kind)
            if cast is not None:
                return cast
        return read_text(number_text(part), column, stages, reader, build)

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


def number_text(array: pa.Array) -> pa.Array:
    """A source array as texts of numbers."""
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


MONEY_VND = _type(
    "money_vnd",
    _int64,
    _clean_money,
    "số tiền, đồng | amount of money in đồng",
    _UNIT_OPTION | _DECIMAL_OPTION,
    _check_money,
)
INTEGER = _type("integer", _int64, _clean_integer, "số nguyên | integer")
NUMBER = _type(
    "number",
    _number_type,
    _clean_number,
    "số thực, hoặc thập phân có số chữ số lẻ cố định | number, or decimal of a fixed scale",
    {
        "scale": f"decimals of an exact decimal of {DECIMAL_DIGITS} digits (default: floating point)",
    }
    | _UNIT_OPTION
    | _DECIMAL_OPTION
    | _CURRENCY_OPTION,
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
