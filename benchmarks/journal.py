"""Measurements as they come, one JSON line each; a run that was broken off goes on after the last size it finished."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measurement import Measurement


class Journal:
    """``measurements.jsonl`` and ``sizes-done.json`` of one folder."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self._file = folder / "measurements.jsonl"
        self._done = folder / "sizes-done.json"
        self._facts = folder / "machine.json"
        folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            for path in (self._file, self._done, self._facts):
                path.unlink(missing_ok=True)
        done = self.sizes_done()
        whole = [m for m in self.read() if m.size in done]
        self._file.write_text("".join(_line(m) for m in whole), encoding="utf-8")

    def add(self, measurement: Measurement) -> Measurement:
        """Write it down at once."""
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(_line(measurement))
        return measurement

    def read(self) -> list[Measurement]:
        """All measurements, in the order they were taken."""
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [Measurement(**json.loads(line)) for line in lines]

    def sizes_done(self) -> list[int]:
        """Sizes whose every case was measured."""
        return json.loads(self._done.read_text(encoding="utf-8")) if self._done.exists() else []

    def finish(self, size: int) -> None:
        """No case of this size is left."""
        self._done.write_text(json.dumps([*self.sizes_done(), size]), encoding="utf-8")

    def keep_facts(self, **facts: Any) -> None:
        """Add to what is known of the machine and the run."""
        self._facts.write_text(json.dumps({**self.facts(), **facts}, indent=1), encoding="utf-8")

    def facts(self) -> dict[str, Any]:
        """What is known of the machine and the run."""
        return json.loads(self._facts.read_text(encoding="utf-8")) if self._facts.exists() else {}


def _line(measurement: Measurement) -> str:
    return json.dumps(asdict(measurement), default=str) + "\n"
