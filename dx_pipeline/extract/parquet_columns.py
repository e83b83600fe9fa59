"""Columns of Parquet files: found by dotted name, brought to a type that the road reads, or to text."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.extract.folder import header_name

LONGEST_TEXT = 8 * 1024 * 1024  # bytes of one value
BATCH_BYTES = 16 * 1024 * 1024


class BadColumnError(ValueError):
    """A column cannot be read as its contract wants; the message shows nothing of its values."""


@dataclass(frozen=True)
class FoundColumn:
    """Where a column lies: its top-level field, the fields below it, and what it is."""

    path: tuple[str, ...]
    type: pa.DataType

    @property
    def is_nested(self) -> bool:
        """True for a list, a map or an object taken whole."""
        return bool(pa.types.is_nested(self.type))


def column_names(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """Dotted names of all fields; an object is looked into unless one of ``columns`` names it whole.

    >>> column_names(pa.schema([("a", pa.struct([("b", pa.int8()), ("c", pa.list_(pa.int8()))]))]), [])
    ['a.b', 'a.c']
    """
    return [".".join(map(header_name, found.path)) for found in _leaves(schema, frozenset(columns))]


def find_column(schema: pa.Schema, name: str) -> FoundColumn | None:
    """The column of that dotted name, or None."""
    return next((f for f in _leaves(schema, frozenset([name])) if ".".join(map(header_name, f.path)) == name), None)


def _leaves(schema: pa.Schema, whole: frozenset[str]) -> Iterator[FoundColumn]:
    waiting = [FoundColumn((field.name,), storage(field.type)) for field in reversed(list(schema))]
    while waiting:
        found = waiting.pop()
        if pa.types.is_struct(found.type) and ".".join(map(header_name, found.path)) not in whole:
            fields = [found.type.field(number) for number in range(found.type.num_fields)]
            waiting += [FoundColumn((*found.path, field.name), storage(field.type)) for field in reversed(fields)]
        else:
            yield found


def storage(kind: pa.DataType) -> pa.DataType:
    """The type below an extension or a dictionary."""
    if isinstance(kind, pa.BaseExtensionType):
        return storage(kind.storage_type)
    return storage(kind.value_type) if pa.types.is_dictionary(kind) else kind


def read_type(kinds: Sequence[pa.DataType]) -> pa.DataType:
    """The type under which a column is read that has these types in the files: a plain one, or text."""
    if len(set(kinds)) == 1:
        kind = kinds[0]
        if pa.types.is_integer(kind):
            return pa.string() if pa.types.is_uint64(kind) else pa.int64()
        if pa.types.is_boolean(kind) or pa.types.is_date32(kind) or pa.types.is_timestamp(kind):
            return kind
        if pa.types.is_float32(kind) or pa.types.is_float64(kind) or pa.types.is_decimal128(kind):
            return kind
    return pa.string()


def take_column(batch: pa.RecordBatch, found: FoundColumn) -> pa.Array:
    """The column out of a batch; null where an object above it is null."""
    array = batch.column(found.path[0])
    for name in found.path[1:]:
        array = pc.struct_field(array, name)
    return array


def converted(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values as text, or as the plain type they have.

    Raises:
        BadColumnError: bytes that are no text, or a text that is too long.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.type == kind:
        return array
    if kind != pa.string():
        return array.cast(kind)
    if pa.types.is_nested(array.type):
        return pa.array([None if v is None else json_text(v) for v in array.to_pylist()], pa.string())
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        raise BadColumnError("it holds bytes that are no UTF-8 text") from None


def json_text(value: Any) -> str:
    """A list, a map or an object as compact JSON; what JSON does not know is a text in it."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def bounded(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in pieces whose texts take about ``BATCH_BYTES`` once a dictionary is written out.

    One long text in a dictionary may stand for thousands of rows: a few kilobytes of file, gigabytes of text.

    Raises:
        BadColumnError: one text is longer than is read.
    """
    lengths = [_text_lengths(column) for column in batch.columns if _holds_text(column.type)]
    longest = max((pc.max(length).as_py() or 0 for length in lengths), default=0)
    if longest > LONGEST_TEXT:
        raise BadColumnError(f"a text is longer than the {LONGEST_TEXT // 2**20} MiB that are read")
    total = sum(pc.sum(length).as_py() or 0 for length in lengths)
    rows = batch.num_rows if total <= BATCH_BYTES else max(1, BATCH_BYTES // max(longest * len(lengths), 1))
    for start in range(0, batch.num_rows, max(rows, 1)):
        yield batch.slice(start, rows)


def _holds_text(kind: pa.DataType) -> bool:
    kind = storage(kind)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )  # fmt: skip


def _text_lengths(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if not pa.types.is_dictionary(column.type):
        return pc.binary_length(column).cast(pa.int64())
    return pc.binary_length(column.dictionary).cast(pa.int64()).take(column.indices)
