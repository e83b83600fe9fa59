"""The frame of every cleaner: vectorised stages first, then one Python reading per distinct value left.

A stage looks at a whole text array and settles the rows it understands. What no stage settled is
read value by value, each distinct value once. Empty and blank texts are null everywhere.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.semantic_type import Cleaned
from dx_pipeline.contract.model import Column

# A column whose sample shows more than this share of distinct values is cleaned row by row.
SAMPLE_ROWS = 4096
DISTINCT_SHARE = 0.6

SPACES = "\t\n\x0b\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACE_RUN = re.compile(f"[{SPACES}]+")
_ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff]+")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one text: a value, or nothing if it cannot be read; and what it changed."""

    value: Any = None
    readable: bool = True
    notes: tuple[str, ...] = ()


UNREADABLE = Reading(readable=False)

# Reads one tidy, non-empty text.
Reader = Callable[[str], Reading]


@dataclass(frozen=True)
class Stage:
    """A vectorised reader: ``read`` gives (values, settled) for a text array, or None if it settles none."""

    read: Callable[[pa.Array], tuple[pa.Array, pa.Array] | None]
    note: str | None = None


def null_texts(column: Column) -> frozenset[str]:
    """The texts that stand for null in this column (option ``null_values``)."""
    return frozenset(str(v).strip() for v in column.options.get("null_values", ()))


def tidy(raw: str) -> tuple[str, tuple[str, ...]]:
    """The text in NFC without NUL, zero-width and surplus white space, and the notes for what changed."""
    if _PLAIN.fullmatch(raw):
        return raw, ()
    notes = []
    text = raw
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
        notes.append("nul_replaced")
    visible = _ZERO_WIDTH.sub("", text)
    composed = unicodedata.normalize("NFC", visible)
    if composed != visible:
        notes.append("nfc")
    spaced = _SPACE_RUN.sub(" ", composed).strip(" ")
    if spaced != composed or visible != text:
        notes.append("whitespace")
    return spaced, tuple(notes)


def as_text(array: pa.Array) -> pa.Array:
    """Any source array as ``string``; whole floats lose their ``.0``, bytes that are no UTF-8 stay visible.

    Times are written by Arrow, because a source may hold years that no Python datetime can.
    """
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_dictionary(kind):
        return as_text(array.dictionary).take(array.indices)
    if pa.types.is_floating(kind):
        return _float_text(array)
    if pa.types.is_decimal(kind):
        return pc.replace_substring_regex(array.cast(pa.string()), r"\.0+$", "")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _bytes_text(array)
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_nested_text(v) for v in array.to_pylist()], pa.string())


def _float_text(array: pa.Array) -> pa.Array:
    array = array.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 2.0**53))
    whole = pc.fill_null(whole, False)
    integers = pc.if_else(whole, array, pa.scalar(None, pa.float64())).cast(pa.int64())
    return pc.if_else(whole, integers.cast(pa.string()), array.cast(pa.string()))


