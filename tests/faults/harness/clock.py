"""Another clock for a run, by libfaketime (Debian's package ``faketime``): it can be moved while the run goes on."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def library() -> str | None:
    """Path of the library; None if it is not installed."""
    if shutil.which("faketime") is None:
        return None
    done = subprocess.run(
        ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip() or None


class MovedClock:
    """A clock file and the environment under which a process goes by it; timers run on as they do on a real machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.move(0)

    def move(self, seconds: int) -> None:
        """Set it so many seconds beside the real one."""
        new = self._path.with_name(f"{self._path.name}.next")
        new.write_text(f"{seconds:+d}", encoding="utf-8")
        new.replace(self._path)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
