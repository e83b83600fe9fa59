"""The hash by which a decision about a rejected row knows the row again.

It is taken over the raw record as the quarantine keeps it: source names and texts. The same record gives the same
hash in Python (from the quarantine) and in DuckDB (from the landed files), whatever the order of the columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from dx_pipeline.sql_quoting import identifier, literal

NUL_SHOWN = "␀"
"""What stands for a NUL character, which PostgreSQL cannot store."""


def record_hash(record: Mapping[str, str | None]) -> str:
    """SHA-256 (hex) of a raw record.

    >>> record_hash({"Ma": "A1", "Ten": None}) == record_hash({"Ten": None, "Ma": "A1"})
    True
    >>> record_hash({"Ma": "A1", "Ten": None}) == record_hash({"Ma": "A1", "Ten": ""})
    False
    """
    pieces = [_sized(name) + _sized(record[name]) for name in sorted(record)]
    return hashlib.sha256("".join(pieces).encode()).hexdigest()


def record_hash_sql(source_names: Sequence[str], table: str) -> str:
    """DuckDB text expression with the same hash over the columns of a table of landed rows."""
    pieces = []
    for name in sorted(source_names):
        value = f"replace({table}.{identifier(name)}::varchar, chr(0), '{NUL_SHOWN}')"
        pieces += [literal(_sized(name)), f"strlen({value})", "':'", value]  # concat leaves nulls out
    return f"sha256(concat({', '.join(pieces)}))"


def _sized(text: str | None) -> str:
    return ":" if text is None else f"{len(text.encode())}:{text}"