def _bytes_text(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        texts = [None if v is None else v.decode("utf-8", "backslashreplace") for v in array.to_pylist()]
        return pa.array(texts, pa.string())


def _nested_text(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, default=_plain_text, sort_keys=True)


def _plain_text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def is_repetitive(array: pa.Array) -> bool:
    """True if a sample of the array (start, middle, end) holds few distinct values."""
    size = len(array)
    if size <= 256:
        return False
    part = min(SAMPLE_ROWS // 3, size // 3)
    pieces = [array.slice(start, part) for start in (0, (size - part) // 2, size - part)]
    sample = pa.concat_arrays(pieces)
    present = len(sample) - sample.null_count
    return bool(present == 0 or len(sample.unique()) <= DISTINCT_SHARE * present)


def in_distinct(array: pa.Array, clean: Callable[[pa.Array], Cleaned]) -> Cleaned:
    """Clean a dictionary or repetitive array on its distinct values, any other array as it is."""
    if not pa.types.is_dictionary(array.type):
        encodable = pa.types.is_string(array.type) or pa.types.is_integer(array.type)
        if not encodable or not is_repetitive(array):
            return clean(array)
        array = array.dictionary_encode()
    indices = array.indices
    done = clean(array.dictionary)
    return Cleaned(
        done.value.take(indices),
        _spread(done.unreadable, indices),
        _spread(done.note, indices),
    )


def _spread(distinct: pa.Array | None, indices: pa.Array) -> pa.Array | None:
    if distinct is None or distinct.null_count == len(distinct):
        return None
    return distinct.take(indices)


def read_text(
    text: pa.Array,
    column: Column,
    stages: Sequence[Stage],
    reader: Reader,
    build: Callable[[list[Any]], pa.Array],
) -> Cleaned:
    """Clean a ``string`` array with the stages in order, and with the reader what they leave.

    ``build`` turns the reader's values (None where null) into an array of the column's type.
    """
    nulls = null_texts(column)
    size = len(text)
    value = build([]) if size == 0 else pa.nulls(size, build([]).type)
    if text.null_count == size:
        return Cleaned(value)
    null_set = pa.array(sorted(nulls), pa.string()) if nulls else None
    note: pa.Array | None = None
    rows: pa.Array | None = None  # positions of the texts still open; None: all
    open_text = text
    for stage in stages:
        found = stage.read(open_text)
        if found is None:
            continue
        values, settled = found
        settled = pc.fill_null(settled, False)
        if null_set is not None:
            settled = pc.and_(settled, pc.invert(pc.is_in(open_text, null_set)))
        if rows is None and pc.all(settled).as_py() and stage.note is None:
            return Cleaned(values)
        value, note = _settle(value, note, rows, values, settled, stage.note)
        rest = pc.and_(pc.invert(settled), pc.is_valid(open_text))
        rows = pc.indices_nonzero(rest) if rows is None else rows.filter(rest)
        open_text = open_text.filter(rest)
        if len(open_text) == 0:
            return Cleaned(value, None, note)
    return _read_rest(value, note, rows, open_text, nulls, reader, build)


def _settle(
    value: pa.Array,
    note: pa.Array | None,
    rows: pa.Array | None,
    values: pa.Array,
    settled: pa.Array,
    code: str | None,
) -> tuple[pa.Array, pa.Array | None]:
    if rows is None:
        value = pc.if_else(settled, values, pa.scalar(None, values.type))
        at = None
    else:
        at = rows.filter(settled)
        value = _put(value, at, values.filter(settled))
    if code is None:
        return value, note
    at = pc.indices_nonzero(settled) if at is None else at
    if len(at):
        note = pa.nulls(len(value), pa.string()) if note is None else note
        note = _put(note, at, pa.repeat(pa.scalar(code, pa.string()), len(at)))
    return value, note


def _put(target: pa.Array, rows: pa.Array, values: pa.Array) -> pa.Array:
    """The target with ``values`` at the ascending positions ``rows``."""
    if len(rows) == 0:
        return target
    mask = _mask(len(target), rows)
    return pc.replace_with_mask(target, mask, values)


def _mask(size: int, rows: pa.Array) -> pa.Array:
    flags = np.zeros(size, dtype=bool)
    flags[rows.to_numpy(zero_copy_only=False)] = True
    return pa.array(flags)


def _read_rest(
    value: pa.Array,
    note: pa.Array | None,
    rows: pa.Array | None,
    open_text: pa.Array,
    nulls: frozenset[str],
    reader: Reader,
    build: Callable[[list[Any]], pa.Array],
) -> Cleaned:
    coded = open_text.dictionary_encode()
    values: list[Any] = []
    unreadable: list[str | None] = []
    notes: list[str | None] = []
    for raw in coded.dictionary.to_pylist():
        done = _read_one(raw, nulls, reader)
        values.append(done.value if done.readable else None)
        unreadable.append(None if done.readable else raw.replace("\x00", "\ufffd"))
        notes.append(",".join(done.notes) or None)
    new_values = build(values).take(coded.indices)
    new_unreadable = pa.array(unreadable, pa.string())
    new_notes = pa.array(notes, pa.string())
    has_unreadable = new_unreadable.null_count < len(new_unreadable)
    has_notes = new_notes.null_count < len(new_notes)
    if rows is None:
        return Cleaned(
            new_values,
            new_unreadable.take(coded.indices) if has_unreadable else None,
            new_notes.take(coded.indices) if has_notes else None,
        )
    empty = pa.nulls(len(value), pa.string())
    if has_notes:
        note = _put(empty if note is None else note, rows, new_notes.take(coded.indices))
    return Cleaned(
        _put(value, rows, new_values),
        _put(empty, rows, new_unreadable.take(coded.indices)) if has_unreadable else None,
        note,
    )


def _read_one(raw: str | None, nulls: frozenset[str], reader: Reader) -> Reading:
    if raw is None:
        return Reading()
    text, notes = tidy(raw)
    if not text:
        return Reading(notes=())
    if text in nulls:
        return Reading(notes=("null_text",))
    done = reader(text)
    if not done.readable:
        return Reading(readable=False, notes=tuple(n for n in notes if n == "nul_replaced"))
    return Reading(done.value, True, notes + done.notes) if notes else done


def text_array(values: list[Any]) -> pa.Array:
    """Python texts as an Arrow ``string`` array."""
    return pa.array(values, pa.string())
