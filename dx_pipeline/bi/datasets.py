"""Datasets of a BI tool: the marts with the labels of the warehouse's comments and the metrics of the indicators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.indicator import Indicator
from dx_pipeline.warehouse.indicator_value import indicator_expression, latest_rows_sql

_MARTS = """
select
    d.table_name,
    d.column_name,
    d.data_type,
    d.comment_vi,
    d.comment_en
from ops.data_dictionary as d
where d.schema_name = 'mart' and has_table_privilege('dx_bi', to_regclass(format('mart.%I', d.table_name)), 'select')
order by d.table_name, d.position
"""
_TIMES = ("date", "timestamp")
_ENDS_OF_LABEL = tuple(re.compile(rf"\s*[{ends}].*$", re.DOTALL) for ends in (":;(.,", ":;(."))
LATEST = "__latest"


@dataclass(frozen=True)
class Column:
    """A column: a short label in Vietnamese, and the whole comment in both languages."""

    name: str
    data_type: str
    label: str
    description: str

    @property
    def is_time(self) -> bool:
        return self.data_type.startswith(_TIMES)


@dataclass(frozen=True)
class Metric:
    """An indicator over the rows of a dataset."""

    name: str
    label: str
    expression: str
    description: str
    decimals: int


@dataclass(frozen=True)
class Dataset:
    """A mart, or (``sql``) the rows of a mart in its last period."""

    name: str
    mart: str
    description: str
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]
    sql: str | None = None

    @property
    def times(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.is_time)


def read_datasets(connection: Connection, indicators: Sequence[Indicator]) -> dict[str, Dataset]:
    """Every mart that ``dx_bi`` may read, by name; of marts with stocks also their last period, ``<mart>__latest``."""
    comments: dict[str, str] = {}
    columns: dict[str, list[Column]] = {}
    for row in connection.execute(sa.text(_MARTS)):
        vi, en = row.comment_vi or row.column_name or row.table_name, row.comment_en or ""
        if row.column_name is None:
            comments[row.table_name] = f"{vi} | {en}"
            continue
        columns.setdefault(row.table_name, []).append(Column(row.column_name, row.data_type, vi, f"{vi} | {en}"))
    found = {}
    for name, commented in columns.items():
        of_mart = _labelled(commented)
        shown = [indicator for indicator in indicators if indicator.mart == name]
        metrics = tuple(_metric(indicator) for indicator in shown)
        found[name] = Dataset(name, name, comments.get(name, ""), of_mart, metrics)
        stocks = [one for one in shown if one.time is not None and one.time.over_time == "latest"]
        if stocks and stocks[0].time is not None:
            sql = latest_rows_sql(name, stocks[0].time.column)
            described = f"Kỳ mới nhất | Last period only: {comments.get(name, '')}"
            found[name + LATEST] = Dataset(name + LATEST, name, described, of_mart, metrics, sql)
    return found


def _labelled(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The beginning of each comment as its label: as short as it can be without two columns having the same."""
    labels = [[end.sub("", column.label).strip() or column.name for end in _ENDS_OF_LABEL] for column in columns]
    labels = [[*some, column.label] for some, column in zip(labels, columns, strict=True)]
    chosen = []
    for column, own in zip(columns, labels, strict=True):
        others = [label for some in labels if some is not own for label in some]
        label = next((one for one in own if one not in others), column.label)
        chosen.append(replace(column, label=label))
    return tuple(chosen)


def _metric(indicator: Indicator) -> Metric:
    unit = f", {indicator.unit.vi}" if indicator.unit.vi else ""
    target = "" if indicator.target is None else f" Mục tiêu | target: {indicator.target:g}."
    return Metric(
        name=indicator.id,
        label=f"{indicator.name.vi}{unit}",
        expression=indicator_expression(indicator),
        description=f"{indicator.formula.vi} | {indicator.formula.en}.{target} {indicator.source.text.vi}",
        decimals=indicator.decimals,
    )
