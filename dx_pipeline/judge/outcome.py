"""What a judgement says: per rule, and for the batch as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dx_pipeline.contract.model import KEY_SUFFIX, Contract
from dx_pipeline.judge.rule_spec import UNREADABLE_SUFFIX, RuleSpec

MASK = "•••"
"""Shown instead of a personal value."""

_COUNTS = frozenset(
    {
        "element_count",
        "missing_count",
        "missing_percent",
        "unexpected_count",
        "unexpected_percent",
        "unexpected_percent_nonmissing",
        "unexpected_percent_total",
    }
)


@dataclass(frozen=True)
class RuleOutcome:
    """Result of one rule on one batch. Counts are rows; ``gx_result`` is the genuine result as JSON."""

    code: str
    type: str
    severity: str
    message_vi: str
    message_en: str
    passed: bool
    evaluated: int
    unexpected: int
    unexpected_percent: float
    missing: int
    samples: tuple[str, ...]
    vacuous: bool
    """No value was looked at (empty batch, column without any value, no row in the rule's domain)."""
    exception: str | None
    gx_result: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One batch: extracted = accepted + quarantined + duplicate, and why it must be held, if it must."""

    extracted: int
    accepted: int
    quarantined: int
    duplicate: int
    flagged: int
    """Accepted rows with at least one warning."""
    outcomes: tuple[RuleOutcome, ...]
    reasons: Mapping[str, int]
    """Quarantined rows per reason; a row may have several."""
    held: tuple[str, ...]
    """One sentence per reason why the batch must not be published."""


def personal_columns(contract: Contract) -> frozenset[str]:
    """Cleaned columns whose values must not be shown; a raw unreadable value is as personal as its column."""
    names = [column.name for column in contract.columns if column.is_personal]
    return frozenset({name + suffix for name in names for suffix in ("", UNREADABLE_SUFFIX, KEY_SUFFIX)})


def masked_json(result: Mapping[str, Any], exception: str | None, *, hidden: bool) -> dict[str, Any]:
    """A Great Expectations result as JSON; without tracebacks and, if hidden, with counts only."""
    masked = dict(result)
    masked["exception_info"] = {"raised_exception": exception is not None, "exception_message": exception}
    values = dict(masked.get("result") or {})
    if hidden:
        values = {key: value if key in _COUNTS else _masked(value) for key, value in values.items()}
    masked["result"] = values
    return masked


def _masked(value: object) -> object:
    """The value hidden but for how many there are."""
    if isinstance(value, list):
        return [MASK] * len(value)
    return None if value is None else MASK


def reasons_to_hold(
    contract: Contract,
    rules: Sequence[RuleSpec],
    outcomes: Collection[RuleOutcome],
    accepted: int,
    quarantined: int,
) -> tuple[str, ...]:
    """Sentences, Vietnamese | English, for everything that forbids publishing the batch."""
    by_code = {rule.code: rule for rule in rules}
    held = []
    for outcome in outcomes:
        rule = by_code[outcome.code]
        if outcome.exception is not None and rule.severity == "critical":
            held.append(
                f"Không kiểm tra được quy tắc {outcome.code} | rule {outcome.code} could not be checked: "
                f"{outcome.exception}"
            )
        elif not outcome.passed and rule.holds:
            held.append(f"{outcome.code}: {outcome.message_vi} | {outcome.message_en}")
    judged = accepted + quarantined
    share = quarantined / judged if judged else 0.0
    if share > contract.rejected_share_cap:
        held.append(
            f"{quarantined} trên {judged} dòng bị loại ({share:.1%}), quá ngưỡng {contract.rejected_share_cap:.1%} | "
            f"{quarantined} of {judged} rows rejected ({share:.1%}), above the cap of {contract.rejected_share_cap:.1%}"
        )
    return tuple(held)
