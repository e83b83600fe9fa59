"""The statements that ``run_load`` sends for a load file, written down instead of run.

The publishing code itself is called; only the connection below it keeps the texts and answers what drives every branch:
a server with Citus, a month that is new and one that is not, members to complete and to close. Nothing is asserted
about rows here; what the statements do is tested on a real server in tests/integration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pglast
import sqlalchemy as sa
from pglast import ast
from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.load_file import LoadFile
from dx_pipeline.warehouse.merge import LoadBinds, run_load
from tests.citus.catalog import Catalog

NEW_MONTH, KNOWN_MONTH = date(2024, 5, 1), date(2024, 4, 1)


class Row(dict[str, Any]):
    """A row that is read by position, by name or as an attribute."""

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())


@dataclass
class Answer:
    """What the server would answer: rows, or column names only."""

    rows: list[Row]
    names: list[str] = field(default_factory=list)
    rowcount: int = 0
    returns_rows: bool = False

    def all(self) -> list[Row]:
        return self.rows

    def mappings(self) -> Answer:
        return self

    def scalars(self) -> list[Any]:
        return [next(iter(row)) for row in self.rows]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def one(self) -> Row:
        return self.rows[0]

    def scalar(self) -> Any:
        return next(iter(self.rows[0])) if self.rows else None

    scalar_one = scalar

    def keys(self) -> list[str]:
        return self.names


class Recorder:
    """A connection that writes down what it is sent."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.sent: list[str] = []

    def exec_driver_sql(self, text: str) -> Answer:
        self.sent.append(text)
        return Answer([Row(count=0)])

    def execute(self, clause: sa.TextClause, parameters: Any = None) -> Answer:
        text = str(clause.text)
        if "pg_extension" in text:
            return Answer([Row(extversion="14.0.1")])
        if text == "select to_regclass(:name)":
            return Answer([Row(found=parameters["name"] if parameters["name"] in self.catalog.tables else None)])
        if "indisprimary" in text:
            return Answer([Row(attname=column) for column in self.catalog.tables[parameters["name"]].key])
        if "pg_partitioned_table" in text:
            return self._described(parameters["name"])
        if text.startswith("select * from (") and text.endswith(" limit 0"):
            return Answer([], names=_output_names(text))
        self.sent.append(text)
        if text.startswith("select d.kind"):
            return Answer([Row(kind=None, month=month, held=100_000) for month in (NEW_MONTH, KNOWN_MONTH)])
        if "ops.missing_months" in text:
            return Answer([Row(months=[NEW_MONTH])])
        if "ops.begin_fresh_partitions" in text:
            return Answer([Row(shell="core_partition.fresh")])
        if "dx_change" in text:
            row = Row(dict.fromkeys(_output_names(text), 1))
            return Answer([Row({**row, "dx_change": kind}) for kind in ("complete", "close")])
        kept = {"dx_rejected": False} if "dx_rejected" in text else {}
        if "left join incoming as i" in text or "where d.closed_on is not null" in text:
            return Answer([Row({**dict.fromkeys(_output_names(text), 1), **kept})])
        if text.startswith("with was as materialized"):
            return Answer([Row(undated=0)])
        return Answer([Row(rows=3, inserted=1, updated=1)])

    def _described(self, name: str) -> Answer:
        table = self.catalog.tables[name]
        cut_by = list(table.cut_by) or None
        return Answer([Row(attname=column, partnatts=None, partition_columns=cut_by) for column in table.columns])


def record_load(load: LoadFile, catalog: Catalog) -> list[str]:
    """The statements of one publishing transaction, in order."""
    recorder = Recorder(catalog)
    moment = datetime(2024, 5, 20, 3, tzinfo=UTC)
    delivery = Delivery(read_from=moment, rejected="recorded__rejected")
    if any(step.period for step in load.steps):  # a month read again: only then an upsert closes what vanished
        month = ("2024-04-01T00:00:00", "2024-05-01T00:00:00", "Asia/Ho_Chi_Minh")
        delivery = replace(delivery, extent="period", window=month)
    run_load(cast("Connection", recorder), load, LoadBinds(7, moment, 1, moment), delivery)
    return recorder.sent


def _output_names(text: str) -> list[str]:
    from tests.citus.corpus import BIND

    select = pglast.parse_sql(BIND.sub("$1", text))[0].stmt
    return _names_of(select)


def _names_of(select: ast.SelectStmt) -> list[str]:
    while select.larg is not None:
        select = select.larg
    names: list[str] = []
    for target in select.targetList:
        value = target.val
        if target.name:
            names.append(str(target.name))
        elif isinstance(value, ast.ColumnRef) and isinstance(value.fields[-1], ast.A_Star):
            inner = next(part for part in select.fromClause if isinstance(part, ast.RangeSubselect))
            names += _names_of(inner.subquery)
        elif isinstance(value, ast.ColumnRef):
            names.append(value.fields[-1].sval)
        else:
            raise AssertionError(f"a column without a name: {value}")
    return names
