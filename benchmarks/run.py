"""Speed of the road beside the raw limit and a peer, on the same rows, in one run.

    make bench                          1,000,000 dossiers with their events
    make bench BENCH_ARGS="--dossiers 200000 --no-peer"

Measured, one after the other on an otherwise idle machine:
  road       `dx run one_stop` as a subprocess: source → landing → judge → stage → star → marts, all rules judged, indexes built
  increment  the same command after some dossiers changed; pipeline seconds come from the ledger and Dagster
  raw        psql COPY (binary) out of the source | COPY into an unindexed table of the warehouse, the same columns
  peer       dlt's sql_table (pyarrow backend) into PostgreSQL, in its own venv; a bare copy without any rule, once
             with dlt's defaults and once tuned (intermediate files uncompressed, twice the chunk size)
Prints a table with ratios and writes benchmarks/out/result.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean

import psutil
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks.peer_dlt import copy_with_dlt
from benchmarks.raw_pipe import copy_raw
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse

OUT = Path(__file__).resolve().parent / "out"
ROOT = OUT.parent.parent
PEER = "dlt sql_table, pyarrow"
TUNED_PEER = "dlt, uncompressed, larger chunks"
TABLES = (
    "ho_so", "qua_trinh_xu_ly", "ho_so_bo_sung", "yeu_cau_thanh_toan", "giay_to_ket_qua", "dong_bo_dvcqg", "thu_tuc",
    "thay_doi_muc_do_thu_tuc", "linh_vuc", "groups", "ngay_nghi",
)  # fmt: skip


@dataclass
class Measurement:
    """One timed command: wall seconds, peak memory of the process tree without the database servers.

    ``pipeline_seconds`` is the time of the Dagster run itself, after the process has started and its libraries are there.
    """

    name: str
    seconds: float
    rows: int
    peak_mib: float | None = None
    pipeline_seconds: float | None = None
    steps: list[dict[str, object]] = field(default_factory=list)


def main() -> None:
    arguments = _arguments()
    home = OUT / f"home-{arguments.dossiers}"
    os.environ["DX_HOME"] = str(home)
    os.environ.pop("DAGSTER_HOME", None)
    settings = Settings()
    province = SandboxProvince(settings)
    console = Console(width=150)
    console.print(f"building the sandbox: {arguments.dossiers:,} dossiers …")
    subprocess.run([*_dx(), "down"], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", str(home)], check=True)
    subprocess.run([*_dx(), "sandbox", "build", "--dossiers", str(arguments.dossiers)], check=True, capture_output=True)
    warehouse = Warehouse.open(settings)
    try:
        rows = _source_rows(province)
        console.print(f"source: {rows:,} rows in {len(TABLES)} tables")
        measured = [copy_raw("raw pipe (before)", province, warehouse, TABLES)]
        measured.append(_road("road, first load", warehouse, rows))
        measured.append(_road("road, nothing new", warehouse, 0))
        province.change(rows=arguments.changed, seed=7)
        measured.append(_road(f"road, {arguments.changed:,} dossiers changed", warehouse, arguments.changed))
        measured.append(copy_raw("raw pipe (after)", province, warehouse, TABLES))
        if arguments.peer:
            for name, tuned in ((PEER, False), (TUNED_PEER, True)):
                measured.append(copy_with_dlt(name, province, warehouse, TABLES, OUT / "venv-dlt", tuned=tuned))
        _report(console, measured)
        (OUT / "result.json").write_text(
            json.dumps([asdict(m) for m in measured], indent=2, default=str), encoding="utf-8"
        )
    finally:
        warehouse.close()
        if not arguments.keep:
            subprocess.run([*_dx(), "down"], check=False, capture_output=True)
            subprocess.run(["rm", "-rf", str(home)], check=False)


def _road(name: str, warehouse: Warehouse, rows: int) -> Measurement:
    with warehouse.owner() as connection:
        last = (
            connection.execute(sa.text("select coalesce(max(batch_id), 0) from ops.batch")).scalar()
            if _has_ledger(connection)
            else 0
        )
    started = time.monotonic()
    process = subprocess.Popen([*_dx(), "run", "one_stop"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = _watch_memory(process)
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f"dx run failed:\n{output}")
    with warehouse.owner() as connection:
        steps = [
            dict(row)
            for row in connection.execute(
                sa.text(
                    "select system || '.' || dataset as dataset, extracted, seconds_extract, seconds_judge, seconds_publish,"
                    " inserted, updated, unchanged, quarantined, duplicate from ops.batch where batch_id > :last order by batch_id"
                ),
                {"last": last},
            ).mappings()
        ]
    return Measurement(name, seconds, rows, peak[0] / 1024**2, _pipeline_seconds(output), steps)


def _pipeline_seconds(output: str) -> float | None:
    """Start to end of the Dagster run that ``dx run`` names in its last line."""
    from dagster import DagsterInstance

    from dx_pipeline.orchestration.instance import prepare_dagster_home

    found = re.search(r"^run ([0-9a-f-]{36}) ", output, re.M)
    if found is None:
        return None
    prepare_dagster_home(Settings())
    with DagsterInstance.get() as instance:
        stats = instance.get_run_stats(found[1])
    return stats.end_time - stats.start_time if stats.start_time and stats.end_time else None


def _watch_memory(process: subprocess.Popen[str]) -> list[float]:
    """Largest resident size of the process, sampled while it runs."""
    peak = [0.0]

    def watch() -> None:
        try:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                tree = [watched, *watched.children(recursive=True)]
                own = [p for p in tree if "postgres" not in p.name()]
                peak[0] = max(peak[0], float(sum(p.memory_info().rss for p in own)))
                time.sleep(0.05)
        except psutil.NoSuchProcess:
            return

    threading.Thread(target=watch, daemon=True).start()
    return peak


def _report(console: Console, measured: list[Measurement]) -> None:
    by_name = {m.name: m for m in measured}
    raw = mean(m.seconds for m in measured if m.name.startswith("raw"))
    first = by_name["road, first load"]
    table = Table(title="Tốc độ · Speed", title_justify="left")
    for name in ("what", "seconds", "in the run", "rows", "rows/s", "peak MiB", "× raw pipe"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for m in measured:
        table.add_row(
            m.name,
            f"{m.seconds:.1f}",
            f"{m.pipeline_seconds:.1f}" if m.pipeline_seconds else "–",
            f"{m.rows:,}",
            f"{m.rows / m.seconds:,.0f}" if m.rows else "–",
            f"{m.peak_mib:,.0f}" if m.peak_mib else "–",
            f"{m.seconds / raw:.2f}" if m.rows > 100_000 else "–",
        )
    console.print(table)
    steps = Table(title="Lần nạp đầu theo bước · First load by step", title_justify="left")
    for name in (
        "dataset",
        "rows",
        "extract s",
        "judge s",
        "publish s",
        "extract rows/s",
        "judge rows/s",
        "publish rows/s",
    ):
        steps.add_column(name, justify="left" if name == "dataset" else "right")
    for step in sorted(first.steps, key=lambda s: -int(str(s["extracted"] or 0))):
        rows = int(str(step["extracted"] or 0))
        seconds = [float(str(step[f"seconds_{part}"] or 0)) for part in ("extract", "judge", "publish")]
        if rows >= 10_000:
            steps.add_row(
                str(step["dataset"]), f"{rows:,}", *(f"{s:.1f}" for s in seconds),
                *(f"{rows / s:,.0f}" if s else "–" for s in seconds),
            )  # fmt: skip
    console.print(steps)
    pipeline = sum(
        float(str(step[f"seconds_{part}"] or 0)) for step in first.steps for part in ("extract", "judge", "publish")
    )
    console.print(
        f"first load: {first.seconds:.1f} s wall, {pipeline:.1f} s in steps; {first.seconds / raw:.2f} × the raw pipe ({raw:.1f} s)"
    )
    for peer in (m for m in measured if m.name in (PEER, TUNED_PEER)):
        console.print(
            f"{peer.name}: {peer.seconds:.1f} s for a bare copy = {peer.seconds / first.seconds:.2f} × our whole road"
        )


def _source_rows(province: SandboxProvince) -> int:
    engine = sa.create_engine(province.admin_url())
    with engine.connect() as connection:
        total = sum(
            int(connection.exec_driver_sql(f'select count(*) from motcua."{name}"').scalar_one()) for name in TABLES
        )
    engine.dispose()
    return total


def _has_ledger(connection: sa.Connection) -> bool:
    return bool(connection.execute(sa.text("select to_regclass('ops.batch') is not null")).scalar())


def _dx() -> list[str]:
    return [sys.executable, "-m", "dx_pipeline.cli.main"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dossiers", type=int, default=1_000_000, help="dossiers in the source (default 1,000,000)")
    parser.add_argument("--changed", type=int, default=5_000, help="dossiers changed for the increment (default 5,000)")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="leave out dlt")
    parser.add_argument("--keep", action="store_true", help="keep servers and data afterwards")
    return parser.parse_args()


if __name__ == "__main__":
    main()
