"""A suite that would silently let bad rows pass is refused before anything runs."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import SuiteError
from dx_pipeline.judge.expectation_types import SCOPES, WITHOUT_SQL_FORM
from dx_pipeline.judge.suite import load_suite
from tests.judge_batches import make_contract, rule, write_suite

COLUMNS = [
    Column("id", "Id", "identifier", "string", required=True, key_position=1),
    Column("year", "Nam", "integer", "integer", key_position=2),
    Column("fee", "Phi", "money_vnd", "integer"),
]
CLEANED = ["_row", "id", "year", "year__unreadable", "fee", "fee__unreadable", "fee__note"]
GOOD = [
    rule("no_rows", "table_row_count_to_be_between", min_value=1),
    rule("id_missing", "column_values_to_not_be_null", column="id"),
    rule("conflict", "compound_columns_to_be_unique", column_list=["year", "id"]),
    rule("year_unreadable", "column_values_to_be_null", column="year__unreadable"),
    rule("fee_unreadable", "column_values_to_be_null", "warning", column="fee__unreadable"),
]


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return make_contract(tmp_path, COLUMNS)


def refusal(contract: Contract, rules: list[dict[str, Any]]) -> str:
    """The message with which these rules are refused."""
    path = write_suite(contract, rules)
    with pytest.raises(SuiteError) as caught:
        load_suite(contract, CLEANED)
    assert str(path) in caught.value.what
    return caught.value.what


def with_rule(extra: dict[str, Any]) -> list[dict[str, Any]]:
    return [*GOOD, extra]


def test_a_good_suite_is_read(contract: Contract) -> None:
    write_suite(contract, [*GOOD, rule("fee_mostly", "column_values_to_not_be_null", column="fee", mostly=0.9)])
    suite = load_suite(contract, CLEANED)
    assert [spec.code for spec in suite.rules] == [*(entry["meta"]["code"] for entry in GOOD), "fee_mostly"]
    conflict = suite.rule("conflict")
    assert (conflict.position, conflict.columns, conflict.severity) == (3, ("year", "id"), "critical")
    assert (conflict.message_vi, conflict.message_en) == ("conflict (vi)", "conflict (en)")
    assert conflict.quarantines
    assert not conflict.holds
    assert suite.rule("no_rows").holds
    assert suite.rule("fee_unreadable").flags
    mostly = suite.rule("fee_mostly")
    assert (mostly.row_level_hint, mostly.quarantines, mostly.holds) == (False, False, True)


def test_reading_a_suite_does_not_import_great_expectations(contract: Contract) -> None:
    """The orchestrator lists every check of every dataset at start-up."""
    script = (
        "import sys, dx_pipeline.judge.suite, dx_pipeline.judge.verdict; sys.exit('great_expectations' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).resolve().parents[2])


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (rule("x1", "column_values_to_not_be_nul", column="id"), "unknown expectation type"),
        (rule("x1", "column_values_to_be_increasing", column="fee"), "cannot run on DuckDB"),
        (rule("conflict", "column_values_to_be_null", column="fee"), "the same code as rule 3"),
        (rule("Bad-Code", "column_values_to_be_null", column="fee"), "code must match"),
        (rule("x" * 64, "column_values_to_be_null", column="fee"), "code must match"),
        (rule("x1", "column_values_to_be_null", column="fees"), "unknown column 'fees'"),
        (rule("x1", "column_values_to_be_null", column="id__unreadable"), "unknown column 'id__unreadable'"),
        (rule("x1", "column_values_to_be_null", "fatal", column="fee"), "severity 'fatal'"),
        (rule("x1", "column_values_to_be_null", column="fee", mostly=95), "mostly is a share"),
        (
            rule("x1", "column_values_to_be_null", column="fee", row_condition="fee > 1"),
            "row_condition must be a mapping",
        ),
        (
            rule(
                "x1",
                "column_values_to_be_null",
                column="fee",
                row_condition={"type": "comparison", "column": {"name": "nope"}, "operator": "==", "parameter": 1},
            ),
            "unknown column 'nope'",
        ),
        (rule("x1", "column_values_to_be_between", column="fee", min_value=2, max_value=1), "min_value 2 is above"),
        (
            rule(
                "x1",
                "column_values_to_be_between",
                column="fee",
                min_value=date(2024, 2, 1),
                max_value="2024-01-31T00:00:00",
            ),
            "is above max_value",
        ),
        (
            rule("x1", "column_values_to_be_between", column="fee", min_value=datetime(2024, 2, 1), max_value=3),
            "of different types",
        ),
        (rule("x1", "column_values_to_be_between", column="fee", max_value=2**53 + 1), "beyond 2^53"),
        (rule("x1", "column_values_to_be_in_set", column="fee", value_set=[1, -(2**60)]), "beyond 2^53"),
        (rule("x1", "column_values_to_match_regex", column="id", regex="(a"), "broken regex"),
        (rule("x1", "column_values_to_match_regex", column="id", regex="(?=a)b"), "broken regex"),
        (rule("x1", "column_values_to_match_regex_list", column="id", regex_list=["a", "[b"]), "broken regex"),
        (rule("x1", "columns_to_satisfy_sql", column_list=["fee"], sql="fee >"), "broken sql"),
        (
            rule("x1", "columns_to_satisfy_sql", column_list=["fee"], sql="fee = ')' and true; drop table cleaned"),
            "not allowed",
        ),
        (rule("x1", "columns_to_satisfy_sql", column_list=["fee"], sql="true) from x --"), "not allowed"),
        (rule("x1", "columns_to_satisfy_sql", column_list=["fee"], sql="true), (false"), "parentheses do not match"),
    ],
)
def test_a_broken_rule_is_refused(contract: Contract, extra: dict[str, Any], reason: str) -> None:
    message = refusal(contract, with_rule(extra))
    assert f"rule 6 ({extra['meta']['code']})" in message
    assert reason in message


@pytest.mark.parametrize("missing", ["code", "vi", "en"])
def test_a_rule_without_code_or_message_is_refused(contract: Contract, missing: str) -> None:
    extra = rule("x1", "column_values_to_be_null", column="fee")
    del extra["meta"][missing]
    message = refusal(contract, with_rule(extra))
    assert "rule 6" in message
    assert f"meta.{missing} is missing" in message


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        ("id_missing", "required column 'id' has no critical expect_column_values_to_not_be_null"),
        ("conflict", "the row key (id, year) has no critical uniqueness rule"),
        ("fee_unreadable", "no rule watches 'fee__unreadable'"),
    ],
)
def test_a_promise_nobody_watches_is_refused(contract: Contract, left_out: str, reason: str) -> None:
    message = refusal(contract, [entry for entry in GOOD if entry["meta"]["code"] != left_out])
    assert reason in message


def test_a_weaker_rule_does_not_cover_a_promise(contract: Contract) -> None:
    weak = rule("id_missing", "column_values_to_not_be_null", "warning", column="id")
    mostly = rule("id_mostly", "column_values_to_not_be_null", column="id", mostly=0.99)
    message = refusal(contract, [GOOD[0], weak, mostly, *GOOD[2:]])
    assert "required column 'id'" in message


def test_all_faults_are_told_at_once(contract: Contract) -> None:
    message = refusal(
        contract,
        [
            *GOOD,
            rule("x1", "column_values_to_be_null", column="fees"),
            rule("x2", "column_values_to_match_regex", column="id", regex="(a"),
        ],
    )
    assert "rule 6 (x1): unknown column 'fees'" in message
    assert "rule 7 (x2): broken regex" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name: s.d\nexpectations: []\n", "no expectation"),
        ("name: s.d\n", "no expectation"),
        ("- 1\n", "must hold a mapping"),
        ("name: [s.d\n", "not valid YAML"),
        ("name: s.d\nexpectation: []\nexpectations: [1]\n", "unknown key 'expectation'"),
        ("name: s.d\nexpectations: [1]\n", "rule 1: must be a mapping"),
    ],
)
def test_a_malformed_file_is_refused(contract: Contract, content: str, reason: str) -> None:
    contract.suite_path.parent.mkdir(parents=True)
    contract.suite_path.write_text(content, encoding="utf-8")
    with pytest.raises(SuiteError) as caught:
        load_suite(contract)
    assert reason in caught.value.what


def test_a_missing_file_and_a_wrong_name_are_refused(contract: Contract) -> None:
    with pytest.raises(SuiteError, match="does not exist"):
        load_suite(contract)
    write_suite(contract, GOOD, name="s.other")
    with pytest.raises(SuiteError, match=r"name is 's\.other' but the contract is 's\.d'"):
        load_suite(contract)


def test_yaml_dates_and_offsets_are_bounds(contract: Contract) -> None:
    extra = rule("x1", "column_values_to_be_between", column="year", min_value="2024-01-01T00:00:00+07:00")
    extra["kwargs"]["max_value"] = datetime(2024, 1, 1)
    write_suite(contract, with_rule(extra))
    assert yaml.safe_load(contract.suite_path.read_text())["expectations"][5]["kwargs"]["max_value"] == datetime(
        2024, 1, 1
    )
    assert load_suite(contract, CLEANED).rule("x1").columns == ("year",)


def test_every_type_of_great_expectations_is_known() -> None:
    """An upgrade that adds, drops or re-scopes a type is noticed here."""
    from great_expectations.expectations.expectation import ColumnAggregateExpectation
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        list_registered_expectation_implementations,
    )

    from dx_pipeline.judge import gx_suite  # noqa: F401  (registers our own)
    from dx_pipeline.judge.compile import MAP_EXPECTATIONS

    registered = set(list_registered_expectation_implementations())
    assert registered == set(SCOPES) | WITHOUT_SQL_FORM
    for name, scope in SCOPES.items():
        implementation = get_expectation_impl(name)
        assert (scope == "column") == issubclass(implementation, ColumnAggregateExpectation), name
        if scope == "row":
            assert issubclass(implementation, MAP_EXPECTATIONS), name
