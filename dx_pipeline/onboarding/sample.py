"""A bounded sample of one relation, read by the same readers that later read it for the warehouse.

A table of up to ``SAMPLE_ROWS`` rows is read whole. Of a larger one with a declared key the first and the last
rows by that key are read (what is oldest and what is newest), without a key the first rows as the source gives
them. Of files the first rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dx_pipeline.contract.loader import MOST_COLUMNS
from dx_pipeline.contract.model import Column, Contract, LoadPolicy, SourceRelation
from dx_pipeline.extract.relation import quoted, source_column
from dx_pipeline.extract.source import SourceColumn, open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.onboarding.relations import KINDS, OnboardingError, Relation, scheme_of

SAMPLE_ROWS = 200_000
SAMPLE_BYTES = 256 * 1024 * 1024
_NOT_SAMPLED = frozenset("json jsonb xml bytea blob binary geometry geography".split())
_BYTES_OF_MYSQL = frozenset(  # PostgreSQL writes its point and polygon as text
    "point linestring polygon multipoint multilinestring multipolygon geometrycollection geomcollection".split()
)


@dataclass(frozen=True)
class Sample:
    """Rows of a relation under their source names; ``columns`` are all it declares, also those not sampled.

    ``table`` holds every column that a contract can read as text or number; documents and bytes are ``left_out``.
    """

    columns: tuple[SourceColumn, ...]
    left_out: tuple[str, ...]
    table: pa.Table
    total_rows: int

    @property
    def is_complete(self) -> bool:
        """True if every row of the relation is in the sample."""
        return bool(self.table.num_rows >= self.total_rows)


def read_sample(relation: Relation, url: str, *, rows: int = SAMPLE_ROWS) -> Sample:
    """Read at most ``rows`` rows.

    Raises:
        SourceUnavailable, SourceDrift, UnreadableSource: as the readers.
        OnboardingError: the relation has no column that can be read.
    """
    if relation.source.is_file:
        contract = _contract(relation.source, relation.header)
        with open_source(contract, url) as reader:
            columns = tuple(reader.describe())
        contract = _contract(relation.source, [column.name for column in columns])
        _refuse_if_too_wide(relation.label, len(columns))
        total, table = _read(contract, url, rows)
        return Sample(columns, (), table, total)
    with open_source(_contract(relation.source, ()), url) as reader:
        columns = tuple(reader.describe())
    not_sampled = _NOT_SAMPLED | (_BYTES_OF_MYSQL if KINDS.get(scheme_of(url)) == "mysql" else frozenset())
    left_out = tuple(c.name for c in columns if c.type_text.split("(")[0] in not_sampled or "blob" in c.type_text)
    names = [column.name for column in columns if column.name not in left_out]
    if not names:
        raise OnboardingError(f"{relation.label} has no column that can be read", next_step="leave this table out")
    _refuse_if_too_wide(relation.label, len(names))
    if any(";" in name for name in (*names, str(relation.source.table))):  # which no query may hold
        total, table = _read(_contract(relation.source, names), url, rows)
        return Sample(columns, left_out, table, total)
    total = _count(relation, url)
    query = _sample_query(relation, url, names, rows, whole=total <= rows)
    _, table = _read(_contract(SourceRelation(kind="query", query=query), names), url, rows)
    return Sample(columns, left_out, table, total)


def _refuse_if_too_wide(label: str, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise OnboardingError(
            f"{label} has {columns:,} columns, a table of the warehouse has at most {MOST_COLUMNS:,}",
            next_step="write the contract by hand with those that figures need (docs/onboard-a-source.md)",
        )


def _read(contract: Contract, url: str, rows: int) -> tuple[int, pa.Table]:
    kept: list[pa.RecordBatch] = []
    held = size = 0
    with open_source(contract, url) as reader:
        extraction = reader.extract(Window("full"))
        for batch in extraction.batches:
            kept.append(batch.slice(0, rows - held))
            held += kept[-1].num_rows
            size += kept[-1].nbytes
            if held >= rows or size >= SAMPLE_BYTES:
                break
        return extraction.source_rows, pa.Table.from_batches(kept, extraction.schema).combine_chunks()


def _count(relation: Relation, url: str) -> int:
    counting = sa.select(sa.func.count().label("rows_held")).select_from(_table(relation))
    contract = _contract(SourceRelation(kind="query", query=_sql(counting, url)), ["rows_held"])
    _, table = _read(contract, url, 1)
    return int(str(table.column(0)[0].as_py()))


def _sample_query(relation: Relation, url: str, names: Sequence[str], rows: int, *, whole: bool) -> str:
    columns = [source_column(name) for name in names]
    everything = sa.select(*columns).select_from(_table(relation))
    if whole or not relation.primary_key:
        return _sql(everything if whole else everything.limit(rows), url)
    key = [source_column(name) for name in relation.primary_key]
    first = everything.order_by(*key).limit(rows // 2).subquery("first_rows")
    last = everything.order_by(*(column.desc() for column in key)).limit(rows - rows // 2).subquery("last_rows")
    halves = [sa.select(*(half.c[name] for name in names)) for half in (first, last)]
    return _sql(sa.union_all(*halves), url)


def _table(relation: Relation) -> sa.TableClause:
    source = relation.source
    return sa.table(quoted(str(source.table)), schema=quoted(source.schema) if source.schema else None)


def _sql(statement: Any, url: str) -> str:
    make: Any = sa.make_url(f"{_DIALECTS[KINDS[scheme_of(url)]]}://").get_dialect()
    dialect = make(paramstyle="named")
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


_DIALECTS = {"postgres": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}


def _contract(source: SourceRelation, names: Sequence[str]) -> Contract:
    """A contract that only reads: every column as text under its source name."""
    return Contract(
        id=f"draft.{source.table or source.path or 'query'}",
        version="0.0.0",
        system="draft",
        dataset="draft",
        purpose_vi="",
        purpose_en="",
        owner_agency="of the source",  # as messages name it: ask the owner ...
        source=replace(source),
        load=LoadPolicy(mode="snapshot", lookback=timedelta(0)),
        columns=tuple(Column(name, name, "text", "string") for name in names),
        row_identity=(),
        rejected_share_cap=1.0,
        min_source_rows=0,
        on_new_column="warn",
        on_widened_type="warn",
        freshness=None,
        depends_on=(),
        left_out=(),
        path=Path("draft.odcs.yaml"),
        root=Path(),
    )
