"""Which rejected rows a person may have accepted in spite of the rules, and which no decision can help."""

from __future__ import annotations

from collections.abc import Sequence

from dx_pipeline.contract.model import Contract
from dx_pipeline.judge.expectation_types import UNIQUENESS
from dx_pipeline.judge.rule_spec import UNREADABLE_SUFFIX, RuleSpec, Suite
from dx_pipeline.judge.suite import condition_columns

_NOT_NULL = "expect_column_values_to_not_be_null"
_NO_KEY = "∅"


def release_obstacles(contract: Contract, suite: Suite, row_key: str, reasons: Sequence[str]) -> list[str]:
    """Why this row cannot be loaded as it is, Vietnamese | English, one sentence per obstacle; empty if it can.

    A decision overrules a rule. It cannot give a value that is not there: a key or a typed value that cannot be read
    has no place in the star, and two rows of one key have one place.
    """
    obstacles = []
    if _NO_KEY in row_key.split("|") or "#" in row_key.rpartition("|")[2]:
        obstacles.append("khóa của dòng trống hoặc không phải của riêng nó | the row has no key of its own")
    rules = {rule.code: rule for rule in suite.rules}
    for code in reasons:
        obstacle = _obstacle(contract, rules.get(code))
        if obstacle:
            obstacles.append(f"{code}: {obstacle}")
    return obstacles


def _obstacle(contract: Contract, rule: RuleSpec | None) -> str | None:
    if rule is None or not rule.quarantines:
        return "quy tắc này không còn loại dòng, hãy chấm lại lô | this rule rejects no longer: judge the batch again"
    asked = set(rule.columns) - set(condition_columns(rule.kwargs.get("row_condition")))
    if any(name.endswith(UNREADABLE_SUFFIX) for name in asked):
        columns = ", ".join(
            sorted(
                _source_name(contract, name.removesuffix(UNREADABLE_SUFFIX))
                for name in asked
                if name.endswith(UNREADABLE_SUFFIX)
            )
        )
        return (
            f"giá trị cột {columns} không đọc được nên không có gì để nạp |"
            f" column {columns} cannot be read, there is no value to load"
        )
    keys = {*contract.key_columns, *contract.row_identity}
    if rule.type in UNIQUENESS and asked & keys:
        return "nhiều dòng cùng một khóa, kho chỉ có một chỗ | several rows have this key and the warehouse one place"
    if rule.type == _NOT_NULL:
        for name in sorted(asked):
            if name in keys or contract.column(name).required:
                column = _source_name(contract, name)
                return (
                    f"cột {column} trống mà kho bắt buộc phải có | column {column} is empty and the warehouse needs it"
                )
    return None


def _source_name(contract: Contract, name: str) -> str:
    try:
        return contract.column(name).source_name
    except KeyError:
        return name
