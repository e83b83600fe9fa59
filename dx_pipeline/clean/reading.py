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
SAMPLE_ROWS = 2048
DISTINCT_SHARE = 0.6

SPACES = "\t\n\x0b\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NO_TEXT = pa.scalar(None, pa.string())
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
    """A vectorised reader: ``read`` gives (values, settled) for a text array, or None if it settles none.

    The values must be null where the text is null; values that are not settled are read again.
    """

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
    source = None
    if not pa.types.is_dictionary(array.type):
        encodable = pa.types.is_string(array.type) or pa.types.is_integer(array.type)
        if not encodable or not is_repetitive(array):
            return clean(array)
        source = array
        array = array.dictionary_encode()
    indices = array.indices
    done = clean(array.dictionary)
    if source is not None and done.value.equals(array.dictionary):
        return Cleaned(source, None, _spread(done.note, indices))
    return Cleaned(
        done.value.take(indices),
        _spread(done.unreadable, indices),
        _spread(done.note, indices),
    )


def _spread(distinct: pa.Array | None, indices: pa.Array) -> pa.Array | None:
    if distinct is None or distinct.null_count == len(distinct):
        return None
    return distinct.take(indices)


@dataclass(frozen=True)
class _Plan:
    """What it takes to clean one column: its stages, its null texts, its reader and its type."""

    stages: tuple[Stage, ...]
    nulls: frozenset[str]
    reader: Reader
    build: Callable[[list[Any]], pa.Array]


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
    plan = _Plan(tuple(stages), null_texts(column), reader, build)
    text = _empty_to_null(text)
    if text.null_count * 2 <= len(text):
        return _read_stages(text, plan, 0)
    # Patterns cost the same on nulls, so a column that is mostly null is cleaned without them.
    empty = pa.nulls(len(text), build([]).type)
    return _merge(empty, None, pc.is_valid(text), _read_stages(text.drop_null(), plan, 0))


def _empty_to_null(text: pa.Array) -> pa.Array:
    lengths = pc.binary_length(text)
    if pc.min(lengths).as_py() != 0:
        return text
    return pc.if_else(pc.equal(lengths, 0), _NO_TEXT, text)


def _read_stages(text: pa.Array, plan: _Plan, first: int) -> Cleaned:
    """Clean with the stages from ``first`` on; each stage gets what the stages before it left."""
    if text.null_count == len(text):
        return Cleaned(pa.nulls(len(text), plan.build([]).type))
    for number, stage in enumerate(plan.stages[first:], first):
        found = stage.read(text)
        if found is None:
            continue
        values, settled = found
        settled = pc.fill_null(settled, False)
        if plan.nulls:
            settled = pc.and_not(settled, pc.is_in(text, pa.array(sorted(plan.nulls), pa.string())))
        note = None if stage.note is None else pc.if_else(settled, pa.scalar(stage.note, pa.string()), _NO_TEXT)
        rest = pc.and_not(pc.is_valid(text), settled)
        if not pc.any(rest).as_py():
            return Cleaned(values, None, note)
        return _merge(values, note, rest, _read_stages(text.filter(rest), plan, number + 1))
    return _read_singly(text, plan)


def _merge(values: pa.Array, note: pa.Array | None, rest: pa.Array, found: Cleaned) -> Cleaned:
    """The values and notes with those of the rows under the mask ``rest`` put in their places."""
    if found.note is not None:
        note = _placed(rest, found.note) if note is None else pc.replace_with_mask(note, rest, found.note)
    return Cleaned(
        pc.replace_with_mask(values, rest, found.value),
        None if found.unreadable is None else _placed(rest, found.unreadable),
        note,
    )


def _placed(mask: pa.Array, texts: pa.Array) -> pa.Array:
    """A text array that is null but for the rows under the mask, which take the texts in order.

    Built from its buffers, because most of it is null.
    """
    flags = mask.to_numpy(zero_copy_only=False)
    size, count = len(flags), len(texts)
    ends = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + count + 1]
    offsets = np.zeros(size + 1, dtype=np.int32)
    offsets[0] = ends[0]
    offsets[1:][flags] = np.diff(ends)
    np.cumsum(offsets, out=offsets)
    valid = flags.copy()
    valid[flags] = texts.is_valid().to_numpy(zero_copy_only=False)
    bits = np.packbits(valid, bitorder="little")
    return pa.Array.from_buffers(
        pa.string(), size, [pa.py_buffer(bits), pa.py_buffer(offsets), texts.buffers()[2] or pa.py_buffer(b"")]
    )


def _read_singly(text: pa.Array, plan: _Plan) -> Cleaned:
    """Read every distinct text of the array once."""
    coded = text.dictionary_encode()
    values: list[Any] = []
    unreadable: list[str | None] = []
    notes: list[str | None] = []
    for raw in coded.dictionary.to_pylist():
        done = _read_one(raw, plan)
        values.append(done.value if done.readable else None)
        unreadable.append(None if done.readable else raw.replace("\x00", "\ufffd"))
        notes.append(",".join(done.notes) or None)
    return Cleaned(
        plan.build(values).take(coded.indices),
        _spread(pa.array(unreadable, pa.string()), coded.indices),
        _spread(pa.array(notes, pa.string()), coded.indices),
    )


def _read_one(raw: str | None, plan: _Plan) -> Reading:
    if raw is None:
        return Reading()
    text, notes = tidy(raw)
    if not text:
        return Reading()
    if text in plan.nulls:
        return Reading(notes=("null_text",))
    done = plan.reader(text)
    if not done.readable:
        return Reading(readable=False, notes=tuple(n for n in notes if n == "nul_replaced"))
    return Reading(done.value, True, notes + done.notes) if notes else done


def text_array(values: list[Any]) -> pa.Array:
    """Python texts as an Arrow ``string`` array."""
    return pa.array(values, pa.string())
