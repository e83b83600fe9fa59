"""The 24 questions on a filled warehouse, asked by many at once: alone, and while loads publish.

    make bench-readers BENCH_ARGS="--dossiers 3000000 --pause 2"   builds, fills, asks, removes
    make bench-readers BENCH_ARGS="--home DIR --pause 2"     an installation that is there: its sandbox is changed, it is kept

Measured: median and 95th percentile of each question, alone and while ``dx run`` publishes changes again and again.
Asserted: no reader waited for a lock longer than --longest-wait, no snapshot held anything half published (snapshot.py),
every answer came. Ends with status 1 otherwise. Writes
benchmarks/results/readers-<dossiers>.json and .md.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psycopg
from rich.console import Console

from benchmarks.installation import environment_of
from benchmarks.snapshot import CHECKS, state, torn
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse, libpq_uri
from tests.questions import Question, read_questions

HERE = Path(__file__).resolve().parent
NAME = "bench_reader"
LOOK_SECONDS = 0.02
CHECK_REST = 3
"""A check of the snapshots scans the fact: it rests for so many times as long as it took, or it would be the load."""
_WAITING = """
select coalesce(max(extract(epoch from clock_timestamp() - l.waitstart)), 0)
from pg_locks as l
inner join pg_stat_activity as a on l.pid = a.pid
where not l.granted and a.application_name = %s
"""


@dataclass
class Seen:
    """What the readers met in one phase."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    longest_lock_wait: float = 0.0
    torn: list[str] = field(default_factory=list)
    looks: int = 0
    states: set[str] = field(default_factory=set)
    """Different moments of publishing that the checks fell between."""
    must_have_rows: bool = True
    """Not while loading: the changes finish the open dossiers first, and in the end none is late."""


@dataclass(frozen=True)
class Crowd:
    """How many ask, and how long each looks at an answer before the next question, seconds on average."""

    readers: int
    pause: float


@dataclass(frozen=True)
class Latency:
    """One question in both phases, seconds."""

    question: str
    role: str
    alone_p50: float
    alone_p95: float
    loading_p50: float
    loading_p95: float
    asked: int


def ask_alone(url: str, questions: Sequence[Question], crowd: Crowd, seconds: float) -> Seen:
    """All readers, nothing else."""
    seen = Seen()
    with _Asking(url, questions, crowd, seen):
        time.sleep(seconds)
    return seen


