"""`bi/superset/dashboards.yaml`: what it may hold, what is told where it is wrong, and the aggregates that metrics become."""

from __future__ import annotations

from pathlib import Path

import pytest

from dx_pipeline.bi.dashboards import load_dashboards
from dx_pipeline.contract.indicator import Indicator, load_indicators
from dx_pipeline.errors import ContractError
from dx_pipeline.warehouse.indicator_value import indicator_expression
from tests.conftest import ROOT

INDICATORS = {one.id: one for one in load_indicators([ROOT])}
HEAD = "dashboards:\n- id: thu-nghiem\n  title: {vi: Thử, en: Trial}\n  rows:\n  - height: 20\n    charts:\n"


def test_the_dashboards_of_the_province_are_declared() -> None:
    dashboards = load_dashboards(list(INDICATORS.values()))
    assert [dashboard.id for dashboard in dashboards] == [
        "tong-quan-dieu-hanh", "mot-cua", "diem-xep-hang", "dinh-danh-dien-tu", "nhiem-vu", "chat-luong-du-lieu",
    ]  # fmt: skip
    for dashboard in dashboards:
        assert (ROOT / "docs" / f"superset-{dashboard.id}.png").stat().st_size < 300_000


@pytest.mark.parametrize(
    ("chart", "what"),
    [
        ("{show: number, indicators: [x_rate], width: 3}", "indicator x_rate is not declared"),
        ("{show: ranking, indicators: [on_time_766], by: commune, width: 3}", "is not known by commune"),
        ("{show: ranking, indicators: [on_time_766], width: 3}", "each of them needs it"),
        ("{show: trend, indicators: [overdue_now], width: 3}", "has no months"),
        ("{show: list, mart: dossier_late_now, columns: [open], width: 3}", "a list needs mart, columns and title"),
        (
            "{show: list, mart: x, columns: [open], title: {vi: a, en: b}, where: 'a; drop', width: 3}",
            "must be one expression",
        ),
        ("{show: number, indicators: [on_time_766], where: a > 1, width: 3}", "no where"),
        ("{show: number, indicators: [on_time_766], width: 13}", "less than or equal to 12"),
        ("{show: pie, indicators: [on_time_766], width: 3}", "Input should be 'number'"),
        (
            "{show: table, by: agency, indicators: [on_time_766, online_rate], title: {vi: a, en: b}, width: 3}",
            "must stand on one mart",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, chart: str, what: str) -> None:
    file = tmp_path / "dashboards.yaml"
    file.write_text(f"{HEAD}    - {chart}\n", encoding="utf-8")
    with pytest.raises(ContractError, match=what) as told:
        load_dashboards(list(INDICATORS.values()), file)
    assert str(file) in told.value.what


def changed(indicator: str, **values: object) -> Indicator:
    return INDICATORS[indicator].model_copy(update=values)


def test_a_condition_stands_in_each_aggregate() -> None:
    assert indicator_expression(INDICATORS["on_time_766"]) == (
        "round(cast(sum(on_time_766) as numeric) / nullif(cast(sum(on_time_766 + overdue_766) as numeric), 0) * 100.0, 2)"
    )
    assert indicator_expression(INDICATORS["eid_issued"]).lower() == (
        "round(cast(sum(issued) filter(where commune_sk > 0) as numeric) * 1, 0)"
    )
    both = changed("eid_issued", numerator="sum(a) - count(*) filter (where b)", condition="c or d")
    assert indicator_expression(both).lower() == (
        "round(cast(sum(a) filter(where c or d) - count(*) filter(where b and (c or d)) as numeric) * 1, 0)"
    )
