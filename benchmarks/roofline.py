"""What this machine can do at most, measured in the same run: the disk, and one core.

    python -m benchmarks.roofline [FOLDER]

Each probe repeats what one part of the road must do in any case, with nothing around it.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

MIB = 1024 * 1024
BLOCK = os.urandom(MIB)  # no filesystem can compress it


def measure(folder: Path, *, size_mib: int = 512, rows: int = 400_000) -> dict[str, float]:
    """MB/s (10^6 bytes) of each probe."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "roofline.bin"
    try:
        found = {
            "disk, sequential write with fsync": _rate(size_mib * MIB, lambda: _write(file, size_mib)),
            "file cache, sequential read": _rate(size_mib * MIB, lambda: _read(file)),
        }
        table = _table(rows)
        text = io.BytesIO()
        arrow_csv.write_csv(table, text)
        raw = text.getvalue()
        one_core = arrow_csv.ReadOptions(use_threads=False)
        found["Arrow, parse CSV text, one core"] = _rate(
            len(raw), lambda: arrow_csv.read_csv(io.BytesIO(raw), read_options=one_core)
        )
        found["Arrow, write CSV text, one core"] = _rate(len(raw), lambda: arrow_csv.write_csv(table, io.BytesIO()))
        path = folder / "roofline.parquet"
        found["Arrow, write Parquet lz4, one core"] = _rate(
            table.nbytes, lambda: pq.write_table(table, path, compression="lz4")
        )
        found["Arrow, read Parquet lz4, one core"] = _rate(table.nbytes, lambda: pq.read_table(path, use_threads=False))
    finally:
        for left in (file, folder / "roofline.parquet"):
            left.unlink(missing_ok=True)
    return {name: round(rate, 1) for name, rate in found.items()}


def measure_copy(source: str, target: str) -> dict[str, float]:
    """MB/s that one server process needs for COPY of the table ho_so, in both directions and both formats.

    Bytes are those of the format itself. Each direction keeps one core of the server busy and little else.
    """
    import psycopg

    found: dict[str, float] = {}
    with psycopg.connect(source) as reading, psycopg.connect(target) as writing:
        writing.execute("create schema if not exists roofline")
        for form in ("text", "binary"):
            out = f"copy (select * from motcua.ho_so limit 200000) to stdout (format {form})"
            started = time.perf_counter()
            with reading.cursor().copy(out.encode()) as copy:
                blocks = [bytes(block) for block in copy]
            size = sum(len(block) for block in blocks)
            found[f"COPY {form} out of PostgreSQL, one core"] = size / 1e6 / (time.perf_counter() - started)
            columns = reading.execute(
                "select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)"
                " from pg_attribute as a where a.attrelid = to_regclass('motcua.ho_so') and a.attnum > 0"
                " and not a.attisdropped"
            ).fetchone()
            assert columns is not None
            writing.execute("drop table if exists roofline.ho_so")
            writing.execute(f"create unlogged table roofline.ho_so ({columns[0]})".encode())
            started = time.perf_counter()
            with writing.cursor().copy(f"copy roofline.ho_so from stdin (format {form})".encode()) as into:
                for block in blocks:
                    into.write(block)
            found[f"COPY {form} into PostgreSQL, one core"] = size / 1e6 / (time.perf_counter() - started)
        writing.execute("drop schema roofline cascade")
    return {name: round(rate, 1) for name, rate in found.items()}


def _rate(size: int, work: Callable[[], object]) -> float:
    """Best of three: what the machine can do, not what it did while something else ran."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return size / 1e6 / best


def _write(file: Path, size_mib: int) -> None:
    with file.open("wb", buffering=0) as stream:
        for _ in range(size_mib):
            stream.write(BLOCK)
        os.fsync(stream.fileno())


def _read(file: Path) -> None:
    with file.open("rb", buffering=0) as stream:
        while stream.read(MIB):
            pass


def _table(rows: int) -> pa.Table:
    """Columns like those of a dossier: codes, names, times as text, small numbers."""
    numbers = range(rows)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "code": pa.array([f"H50.{n % 60:02d}-2405{n % 28 + 1:02d}-{n:06d}" for n in numbers]),
            "name": pa.array([f"Đăng ký biến động quyền sử dụng đất lần {n % 997}" for n in numbers]),
            "unit": pa.array([f"Ủy ban nhân dân xã số {n % 125}" for n in numbers]),
            "accepted": pa.array([f"202405{n % 28 + 1:02d}{n % 24:02d}{n % 60:02d}00" for n in numbers]),
            "status": pa.array([str(n % 10) for n in numbers]),
            "days": pa.array([n % 30 for n in numbers], pa.int32()),
        }
    )


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1] if len(sys.argv) > 1 else "benchmarks/out")), indent=1))
