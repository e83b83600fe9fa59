"""Who feeds whom, table by table, and what the SQL files say about the grain of their tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError
from dx_pipeline.lineage.column_ref import ColumnRef
from dx_pipeline.lineage.graph import SOURCE, LineageGraph
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import Mart

_CREATE = re.compile(r"^create (?:table(?: if not exists)?|(?:or replace )?view) ([a-z_]+\.[a-z0-9_]+)", re.M | re.I)
_QUESTION = re.compile(r"^\d+\. ([^\n]+)\n\n```sql\n(.*?)```", re.M | re.S)


@dataclass(frozen=True)
class Origin:
    """A column of a source that a column of the warehouse is computed from."""

    dataset_id: str
    column: str
    classification: str


@dataclass
class Flow:
    """Lineage between datasets (``dataset:<id>``) and tables."""

    above: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    below: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    loaded_by: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, source: str, target: str) -> None:
        if source != target:
            self.above[target].add(source)
            self.below[source].add(target)

    def datasets_of(self, table: str) -> list[str]:
        """Datasets whose rows the table holds: those that fill it, else those behind what it is computed from."""
        if self.loaded_by.get(table):
            return sorted(self.loaded_by[table])
        found: set[str] = set()
        seen, waiting = {table}, [table]
        while waiting:
            one = waiting.pop()
            found |= self.loaded_by.get(one, set())
            waiting += [other for other in self.above.get(one, ()) if other not in seen]
            seen |= self.above.get(one, set())
        return sorted(found)


def read_flow(contracts: Iterable[Contract], marts: Sequence[Mart], graph: LineageGraph) -> Flow:
    """Edges between datasets, tables and marts, from the column lineage and the load files."""
    flow = Flow()
    stage = {f"stage.{one.stage_table}": one.id for one in contracts}
    for contract in contracts:
        try:
            load_file = parse_load_file(contract.load_path)
        except DxError:
            continue
        for target in load_file.targets:
            flow.add(f"dataset:{contract.id}", target)
        for target in load_file.filled:
            flow.loaded_by[target].add(contract.id)
    for table in graph.tables():
        if table.startswith((f"{SOURCE}:", "stage.")):
            continue
        for column in graph.columns(table):
            for source in graph.sources(ColumnRef(table, column)):
                flow.add(f"dataset:{stage[source.table]}" if source.table in stage else source.table, table)
    for mart in marts:
        if not flow.above.get(mart.table):  # SQL that the lineage could not read: what its header says
            for name in mart.depends_on:
                flow.add(f"dataset:{name}", mart.table)
    return flow


def read_origins(contracts: Iterable[Contract], graph: LineageGraph) -> dict[ColumnRef, list[Origin]]:
    """The source columns behind every column; a hash over whole rows has none worth naming."""
    known = {
        ColumnRef(f"{SOURCE}:{one.system}.{one.source.label}", column.source_name): Origin(
            one.id, column.source_name, column.classification
        )
        for one in contracts
        for column in one.columns
    }
    found: dict[ColumnRef, list[Origin]] = {}
    for table in graph.tables():
        if table.startswith((f"{SOURCE}:", "stage.")):
            continue
        for name in graph.columns(table):
            if name != "row_hash":
                column = ColumnRef(table, name)
                found[column] = [known[one] for one in graph.origins(column) if one in known]
    return found


def read_grains(roots: Sequence[Path], marts: Sequence[Mart]) -> dict[str, str]:
    """``schema.table`` → the grain that the SQL file states (English), of marts and of migrations."""
    grains: dict[str, str] = {}
    for root in roots:
        for path in sorted((root / "warehouse_sql" / "migrations").glob("*.sql")):
            text = path.read_text(encoding="utf-8")
            for match in _CREATE.finditer(text):
                comment = _comment_before(text, match.start())
                if comment.startswith("Grain:"):
                    grains.setdefault(match[1], comment.removeprefix("Grain:").strip())
            head = _comment_before(text, _length_of_head(text))
            first = _CREATE.search(text)
            if first is not None and head.startswith("Grain:"):
                grains.setdefault(first[1], head.removeprefix("Grain:").strip())
    return grains | {one.table: one.grain.removeprefix("Grain:").strip() for one in marts if one.grain}


def read_questions(roots: Sequence[Path]) -> list[tuple[str, str]]:
    """Sample questions (English) and their SQL from the guides for BI; every one of them is run by a test."""
    found: list[tuple[str, str]] = []
    for root in roots:
        guide = root / "docs" / "for-bi.md"
        if guide.is_file():
            found += [(match[1], match[2].strip()) for match in _QUESTION.finditer(guide.read_text(encoding="utf-8"))]
    return found


def _length_of_head(text: str) -> int:
    length = 0
    for line in text.splitlines(keepends=True):
        if not line.startswith("--"):
            break
        length += len(line)
    return length


def _comment_before(text: str, position: int) -> str:
    lines: list[str] = []
    for line in reversed(text[:position].splitlines()):
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(reversed(lines))
