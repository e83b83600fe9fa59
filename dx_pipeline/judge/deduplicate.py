"""Which rows of a batch are repeats of others: identical copies and older versions of the same key.

The common batch has no repeat, so one aggregate over a hash of the key decides whether anything more
is needed; only rows whose key hash occurs twice are looked at further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from dx_pipeline.judge.row_hash import content_sql
from dx_pipeline.sql_quoting import identifier

CLEANED = "cleaned"
"""View on the cleaned batch."""
JUDGED = "judged"
"""View on the rows that are left after deduplication."""
_CONTESTED = "contested_key"
_DROPPED = "dropped_row"


@dataclass(frozen=True)
class Deduplicated:
    """What deduplication found: dropped rows, and whether any key still occurs more than once."""

    dropped: int
    has_contested_keys: bool


def deduplicate(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[tuple[str, str]],
    key: Sequence[str],
    cursor: str | None,
) -> Deduplicated:
    """Create the view ``judged``: ``cleaned`` without identical copies and older versions.

    Args:
        columns: name and DuckDB type of every column of ``cleaned``.
        key: key columns; a row with a null among them is never a repeat.
        cursor: column that orders the versions of a key (null is oldest), or None.

    Rows of the newest version with different content all stay: the uniqueness rule rejects them.
    """
    contested = bool(key) and _find_contested(connection, CLEANED, key, None, _CONTESTED)
    if not contested:
        connection.execute(f"create view {JUDGED} as select * from {CLEANED}")
        return Deduplicated(0, has_contested_keys=False)
    content = content_sql([column for column in columns if column[0] != "_row"])
    keys = ", ".join(identifier(name) for name in key)
    version = (
        f"dense_rank() over (partition by {keys} order by {identifier(cursor)} desc nulls last)" if cursor else "1"
    )
    connection.execute(
        f"""
        create table {_DROPPED} as
        with candidate as (
            select
                {keys},
                {f"{identifier(cursor)}," if cursor and cursor not in key else ""}
                _row,
                md5_number({content}) as content
            from {CLEANED}
            where {_whole_key(key)} and {_key_hash(key)} in (select key_hash from {_CONTESTED})
        ), ranked as (
            select
                _row,
                {version} as version,
                row_number() over (partition by {keys}, content order by _row) as copy
            from candidate
        )
        select _row from ranked where version > 1 or copy > 1
        """
    )
    dropped = _count(connection, _DROPPED)
    without = f"anti join {_DROPPED} using (_row)" if dropped else ""
    connection.execute(f"create view {JUDGED} as select * from {CLEANED} {without}")
    return Deduplicated(dropped, has_contested_keys=True)


def repeated_values(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    domain: str | None,
    table: str,
) -> bool:
    """Create ``table`` with the values of ``columns`` that occur in more than one judged row.

    Its columns are named by ``repeated_column``. Rows with a null among the columns are left out,
    as Great Expectations does in SQL. ``domain`` is
    the SQL condition under which the rule applies. False, and no table, when no value is repeated.
    """
    candidates = f"{table}_hash"
    if not _find_contested(connection, JUDGED, columns, domain, candidates):
        return False
    names = ", ".join(identifier(name) for name in columns)
    renamed = ", ".join(f"{identifier(name)} as {repeated_column(table, i)}" for i, name in enumerate(columns))
    connection.execute(
        f"""
        create table {table} as
        select {renamed}
        from {JUDGED}
        where {_whole_key(columns)} and {domain or "true"}
            and {_key_hash(columns)} in (select key_hash from {candidates})
        group by {names}
        having count(*) > 1
        """
    )
    return _count(connection, table) > 0


def repeated_column(table: str, position: int) -> str:
    """Column of a table of repeated values that holds the ``position``-th column of its rule."""
    return f"{table}_{position}"


def _find_contested(
    connection: duckdb.DuckDBPyConnection, source: str, key: Sequence[str], domain: str | None, table: str
) -> bool:
    """Create ``table`` of key hashes that occur more than once; True if there is any."""
    connection.execute(
        f"""
        create table {table} as
        select {_key_hash(key)} as key_hash
        from {source}
        where {_whole_key(key)} and {domain or "true"}
        group by key_hash
        having count(*) > 1
        """
    )
    return _count(connection, table) > 0


def _key_hash(key: Sequence[str]) -> str:
    return f"hash({', '.join(identifier(name) for name in key)})"


def _whole_key(key: Sequence[str]) -> str:
    return " and ".join(f"{identifier(name)} is not null" for name in key)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
