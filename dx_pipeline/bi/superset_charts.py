"""One declared chart in Superset's words: its controls (``params``) and the query that its data API takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dx_pipeline.bi.dashboards import Chart
from dx_pipeline.bi.datasets import LATEST, Dataset
from dx_pipeline.contract.indicator import Indicator
from dx_pipeline.errors import ContractError
from dx_pipeline.warehouse.indicator_value import indicator_expression

Json = dict[str, Any]
SHOWN_DECIMALS = 1
_MOST_ROWS = 1_000  # of a table; it has pages


@dataclass(frozen=True)
class ChartInSuperset:
    """Name, kind, dataset, controls and query of one chart."""

    name: str
    kind: str
    dataset: Dataset
    params: Json
    query: Json


def chart_in_superset(
    chart: Chart, indicators: Mapping[str, Indicator], datasets: Mapping[str, Dataset]
) -> ChartInSuperset:
    """Translate one chart.

    Raises:
        ContractError: its mart is not in the warehouse or lacks a column.
    """
    if chart.show == "list":
        return _list(chart, datasets)
    shown = [indicators[name] for name in chart.indicators]
    first = shown[0]
    is_stock = first.time is not None and first.time.over_time == "latest"
    name = first.mart + LATEST if is_stock and chart.show in ("ranking", "table") else first.mart
    dataset = _dataset(datasets, name)
    title = chart.title.vi if chart.title else _title(chart, first)
    digits = f",.{min(first.decimals, SHOWN_DECIMALS)}f"
    if chart.show == "number":
        return _number(title, first, dataset, digits)
    if chart.show == "trend":
        assert first.time is not None
        return _trend(title, shown, first.time.column, dataset, digits)
    assert chart.by is not None
    dimension = first.by[chart.by]
    label = dimension.label or dimension.key
    if chart.show == "ranking":
        return _ranking(title, first, label, chart.rows, dataset, digits)
    return _table(title, shown, label, chart.rows, dataset)


def _number(title: str, indicator: Indicator, dataset: Dataset, digits: str) -> ChartInSuperset:
    unit = indicator.unit.vi if indicator.target is None else f"{indicator.unit.vi}, mục tiêu {indicator.target:g}"
    params: Json = {
        "metric": indicator.id,
        "y_axis_format": digits,
        "header_font_size": 0.4,
        "subheader_font_size": 0.2,
        "adhoc_filters": _filters([indicator]),
    }
    if indicator.time is None or indicator.time.unit != "month":
        params |= {"subheader": unit, "header_font_size": 0.3, "subheader_font_size": 0.125}
        return ChartInSuperset(title, "big_number_total", dataset, params, _query([], [indicator]))
    time = indicator.time.column
    params |= {
        "x_axis": time,
        "time_grain_sqla": "P1M",
        "show_trend_line": True,
        "start_y_axis_at_zero": False,
        "time_format": "%m/%Y",
        "show_timestamp": True,
        "subtitle": unit,
        "subtitle_font_size": 0.2,
        "adhoc_filters": [_any_time(time), *_filters([indicator])],
    }
    return ChartInSuperset(title, "big_number", dataset, params, _query([time], [indicator], by=(time, True)))


def _trend(title: str, shown: list[Indicator], time: str, dataset: Dataset, digits: str) -> ChartInSuperset:
    params: Json = {
        "x_axis": time,
        "time_grain_sqla": "P1M",
        "metrics": [one.id for one in shown],
        "groupby": [],
        "seriesType": "line",
        "markerEnabled": True,
        "markerSize": 5,
        "show_legend": len(shown) > 1,
        "legendOrientation": "top",
        "legendType": "scroll",
        "rich_tooltip": True,
        "tooltipTimeFormat": "%m/%Y",
        "x_axis_time_format": "%m/%Y",
        "y_axis_format": digits,
        "truncateYAxis": True,
        "y_axis_bounds": [None, None],
        "row_limit": 10000,
        "adhoc_filters": [_any_time(time), *_filters(shown)],
    }
    return ChartInSuperset(title, "echarts_timeseries_line", dataset, params, _query([time], shown, by=(time, True)))


def _ranking(title: str, indicator: Indicator, label: str, rows: int, dataset: Dataset, digits: str) -> ChartInSuperset:
    """The largest first: those with the most to mend where less is better, the best where more is."""
    params: Json = {
        "x_axis": label,
        "metrics": [indicator.id],
        "groupby": [],
        "orientation": "horizontal",
        "x_axis_sort": indicator.id,
        "x_axis_sort_asc": True,
        "show_legend": False,
        "show_value": True,
        "rich_tooltip": True,
        "y_axis_format": digits if indicator.decimals else ",~r",  # an axis from 0 to 1 has parts
        "row_limit": rows,
        "order_desc": True,
        "truncate_metric": True,
        "zoomable": False,
        "adhoc_filters": [*_times_of(indicator, dataset), *_filters([indicator], parts=True)],
    }
    return ChartInSuperset(
        title,
        "echarts_timeseries_bar",
        dataset,
        params,
        _query([label], [indicator], by=(indicator.id, False), rows=rows, parts=True),
    )


def _table(title: str, shown: list[Indicator], label: str, rows: int, dataset: Dataset) -> ChartInSuperset:
    metrics = [one.id for one in shown]
    params: Json = {
        "query_mode": "aggregate",
        "groupby": [label],
        "metrics": metrics,
        "all_columns": [],
        "order_desc": True,
        "timeseries_limit_metric": metrics[0],
        "row_limit": _MOST_ROWS,
        "page_length": rows,
        "show_cell_bars": True,
        "table_timestamp_format": "%d/%m/%Y",
        "adhoc_filters": [*_times_of(shown[0], dataset), *_filters(shown, parts=True)],
    }
    query = _query([label], shown, by=(metrics[0], False), rows=_MOST_ROWS, parts=True)
    return ChartInSuperset(title, "table", dataset, params, query)


def _list(chart: Chart, datasets: Mapping[str, Dataset]) -> ChartInSuperset:
    assert chart.mart is not None
    assert chart.title is not None
    dataset = _dataset(datasets, chart.mart)
    known = {column.name for column in dataset.columns}
    order = chart.order_by or chart.columns[0]
    for name in (*chart.columns, order.removeprefix("-")):
        if name not in known:
            raise ContractError(f"chart {chart.title.vi!r}: mart.{chart.mart} has no column {name}")
    by = (order.removeprefix("-"), not order.startswith("-"))
    params: Json = {
        "query_mode": "raw",
        "all_columns": list(chart.columns),
        "groupby": [],
        "metrics": [],
        "order_by_cols": [f'["{by[0]}", {str(by[1]).lower()}]'],
        "row_limit": _MOST_ROWS,
        "page_length": chart.rows,
        "show_cell_bars": True,
        "table_timestamp_format": "%d/%m/%Y",
        "adhoc_filters": [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": chart.where}]
        if chart.where
        else [],
    }
    query = _query(list(chart.columns), None, by=by, rows=_MOST_ROWS)
    if chart.where:
        query["extras"]["where"] = f"({chart.where})"
    return ChartInSuperset(chart.title.vi, "table", dataset, params, query)


def _query(
    columns: list[str],
    shown: list[Indicator] | None,
    *,
    by: tuple[str, bool] | None = None,
    rows: int = 10_000,
    parts: bool = False,
) -> Json:
    filters = _filters(shown or [], parts=parts)
    clauses = {
        name: " AND ".join(f"({one['sqlExpression']})" for one in filters if one["clause"] == name.upper())
        for name in ("where", "having")
    }
    return {
        "columns": columns,
        "metrics": None if shown is None else [one.id for one in shown],
        "filters": [],
        "orderby": [list(by)] if by else [],
        "row_limit": rows,
        "extras": clauses,
        "annotation_layers": [],
    }


def _filters(shown: list[Indicator], *, parts: bool = False) -> list[Json]:
    """Rows that count; where it is asked by parts, only those for which the first indicator is applicable."""
    conditions = {one.condition for one in shown}
    clauses = [("WHERE", one) for one in conditions if one is not None and len(conditions) == 1]
    if parts and shown[0].denominator:
        clauses.append(("HAVING", f"{indicator_expression(shown[0])} is not null"))
    return [{"clause": clause, "expressionType": "SQL", "sqlExpression": text} for clause, text in clauses]


def _any_time(column: str) -> Json:
    """Where the time filter of the dashboard takes hold."""
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "operator": "TEMPORAL_RANGE",
        "subject": column,
        "comparator": "No filter",
    }


def _times_of(indicator: Indicator, dataset: Dataset) -> list[Json]:
    has_months = indicator.time is not None and indicator.time.unit == "month" and dataset.sql is None
    return [_any_time(indicator.time.column)] if has_months and indicator.time is not None else []


def _dataset(datasets: Mapping[str, Dataset], name: str) -> Dataset:
    if name not in datasets:
        raise ContractError(f"mart.{name} is not in the warehouse", next_step="run `dx run` once: it makes the marts")
    return datasets[name]


def _title(chart: Chart, indicator: Indicator) -> str:
    if chart.by is None:
        return indicator.name.vi
    words = {"agency": "cơ quan", "commune": "xã", "district": "huyện", "unit": "bộ phận", "group": "nhóm"}
    words |= {
        "department": "cơ quan",
        "field": "lĩnh vực",
        "kind": "loại",
        "dataset": "tập dữ liệu",
        "system": "hệ thống",
        "component": "thành phần",
    }
    return f"{indicator.name.vi} theo {words.get(chart.by, chart.by)}"
