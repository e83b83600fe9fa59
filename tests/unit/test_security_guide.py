"""docs/security.md names a test for each duty; each of them exists, and each setting and role it names."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from dx_pipeline.settings import Settings
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
DUTIES = [
    line for line in GUIDE.partition("## Each duty")[2].partition("\n## ")[0].splitlines() if line.startswith("| ")
][1:]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", GUIDE)


@cache
def functions_in(file: str) -> set[str]:
    """Names of the test functions of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_duty_has_a_control_and_a_test() -> None:
    assert len(DUTIES) >= 15
    for line in DUTIES:
        duty, control, proof = (cell.strip() for cell in line.strip("| ").split(" | "))
        assert duty, line
        assert control, line
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", proof), line


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_each_named_test_exists(file: str, name: str) -> None:
    assert name in functions_in(file)


@pytest.mark.parametrize(
    "law",
    ["47/2020", "194/2025", "165/2025", "60/2024/QH15", "91/2025/QH15", "356/2025", "26/2023/QH15", "69/2024", "85/2016",
     "11930:2017"],
)  # fmt: skip
def test_each_law_of_the_domain_that_asks_for_a_control_is_there(law: str) -> None:
    assert any(law in line for line in DUTIES)


def test_the_settings_of_retention_are_those_that_exist() -> None:
    shown = {
        name.lower(): int(days.replace(",", ""))
        for name, days in re.findall(r"^\| `DX_(RETENTION_\w+)` \| ([\d,]+) \|", GUIDE, re.MULTILINE)
    }
    assert shown == {
        name: field.default for name, field in Settings.model_fields.items() if name.startswith("retention_")
    }
