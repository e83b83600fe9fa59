"""Control sums of landed and of cleaned rows, taken by DuckDB from the Parquet files themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from dx_pipeline.sql_quoting import identifier, literal

MEMORY = "160MB"
_TEXT_OF_UTC = "timezone('UTC', {0})::varchar"


def sums_of_files(
    paths: Sequence[Path],
    *,
    key: Sequence[str],
    totals: dict[str, str],
    cursor: tuple[str, str] | None,
    rows: Collection[int] | None = None,
) -> dict[str, str | None]:
    """Measures of the rows of some Parquet files: ``rows``, ``distinct_keys``, ``sum(name)``, ``min(name)``, ``max(name)``.

    Args:
        key: columns of the key in the file; none: keys are not counted. Keys with a null part count as none.
        totals: canonical name → column in the file to add up; texts that are no number count as nothing.
        cursor: (canonical name, column in the file) of which first and last value are taken; texts are left out,
            they do not sort as times.
        rows: only the rows with these numbers in ``_row``; None: all.
    """
    if not key and not totals and cursor is None:
        counted = len(rows) if rows is not None else sum(pq.read_metadata(path).num_rows for path in paths)
        return {"rows": str(counted)}
    query = _Query(paths, key, totals, cursor, rows)
    with tempfile.TemporaryDirectory(prefix="dx-control-") as spill:
        try:
            return query.answer(spill)
        except duckdb.OutOfMemoryException:  # keys are what takes memory; the other measures need none
            return replace(query, key=()).answer(spill)


@dataclass(frozen=True)
class _Query:
    paths: Sequence[Path]
    key: Sequence[str]
    totals: dict[str, str]
    cursor: tuple[str, str] | None
    rows: Collection[int] | None

    def answer(self, spill: str) -> dict[str, str | None]:
        source = f"read_parquet([{', '.join(literal(str(path)) for path in self.paths)}])"
        with duckdb.connect(config={"threads": 1, "memory_limit": MEMORY, "temp_directory": spill}) as connection:
            described = connection.execute(f"describe select * from {source}").fetchall()
            items = list(self._items({row[0]: str(row[1]) for row in described}))
            if self.rows is not None:
                connection.execute("create table wanted as select unnest($1::bigint[]) as _row", [list(self.rows)])
                source += " semi join wanted using (_row)"
            found = connection.execute(f"select {', '.join(items)} from {source}")
            names = [item[0] for item in found.description or ()]
            return dict(zip(names, found.fetchone() or (), strict=True))

    def _items(self, types: dict[str, str]) -> Iterator[str]:
        yield "count(*)::varchar as rows"
        if self.key and all(name in types for name in self.key):
            listed = ", ".join(identifier(name) for name in self.key)
            whole = " and ".join(f"{identifier(name)} is not null" for name in self.key)
            counted = f"({listed})" if len(self.key) > 1 else listed
            yield f"count(distinct {counted}) filter (where {whole})::varchar as distinct_keys"
        for name, column in self.totals.items():
            if column in types:
                value = f"try_cast({identifier(column)} as decimal(38, 6))"
                yield f"coalesce(sum({value}), 0)::varchar as {identifier(f'sum({name})')}"
        if self.cursor is not None and not types.get(self.cursor[1], "VARCHAR").startswith("VARCHAR"):
            name, column = self.cursor
            text = _TEXT_OF_UTC if types[column] == "TIMESTAMP WITH TIME ZONE" else "{0}::varchar"
            for function in ("min", "max"):
                value = text.format(f"{function}({identifier(column)})")
                yield f"{value} as {identifier(f'{function}({name})')}"
