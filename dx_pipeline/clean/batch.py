"""One landed record batch, cleaned column by column as its contract says; a pure function."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dx_pipeline.clean.registry import check_options, semantic_type
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.contract.model import KEY_SUFFIX, Column, Contract
from dx_pipeline.errors import LandingError

ROW = "_row"
UNREADABLE_SUFFIX = "__unreadable"
NOTE_SUFFIX = "__note"


def cleaned_schema(contract: Contract) -> pa.Schema:
    """Schema of every cleaned batch of the contract: ``_row``, then value, unreadable, note and key per column.

    Raises ContractError for an unknown semantic type or a bad option.
    """
    fields = [pa.field(ROW, pa.int64())]
    for column in contract.columns:
        check_options(contract, column)
        kind = semantic_type(contract, column)
        fields.append(pa.field(column.name, kind.arrow_type(column)))
        if kind.can_fail:
            fields.append(pa.field(column.name + UNREADABLE_SUFFIX, pa.string()))
        if kind.makes_notes:
            fields.append(pa.field(column.name + NOTE_SUFFIX, pa.string()))
        if has_key(contract, column):
            fields.append(pa.field(column.name + KEY_SUFFIX, pa.string()))
    return pa.schema(fields)


def cleaned_parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """How cleaned rows are written: for seconds, so quickly; a dictionary of numbers costs, and saves nothing."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return {"compression": "lz4", "write_statistics": False, "use_dictionary": texts}


def clean_batch(batch: pa.RecordBatch, contract: Contract, first_row: int) -> pa.RecordBatch:
    """Clean one batch of landed rows; the result has the schema of ``cleaned_schema`` and as many rows.

    ``first_row`` is the ordinal of the batch's first row in the landed batch (0-based). A bad value never
    raises: it becomes null with its raw text in ``<name>__unreadable``. Raises LandingError if the batch
    lacks a column of the contract, ContractError for a contract that cannot be used.
    """
    schema = cleaned_schema(contract)
    missing = [c.source_name for c in contract.columns if c.source_name not in batch.schema.names]
    if missing:
        raise LandingError(
            f"{contract.id}: the landed batch has no column {', '.join(missing)}",
            next_step="land the dataset again with the contract of today",
        )
    rows = batch.num_rows
    arrays = [pa.array(np.arange(first_row, first_row + rows, dtype=np.int64))]
    for column in contract.columns:
        kind = semantic_type(contract, column)
        source = batch.column(batch.schema.names.index(column.source_name))
        cleaned = _clean_column(source, with_null_values(column, contract), kind)
        arrays.extend(cleaned)
        if kind.keys is not None and has_key(contract, column):
            arrays.append(kind.keys(cleaned[0]))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def has_key(contract: Contract, column: Column) -> bool:
    """True if the column's comparison key stands beside it (option ``key``)."""
    return semantic_type(contract, column).keys is not None and column.options.get("key") is True


def with_null_values(column: Column, contract: Contract) -> Column:
    """The column with the null texts of its source relation added to its own."""
    if not contract.source.null_values:
        return column
    own = tuple(column.options.get("null_values", ()))
    return replace(column, options={**column.options, "null_values": own + contract.source.null_values})


def _clean_column(source: pa.Array, column: Column, kind: SemanticType) -> list[pa.Array]:
    """Value, and unreadable and note where the type reports them."""
    size = len(source)
    if source.null_count == size or pa.types.is_null(source.type):
        done = _all_null(size, column, kind)
    else:
        done = _clean_valid(source, column, kind)
    arrays = [done.value]
    if kind.can_fail:
        arrays.append(pa.nulls(size, pa.string()) if done.unreadable is None else done.unreadable)
    if kind.makes_notes:
        arrays.append(pa.nulls(size, pa.string()) if done.note is None else done.note)
    return arrays


def _all_null(size: int, column: Column, kind: SemanticType) -> Cleaned:
    if column.options.get("null_as") is None or size == 0:
        return Cleaned(pa.nulls(size, kind.arrow_type(column)))
    return kind.clean(pa.nulls(size, pa.string()), column)


def _clean_valid(source: pa.Array, column: Column, kind: SemanticType) -> Cleaned:
    try:
        return kind.clean(source, column)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        repaired = _valid_utf8(source)
        if repaired is None:
            raise
        return kind.clean(repaired, column)


def _valid_utf8(source: pa.Array) -> pa.Array | None:
    """The text array with bytes that are no UTF-8 written as ``\\\\xNN``; None if all bytes were sound."""
    if not (pa.types.is_string(source.type) or pa.types.is_large_string(source.type)):
        return None
    try:
        source.validate(full=True)
    except pa.ArrowInvalid:
        binary = pa.large_binary() if pa.types.is_large_string(source.type) else pa.binary()
        values = source.view(binary).to_pylist()
        texts = [None if v is None else v.decode("utf-8", "backslashreplace") for v in values]
        return pa.array(texts, pa.string())
    return None
