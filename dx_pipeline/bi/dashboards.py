"""Dashboards as they are declared in ``bi/superset/dashboards.yaml``: which indicator or mart is shown how, and where.

Titles, units and formulas of indicators, labels of columns: none of it is written there; it comes from
``assets/indicators`` and from the comments of the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dx_pipeline.contract.indicator import Indicator, TwoLanguages, check_fragment
from dx_pipeline.errors import ContractError
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.yaml_document import parse_yaml

DASHBOARDS = PROJECT_ROOT / "bi" / "superset" / "dashboards.yaml"
COLUMNS_OF_GRID = 12
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Chart(_Part):
    """One chart.

    Attributes:
        show: ``number`` the figure and its trend, ``trend`` lines by period, ``ranking`` bars by a dimension, ``table``
            indicators by a dimension, ``list`` rows of a mart.
        indicators: what is shown; none for a ``list``.
        by: dimension of a ``ranking`` or ``table``, as the indicator names it.
        mart, columns, order_by: for a ``list``; ``order_by`` begins with ``-`` for the largest first.
        where: for a ``list``: which rows of the mart, one SQL expression.
        title: the indicator's name if left out.
        width: of 12.
    """

    show: Literal["number", "trend", "ranking", "table", "list"]
    indicators: tuple[Name, ...] = ()
    by: Name | None = None
    mart: Name | None = None
    columns: tuple[Name, ...] = ()
    order_by: str | None = None
    where: str | None = None
    rows: Annotated[int, Field(ge=1, le=1000)] = 20
    title: TwoLanguages | None = None
    width: Annotated[int, Field(ge=2, le=COLUMNS_OF_GRID)]

    @model_validator(mode="after")
    def _is_whole(self) -> Chart:
        if self.show == "list":
            if self.mart is None or not self.columns or self.title is None or self.indicators:
                raise ValueError("a list needs mart, columns and title, and has no indicators")
            if self.where is not None:
                check_fragment("where", self.where, aggregated=False)
        elif not self.indicators or self.mart is not None or self.columns or self.where is not None:
            raise ValueError(f"a {self.show} needs indicators, and has no mart, no columns and no where")
        if (self.show in ("ranking", "table")) != (self.by is not None):
            raise ValueError("by belongs to a ranking or table, and each of them needs it")
        if self.show in ("number", "ranking") and len(self.indicators) != 1:
            raise ValueError(f"a {self.show} shows one indicator")
        if len(self.indicators) > 1 and self.title is None:
            raise ValueError("several indicators need a title")
        return self


class Row(_Part):
    """Charts side by side; ``height`` in eighths of 64 pixels, as Superset counts."""

    height: Annotated[int, Field(ge=10, le=120)]
    charts: Annotated[tuple[Chart, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Row:
        if sum(chart.width for chart in self.charts) > COLUMNS_OF_GRID:
            raise ValueError(f"a row is {COLUMNS_OF_GRID} wide")
        return self


class Dashboard(_Part):
    """One dashboard; ``id`` is its address (``/superset/dashboard/<id>/``) and its identity."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,40}$")]
    title: TwoLanguages
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(chart for row in self.rows for chart in row.charts)


class _Document(_Part):
    dashboards: Annotated[tuple[Dashboard, ...], Field(min_length=1)]


def load_dashboards(indicators: Sequence[Indicator], path: Path = DASHBOARDS) -> tuple[Dashboard, ...]:
    """The dashboards, checked against the indicators they show.

    Raises:
        ContractError: the file is broken or names an indicator or dimension that is not declared.
    """
    try:
        document: Any = parse_yaml(path.read_text(encoding="utf-8"))
        dashboards = _Document.model_validate(document).dashboards
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ContractError(f"dashboards {path}: {place}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise ContractError(f"dashboards {path}: {error}") from None
    known = {indicator.id: indicator for indicator in indicators}
    if len({dashboard.id for dashboard in dashboards}) != len(dashboards):
        raise ContractError(f"dashboards {path}: an id is used twice")
    for dashboard in dashboards:
        for chart in dashboard.charts:
            _check(path, dashboard, chart, known)
    return dashboards


def _check(path: Path, dashboard: Dashboard, chart: Chart, known: Mapping[str, Indicator]) -> None:
    where = f"dashboards {path}: {dashboard.id}"
    for name in chart.indicators:
        if name not in known:
            raise ContractError(f"{where}: indicator {name} is not declared", next_step=f"known: {', '.join(known)}")
        indicator = known[name]
        if chart.by is not None and chart.by not in indicator.by:
            raise ContractError(
                f"{where}: indicator {name} is not known by {chart.by}", next_step=f"known: {', '.join(indicator.by)}"
            )
        if chart.show == "trend" and (indicator.time is None or indicator.time.unit != "month"):
            raise ContractError(f"{where}: indicator {name} has no months to draw a trend of")
    shown = [known[name] for name in chart.indicators]
    if len({(one.mart, one.time and one.time.over_time) for one in shown}) > 1:
        raise ContractError(
            f"{where}: the indicators of one chart must stand on one mart: {', '.join(chart.indicators)}"
        )
