"""Counts of the tagging pass, and the genuine Great Expectations results they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from great_expectations.core.expectation_validation_result import ExpectationValidationResult

from dx_pipeline.judge.compile import CompiledRule, CompiledSuite
from dx_pipeline.judge.tagging import BITS, RuleFlags, Words

SAMPLE_ROWS = 20
"""Broken rows shown per rule; those with the smallest row numbers, so that a re-run shows the same."""

SUMMARY: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE_ROWS}
"""Format of every result, as Great Expectations is asked for it."""
_asked: dict[type, tuple[tuple[str, ...], Mapping[str, Any]]] = {}


@dataclass(frozen=True)
class RuleCounts:
    """What the tagging pass counted for one rule, in rows."""

    elements: int
    """Rows of the rule's ``row_condition``."""
    in_domain: int
    """Those of them the rule looks at."""
    missing: int
    unexpected: int
    sample_rows: tuple[int, ...]


class Tally:
    """Adds up the flags of the batches of one judgement."""

    def __init__(self, flags: Mapping[str, RuleFlags], words: int) -> None:
        self._flags = flags
        self._set = np.zeros(words * BITS, dtype=np.int64)
        self._first: dict[str, list[int]] = {code: [] for code in flags}
        self.rows = 0

    def add(self, words: Words, row_numbers: npt.NDArray[np.int64]) -> None:
        """Count one batch. ``row_numbers``: its ``_row`` values."""
        self.rows += words.shape[1]
        for number, word in enumerate(words):
            used = int(np.bitwise_or.reduce(word)) if word.size else 0
            for bit in range(BITS):
                if used >> bit & 1:
                    self._set[number * BITS + bit] += np.count_nonzero(word & np.int64(1 << bit))
            for code, flags in self._flags.items():
                bit = flags.broken - number * BITS
                if 0 <= bit < BITS and used >> bit & 1:
                    broken = row_numbers[(word & np.int64(1 << bit)) != 0]
                    self._keep_first(code, broken)

    def _keep_first(self, code: str, broken: npt.NDArray[np.int64]) -> None:
        if broken.size > SAMPLE_ROWS:
            broken = np.partition(broken, SAMPLE_ROWS)[:SAMPLE_ROWS]
        self._first[code] = sorted({*self._first[code], *broken.tolist()})[:SAMPLE_ROWS]

    def counts(self, code: str) -> RuleCounts:
        """Counts of one rule so far."""
        flags = self._flags[code]
        return RuleCounts(
            elements=self._rows_with(flags.row_filter),
            in_domain=self._rows_with(flags.domain),
            missing=int(self._set[flags.missing]),
            unexpected=int(self._set[flags.broken]),
            sample_rows=tuple(self._first[code]),
        )

    def _rows_with(self, flag: int | None) -> int:
        return self.rows if flag is None else int(self._set[flag])


def rule_result(
    rule: CompiledRule, counts: RuleCounts, samples: Sequence[Any], suite: CompiledSuite
) -> ExpectationValidationResult:
    """Result of a rule by Great Expectations' own success logic, from counts instead of queries.

    ``samples``: values of some broken rows, personal ones masked.
    """
    expectation: Any = rule.expectation
    names, result_format = _asked_for(expectation, suite.engine)
    values = {name: _metric_value(name, rule, counts, samples) for name in names}
    # What `metrics_validate` does, but for asking for the dependencies once more.
    validated = expectation._validate(
        metrics=values,
        execution_engine=suite.engine,
        runtime_configuration={"result_format": dict(result_format)},
    )
    result: ExpectationValidationResult = expectation._build_evr(raw_response=validated)
    return result


def _asked_for(expectation: Any, engine: Any) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Names of the metrics that a kind of expectation makes its result of, and the format of that result.

    Which metrics they are depends on the kind alone, not on columns or values; to work it out takes 3 ms.
    """
    kind = type(expectation)
    if kind not in _asked:
        dependencies = expectation.get_validation_dependencies(
            execution_engine=engine, runtime_configuration={"result_format": SUMMARY}
        )
        _asked[kind] = tuple(dependencies.metric_configurations), dependencies.result_format
    return _asked[kind]


def _metric_value(name: str, rule: CompiledRule, counts: RuleCounts, samples: Sequence[Any]) -> object:
    if name == f"{rule.map_metric}.unexpected_count":
        return counts.unexpected
    if name == "column_values.nonnull.unexpected_count":
        return counts.missing
    if name == "table.row_count":
        return counts.elements
    if name.endswith("filtered_row_count"):
        return counts.in_domain
    if name.endswith("unexpected_values"):
        return list(samples)
    return None
