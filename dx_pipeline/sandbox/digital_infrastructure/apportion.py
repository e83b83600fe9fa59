"""Whole numbers that add up to a given total, in proportion to weights and below a cap each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


def apportion(total: int, weights: NDArray[np.float64], caps: Int64s | None = None) -> Int64s:
    """Shares of ``total`` in proportion to ``weights`` (all above 0), none above its cap; they sum to ``total``.

    Raises:
        ValueError: the caps hold less than the total.
    """
    limit = np.full(weights.size, total, dtype=np.int64) if caps is None else caps.astype(np.int64)
    if int(limit.sum()) < total:
        raise ValueError(f"{total} cannot be shared out below caps of {int(limit.sum())}")
    given = np.zeros(weights.size, dtype=np.int64)
    while (rest := total - int(given.sum())) > 0:
        free = given < limit
        part = np.where(free, weights, 0.0)
        wanted = rest * part / part.sum()
        step = np.minimum(np.floor(wanted).astype(np.int64), limit - given)
        if not step.any():
            # Less than one each: the largest remainders get the last ones.
            order = np.argsort(-np.where(free, wanted, -1.0), kind="stable")[: min(rest, int(free.sum()))]
            step[order] = 1
        given += step
    return given
