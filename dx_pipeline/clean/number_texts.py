"""Texts of numbers as people write them, read exactly; nothing here rounds or guesses.

Vietnamese writes 1.234.567,89; English 1,234,567.89. Two different signs, or one that is repeated, tell which
one groups. A lone separator before exactly three digits (1.234) may mean either: it is no number unless the
decimal sign is known. Units of money stand behind the number: 1,5 tỷ; 250 triệu đồng; 1 tỷ 500 triệu.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

LONGEST = 60  # characters; a longer text is no number

# Option ``unit``: what the heading of a column says its numbers are counted in (ĐVT: triệu đồng).
UNITS: Mapping[str, int] = {"dong": 1, "nghin": 10**3, "trieu": 10**6, "ty": 10**9}

_UNIT_WORDS: Mapping[str, int] = {
    "nghìn tỷ": 10**12, "nghìn tỉ": 10**12, "ngàn tỷ": 10**12, "ngàn tỉ": 10**12,
    "tỷ": 10**9, "tỉ": 10**9, "ty": 10**9,
    "triệu": 10**6, "trieu": 10**6, "tr": 10**6, "tr.": 10**6,
    "nghìn": 10**3, "ngàn": 10**3, "nghin": 10**3, "ngan": 10**3,
}  # fmt: skip
_LONGEST_FIRST = "|".join(re.escape(word) for word in sorted(_UNIT_WORDS, key=len, reverse=True))
_PART = re.compile(rf"(\d(?:[\d.,' ]*\d)?) ?({_LONGEST_FIRST})?(?: |(?=\d)|$)", re.ASCII)

_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([., '])\d{3})(?:\1\d{3})*", re.ASCII)
_GROUPED_DECIMAL = re.compile(r"([1-9]\d{0,2}(?:([., '])\d{3})+)([.,])(\d+)", re.ASCII)
_DECIMAL = re.compile(r"(\d*)([.,])(\d+)", re.ASCII)
_EXPONENT = re.compile(r"\d+(?:\.\d+)?[eE][-+]?\d{1,2}", re.ASCII)
_MINUS = re.compile("^[-\u2010-\u2015\u2212] ?")

# The same in the syntax of Arrow: a number that only the decimal sign of the column makes readable.
AMBIGUOUS = r"^-?[1-9][0-9]{0,2}[.,][0-9]{3}$"


def check_decimal(column: Column) -> None:
    """ContractError if the option ``decimal`` is no decimal sign."""
    decimal = column.options.get("decimal")
    if decimal not in (None, ",", "."):
        raise ContractError(
            f"column {column.name}, option decimal: {decimal!r} is no decimal sign",
            next_step='write "," or "."',
        )


def check_unit(column: Column) -> None:
    """ContractError if the option ``unit`` is no unit."""
    unit = column.options.get("unit")
    if unit is not None and unit not in UNITS:
        raise ContractError(
            f"column {column.name}, option unit: {unit!r} is no unit", next_step="use one of " + ", ".join(UNITS)
        )


def unit_factor(column: Column) -> int:
    """What one of the column's numbers counts (option ``unit``), 1 if the contract does not say."""
    return UNITS[column.options.get("unit", "dong")]


def signed(text: str) -> tuple[int, str]:
    """(sign, rest) of -5, −5, +5 and of the bookkeeper's (5)."""
    if text.startswith("(") and text.endswith(")") and len(text) > 2:
        return -1, text[1:-1].strip()
    if _MINUS.match(text):
        return -1, _MINUS.sub("", text)
    return 1, text[1:].lstrip() if text.startswith("+") else text


def whole(text: str) -> Decimal | None:
    """The value of unsigned digits where a lone separator before three digits groups thousands."""
    if _GROUPED.fullmatch(text):
        return Decimal(re.sub(r"\D", "", text))
    return unsigned(text, None)


def unsigned(text: str, decimal: str | None) -> Decimal | None:
    """The value of unsigned digits; ``decimal`` is the decimal sign if known. None for what is ambiguous."""
    if text.isascii() and text.isdigit():
        return Decimal(text)
    if match := _GROUPED_DECIMAL.fullmatch(text):
        digits, group, sign, fraction = match.groups()
        if group != sign and decimal in (None, sign):
            return Decimal(f"{re.sub(r'[^0-9]', '', digits)}.{fraction}")
    if match := _GROUPED.fullmatch(text):
        lone = len(re.findall(r"\D", text)) == 1 and match[1] in ".,"
        if lone and decimal is None:
            return None
        if match[1] != decimal:
            return Decimal(re.sub(r"\D", "", text))
    if match := _DECIMAL.fullmatch(text):
        digits, sign, fraction = match.groups()
        if decimal in (None, sign):
            return Decimal(f"{digits or 0}.{fraction}")
    if _EXPONENT.fullmatch(text):
        return Decimal(text)
    return None


def amount(text: str, decimal: str | None, factor: int) -> tuple[Decimal | None, bool]:
    """(value in single units, whether the text names its own unit) of unsigned digits with or without a unit.

    ``factor`` is the unit of a text that names none. Parts must fall: ``1 tỷ 500 triệu``, each below the unit
    before it; a second part without a unit (``1 tỷ 500``) is ambiguous.
    """
    parts = _parts(text)
    if not parts or (len(parts) == 1 and parts[0][1] is None):
        value = unsigned(text, decimal)
        return (None if value is None else value * factor), False
    total = Decimal(0)
    before: int | None = None
    for digits, word in parts:
        value = unsigned(digits, decimal)
        if value is None or word is None:
            return None, False
        unit = _UNIT_WORDS[word]
        if before is not None and value * unit >= before:
            return None, False
        total += value * unit
        before = unit
    return total, True


def _parts(text: str) -> list[tuple[str, str | None]] | None:
    """The numbers of a text, each with its unit word; None if there is anything else in it."""
    parts: list[tuple[str, str | None]] = []
    text = text.lower()
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            return None
        parts.append((match[1], match[2]))
        at = match.end()
    return parts
