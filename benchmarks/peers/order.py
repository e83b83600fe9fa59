"""What a peer is asked to do (from the environment), and how it tells what it did (last line of its output, JSON)."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CopyOrder:
    """Copy ``tables`` of schema ``motcua`` at ``source`` into schema ``schema`` at ``target`` (libpq URLs)."""

    source: str
    target: str
    schema: str
    tables: tuple[str, ...]
    case: str
    """``first``: everything; ``increment``: what changed since; ``month``: what was filed in ``month``, again."""
    month: str
    state: str
    """Folder for the peer's own state; lives from the first load to the increment."""
    tuned: bool

    @classmethod
    def read(cls) -> CopyOrder:
        e = os.environ
        return cls(
            e["BENCH_SOURCE"],
            e["BENCH_TARGET"],
            e["BENCH_SCHEMA"],
            tuple(e["BENCH_TABLES"].split(",")),
            e["BENCH_CASE"],
            e["BENCH_MONTH"],
            e["BENCH_STATE"],
            e.get("BENCH_TUNED") == "1",
        )

    def with_driver(self, url: str, driver: str) -> str:
        """The same address for SQLAlchemy."""
        return url.replace("postgresql://", f"postgresql+{driver}://", 1)

    @property
    def month_bounds(self) -> tuple[str, str]:
        """First day of the month, first day of the next one."""
        year, month = (int(part) for part in self.month.split("-"))
        following = f"{year + month // 12}-{month % 12 + 1:02d}-01"
        return f"{self.month}-01", following


def tell(seconds: float, **facts: object) -> None:
    """The answer: seconds of the work itself, without the start of the interpreter."""
    print(json.dumps({"seconds": seconds, **facts}), flush=True)


def timed(work: Callable[[], dict[str, object]]) -> None:
    """Run the work and tell what it gave."""
    started = time.perf_counter()
    facts = work()
    tell(time.perf_counter() - started, **facts)


def read_validation_order() -> tuple[str, str]:
    """Cleaned Parquet file and suite file (YAML) of a validation peer."""
    return sys.argv[1], sys.argv[2]
