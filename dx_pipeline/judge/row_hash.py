"""Content of a row as one unambiguous text, and its hash.

The same content gives the same hash in every batch, on every machine and version: the text depends on
values only (no session time zone, no float formatting) and the hash is MD5. Text columns are written
as ``<bytes>:<text>`` (null: ``:``), all others as ``<value>;`` (null: ``;``), so no two different rows
share a text.
"""

from __future__ import annotations

from collections.abc import Sequence

from dx_pipeline.sql_quoting import identifier

_PLAIN = ("BOOLEAN", "DATE", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
          "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip


def content_sql(columns: Sequence[tuple[str, str]]) -> str:
    """SQL text expression with the content of ``(name, DuckDB type)`` columns, in that order."""
    return f"concat({', '.join(_piece(identifier(name), kind) for name, kind in columns) or repr('')})"


def row_hash_sql(columns: Sequence[tuple[str, str]]) -> str:
    """SQL bigint >= 0: the last 8 bytes of the MD5 of the content, little-endian, shifted right by one."""
    return f"(md5_number_lower({content_sql(columns)}) >> 1)::bigint"


def _piece(column: str, kind: str) -> str:
    base = kind.upper().split("(")[0]
    if base in _PLAIN:
        return f"{column}, ';'"
    if base.startswith("TIMESTAMP") and base != "TIMESTAMP_NS":
        return f"epoch_us({column}), ';'"
    if base == "TIMESTAMP_NS":
        return f"epoch_ns({column}), ';'"
    if base in ("FLOAT", "DOUBLE"):
        return f"({column}::double + 0)::bit, ';'"  # + 0: negative zero equals zero
    if base == "BLOB":
        return f"hex({column}), ';'"
    text = column if base == "VARCHAR" else f"{column}::varchar"
    return f"strlen({text}), ':', {text}"
