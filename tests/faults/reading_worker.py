"""Reads files one after another as sources, within 1 GiB of memory, and tells how each ended (see test_hostile_files)."""

from __future__ import annotations

import json
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

import pyarrow as pa

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
    return make_contract(
        ["Xã, phường, thị trấn", "Ghi chú"],
        kind="xlsx",
        path=name,
        header_row=3,
        header_rows=3,
        total_rows=("Tổng cộng",),
        stop_at=("Người lập biểu",),
    )


def read(kind: str, path: Path) -> dict[str, Any]:
    """Read a file as the road does: drift, at least a row, all rows, and the count of them."""
    contract = contract_of(kind, path.name)
    try:
        with open_source(contract, path.parent.as_uri()) as reader:
            refuse_drift(contract, check_drift(contract, reader.describe()))
            check_source_rows(contract, reader)
            extraction = reader.extract(Window("full"))
            table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
        check_complete(contract, extraction.source_rows, table.num_rows)
        table.validate(full=True)
        json.dumps(extraction.position)
        return {"rows": table.num_rows}
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
