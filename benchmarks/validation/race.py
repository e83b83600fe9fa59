"""The judge, hand-written SQL and the peers on the same file, each a process of its own; all must find the same rows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.measurement import Timed, run_timed
from dx_pipeline.settings import PROJECT_ROOT

HERE = Path(__file__).parent
PEERS = HERE.parent / "peers"
SUITE = PROJECT_ROOT / "expectations" / "one_stop" / "ho_so.yaml"
JUDGE = "the judge"
HAND_HASHED = "hand-written SQL, rows out with hashes"
HAND_SPLIT = "hand-written SQL, rows out"
HAND_COUNTS = "hand-written SQL, counts only"
GX = "Great Expectations on pandas"
WHO = (JUDGE, HAND_HASHED, HAND_SPLIT, HAND_COUNTS, GX, "pandera on polars", "dataframely")
FRAMES = WHO[4:]
"""They hold all rows in memory."""


def validate(who: str, python: Path, rows: Path, folder: Path) -> Timed:
    """Run one of them; ``told`` has the seconds of the work, without imports, and how many rows break each rule."""
    commands: dict[str, list[str | Path]] = {
        JUDGE: [sys.executable, "-m", "benchmarks.validation.by_judge", rows],
        HAND_HASHED: [sys.executable, HERE / "by_hand.py", "hashed", rows],
        HAND_SPLIT: [sys.executable, HERE / "by_hand.py", "split", rows],
        HAND_COUNTS: [sys.executable, HERE / "by_hand.py", "counts", rows],
        GX: [python, PEERS / "gx_pandas.py", rows, SUITE],
        "pandera on polars": [python, PEERS / "pandera_lazy.py", rows, SUITE],
        "dataframely": [python, PEERS / "dataframely_filter.py", rows, SUITE],
    }
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    return run_timed(commands[who], environment, folder)


def differences(found: dict[str, dict[str, int]]) -> list[str]:
    """Where somebody counted otherwise than the judge; a comparison of speeds that has one of these is void."""
    expected = found[JUDGE]
    return [
        f"{who}, rule {code}: {counts.get(code, 0):,} rows, the judge {expected.get(code, 0):,}"
        for who, counts in found.items()
        for code in sorted(expected.keys() | counts.keys())
        if counts.get(code, 0) != expected.get(code, 0)
    ]
