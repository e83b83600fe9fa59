"""Another wall clock for a run, and for its warehouse: it can be moved while they work.

A few lines of C (``moved_clock.c``), preloaded. libfaketime 0.9.10, which Debian has, cannot be used: under it
``time.sleep`` of Python 3.11 and later fails (an absolute ``clock_nanosleep`` on the monotonic clock).
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def library() -> Path | None:
    """The library, compiled once in a process; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="dx-clock-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # the warehouse's user reads it too
    target = folder / "moved_clock.so"
    source = Path(__file__).with_name("moved_clock.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(target), str(source)], check=True, timeout=60)
    return target


class MovedClock:
    """A clock file and the environment under which a process goes by it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.move(0)

    def move(self, seconds: int) -> None:
        """Set it so many seconds beside the real one."""
        new = self._path.with_name(f"{self._path.name}.next")
        new.write_text(f"{seconds:+d}", encoding="utf-8")
        new.chmod(0o644)
        new.replace(self._path)

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(library()), "MOVED_CLOCK": str(self._path)}
