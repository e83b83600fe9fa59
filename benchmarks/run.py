"""Speed of the road beside the raw limit and its peers, on the same rows, in one run.

    make bench                                               100,000 and 1,000,000 rows
    make bench BENCH_ARGS="--sizes 5M,10M"                   larger ones, added to what was measured before
    make bench BENCH_ARGS="--sizes 100k --no-peers --fresh"  a quick look at the road alone

Prints each measurement as it comes, writes them to benchmarks/out and, after each size, the summary, its table and plots
to benchmarks/results. A run that was broken off goes on with the size it was at; --fresh forgets what was measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import psutil
from rich.console import Console

from benchmarks.cases import Plan, run_size
from benchmarks.journal import Journal
from benchmarks.measurement import Measurement
from benchmarks.report import write_results

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
RESULTS = HERE / "results"
PEERS_PYTHON = HERE.parent / ".venv-bench" / "bin" / "python"
SMALL = 1_000_000
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends through every `finally`, so no server is left
    arguments = _arguments()
    console = Console(width=160)
    journal = Journal(OUT, fresh=arguments.fresh)
    journal.keep_facts(machine=_machine(), measured_on=date.today().isoformat())

    def record(one: Measurement) -> None:
        journal.add(one)
        peak = f", {one.peak_mib:,.0f} MiB" if one.peak_mib else ""
        rate = f" ({one.rows / one.seconds:,.0f} rows/s{peak})" if one.rows else ""
        console.print(
            f"  {one.size:>10,}  {one.case:16} {one.tables:7} {one.who:30} #{one.repeat} {one.seconds:9.2f} s{rate}",
            highlight=False,
        )

    python = _peers_python() if arguments.peers else None
    for size in arguments.sizes:
        if size in journal.sizes_done():
            console.print(f"{size:,} rows: measured before (--fresh measures anew)")
            continue
        repeats = arguments.repeats or (3 if size <= SMALL else 1)
        console.print(f"{size:,} rows: building the source …")
        run_size(Plan(size, repeats, OUT, python, arguments.changed, arguments.slow_rows), record, journal.keep_facts)
        journal.finish(size)
        write_results(journal, arguments.results, python, console)
    if not journal.sizes_done():
        return
    write_results(journal, arguments.results, python, console, show=True)


def _peers_python() -> Path:
    if not PEERS_PYTHON.exists():
        raise SystemExit("the peers' venv is missing: `make bench` makes it, or leave the peers out with --no-peers")
    return PEERS_PYTHON


def _machine() -> dict[str, object]:
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3),
        "python": platform.python_version(),
        "load_before": [round(load, 1) for load in os.getloadavg()],
        "commit": commit.stdout.strip(),
    }


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([km]?)", text.strip().lower())
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 100k, 1M or a number of rows")
    return round(float(match[1]) * _UNITS[match[2]])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes",
        type=lambda text: sorted(_size(part) for part in text.split(",")),
        default=[100_000, 1_000_000],
        help="rows of the source, all its tables together, separated by commas (default 100k,1M)",
    )
    parser.add_argument("--repeats", type=int, help="runs of every case (default 3 up to 1M rows, 1 beyond)")
    parser.add_argument("--changed", type=int, default=5_000, help="dossiers changed for an increment (default 5,000)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="only the road and the raw pipe")
    parser.add_argument(
        "--slow-rows", type=int, default=400_000, help="most rows for pandas to_sql (default 400,000; it takes minutes)"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where summary, table and plots go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
