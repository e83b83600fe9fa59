"""Indicator sets as data: the project's own, and what a file must hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from dx_pipeline.contract.indicator import load_indicators
from dx_pipeline.contract.indicator_set import load_indicator_sets, read_indicator_set
from dx_pipeline.errors import ContractError
from tests.conftest import ROOT

SETS = {one.code: one for one in load_indicator_sets([ROOT])}


def test_decision_766_as_its_text_divides_the_points() -> None:
    """By hand from the Decision: 18, 20, 12 + 10, 22 and 18 points."""
    chosen = SETS["766-2022"]
    assert {group.code: group.max_points for group in chosen.groups} == {
        "CKMB": 18, "TDGQ": 20, "DVCTT": 12, "TTTT": 10, "SHHS": 22, "MDHL": 18,
    }  # fmt: skip
    targets = {one.number: one.target for one in chosen.components if one.target != 1}
    assert targets == {
        number: Decimal(target)
        for number, target in {
            "3.1": "0.8", "3.3": "0.5", "3.5a": "0.8", "3.5b": "0.8", "3.6": "0.3", "4.2": "0.8", "4.3": "0.8", "5.4": "0.9",
        }.items()
    }  # fmt: skip
    assert sum(one.max_points or 0 for one in chosen.components if one.measure) == 74


def test_dti_of_922_has_nine_indices_of_1000_points_and_ends_when_405_begins() -> None:
    dti = SETS["922-2022"]
    points = {"1": 100, "2": 100, "3": 100, "4": 100, "5": 100, "6": 0, "7": 200, "8": 150, "9": 150}
    assert {group.code: group.max_points for group in dti.groups} == points
    assert dti.valid_to == SETS["405-2025"].valid_from
    assert {SETS[code].state for code in ("405-2025", "2793-2022")} == {"placeholder"}


def test_followed_indicators_are_declared() -> None:
    known = {one.id for one in load_indicators([ROOT])}
    named = {one.indicator for chosen in SETS.values() for one in chosen.components if one.indicator}
    assert named <= known
    assert named >= {"budget_execution", "communes_with_team", "households_with_internet"}


def broken(tmp_path: Path, **changes: object) -> str:
    document = yaml.safe_load((ROOT / "assets" / "indicator_sets" / "766-2022.yaml").read_text(encoding="utf-8"))
    document.update(changes)
    path = tmp_path / "766-2022.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError) as told:
        read_indicator_set(path)
    return told.value.what


def test_points_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    assert "the points of its parts add up to 100, stated are 99" in broken(tmp_path, total=99)


def test_validity_that_ends_before_it_begins_is_told(tmp_path: Path) -> None:
    assert "valid_to must be after valid_from" in broken(tmp_path, valid_to="2022-01-01")


def test_an_unknown_key_is_told_with_its_place(tmp_path: Path) -> None:
    assert "weight: Extra inputs are not permitted" in broken(tmp_path, weight=3)
