"""Prose in Vietnamese: free text and addresses; and opaque identifiers.

All keep every character they do not understand. Prose also gets legacy encodings repaired and the
Icelandic eth put back to Đ; identifiers only lose surplus white space.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean import double_encoding
from dx_pipeline.clean.html_text import HTML_OPTION, check_html, html_reader
from dx_pipeline.clean.legacy_encodings import CP1258_PAIRS, ENCODINGS, VNI_PAIRS, eth_to_d, repair
from dx_pipeline.clean.reading import Reader, Reading, Stage, as_text, in_distinct, read_text, text_array
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

VIETNAMESE_LETTERS = "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ"
# What no rule of prose can change: printable ASCII and Vietnamese letters, single spaces inside.
# Everything else is looked at value by value.
_NEEDS_READING = f"^ | $|  |[^ -~{VIETNAMESE_LETTERS}]|{VNI_PAIRS}|{CP1258_PAIRS}"
_NEEDS_READING_ASCII = "^ | $|  |[^ -~]"


def _untouched_prose(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    text.validate(full=True)  # patterns do not see bytes that are no UTF-8; the batch writes them out
    ascii_only = pc.all(pc.string_is_ascii(text)).as_py() is not False
    pattern = _NEEDS_READING_ASCII if ascii_only else _NEEDS_READING
    return text, pc.invert(pc.match_substring_regex(text, pattern))


def _untouched_identifier(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    text.validate(full=True)
    return text, pc.invert(pc.match_substring_regex(text, _NEEDS_READING_ASCII))


def read_prose(text: str, encoding: str | None = None) -> Reading:
    """Reader of prose: legacy encodings to Unicode, eth to Đ; never unreadable.

    ``encoding``: the legacy encoding the contract declares for the column, if any.
    """
    repaired, note = repair(text, encoding)
    notes: tuple[str, ...] = () if note is None else (note,)
    fixed = eth_to_d(repaired)
    if fixed != repaired:
        notes += ("eth_to_d",)
    return Reading(fixed, True, notes)


def check_prose(column: Column) -> None:
    """ContractError if the option ``encoding`` is no legacy encoding."""
    encoding = column.options.get("encoding")
    if encoding is not None and encoding not in ENCODINGS:
        raise ContractError(
            f"column {column.name}, option encoding: {encoding!r} is no legacy encoding",
            next_step=f"use one of {', '.join(ENCODINGS)}, or leave it out: clear cases are found without it",
        )
    check_html(column)


def _prose_reader(column: Column) -> Reader:
    encoding = column.options.get("encoding")
    reader: Reader = read_prose if encoding is None else lambda text: read_prose(text, encoding)
    return html_reader(reader) if column.options.get("html") else reader


def _clean_prose(array: pa.Array, column: Column) -> Cleaned:
    reader = _prose_reader(column)
    # With a declared encoding every letter beyond ASCII may be one of it.
    stages = [
        Stage(_untouched_prose if "encoding" not in column.options else _untouched_identifier),
        # Before spaces are tidied: the second byte of à is a no-break space to Western eyes.
        Stage(double_encoding.stage_read, double_encoding.NOTE),
    ]
    if column.options.get("html"):
        stages = []

    def clean(text: pa.Array) -> Cleaned:
        return read_text(as_text(text), column, stages, reader, text_array)

    return in_distinct(array, clean)


def _clean_identifier(array: pa.Array, column: Column) -> Cleaned:
    def clean(text: pa.Array) -> Cleaned:
        return read_text(as_text(text), column, [Stage(_untouched_identifier)], Reading, text_array)

    return in_distinct(array, clean)


def text_type(column: Column) -> pa.DataType:
    """Arrow type of every type that stays text."""
    return pa.string()


def _prose(name: str, description: str) -> SemanticType:
    return SemanticType(
        name=name,
        arrow_type=text_type,
        clean=_clean_prose,
        can_fail=False,
        makes_notes=True,
        pseudonymised=False,
        description=description,
        options={"encoding": f"legacy encoding of the column's texts: {', '.join(ENCODINGS)}", **HTML_OPTION},
        check=check_prose,
    )


TEXT = _prose("text", "văn bản tự do, về Unicode dựng sẵn | free text, brought to composed Unicode")
ADDRESS = _prose("address", "địa chỉ | postal address")
IDENTIFIER = SemanticType(
    name="identifier",
    arrow_type=text_type,
    clean=_clean_identifier,
    can_fail=False,
    makes_notes=True,
    pseudonymised=False,
    description="mã giữ nguyên như nguồn | opaque id, kept as the source writes it",
)
