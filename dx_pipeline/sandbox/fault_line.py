"""What comparing verdicts with the truth tells: one line per planted kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FaultLine:
    """One kind of planted fault and what became of it."""

    dataset: str
    code: str
    verdict: str
    planted: int
    found: int
    wrong: int

    @property
    def missed(self) -> int:
        return self.planted - self.found


@dataclass(frozen=True)
class VerifyReport:
    """All kinds of faults, and the clean rows that were rejected."""

    lines: tuple[FaultLine, ...]
    clean_rejected: int

    @property
    def recall(self) -> float:
        """Share of planted rows found with the right verdict."""
        planted = sum(line.planted for line in self.lines)
        return sum(line.found for line in self.lines) / planted if planted else 1.0

    @property
    def is_right(self) -> bool:
        return self.clean_rejected == 0 and all(line.missed == 0 and line.wrong == 0 for line in self.lines)
