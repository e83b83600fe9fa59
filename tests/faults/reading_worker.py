"""Reads files one after another as sources, within 1 GiB of memory, and tells how each ended (see test_hostile_files)."""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

import psutil

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError
from dx_pipeline.extract.completeness import check_complete, check_source_rows
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

MEMORY_BYTES = 1024**3


def contract_of(kind: str, name: str) -> Contract:
    """What the sound files of the test promise."""
    if kind in ("csv", "utf16"):
        encoding = "utf-16" if kind == "utf16" else "utf-8"
        return make_contract(["Ma", "Ten", "So"], kind="csv", path=name, delimiter=";", encoding=encoding)
    if kind == "dbf":
        return make_contract(["MAHO", "HOTENCH"], kind="dbf", path=name, encoding="cp1252")
    if kind == "xml":
        return make_contract(["@ma", "Ten", "So"], kind="xml", path=name, record="r")
    if kind in ("json", "ndjson", "json16"):
        records = "du_lieu" if kind == "json" else None
        return make_contract(["Ma", "Ten", "So"], kind="json", path=name, records=records)
    if kind == "parquet":
        return make_contract(["Ma", "Ten", "So"], kind="parquet", path=name)
    return make_contract(
        ["Xã, phường, thị trấn", "Ghi chú"],
        kind="xlsx",
        path=name,
        header_row=3,
        header_rows=3,
        total_rows=("Tổng cộng",),
        stop_at=("Người lập biểu",),
    )


class Memory:
    """The most memory that reading one file took: of this process, and of those that it started."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak of this process begins anew
        self._gone = self._most_of_the_gone()
        self._children = 0

    def note_children(self) -> None:
        """Look at the processes that run now; of those that have ended the system tells by itself."""
        running = sum(_peak(child.pid) for child in psutil.Process().children(recursive=True))
        self._children = max(self._children, running)

    def bytes(self) -> int:
        """All of it."""
        gone = self._most_of_the_gone()
        return _peak(os.getpid()) + max(self._children, gone if gone > self._gone else 0)

    @staticmethod
    def _most_of_the_gone() -> int:
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def _peak(process: int) -> int:
    """The most memory a process held, as the kernel counts it (VmHWM)."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def read(kind: str, path: Path) -> dict[str, Any]:
    """Read a file, and tell how much memory that took."""
    memory = Memory()
    return {**_read(kind, path, memory), "memory": memory.bytes()}


def _read(kind: str, path: Path, memory: Memory) -> dict[str, Any]:
    """Read a file as the road does: drift, at least a row, all rows, and the count of them."""
    contract = contract_of(kind, path.name)
    try:
        with open_source(contract, path.parent.as_uri()) as reader:
            refuse_drift(contract, check_drift(contract, reader.describe()))
            check_source_rows(contract, reader)
            extraction = reader.extract(Window("full"))
            rows = 0
            for batch in extraction.batches:  # as the landing: one at a time
                batch.validate(full=True)
                rows += batch.num_rows
            memory.note_children()
        check_complete(contract, extraction.source_rows, rows)
        json.dumps(extraction.position)
        return {"rows": rows}
    except DxError as error:
        return {"refused": type(error).__name__, "what": error.what, "next_step": error.next_step}
    except BaseException:
        return {"crashed": traceback.format_exc()}


def main() -> None:
    """Answer each line ``kind<TAB>path`` with one JSON line."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for line in sys.stdin:
        kind, path = line.rstrip("\n").split("\t")
        print(json.dumps(read(kind, Path(path))), flush=True)


if __name__ == "__main__":
    main()
