"""Column lineage of the whole installation: source column → stage → star → mart, from contracts, load files and marts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dx_pipeline.contract.model import DAY_SUFFIX, KEY_SUFFIX, PRECISION_SUFFIX, Contract
from dx_pipeline.errors import DxError
from dx_pipeline.lineage.column_ref import ColumnRef, ColumnSources, LineageError
from dx_pipeline.settings import write_private_file
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import Mart

SOURCE = "source"
"""Schema under which the columns of source systems stand: ``source:<system>.<relation>``."""
_DERIVED = (DAY_SUFFIX, KEY_SUFFIX, PRECISION_SUFFIX, "_pseudonym")


class LineageGraph:
    """Who feeds whom, column by column."""

    def __init__(self, edges: Mapping[ColumnRef, tuple[ColumnRef, ...]]) -> None:
        self._sources = dict(edges)
        self._users: dict[ColumnRef, set[ColumnRef]] = {}
        for column, sources in self._sources.items():
            for source in sources:
                self._users.setdefault(source, set()).add(column)

    def sources(self, column: ColumnRef) -> tuple[ColumnRef, ...]:
        """The columns a column is computed from directly."""
        return self._sources.get(column, ())

    def users(self, column: ColumnRef) -> tuple[ColumnRef, ...]:
        """The columns computed directly from a column."""
        return tuple(sorted(self._users.get(column, ())))

    def columns(self, table: str) -> list[str]:
        """Columns of a table that the graph knows, in the order of its SQL."""
        known = [one.column for one in self._sources if one.table == table]
        return known or sorted(one.column for one in self._users if one.table == table)

    def tables(self) -> list[str]:
        return sorted({one.table for one in (*self._sources, *self._users)})

    def origins(self, column: ColumnRef) -> tuple[ColumnRef, ...]:
        """The source systems' columns behind a column, through all steps between."""
        found: set[ColumnRef] = set()
        seen = {column}
        waiting = [column]
        while waiting:
            one = waiting.pop()
            if one.table.startswith(f"{SOURCE}:"):
                found.add(one)
            for source in self.sources(one):
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)
        return tuple(sorted(found))


def build_graph(contracts: Iterable[Contract], marts: Sequence[Mart], *, cache: Path | None = None) -> LineageGraph:
    """Read every load file and mart; what cannot be read is left out, for running it is what finds its faults.

    Args:
        cache: a file that keeps what was read, by the content of the SQL.
    """
    known: dict[str, Any] = _read_cache(cache)
    before = set(known)
    fresh: dict[str, Any] = {}
    edges: dict[ColumnRef, set[ColumnRef]] = {}
    for contract in contracts:
        for target, columns in {**_of_source(contract), **_of_load(contract, known, fresh)}.items():
            _add(edges, target, columns)
    for mart in marts:
        _add(edges, mart.table, _of_script(mart.script, mart.table, known, fresh))
    if cache is not None and set(fresh) != before:
        write_private_file(cache, json.dumps(fresh, ensure_ascii=False))
    return LineageGraph({column: tuple(sorted(sources)) for column, sources in edges.items()})


def stage_columns(contract: Contract) -> list[str]:
    """The columns of the stage table that a load file can read."""
    plain = [column.name for column in contract.columns if not column.is_personal]
    names = ["_row", "_row_hash", "_warnings", *plain]
    return names + [column.name + suffix for column in contract.columns for suffix in _DERIVED]


def load_lineage(contract: Contract) -> dict[str, ColumnSources]:
    """Target table → its columns' sources, of every SELECT of the dataset's load file.

    Raises:
        DxError: the load file is broken. A SELECT that cannot be read gives nothing.
    """
    from dx_pipeline.lineage.sql_columns import select_lineage  # sqlglot: a third of a second

    found: dict[str, ColumnSources] = {}
    tables = {f"stage.{contract.stage_table}": stage_columns(contract)}
    for step in parse_load_file(contract.load_path).steps:
        if step.target is None:
            continue
        try:
            found[step.target] = {**found.get(step.target, {}), **select_lineage(step.sql, tables)}
        except LineageError:
            continue
    return found


def _of_source(contract: Contract) -> dict[str, ColumnSources]:
    relation = f"{SOURCE}:{contract.system}.{contract.source.label}"
    columns: dict[str, tuple[ColumnRef, ...]] = {}
    for column in contract.columns:
        origin = (ColumnRef(relation, column.source_name),)
        columns[column.name] = origin
        columns |= {column.name + suffix: origin for suffix in _DERIVED}
    everything = tuple(ColumnRef(relation, column.source_name) for column in contract.columns)
    return {f"stage.{contract.stage_table}": {**columns, "_row_hash": everything, "_warnings": everything}}


def _of_load(contract: Contract, known: dict[str, Any], fresh: dict[str, Any]) -> dict[str, ColumnSources]:
    try:
        text = contract.load_path.read_text(encoding="utf-8") + "\n" + " ".join(stage_columns(contract))
        key = _digest(text)
        if key not in known:
            known[key] = {table: _plain(columns) for table, columns in load_lineage(contract).items()}
    except (DxError, OSError, UnicodeDecodeError):
        return {}
    fresh[key] = known[key]
    return {table: _typed(columns) for table, columns in known[key].items()}


def _of_script(text: str, table: str, known: dict[str, Any], fresh: dict[str, Any]) -> ColumnSources:
    key = _digest(text)
    if key not in known:
        from dx_pipeline.lineage.sql_columns import script_lineage  # sqlglot: a third of a second

        try:
            known[key] = _plain(script_lineage(text, table))
        except LineageError:
            known[key] = {}
    fresh[key] = known[key]
    return _typed(known[key])


def _add(edges: dict[ColumnRef, set[ColumnRef]], table: str, columns: ColumnSources) -> None:
    for name, sources in columns.items():
        edges.setdefault(ColumnRef(table, name), set()).update(one for one in sources if one.column != "*")


def _plain(columns: ColumnSources) -> dict[str, list[list[str]]]:
    return {name: [[one.table, one.column] for one in sources] for name, sources in columns.items()}


def _typed(columns: Mapping[str, Any]) -> ColumnSources:
    return {name: tuple(ColumnRef(table, column) for table, column in sources) for name, sources in columns.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_cache(path: Path | None) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def walk_up(graph: LineageGraph, column: ColumnRef, depth: int = 12) -> Iterator[tuple[int, ColumnRef]]:
    """The column and, indented, what it is computed from, down to the source systems; each branch once."""
    seen: set[ColumnRef] = set()

    def below(one: ColumnRef, level: int) -> Iterator[tuple[int, ColumnRef]]:
        yield level, one
        if one in seen or level >= depth:
            return
        seen.add(one)
        for source in graph.sources(one):
            yield from below(source, level + 1)

    return below(column, 0)
