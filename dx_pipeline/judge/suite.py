"""Expectation suites: what must be true of a dataset, one YAML file each.

Reading a suite never imports Great Expectations, so the orchestrator can list every check of every
dataset in milliseconds; ``gx_suite.py`` builds the real expectations when a batch is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SuiteError
from dx_pipeline.judge.expectation_types import SCOPES, WITHOUT_SQL_FORM
from dx_pipeline.judge.rule_spec import SEVERITIES, RuleSpec, Severity, Suite, rule_label
from dx_pipeline.judge.suite_guards import suite_problems
from dx_pipeline.yaml_document import parse_yaml

_SUITE_KEYS = {"name", "description", "meta", "expectations"}
_RULE_KEYS = {"type", "kwargs", "severity", "meta", "description"}


def load_suite(contract: Contract, cleaned_columns: Collection[str] | None = None) -> Suite:
    """Read and check the suite of a dataset (``contract.suite_path``).

    ``cleaned_columns`` are the names in the cleaned batch, including the ``__unreadable`` and
    ``__note`` columns. Without them a rule may name such a column of any contract column and the
    completeness of the ``__unreadable`` rules is checked when a batch is judged.

    Raises SuiteError with file, rule position, code and reason; all faults of a file at once.
    """
    path = contract.suite_path
    suite = parse_suite(path)
    problems = suite_problems(suite, contract, cleaned_columns)
    if problems:
        raise suite_error(path, problems)
    return suite


def parse_suite(path: Path) -> Suite:
    """Read a suite file and check its shape only. Raises SuiteError."""
    document = _read_yaml(path)
    problems = [f"unknown key {key!r}" for key in sorted(set(document) - _SUITE_KEYS, key=str)]
    name = document.get("name")
    if not isinstance(name, str) or not name:
        problems.append("the suite has no name")
    entries = document.get("expectations")
    if not isinstance(entries, list) or not entries:
        problems.append("the suite has no expectation: an empty suite would let every batch pass")
        raise suite_error(path, problems)
    rules = []
    for position, entry in enumerate(entries, start=1):
        rule = _parse_rule(position, entry, problems)
        if rule is not None:
            rules.append(rule)
    if problems:
        raise suite_error(path, problems)
    return Suite(name=str(name), path=path, rules=tuple(rules))


def suite_error(path: Path, problems: Collection[str]) -> SuiteError:
    """One error that lists every problem of a suite file."""
    return SuiteError(
        f"Bộ quy tắc {path} sai | expectation suite {path} is broken: " + "; ".join(problems),
        next_step=f"Sửa {path} rồi chạy lại | mend {path} and run again",
    )


def columns_of(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns a rule reads, from its arguments and its ``row_condition``, without repeats."""
    names: list[str] = []
    for key in ("column", "column_A", "column_B"):
        if isinstance(kwargs.get(key), str):
            names.append(kwargs[key])
    column_list = kwargs.get("column_list")
    if isinstance(column_list, list):
        names += [name for name in column_list if isinstance(name, str)]
    names += condition_columns(kwargs.get("row_condition"))
    return tuple(dict.fromkeys(names))


def condition_columns(condition: object) -> Iterator[str]:
    """Columns named in a ``row_condition`` written as a mapping, at any depth."""
    if isinstance(condition, dict):
        column = condition.get("column")
        if isinstance(column, dict) and isinstance(column.get("name"), str):
            yield column["name"]
        for part in condition.get("conditions") or ():
            yield from condition_columns(part)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise suite_error(path, ["the file does not exist"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise suite_error(path, [f"the file cannot be read: {error}"]) from None
    except yaml.YAMLError as error:
        raise suite_error(path, [f"not valid YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(document, dict):
        raise suite_error(path, ["the file must hold a mapping with `name` and `expectations`"])
    return document


def _parse_rule(position: int, entry: object, problems: list[str]) -> RuleSpec | None:
    """Typed rule, or None after noting in ``problems`` what is wrong with it."""
    if not isinstance(entry, dict):
        problems.append(f"rule {position}: must be a mapping with type, kwargs and meta")
        return None
    found: list[str] = [f"unknown key {key!r}" for key in sorted(set(entry) - _RULE_KEYS, key=str)]
    meta = entry.get("meta")
    if not isinstance(meta, dict):
        found.append("meta with code, vi and en is missing")
        meta = {}
    kind = entry.get("type")
    if kind in WITHOUT_SQL_FORM:
        found.append(f"{kind} cannot run on DuckDB; write it as expect_columns_to_satisfy_sql")
    elif kind not in SCOPES:
        found.append(f"unknown expectation type {kind!r}")
    kwargs = entry.get("kwargs", {})
    if not isinstance(kwargs, dict):
        found.append("kwargs must be a mapping")
        kwargs = {}
    severity = entry.get("severity", "critical")
    if severity not in SEVERITIES:
        found.append(f"severity {severity!r} is not one of {', '.join(SEVERITIES)}")
    for language in ("vi", "en"):
        if not isinstance(meta.get(language), str) or not meta[language].strip():
            found.append(f"message meta.{language} is missing")
    code = meta.get("code")
    if not isinstance(code, str):
        found.append("meta.code is missing")
    if found:
        problems.extend(f"{rule_label(position, code)}: {reason}" for reason in found)
        return None
    return RuleSpec(
        code=str(code),
        type=str(kind),
        kwargs=kwargs,
        severity=cast(Severity, severity),
        message_vi=meta["vi"].strip(),
        message_en=meta["en"].strip(),
        columns=columns_of(kwargs),
        position=position,
    )
