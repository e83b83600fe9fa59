"""How many rows of each planted kind every chunk gets, so that totals don't depend on the chunking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s

AT_LEAST = 3


def wanted(rate: float, rows: float, scale: float) -> int:
    """Rows to plant: ``rate * rows * scale``, at least three unless nothing is asked for."""
    return 0 if rate * scale <= 0 else max(AT_LEAST, round(rate * rows * scale))


class Quotas:
    """Spreads each kind's total evenly over the chunks; what one chunk can't take, a later one does."""

    def __init__(self, targets: Mapping[str, int]) -> None:
        self._targets = dict(targets)
        self._planted: Counter[str] = Counter()
        self._share_done = 0.0

    def advance_to(self, share_done: float) -> None:
        """Say which share of all dossiers will be generated when the coming chunk is done (0..1)."""
        self._share_done = share_done

    def choose(self, kind: str, eligible: Bools, rng: np.random.Generator) -> Int64s:
        """Positions (ascending) of the rows of this chunk that get ``kind``; counts them as planted."""
        due = int(np.ceil(self._targets.get(kind, 0) * self._share_done - 1e-9)) - self._planted[kind]
        candidates = np.flatnonzero(eligible).astype(np.int64)
        if due <= 0 or not candidates.size:
            return np.empty(0, dtype=np.int64)
        picked = rng.choice(candidates, size=min(due, candidates.size), replace=False, shuffle=False)
        self._planted[kind] += int(picked.size)
        return np.sort(picked)

    @property
    def planted(self) -> Mapping[str, int]:
        """How many rows of each kind were planted so far."""
        return {kind: self._planted[kind] for kind in self._targets}
