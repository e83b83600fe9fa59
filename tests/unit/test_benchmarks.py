"""What the benchmarks compute from times, and that their hand-written rules are the rules of the suite."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from benchmarks.journal import Journal
from benchmarks.measurement import Measurement
from benchmarks.report import lines_of
from benchmarks.road import phases
from benchmarks.scaling import fit, growth
from benchmarks.validation.race import GX, HAND_SPLIT, JUDGE, SUITE, differences
from dx_pipeline.judge.suite import parse_suite
from tests.conftest import ROOT

BY_HAND = ROOT / "benchmarks" / "validation"


def taken(size: int, who: str, seconds: float, case: str = "first load", repeat: int = 1) -> Measurement:
    return Measurement(size, case, "all", who, repeat, size, seconds)


def test_hand_written_rules_are_those_of_the_suite() -> None:
    """Every rule about rows, in the suite's order; warnings are marked, because they cost no row its place."""
    rules = [rule for rule in parse_suite(SUITE).rules if rule.scope == "row"]
    assert len(rules) == 42
    split = re.findall(
        r"then (\d+)(?:::bigint)? else 0 end\) /\* (\w+)(, warning)? \*/",
        (BY_HAND / "ho_so_split.sql").read_text("utf-8"),
    )
    assert [(code, bool(warning)) for _, code, warning in split] == [(rule.code, rule.flags) for rule in rules]
    assert [int(bit) for bit, *_ in split] == [1 << number for number in range(42)]
    counts = re.findall(r"\) as (\w+),?\n", (BY_HAND / "ho_so_counts.sql").read_text("utf-8"))
    assert counts == [rule.code for rule in rules]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.3])
def test_the_exponent_of_a_power_is_found(exponent: float) -> None:
    points = [(rows, 3e-6 * rows**exponent) for rows in (100_000, 1_000_000, 10_000_000)]
    assert fit(points) == pytest.approx(exponent)


def test_no_exponent_from_one_size_or_from_steps_of_milliseconds() -> None:
    assert fit([(100, 1.0), (100, 2.0)]) is None
    assert growth([taken(1_000, "x", 0.01), taken(1_000_000, "x", 1.0)]) == []


def test_growth_is_fitted_over_medians() -> None:
    """Ten times the rows, ten times the median; the one slow repeat does not count."""
    measured = [taken(1_000_000, "x", seconds, repeat=n) for n, seconds in enumerate((10.0, 10.0, 99.0), 1)]
    (found,) = growth([taken(100_000, "x", 1.0), *measured])
    assert (found.step, found.exponent, found.points) == (
        "x: first load, all", 1.0, ((100_000, 1.0), (1_000_000, 10.0)),
    )  # fmt: skip


def test_ratios_are_of_the_same_rows() -> None:
    lines = lines_of(
        [
            taken(100, "raw COPY pipe", 2.0),
            taken(100, "the road", 5.0),
            taken(100, "dlt, pyarrow backend", 30.0),
            taken(900, "raw COPY pipe", 90.0),
            taken(100, "the road", 7.0, case="increment"),
        ]
    )
    found = {(line.size, line.case, line.who): (line.times_raw, line.times_dlt) for line in lines}
    assert found[100, "first load", "the road"] == (2.5, 6.0)
    assert found[100, "increment", "the road"] == (None, None)
    assert found[900, "first load", "raw COPY pipe"] == (1.0, None)


def test_stretches_of_a_run_add_up() -> None:
    """Read until 4, staged until 9, published until 8.5: nothing was waited for in publishing but that it overlapped."""
    steps = [
        {"started": 2.0, "landed": 4.0, "staged": 5.0, "published": 8.5},
        {"started": 2.5, "landed": 3.0, "staged": 9.0, "published": 8.0},
    ]
    found = phases(0.0, 10.0, steps)
    assert list(found.values()) == [2.0, 2.0, 5.0, 0.0, 1.0]
    assert sum(found.values()) == 10.0


def test_a_run_broken_off_keeps_whole_sizes_only(tmp_path: Path) -> None:
    journal = Journal(tmp_path, fresh=True)
    for size in (100, 900):
        journal.add(taken(size, "x", 1.0))
        if size == 100:
            journal.finish(size)
    again = Journal(tmp_path, fresh=False)
    assert [(one.size, again.sizes_done()) for one in again.read()] == [(100, [100])]
    assert Journal(tmp_path, fresh=True).read() == []


def test_a_race_in_which_somebody_counts_otherwise_is_void() -> None:
    same = {JUDGE: {"a": 3, "b": 1}, HAND_SPLIT: {"a": 3, "b": 1}}
    assert differences(same) == []
    assert differences(same | {GX: {"a": 2, "b": 1, "c": 5}}) == [
        f"{GX}, rule a: 2 rows, the judge 3",
        f"{GX}, rule c: 5 rows, the judge 0",
    ]


@pytest.mark.parametrize("script", sorted((BY_HAND.parent / "peers").glob("*.py")), ids=lambda path: path.stem)
def test_a_peer_imports_nothing_of_the_project(script: Path) -> None:
    """Its environment holds the peers' packages only, so whatever the project imports would be missing there."""
    tree = ast.parse(script.read_text("utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in named if name.partition(".")[0] in ("dx_pipeline", "assets")}
