"""Files that mean no good are read or refused with one clear message; none hangs, none takes the memory, none kills.

``DX_HOSTILE_FILES`` says how many mutated files are tried (48 by default), ``DX_HOSTILE_SEED`` from which seed.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.faults.hostile_files import BUILT, mutated_files, sound_files

COUNT = int(os.environ.get("DX_HOSTILE_FILES", "48"))
SEED = int(os.environ.get("DX_HOSTILE_SEED", "20240630"))
SECONDS_PER_FILE = 60
MEMORY_BYTES = 1024**3
ENDINGS = {"utf16": "csv", "ndjson": "json", "json16": "json"}
SOUND = {"csv": 300, "utf16": 300, "dbf": 298, "xlsx": 6, "xls": 6, "xml": 300, "json": 300, "ndjson": 300, "json16": 300,
         "parquet": 300}  # fmt: skip


class Worker:
    """The process that reads; a new one after each that died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def read(self, kind: str, path: Path) -> dict[str, Any]:
        """How reading ended: ``rows``, ``refused`` or ``crashed``; fails the test if it takes too long."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.reading_worker"],
                cwd=ROOT,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{kind}\t{path}\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            in_time = bool(selector.select(SECONDS_PER_FILE))
        line = process.stdout.readline() if in_time else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.stop()
        return {"crashed": f"process ended with {process.returncode}" if in_time else f"hung for {SECONDS_PER_FILE} s"}

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def write(folder: Path, kind: str, data: bytes) -> Path:
    path = folder / f"a.{ENDINGS.get(kind, kind)}"
    path.write_bytes(data)
    return path


def check_memory(ended: dict[str, Any]) -> None:
    assert 10 * 1024**2 < ended["memory"] < MEMORY_BYTES, f"{ended['memory'] // 2**20} MiB"


def check_refusal(ended: dict[str, Any]) -> None:
    assert ended["what"].startswith("one_stop.ho_so: ")
    assert ended["next_step"]
    assert len(ended["what"]) < 2_000
    assert "Traceback" not in ended["what"]


def test_sound_files_are_read(tmp_path: Path, worker: Worker) -> None:
    rows = {
        kind: worker.read(kind, write(tmp_path, kind, data)).get("rows")
        for kind, data in sound_files(tmp_path / ".").items()
    }
    assert rows == SOUND


def test_mutated_files_are_read_or_refused(tmp_path: Path, worker: Worker) -> None:
    (tmp_path / "sound").mkdir()
    ends: Counter[str] = Counter()
    bad = []
    for file in mutated_files(tmp_path / "sound", COUNT, SEED):
        ended = worker.read(file.kind, write(tmp_path, file.kind, file.data))
        ends["read" if "rows" in ended else ended.get("refused", "crashed")] += 1
        if "memory" in ended:
            check_memory(ended)
        if "crashed" in ended:
            bad.append(f"{file.name}: {ended['crashed']}")
        elif "refused" in ended:
            check_refusal(ended)
    assert not bad, f"{len(bad)} of {COUNT} files (seed {SEED}):\n" + "\n".join(bad[:5])
    assert sum(ends.values()) == COUNT
    assert ends["UnreadableSource"] > COUNT // 10, ends
    assert ends["read"] > COUNT // 20, ends
    # What was refused is no hindrance for the next source.
    sound = sound_files(tmp_path / "sound")
    assert {kind: worker.read(kind, write(tmp_path, kind, data)).get("rows") for kind, data in sound.items()} == SOUND


@pytest.mark.parametrize("name", BUILT)
def test_files_built_to_hurt(tmp_path: Path, worker: Worker, name: str) -> None:
    kind, build, says = BUILT[name]
    (tmp_path / "sound").mkdir()
    ended = worker.read(kind, write(tmp_path, kind, build(tmp_path / "sound")))
    assert "crashed" not in ended, ended["crashed"]
    check_memory(ended)
    if "refused" in ended:
        check_refusal(ended)
    assert says in ended.get("what", f"{ended.get('rows')} rows of a.{kind}"), ended