def ask_while_loading(
    url: str,
    questions: Sequence[Question],
    crowd: Crowd,
    seconds: float,
    load: Sequence[Sequence[str]],
    environment: Mapping[str, str],
) -> tuple[Seen, list[float]]:
    """All readers while the commands of ``load`` run in turn, again and again until the time is over; seconds of each turn."""
    seen = Seen(must_have_rows=False)
    turns: list[float] = []
    with _Asking(url, questions, crowd, seen):
        until = time.monotonic() + seconds
        while not turns or time.monotonic() < until:
            started = time.monotonic()
            for command in load:
                seed = [str(len(turns) + 1) if word == "SEED" else word for word in command]
                done = subprocess.run(seed, env=dict(environment), capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    raise RuntimeError(f"{' '.join(seed)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            turns.append(time.monotonic() - started)
    return seen, turns


class _Asking:
    """Readers, the look-out for lock waits and the checker of snapshots, each a thread with a connection of its own."""

    def __init__(self, url: str, questions: Sequence[Question], crowd: Crowd, seen: Seen) -> None:
        self._url, self._questions, self._seen = url, questions, seen
        self._pause = crowd.pause
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(crowd.readers)]
        self._threads += [threading.Thread(target=self._look_for_waits), threading.Thread(target=self._check)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        order = random.Random(number)
        with psycopg.connect(self._url, application_name=NAME) as connection:
            while not self._stop.is_set():
                for question in order.sample(self._questions, len(self._questions)):
                    if self._stop.wait(order.uniform(0, 2 * self._pause)):
                        return
                    self._ask(connection, question)

    def _ask(self, connection: psycopg.Connection, question: Question) -> None:
        started = time.perf_counter()
        try:
            connection.execute("set transaction read only")
            connection.execute(f'set local role "{question.role}"'.encode())
            rows = connection.execute(question.statement.encode()).fetchall()
            if not rows and self._seen.must_have_rows:
                self._seen.errors.append(f"{question.path.name}: no row")
        except psycopg.Error as error:
            self._seen.errors.append(f"{question.path.name}: {error}")
        finally:
            connection.rollback()
        self._seen.seconds[question.path.name].append(time.perf_counter() - started)

    def _look_for_waits(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._stop.wait(LOOK_SECONDS):
                row = connection.execute(_WAITING, [NAME]).fetchone()
                assert row is not None
                self._seen.longest_lock_wait = max(self._seen.longest_lock_wait, float(row[0]))

    def _check(self) -> None:
        with psycopg.connect(self._url, options="-c max_parallel_workers_per_gather=0") as connection:
            while not self._stop.is_set():
                started = time.monotonic()
                self._seen.states.add(state(connection))
                self._seen.torn += torn(connection)
                self._seen.looks += 1
                self._seen.states.add(state(connection))
                self._stop.wait(CHECK_REST * (time.monotonic() - started))


def latencies(questions: Sequence[Question], alone: Seen, loading: Seen) -> list[Latency]:
    """Median and 95th percentile of each question."""
    found = []
    for question in questions:
        name = question.path.name
        before, during = alone.seconds[name], loading.seconds[name]
        found.append(Latency(name, question.role, *_p50_p95(before), *_p50_p95(during), len(before) + len(during)))
    return found


def _p50_p95(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return (round(values[0], 4),) * 2 if values else (float("nan"),) * 2
    return round(median(values), 4), round(quantiles(values, n=20, method="inclusive")[18], 4)


def short(count: int) -> str:
    """``60k``, ``3M``: a number of dossiers in a file's name, rounded."""
    return f"{count / 1_000_000:.0f}M" if count >= 1_000_000 else f"{count / 1_000:.0f}k"


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends through every `finally`, so no server is left
    arguments = _arguments()
    console = Console(width=140)
    home: Path = arguments.home or HERE / "out" / "readers"
    environment = environment_of(home)
    dx = [sys.executable, "-m", "dx_pipeline.cli.main"]
    try:
        if arguments.home is None:
            _fill(console, dx, home, arguments.dossiers, environment)
        warehouse = Warehouse.open(Settings(home=home))
        SandboxProvince(Settings(home=home)).start()
        url = libpq_uri(warehouse.url)
        warehouse.close()
        report = _measure(console, arguments, dx, url, environment)
    finally:
        if arguments.home is None:
            subprocess.run([*dx, "down"], env=environment, check=False, capture_output=True)
            shutil.rmtree(home, ignore_errors=True)
    _write(console, report, arguments.results)
    if report["faults"]:
        sys.exit(1)


def _fill(console: Console, dx: list[str], home: Path, dossiers: int, environment: Mapping[str, str]) -> None:
    subprocess.run([*dx, "down"], env=dict(environment), check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)
    for command in (["sandbox", "build", "--dossiers", str(dossiers)], ["run"]):
        started = time.monotonic()
        subprocess.run([*dx, *command], env=dict(environment), check=True, capture_output=True)
        console.print(f"dx {' '.join(command)}: {time.monotonic() - started:.0f} s")


def _measure(
    console: Console, arguments: argparse.Namespace, dx: list[str], url: str, environment: Mapping[str, str]
) -> dict[str, Any]:
    questions = read_questions()
    with psycopg.connect(url) as connection:
        sizes = {
            name: int((connection.execute(f"select count(*) from core.{name}".encode()).fetchone() or (0,))[0])
            for name in ("fact_dossier", "fact_dossier_event")
        }
    console.print(f"{sizes['fact_dossier']:,} dossiers, {sizes['fact_dossier_event']:,} events")
    crowd = Crowd(arguments.readers, arguments.pause)
    console.print(f"{arguments.readers} readers alone, {arguments.seconds:.0f} s …")
    alone = ask_alone(url, questions, crowd, arguments.seconds)
    console.print(f"{arguments.readers} readers while loads publish, at least {arguments.seconds:.0f} s …")
    change = [*dx, "sandbox", "change", "--rows", str(arguments.changed), "--seed", "SEED"]
    loading, turns = ask_while_loading(
        url, questions, crowd, arguments.seconds, [change, [*dx, "run", "one_stop"]], environment
    )
    faults = [*alone.errors, *loading.errors, *alone.torn, *loading.torn]
    wait = max(alone.longest_lock_wait, loading.longest_lock_wait)
    if wait > arguments.longest_wait:
        faults.append(f"a reader waited {wait:.2f} s for a lock, at most {arguments.longest_wait} s is allowed")
    if len(loading.states) < 2:
        faults.append("nothing was published while the snapshots were checked: nothing was shown")
    return {
        "measured_on": date.today().isoformat(),
        "rows": sizes,
        "readers": arguments.readers,
        "pause": arguments.pause,
        "changed": arguments.changed,
        "load_turns_seconds": [round(turn, 1) for turn in turns],
        "longest_lock_wait_seconds": {"alone": alone.longest_lock_wait, "loading": loading.longest_lock_wait},
        "snapshots_checked": alone.looks + loading.looks,
        "states_seen_while_loading": len(loading.states),
        "checks": list(CHECKS),
        "faults": faults,
        "questions": [asdict(one) for one in latencies(questions, alone, loading)],
    }


def _write(console: Console, report: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"readers-{short(report['rows']['fact_dossier'])}"
    (folder / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    waits = report["longest_lock_wait_seconds"]
    lines = [
        "# The 24 questions, asked by many at once",
        "",
        f"By `make bench-readers` on {report['measured_on']}: {report['readers']} readers, who look at an answer for"
        f" {report['pause']:g} s on average before the next question, on"
        f" {report['rows']['fact_dossier']:,} dossiers with {report['rows']['fact_dossier_event']:,} events; alone, and while"
        f" {len(report['load_turns_seconds'])} loads of {report['changed']:,} changed dossiers were published"
        f" ({', '.join(f'{turn:g} s' for turn in report['load_turns_seconds'])}, with making the changes).",
        "",
        f"Longest wait of a reader for a lock: {waits['alone']:.3f} s alone, {waits['loading']:.3f} s while loading."
        f" Snapshots checked: {report['snapshots_checked']}, over {report['states_seen_while_loading']} states of publishing."
        f" Faults: {len(report['faults'])}.",
        "",
        "| question | role | alone p50 | alone p95 | loading p50 | loading p95 | asked |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['question']} | {one['role']} | {one['alone_p50']:.3f} s | {one['alone_p95']:.3f} s |"
        f" {one['loading_p50']:.3f} s | {one['loading_p95']:.3f} s | {one['asked']:,} |"
        for one in report["questions"]
    ]
    (folder / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    console.print("\n".join(lines[4:]), markup=False, highlight=False)
    for fault in dict.fromkeys(report["faults"]):
        console.print(f"[red]✗[/] {fault}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="a DX_HOME with a sandbox that was run; otherwise one is made")
    parser.add_argument(
        "--dossiers", type=int, default=60_000, help="dossiers of the one that is made (default 60,000)"
    )
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument(
        "--pause", type=float, default=0, help="seconds a reader looks at an answer, on average; 0 asks without rest"
    )
    parser.add_argument("--seconds", type=float, default=60, help="of each phase; the second ends with a whole load")
    parser.add_argument("--changed", type=int, default=5_000, help="dossiers changed before each load (default 5,000)")
    parser.add_argument("--longest-wait", type=float, default=0.5, help="seconds a reader may wait for a lock")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
