"""Guards that turn a suite which would silently pass bad rows into an error before anything runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import duckdb

from dx_pipeline.contract.model import KEY_SUFFIX, Contract
from dx_pipeline.judge.expectation_types import UNIQUENESS
from dx_pipeline.judge.rule_spec import NOTE_SUFFIX, UNREADABLE_SUFFIX, RuleSpec, Suite, rule_label

CODE = re.compile(r"^[a-z][a-z0-9_]{1,62}\Z")
RESERVED_CODES = ("control_sums", "data_volume")
"""Names of the checks that every dataset has without a rule."""
LARGEST_EXACT_INTEGER = 2**53
"""Great Expectations keeps integer bounds as float64; above this they are no longer exact."""

ROW = "_row"
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_REGEX_KEYS = ("regex", "regex_list")


def suite_problems(suite: Suite, contract: Contract, cleaned_columns: Collection[str] | None) -> list[str]:
    """Everything wrong with a suite of that contract; empty when it may be used.

    ``cleaned_columns``: names in the cleaned batch, or None when they are not known yet.
    """
    problems = []
    if suite.name != contract.id:
        problems.append(f"name is {suite.name!r} but the contract is {contract.id!r}")
    problems += _code_problems(suite)
    known = set(cleaned_columns) if cleaned_columns is not None else _possible_columns(contract)
    with _engine().cursor() as engine:
        for rule in suite.rules:
            label = rule_label(rule.position, rule.code)
            problems += [f"{label}: {reason}" for reason in _rule_problems(rule, known, engine)]
    problems += _coverage_problems(suite, contract, cleaned_columns)
    return problems


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    """One empty DuckDB for all suites: opening one takes longer than asking it."""
    return duckdb.connect()


def _possible_columns(contract: Contract) -> set[str]:
    names = [column.name for column in contract.columns]
    return {ROW, *(name + suffix for name in names for suffix in ("", UNREADABLE_SUFFIX, NOTE_SUFFIX, KEY_SUFFIX))}


def _code_problems(suite: Suite) -> Iterator[str]:
    seen: dict[str, int] = {}
    for rule in suite.rules:
        label = rule_label(rule.position, rule.code)
        if not CODE.match(rule.code):
            yield f"{label}: code must match {CODE.pattern}"
        if rule.code in RESERVED_CODES:
            yield f"{label}: the code is the name of a check that every dataset has; choose another one"
        if rule.code in seen:
            yield f"{label}: the same code as rule {seen[rule.code]}"
        seen.setdefault(rule.code, rule.position)


def _rule_problems(rule: RuleSpec, known: set[str], engine: duckdb.DuckDBPyConnection) -> Iterator[str]:
    kwargs = rule.kwargs
    for column in rule.columns:
        if column not in known:
            yield f"unknown column {column!r}"
    if rule.scope == "row" and not rule.columns:
        yield "the rule names no column"
    mostly = kwargs.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 < mostly <= 1:
        yield f"mostly is a share above 0 and up to 1, not {mostly!r}"
    condition = kwargs.get("row_condition")
    if condition is not None and not isinstance(condition, dict):
        yield "row_condition must be a mapping with type, column, operator and parameter"
    yield from _bound_problems(kwargs)
    for value in _integers(kwargs):
        if abs(value) > LARGEST_EXACT_INTEGER:
            yield f"integer {value} is beyond 2^53 and would be rounded"
    for pattern in _patterns(kwargs):
        reason = _regex_fault(pattern, engine)
        if reason:
            yield f"broken regex: {reason}"
    if rule.type == "expect_columns_to_satisfy_sql":
        reason = _predicate_fault(kwargs.get("sql"))
        if reason:
            yield f"broken sql: {reason}"


def _bound_problems(kwargs: Mapping[str, Any]) -> Iterator[str]:
    low, high = (_comparable(kwargs.get(key)) for key in ("min_value", "max_value"))
    if low is None or high is None:
        return
    try:
        reversed_bounds = bool(low > high)
    except TypeError:
        yield "min_value and max_value are of different types"
        return
    if reversed_bounds:
        yield f"min_value {kwargs['min_value']} is above max_value {kwargs['max_value']}"


def _comparable(bound: Any) -> Any:
    """Bound in a form two of which can be compared: dates and ISO texts as naive datetimes."""
    if isinstance(bound, str):
        try:
            bound = datetime.fromisoformat(bound)
        except ValueError:
            return bound
    if isinstance(bound, datetime):
        return bound.replace(tzinfo=None) - (bound.utcoffset() or bound - bound)
    if isinstance(bound, date):
        return datetime(bound.year, bound.month, bound.day)
    return bound


def _integers(value: object) -> Iterator[int]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _integers(part)
    elif isinstance(value, list):
        for part in value:
            yield from _integers(part)


def _patterns(kwargs: Mapping[str, Any]) -> Iterator[object]:
    for key in _REGEX_KEYS:
        value = kwargs.get(key)
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


def _regex_fault(pattern: object, engine: duckdb.DuckDBPyConnection) -> str | None:
    """Why DuckDB (RE2: no look-around, no back-references) refuses the pattern, or None."""
    if not isinstance(pattern, str):
        return f"{pattern!r} is not text"
    try:
        engine.execute("select regexp_matches('', $1)", [pattern]).fetchall()
    except duckdb.Error as error:
        return _first_line(error)
    return None


def _predicate_fault(sql: object) -> str | None:
    """Why the text is not one SQL boolean expression, or None; columns are checked when judging."""
    if not isinstance(sql, str) or not sql.strip():
        return "the predicate is empty"
    bare = _QUOTED.sub("", sql)
    for token in (";", "--", "/*", "$"):
        if token in bare:
            return f"`{token}` is not allowed"
    if not _balanced(bare):
        return "its parentheses do not match"
    try:
        if len(duckdb.extract_statements(f"select ({sql}) from batch")) != 1:
            return "it must be one expression"
    except duckdb.Error as error:
        return _first_line(error)
    return None


def _balanced(text: str) -> bool:
    """True when every parenthesis closes one opened before it, so that the text cannot leave its place."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _covers_every_null(rule: RuleSpec, rejected_unreadable: Collection[str]) -> bool:
    """True for a not-null rule that no null escapes.

    It may leave out the rows whose value could not be read (so that they get one reason, not two) if another rule
    rejects exactly those.
    """
    column = rule.kwargs.get("column")
    condition = rule.kwargs.get("row_condition")
    readable = {"type": "nullity", "column": {"name": f"{column}{UNREADABLE_SUFFIX}"}, "is_null": True}
    return condition is None or (condition == readable and column in rejected_unreadable)


