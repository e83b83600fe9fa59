"""Indicators: what a declaration may hold, and the statement it becomes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dx_pipeline.cli.metrics import indicator_markdown
from dx_pipeline.contract.indicator import Indicator, load_indicators
from dx_pipeline.errors import ContractError, SettingsError
from dx_pipeline.warehouse.indicator_value import indicator_sql
from dx_pipeline.warehouse.marts import load_marts
from tests.conftest import ROOT

TEXT = {"vi": "tên", "en": "name"}
DECLARED: dict[str, Any] = {
    "id": "probe",
    "name": TEXT,
    "formula": TEXT,
    "mart": "probe",
    "numerator": "sum(done)",
    "denominator": "sum(received)",
    "factor": 100,
    "grain": TEXT,
    "by": {"agency": {"key": "agency_code", "label": "agency_name"}},
    "time": {"column": "month", "unit": "month", "over_time": "latest"},
    "unit": TEXT,
    "direction": "higher_is_better",
    "target": None,
    "source": {"kind": "other", "text": TEXT},
}


def write(folder: Path, **changes: object) -> Path:
    target = folder / "assets" / "indicators"
    target.mkdir(parents=True, exist_ok=True)
    (target / "probe.yaml").write_text(yaml.safe_dump({**DECLARED, **changes}, allow_unicode=True), encoding="utf-8")
    return folder


def test_the_projects_indicators_are_over_marts_that_exist() -> None:
    indicators = load_indicators([ROOT])
    marts = {mart.name for mart in load_marts([ROOT])} | {"quality_by_dataset_week"}
    assert len(indicators) >= 15
    assert {one.mart for one in indicators} <= marts


def test_the_guide_shows_the_declarations() -> None:
    guide = (ROOT / "docs" / "for-bi.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- indicators: [^\n]+ -->\n(.*?)<!-- end of indicators -->", guide, re.S)
    assert shown is not None
    assert shown[1] == indicator_markdown(load_indicators([ROOT])), "write the table anew: dx metrics -f markdown"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"numerator": "done"}, "must aggregate rows"),
        ({"numerator": "sum(done"}, "no SQL expression"),
        ({"numerator": "sum(done); select 1"}, "one expression"),
        ({"numerator": "sum(done), sum(late)"}, "one expression"),
        ({"numerator": "sum(done) from mart.other"}, "one expression"),
        ({"numerator": "(select sum(x) from core.fact_dossier)"}, "one expression"),
        ({"numerator": "sum(done) as x"}, "one expression"),
        ({"denominator": "received"}, "must aggregate rows"),
        ({"condition": "sum(done) > 1"}, "no sum, no count"),
        ({"condition": "true group by 1"}, "one expression"),
        ({"by": {"month": {"key": "month"}}}, "is the time already"),
        ({"weight": 3}, "weight"),
        ({"direction": "up"}, "direction"),
        ({"mart": "mart.probe"}, "mart"),
        ({"mart": "probe\n"}, "mart"),
        ({"id": "other"}, "must be other.yaml"),
    ],
)
def test_a_broken_declaration_is_refused_with_its_place(tmp_path: Path, change: dict[str, object], told: str) -> None:
    with pytest.raises(ContractError) as refused:
        load_indicators([write(tmp_path, **change)])
    assert "probe.yaml" in refused.value.what
    assert told in refused.value.what


def test_an_id_is_declared_once(tmp_path: Path) -> None:
    folders = [write(tmp_path / name) for name in ("a", "b")]
    with pytest.raises(ContractError, match="declared by"):
        load_indicators(folders)


def test_a_stock_is_taken_at_its_last_period_unless_shown_by_period() -> None:
    indicator = Indicator.model_validate(DECLARED)
    assert "select max(m.month)" in indicator_sql(indicator, ["agency"])
    assert "select max(m.month)" not in indicator_sql(indicator, ["month"])


def test_an_unknown_breakdown_names_the_known_ones() -> None:
    with pytest.raises(SettingsError) as refused:
        indicator_sql(Indicator.model_validate(DECLARED), ["commune"])
    assert refused.value.next_step == "known: agency, month"
