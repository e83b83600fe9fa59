"""Numbers of identity papers: CCCD (12 digits) and the old CMND (9 digits).

CCCD is ``PPP G YY NNNNNN``: place of birth registration (one of 63 provinces, or a country from 100 on), century and
sex (0-3), year of birth. It has no check digit, so structure is all that can be checked. Placeholders that
systems put for a missing number become null with the note ``placeholder``: they are no faulty reading.
Option ``placeholders`` adds further ones; ``as_of_year`` fixes the latest possible year of birth.
"""

from __future__ import annotations

import re
from datetime import date

import pyarrow as pa

from dx_pipeline.clean.pattern_code import matching
from dx_pipeline.clean.reading import (
    UNREADABLE,
    Reader,
    Reading,
    Stage,
    as_text,
    in_distinct,
    read_text,
    text_array,
)
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

CCCD_DIGITS = 12
CMND_DIGITS = 9
_PLACEHOLDERS = frozenset(
    """
    000000001 000000000001 012345678 123456789 012345678910 012345678912 123456789012 987654321
    """.split()
)
_SEPARATORS = re.compile("[ .\u2010-\u2015-]+")
# The 63 provinces of before July 2025; the merger did not renumber any card.
_PROVINCES = """
    001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038
    040 042 044 045 046 048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082
    083 084 086 087 089 091 092 093 094 095 096
""".split()
_PROVINCE = "|".join(_PROVINCES)


def _check(column: Column) -> None:
    year = column.options.get("as_of_year")
    if year is not None and (not isinstance(year, int) or not 2000 <= year <= 2099):
        raise ContractError(
            f"column {column.name}, option as_of_year: {year!r} is no year",
            next_step="write a year from 2000 to 2099, or leave it out for the current year",
        )


def _latest_year(column: Column) -> int:
    return int(column.options.get("as_of_year") or date.today().year)


def _year_pattern(last: int) -> str:
    """Two digits from 00 to ``last``."""
    tens, ones = divmod(last, 10)
    full = f"[0-{tens - 1}][0-9]|" if tens else ""
    return f"(?:{full}{tens}[0-{ones}])"


def _sound_cccd(last_year: int, province: str) -> str:
    return rf"(?:{province})(?:[01][0-9]{{2}}|[23]{_year_pattern(last_year % 100)})[0-9]{{6}}"


def sound_cccd(last_year: int) -> str:
    """Pattern of a CCCD of a province of Việt Nam or a country, born in ``last_year`` at the latest."""
    return _sound_cccd(last_year, rf"{_PROVINCE}|[1-9][0-9]{{2}}")


def _cmnd_fast() -> str:
    """Nine digits that do not start like a placeholder."""
    starts = {p[:3] for p in _PLACEHOLDERS} | {d * 3 for d in "0123456789"}
    by_two: dict[str, set[str]] = {}
    for start in starts:
        by_two.setdefault(start[:2], set()).add(start[2])
    excluded_twos = sorted(by_two)
    branches = [f"{two}[{''.join(d for d in '0123456789' if d not in by_two[two])}]" for two in excluded_twos]
    for first in "0123456789":
        seconds = "".join(d for d in "0123456789" if first + d not in by_two)
        branches.append(f"{first}[{seconds}][0-9]")
    return rf"(?:{'|'.join(branches)})[0-9]{{6}}"


def _reader(column: Column, *, from_number: bool) -> Reader:
    placeholders = _PLACEHOLDERS | {str(p) for p in column.options.get("placeholders", ())}
    cccd = re.compile(sound_cccd(_latest_year(column)), re.ASCII)

    def read(text: str) -> Reading:
        digits = _SEPARATORS.sub("", text)
        if text in placeholders or digits in placeholders or (len(set(digits)) == 1 and len(digits) > 5):
            return Reading(notes=("placeholder",))
        if not (digits.isascii() and digits.isdigit()):
            return UNREADABLE
        if from_number:  # a number column has lost the leading zeros
            digits = digits.zfill(CMND_DIGITS if len(digits) <= CMND_DIGITS else CCCD_DIGITS)
            if digits in placeholders:
                return Reading(notes=("placeholder",))
            if len(digits.lstrip("0")) < CMND_DIGITS - 2:
                return UNREADABLE
        if len(digits) != CMND_DIGITS and not cccd.fullmatch(digits):
            return UNREADABLE
        return Reading(digits, True, () if digits == text else ("variant",))

    return read


def _clean(array: pa.Array, column: Column) -> Cleaned:
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    from_number = not (pa.types.is_string(kind) or pa.types.is_large_string(kind))
    stages: list[Stage] = []
    if not column.options.get("placeholders"):
        stages = [matching(f"{_sound_cccd(_latest_year(column), _PROVINCE)}|{_cmnd_fast()}")]
    reader = _reader(column, from_number=from_number)

    def clean(part: pa.Array) -> Cleaned:
        return read_text(as_text(part), column, stages, reader, text_array)

    return in_distinct(array, clean)


CITIZEN_ID = SemanticType(
    name="citizen_id",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=True,
    description="số CCCD hoặc CMND | number of an identity paper",
    options={
        "placeholders": "further texts that stand for a missing number",
        "as_of_year": "latest possible year of birth (default: the current year)",
    },
    check=_check,
)