def _coverage_problems(suite: Suite, contract: Contract, cleaned_columns: Collection[str] | None) -> Iterator[str]:
    """Contract promises that no rule watches."""
    strict = [rule for rule in suite.rules if rule.quarantines and "row_condition" not in rule.kwargs]
    rejected_unreadable = {
        column.removesuffix(UNREADABLE_SUFFIX)
        for rule in strict
        if rule.type == "expect_column_values_to_be_null"
        for column in rule.columns
        if column.endswith(UNREADABLE_SUFFIX)
    }
    not_null = {
        rule.kwargs["column"]
        for rule in suite.rules
        if rule.quarantines
        and rule.type == "expect_column_values_to_not_be_null"
        and _covers_every_null(rule, rejected_unreadable)
    }
    for column in contract.columns:
        if column.required and column.name not in not_null:
            yield f"required column {column.name!r} has no critical expect_column_values_to_not_be_null"
    key = set(contract.key_columns)
    if key and not any(rule.type in UNIQUENESS and set(rule.columns) == key for rule in strict):
        yield f"the row key ({', '.join(contract.key_columns)}) has no critical uniqueness rule"
    watched = {column for rule in suite.rules for column in rule.columns}
    for name in cleaned_columns or ():
        if name.endswith(UNREADABLE_SUFFIX) and name not in watched:
            yield f"no rule watches {name!r}: unreadable values would be loaded as null unnoticed"
