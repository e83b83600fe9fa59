"""How rarely a process looks for garbage."""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """What is imported stays; Dagster and Great Expectations bring a million objects more.

    Python's usual thresholds would walk through them again and again.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
