"""docs/reliability.md names tests, commands, settings, kinds of faults and alerts: each of them exists, and none is left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
import typer

from dx_pipeline.alert_settings import AlertSettings
from dx_pipeline.alerts.condition import KINDS
from dx_pipeline.cli.main import app
from dx_pipeline.settings import Settings
from tests.conftest import ROOT
from tests.faults.harness.fault import KINDS as FAULTS

GUIDE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
ALERTS_RECIPE = OPERATE.partition("## Alerts")[2].partition("\n## ")[0]


def rows(heading: str, guide: str = GUIDE) -> list[list[str]]:
    """Cells of the rows of the first table below a heading, without its header."""
    section = guide.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[1:]]


@cache
def functions_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def known_commands() -> set[str]:
    def walk(group: typer.core.TyperGroup, prefix: str = "") -> Iterator[str]:
        for name, command in group.commands.items():
            yield f"{prefix}{name}"
            if isinstance(command, typer.core.TyperGroup):
                yield from walk(command, f"{prefix}{name} ")

    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return set(walk(group))


def test_every_promise_has_a_mechanism_and_a_test() -> None:
    promises = rows("The promises")
    assert len(promises) == 14
    for cells in promises:
        promise, mechanism, proof = cells
        assert promise.startswith("**"), promise
        assert len(mechanism) > 40, promise
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", proof), promise


@pytest.mark.parametrize(("file", "name"), sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", GUIDE))))
def test_each_named_test_exists(file: str, name: str) -> None:
    assert name in functions_in(file)


def test_each_named_file_exists() -> None:
    named = set(re.findall(r"`((?:tests|docs)/[\w/.]+)`", GUIDE)) | {
        f"docs/{name}" for name in re.findall(r"\]\((\w[\w-]*\.md)\)", GUIDE)
    }
    assert len(named) >= 4
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_each_command_exists() -> None:
    commands = known_commands()
    named = re.findall(r"`dx ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", GUIDE)
    assert len(named) >= 15
    for first, second in named:
        assert first in commands, first
        is_group = any(command.startswith(f"{first} ") for command in commands)
        assert not (is_group and second) or f"{first} {second}" in commands, f"{first} {second}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)", GUIDE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_each_measured_figure_has_its_command() -> None:
    measured = rows("Measured")
    assert len(measured) >= 9
    for what, figure, command in measured:
        assert re.search(r"\d", figure) or "none" in figure, what
        assert re.match(r"`(dx |make |DX_)", command), what


def test_the_faults_are_those_that_are_drawn() -> None:
    assert [cells[0].strip("`") for cells in rows("Faults")] == list(FAULTS)
    assert all(len(cells) == 4 for cells in rows("Faults"))


def test_the_kinds_of_alerts_are_those_that_are_found() -> None:
    told = {cells[0].strip("`"): cells[2] for cells in rows("Alerts")}
    assert told == {name: kind.severity for name, kind in KINDS.items()}


def test_each_setting_of_alerts_is_in_the_recipe_with_its_default() -> None:
    shown = dict(re.findall(r"^\| `DX_(ALERT_\w+)` \|[^|]*\| ([^|]*?) \|$", ALERTS_RECIPE, re.MULTILINE))
    fields = {name.upper(): field for name, field in AlertSettings.model_fields.items()}
    assert set(shown) == set(fields)
    for name, default in shown.items():
        value = fields[name].default
        if isinstance(value, int | float | str):
            assert default == f"{value:g}" if isinstance(value, float) else default == str(value), name
    for name in re.findall(r"`DX_(\w+)`", GUIDE):
        assert name.lower() in Settings.model_fields or name in ("HOME", "FAULTS"), name
