"""A rule and a suite of rules, as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dx_pipeline.judge.expectation_types import SCOPES, Scope

Severity = Literal["critical", "warning", "info"]
SEVERITIES = ("critical", "warning", "info")
UNREADABLE_SUFFIX = "__unreadable"
NOTE_SUFFIX = "__note"


@dataclass(frozen=True)
class RuleSpec:
    """One expectation of a suite, as written; ``position`` is 1-based and for messages only."""

    code: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    message_vi: str
    message_en: str
    columns: tuple[str, ...]
    position: int

    @property
    def scope(self) -> Scope:
        """Whether the rule looks at each row, at one number of a column or at the whole table."""
        return SCOPES[self.type]

    @property
    def threshold(self) -> float:
        """Share of rows that must obey the rule (``mostly``); 1.0 when every row must."""
        return float(self.kwargs.get("mostly", 1))

    @property
    def row_level_hint(self) -> bool:
        """True when each row gets its own verdict; ``mostly`` makes a rule a threshold on the table."""
        return self.scope == "row" and self.threshold >= 1

    @property
    def quarantines(self) -> bool:
        """True when a row that breaks the rule is kept out of the star."""
        return self.row_level_hint and self.severity == "critical"

    @property
    def flags(self) -> bool:
        """True when a row that breaks the rule is loaded with a warning."""
        return self.row_level_hint and self.severity == "warning"

    @property
    def holds(self) -> bool:
        """True when the whole batch is held if the rule fails."""
        return self.severity == "critical" and not self.row_level_hint


@dataclass(frozen=True)
class Suite:
    """The rules of one dataset, in the order they were written."""

    name: str
    path: Path
    rules: tuple[RuleSpec, ...]

    def rule(self, code: str) -> RuleSpec:
        """The rule of that code; KeyError if the suite has none."""
        for rule in self.rules:
            if rule.code == code:
                return rule
        raise KeyError(f"{self.name} has no rule {code!r}")


def rule_label(position: int, code: object) -> str:
    """How messages name a rule."""
    return f"rule {position} ({code})" if code else f"rule {position}"
