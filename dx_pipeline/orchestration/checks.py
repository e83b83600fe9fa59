"""Judge's outcomes as Dagster asset checks: one check per expectation, made from the suite's YAML alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from dx_pipeline.judge.outcome import MASK
from dx_pipeline.judge.rule_spec import RuleSpec, Suite

if TYPE_CHECKING:
    from dx_pipeline.judge.verdict import RuleOutcome


def check_specs(suite: Suite, asset_key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One check per rule; the name is the rule's reason code."""
    return [
        dg.AssetCheckSpec(
            name=rule.code,
            asset=asset_key,
            description=f"{rule.message_vi} | {rule.message_en}",
            metadata={"expectation": rule.type, "severity": rule.severity, "kwargs": _json(rule)},
        )
        for rule in suite.rules
    ]


def check_results(suite: Suite, outcomes: Sequence[RuleOutcome], asset_key: dg.AssetKey) -> list[dg.AssetCheckResult]:
    """Results for Dagster, one per rule; a rule without an outcome had nothing to judge.

    A row rule that rejected rows is a warning: the rows are quarantined and the load went on. A table-level critical
    rule and an exception inside the judge are errors: they hold the batch.
    """
    by_code = {outcome.code: outcome for outcome in outcomes}
    return [_check_result(rule, by_code.get(rule.code), asset_key) for rule in suite.rules]


def _check_result(rule: RuleSpec, outcome: RuleOutcome | None, asset_key: dg.AssetKey) -> dg.AssetCheckResult:
    if outcome is None:
        return dg.AssetCheckResult(
            check_name=rule.code,
            asset_key=asset_key,
            passed=True,
            description="not evaluated: there was nothing new to judge",
            metadata={"expectation": rule.type, "severity": rule.severity, "evaluated": 0},
        )
    holds = outcome.exception is not None or rule.holds
    return dg.AssetCheckResult(
        check_name=rule.code,
        asset_key=asset_key,
        passed=outcome.passed,
        severity=dg.AssetCheckSeverity.ERROR if holds else dg.AssetCheckSeverity.WARN,
        description=_sentence(rule, outcome),
        metadata=_metadata(outcome),
    )


def _sentence(rule: RuleSpec, outcome: RuleOutcome) -> str:
    if outcome.exception is not None:
        return f"the rule could not be judged: {outcome.exception[:300]}"
    if outcome.vacuous and outcome.passed:
        return "no value to look at: the rule judged nothing"
    if outcome.passed:
        return "passed"
    consequence = "quarantined" if rule.quarantines else "flagged" if rule.flags else "broke the rule"
    return f"{outcome.unexpected:,} of {outcome.evaluated:,} rows {consequence}: {rule.message_vi} | {rule.message_en}"


def _metadata(outcome: RuleOutcome) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "expectation": outcome.type,
        "severity": outcome.severity,
        "evaluated": outcome.evaluated,
        "unexpected": outcome.unexpected,
        "missing": outcome.missing,
    }
    metadata["unexpected_percent"] = float(outcome.unexpected_percent or 0)
    telling = [sample for sample in dict.fromkeys(outcome.samples) if sample not in ("null", MASK)]
    if telling:
        metadata["samples"] = " · ".join(telling[:10])
    if outcome.exception is not None:
        metadata["exception"] = outcome.exception[:1000]
    return metadata


def _json(rule: RuleSpec) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.json({name: str(value) for name, value in rule.kwargs.items()})
