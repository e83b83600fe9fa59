"""Code lists: every known way to write a code is brought to the canonical code; anything else is unreadable.

Options: ``codes`` maps each canonical code to its variants; ``null_as`` is the code an empty value means.
Case, white space, NFC and leading zeros do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.html_text import HTML_OPTION, check_html, html_reader
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
from dx_pipeline.clean.text import read_prose, text_type
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError


def _check(column: Column) -> None:
    codes = column.options.get("codes")
    where = f"column {column.name}, option codes"
    if not isinstance(codes, Mapping) or not codes:
        raise ContractError(
            f"{where}: a code list needs its codes", next_step='write codes: {"1": [variant, ...], "2": []}'
        )
    seen: dict[str, str] = {}
    for code, variants in codes.items():
        if not isinstance(variants, (list, tuple)):
            raise ContractError(f"{where}: the variants of {code!r} are not a list", next_step="write [] if none")
        for text in (code, *variants):
            other = seen.setdefault(code_key(str(text)), str(code))
            if other != str(code):
                raise ContractError(
                    f"{where}: {text!r} stands for both {other!r} and {code!r}",
                    next_step="give every variant to one code",
                )
    check_html(column)
    null_as = column.options.get("null_as")
    if null_as is not None and str(null_as) not in {str(c) for c in codes}:
        raise ContractError(
            f"column {column.name}, option null_as: {null_as!r} is not one of the codes",
            next_step="name a canonical code",
        )


def code_key(text: str) -> str:
    """What two writings of one code have in common: small letters, repaired text, no leading zeros."""
    key = read_prose(text).value.casefold()
    number = key[:-2] if key.endswith(".0") else key
    return (number.lstrip("0") or "0") if number.isascii() and number.isdigit() else str(key)


def _reader(column: Column) -> Reader:
    known: dict[str, str] = {}
    for code, variants in column.options["codes"].items():
        for text in (code, *variants):
            known[code_key(str(text))] = str(code)

    def read(text: str) -> Reading:
        code = known.get(code_key(text))
        if code is None:
            return UNREADABLE
        if code == text:
            return Reading(code)
        return Reading(code, True, (*read_prose(text).notes, "variant"))

    return read


def _clean(array: pa.Array, column: Column) -> Cleaned:
    canonical = pa.array(sorted(str(c) for c in column.options["codes"]), pa.string())
    reader = html_reader(_reader(column)) if column.options.get("html") else _reader(column)

    def known(text: pa.Array) -> tuple[pa.Array, pa.Array]:
        return text, pc.is_in(text, canonical)

    def clean(text: pa.Array) -> Cleaned:
        return read_text(as_text(text), column, [Stage(known)], reader, text_array)

    # Canonical texts stay as they are, which is cheaper than cleaning distinct values.
    done = clean(array) if pa.types.is_string(array.type) else in_distinct(array, clean)
    null_as = column.options.get("null_as")
    return done if null_as is None else _fill(done, str(null_as))


def _fill(done: Cleaned, code: str) -> Cleaned:
    """Give the empty values (not the unreadable ones) the code they mean; note ``null_as``."""
    empty = pc.is_null(done.value)
    if done.unreadable is not None:
        empty = pc.and_(empty, pc.is_null(done.unreadable))
    if not pc.any(empty).as_py():
        return done
    value = pc.if_else(empty, pa.scalar(code, pa.string()), done.value)
    before = pa.nulls(len(value), pa.string()) if done.note is None else done.note
    return replace(done, value=value, note=pc.if_else(empty, pa.scalar("null_as", pa.string()), before))


CODE_LIST = SemanticType(
    name="code_list",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã trong một danh mục | code of a closed list",
    options={
        "codes": "canonical code -> list of its variants",
        "null_as": "canonical code that an empty value stands for",
        **HTML_OPTION,
    },
    check=_check,
)
