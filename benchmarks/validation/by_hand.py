"""Hand-written SQL for the same rules, one scan in DuckDB: ``by_hand.py counts|split|hashed FILE``.

``split`` gives rows out, bad ones apart with their reasons, and a count for each rule. ``hashed`` gives with each row
the MD5 of its content too, without which a loader cannot pass over unchanged rows: that is the judge's work.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from dx_pipeline.judge.row_hash import row_hash_sql
from dx_pipeline.settings import Settings

FOLDER = Path(__file__).parent
MEMORY, THREADS, BATCH_ROWS = (  # as the judge has
    Settings.model_fields[name].default for name in ("judge_memory", "judge_threads", "batch_rows")
)
NOT_HASHED = ("_row", "id", "ngay_cap_nhat",  # which row it is and when it changed, not what it says
              "chu_ho_so", "so_giay_to_chu_ho_so", "ngay_sinh_chu_ho_so", "so_dien_thoai_chu_ho_so")  # personal  # fmt: skip


def main() -> None:
    form, file = sys.argv[1], sys.argv[2]
    name = "counts" if form == "counts" else "split"
    text = (FOLDER / f"ho_so_{name}.sql").read_text(encoding="utf-8").replace("$file", f"'{file}'")
    with tempfile.TemporaryDirectory(prefix="dx-bench-") as spill, duckdb.connect() as connection:
        connection.execute(f"set threads = {THREADS}; set memory_limit = '{MEMORY}'; set temp_directory = '{spill}'")
        connection.execute("set preserve_insertion_order = false")
        started = time.perf_counter()
        answer = _count(connection, text) if form == "counts" else _split(connection, text, file, form == "hashed")
        print(json.dumps({"seconds": time.perf_counter() - started, **answer}))


def _count(connection: duckdb.DuckDBPyConnection, text: str) -> dict[str, object]:
    found = connection.execute(text)
    names = [column[0] for column in found.description]
    (row,) = found.fetchall()
    return {"broken": {name: count for name, count in zip(names, row, strict=True) if count}}


def _split(connection: duckdb.DuckDBPyConnection, text: str, file: str, is_hashed: bool) -> dict[str, object]:
    columns = connection.execute(f"describe select * from read_parquet('{file}')").fetchall()
    kinds = {name: kind for name, kind, *_ in columns if not name.endswith(("__unreadable", "__note"))}
    wanted = list(kinds)
    if is_hashed:
        row_hash = row_hash_sql([(name, kind) for name, kind in kinds.items() if name not in NOT_HASHED])
        wanted.append(f"{row_hash} as row_hash")
    rules = re.findall(r"/\* (\w+)(, warning)? \*/", text)
    critical = sum(1 << bit for bit, (_, warning) in enumerate(rules) if not warning)
    masks: dict[int, int] = {}
    rows = rejected = 0
    for batch in connection.sql(text.replace("$columns", ", ".join(wanted))).to_arrow_reader(BATCH_ROWS):
        broken = batch.column("broken").to_numpy()
        bad = (broken & critical) != 0
        good_rows, bad_rows = batch.filter(pa.array(~bad)), batch.filter(pa.array(bad))
        for mask, count in zip(*np.unique(broken, return_counts=True), strict=True):
            masks[int(mask)] = masks.get(int(mask), 0) + int(count)
        [[code for bit, (code, _) in enumerate(rules) if mask >> bit & 1] for mask in broken[bad].tolist()]
        rows += good_rows.num_rows + bad_rows.num_rows
        rejected += bad_rows.num_rows
    counted = {code: sum(n for mask, n in masks.items() if mask >> bit & 1) for bit, (code, _) in enumerate(rules)}
    return {"rows": rows, "rejected": rejected, "broken": {code: n for code, n in counted.items() if n}}


if __name__ == "__main__":
    main()
