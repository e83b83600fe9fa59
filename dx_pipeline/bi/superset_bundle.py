"""Superset's import bundle: one database, the marts as datasets, the declared dashboards and their charts, as YAML in a zip.

What is made has an identity (UUID) that follows from its name, so that importing again brings the same things up to date.
"""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import yaml
from sqlalchemy.engine import URL

from dx_pipeline.bi.dashboards import Chart, Dashboard
from dx_pipeline.bi.datasets import Dataset
from dx_pipeline.bi.superset_charts import SHOWN_DECIMALS, ChartInSuperset, chart_in_superset
from dx_pipeline.contract.indicator import Indicator

DATABASE_NAME = "Kho dữ liệu tỉnh"
DATABASE_FILE = "databases/kho_du_lieu_tinh.yaml"
_SPACE = uuid.UUID("6c3f0b0e-6b5d-5e39-9a57-6d1f5f1d7a11")
_VERSION = "1.0.0"
_HOURS_FROM_UTC = 7  # LOCAL_TIME_ZONE; it has no summer time
_STAMP = (2024, 1, 1, 0, 0, 0)  # the same content gives the same bytes
_HIDDEN_PASSWORD = "XXXXXXXXXX"  # what Superset puts where it asks for the password
Json = dict[str, Any]


def identity(kind: str, name: str) -> str:
    """UUID of a thing by its kind and name."""
    return str(uuid.uuid5(_SPACE, f"{kind}:{name}"))


def bundle(
    url: URL,
    datasets: Mapping[str, Dataset],
    dashboards: Sequence[Dashboard],
    indicators: Sequence[Indicator],
    *,
    kind: Literal["assets", "Dashboard"],
) -> bytes:
    """The zip file.

    Args:
        url: address, database and login of the warehouse; its password does not get into the file.
        kind: ``assets`` replaces what is there (``dx bi superset load``), ``Dashboard`` is what the import button takes.
    """
    files: dict[str, Json] = {
        "metadata.yaml": {"version": _VERSION, "type": kind, "timestamp": "2024-01-01T00:00:00+00:00"},
        DATABASE_FILE: _database(url),
    }
    for dataset in datasets.values():
        files[f"datasets/kho_du_lieu_tinh/{dataset.name}.yaml"] = _dataset(dataset)
    known = {indicator.id: indicator for indicator in indicators}
    for dashboard in dashboards:
        charts = [(chart, chart_in_superset(chart, known, datasets)) for chart in dashboard.charts]
        for number, (_, made) in enumerate(charts, start=1):
            files[f"charts/{_chart_key(dashboard, number)}.yaml"] = _chart(made, _chart_key(dashboard, number))
        files[f"dashboards/{dashboard.id}.yaml"] = _dashboard(dashboard, charts)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            text = yaml.safe_dump(files[name], allow_unicode=True, sort_keys=False, width=1000)
            archive.writestr(zipfile.ZipInfo(f"kho_du_lieu_tinh/{name}", _STAMP), text)
    return written.getvalue()


def _database(url: URL) -> Json:
    place = url.set(drivername="postgresql+psycopg2", password=_HIDDEN_PASSWORD, query={})
    return {
        "database_name": DATABASE_NAME,
        "sqlalchemy_uri": place.render_as_string(hide_password=False),
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": True, "metadata_params": {}, "engine_params": {}},
        "uuid": identity("database", DATABASE_NAME),
        "version": _VERSION,
    }


def _dataset(dataset: Dataset) -> Json:
    return {
        "table_name": dataset.name,
        "main_dttm_col": next(iter(dataset.times), None),
        "description": dataset.description,
        "schema": "mart",
        # Superset cuts days into months as instants of the local zone and shows them as UTC: hours to add again.
        "offset": _HOURS_FROM_UTC,
        "sql": dataset.sql,
        "filter_select_enabled": True,
        "uuid": identity("dataset", dataset.name),
        "metrics": [
            {
                "metric_name": metric.name,
                "verbose_name": metric.label,
                "metric_type": None,
                "expression": metric.expression,
                "description": metric.description,
                "d3format": f",.{min(metric.decimals, SHOWN_DECIMALS)}f",
            }
            for metric in dataset.metrics
        ]
        + [{"metric_name": "count", "verbose_name": "Số dòng", "metric_type": "count", "expression": "COUNT(*)"}],
        "columns": [
            {
                "column_name": column.name,
                "verbose_name": column.label,
                "is_dttm": column.is_time,
                "is_active": True,
                "type": column.data_type.upper(),
                "groupby": True,
                "filterable": True,
                "description": column.description,
            }
            for column in dataset.columns
        ],
        "version": _VERSION,
        "database_uuid": identity("database", DATABASE_NAME),
    }


def _chart(chart: ChartInSuperset, key: str) -> Json:
    params = {"viz_type": chart.kind, **chart.params}
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [chart.query],
        "form_data": params,
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart.name,
        "viz_type": chart.kind,
        "params": params,
        "query_context": json.dumps(context, ensure_ascii=False),
        "uuid": identity("chart", key),
        "version": _VERSION,
        "dataset_uuid": identity("dataset", chart.dataset.name),
    }


def _dashboard(dashboard: Dashboard, charts: Sequence[tuple[Chart, ChartInSuperset]]) -> Json:
    position: Json = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title.vi}},
    }
    number = 0
    for place, row in enumerate(dashboard.rows, start=1):
        row_id = f"ROW-{place}"
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "type": "ROW",
            "id": row_id,
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart in row.charts:
            number += 1
            chart_id = f"CHART-{number}"
            position[row_id]["children"].append(chart_id)
            position[chart_id] = {
                "type": "CHART",
                "id": chart_id,
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", row_id],
                "meta": {
                    "chartId": number,
                    "uuid": identity("chart", _chart_key(dashboard, number)),
                    "sliceName": charts[number - 1][1].name,
                    "width": chart.width,
                    "height": row.height,
                },
            }
    return {
        "dashboard_title": dashboard.title.vi,
        "description": dashboard.title.en,
        "slug": dashboard.id,
        "uuid": identity("dashboard", dashboard.id),
        "published": True,
        "position": position,
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "native_filter_configuration": [_time_filter(dashboard)],
        },
        "version": _VERSION,
    }


def _time_filter(dashboard: Dashboard) -> Json:
    return {
        "id": "NATIVE_FILTER-" + re.sub("[^a-z0-9]", "", dashboard.id),
        "name": "Kỳ số liệu",
        "filterType": "filter_time",
        "type": "NATIVE_FILTER",
        "targets": [{}],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "controlValues": {"enableEmptyFilter": False},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "description": "",
    }


def _chart_key(dashboard: Dashboard, number: int) -> str:
    return f"{dashboard.id}-{number:02d}"
