"""One timed command: wall seconds, the seconds it tells itself, peak memory of its process tree."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

SAMPLE_SECONDS = 0.05
DATABASE_SERVERS = ("postgres", "mariadbd")


@dataclass
class Measurement:
    """What was done to which rows by whom, once. ``size`` is the rows of the whole source."""

    size: int
    case: str
    """``first load``, ``nothing new``, ``increment``, ``reload unchanged``, ``month again``, ``validation`` or a probe."""
    tables: str
    """``all`` (11 tables), ``wide`` (ho_so), ``narrow`` (dong_bo_dvcqg)."""
    who: str
    repeat: int
    rows: int
    seconds: float
    """Wall time of the command, from its start as a process; of the work alone where ``detail`` has ``wall``."""
    peak_mib: float | None = None
    """Largest sum of resident memory of the process and its children; database servers have settings of their own."""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timed:
    """A command that has ended."""

    seconds: float
    peak_mib: float
    output: str

    @property
    def told(self) -> dict[str, Any]:
        """The JSON of its last line."""
        found: dict[str, Any] = json.loads(self.output.strip().splitlines()[-1])
        return found


def run_timed(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> Timed:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; with the end of what it wrote.
    """
    errors = folder / "last-command.log"
    started = time.monotonic()
    with errors.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=dict(environment))
        watch = _MemoryWatch(process)
        output, _ = process.communicate()
        seconds = time.monotonic() - started
    if process.returncode != 0:
        told = (output + errors.read_text(encoding="utf-8"))[-3000:]
        raise RuntimeError(f"{' '.join(str(word) for word in command[:6])} … exited {process.returncode}:\n{told}")
    return Timed(seconds, watch.peak / 1024**2, output)


class _MemoryWatch:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.peak = 0.0
        self._process = process
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        try:
            root = psutil.Process(self._process.pid)
        except psutil.NoSuchProcess:
            return
        while self._process.poll() is None:
            self.peak = max(self.peak, _resident(root))
            time.sleep(SAMPLE_SECONDS)


def _resident(root: psutil.Process) -> float:
    """Bytes of the process and its children: of pages they share, which a fork makes for a moment, each its part."""
    try:
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    is_alone = len(processes) == 1
    total = 0.0
    for process in processes:
        try:
            if process.name() not in DATABASE_SERVERS:
                total += process.memory_info().rss if is_alone else process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total
