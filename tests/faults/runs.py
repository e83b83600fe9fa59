"""A ``dx run`` that can be watched and killed, and the marks a dead one may leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
from dagster import DagsterRunStatus, RunsFilter

from tests.conftest import ROOT, Installation

PATIENCE_SECONDS = 180.0


class Run:
    """A ``dx`` command running in the background."""

    def __init__(self, installation: Installation, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dx_pipeline.cli.main", *arguments],
            cwd=ROOT,
            env=installation.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, seen: Callable[[], bool], what: str) -> None:
        """Wait for a moment of the run; fails if it ends before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not seen():
            assert self.is_alive, f"the run ended before {what}:\n{self.output()}"
            assert time.monotonic() < deadline, f"{what} was not seen in {PATIENCE_SECONDS:.0f} s"
            time.sleep(0.01)

    def kill(self) -> None:
        """As the kernel's out-of-memory killer does it."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.wait(timeout=30) == -signal.SIGKILL

    def reap(self) -> None:
        """Take note of the end of a killed run: what it started waits for that and holds its output open until then."""
        self._process.wait(timeout=30)

    def output(self) -> str:
        """Everything it printed; waits for its end."""
        return self._process.communicate(timeout=PATIENCE_SECONDS)[0]

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode


@contextmanager
def holding(url: str, *statements: str) -> Iterator[psycopg.Connection]:
    """A transaction that holds locks until the end of the block."""
    connection = psycopg.connect(url)
    try:
        for statement in statements:
            connection.execute(statement)
        yield connection
    finally:
        connection.close()


def somebody_waits_for(url: str, relation: str) -> bool:
    """Whether a session waits for a lock on a table (or for a row of it)."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select exists (select from pg_locks as l join pg_stat_activity as a using (pid)"
            " where not l.granted and a.datname = current_database() and (l.relation = to_regclass(%s)"
            " or exists (select from pg_locks as r where r.pid = l.pid and r.relation = to_regclass(%s)"
            " and l.locktype in ('transactionid', 'tuple'))))",
            [relation, relation],
        ).fetchone()
    return bool(found and found[0])


def somebody_waits_for_a_dataset(url: str) -> bool:
    """Whether a session waits for the lock that one run holds on a dataset."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select exists (select from pg_locks as l join pg_database as d on d.oid = l.database"
            " where l.locktype = 'advisory' and not l.granted and d.datname = current_database())"
        ).fetchone()
    return bool(found and found[0])


def value(url: str, statement: str) -> object:
    """The single value of a statement, asked as the owner."""
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row else None


def leftovers(installation: Installation, url: str) -> dict[str, list[str]]:
    """Marks of dead runs: nothing of it may be there after a run that went through."""
    landing = installation.home / "landing"
    with psycopg.connect(url) as connection:
        known = {row[0] for row in connection.execute("select landing_path from ops.batch where status = 'published'")}
        unfinished = connection.execute(
            "select format('%s.%s %s %s', system, dataset, batch_id, status) from ops.batch"
            " where status not in ('published', 'superseded') order by batch_id"
        ).fetchall()
        unbalanced = connection.execute(
            "select batch_id::text from ops.batch where status = 'published' and (source_rows <> extracted"
            " or extracted <> accepted + quarantined + duplicate or accepted <> inserted + updated + unchanged)"
        ).fetchall()
        stage = connection.execute("select tablename from pg_tables where schemaname = 'stage' order by 1").fetchall()
        content = connection.execute("select format('%s.%s', system, dataset) from ops.stage_content").fetchall()
    landed = {path.relative_to(landing).as_posix() for path in landing.glob("*/*/*")}
    return {
        "unfinished batches": [row[0] for row in unfinished],
        "unbalanced batches": [row[0] for row in unbalanced],
        "stage tables": [row[0] for row in stage],
        "stage contents": [row[0] for row in content],
        "landed, not in the ledger": sorted(landed - known),
        "in the ledger, not landed": sorted(path for path in known - landed if path),
        "work folders": sorted(path.name for path in (installation.home / "work").glob("*")),
        **_dagster_leftovers(installation.home / "dagster"),
    }


def _dagster_leftovers(home: Path) -> dict[str, list[str]]:
    os.environ["DAGSTER_HOME"] = str(home)
    running = [DagsterRunStatus.STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.CANCELING]
    with dg.DagsterInstance.get() as instance:
        log = instance.event_log_storage
        claimed = [
            f"{key}: {slot.run_id}"
            for key in log.get_concurrency_keys()
            for slot in log.get_concurrency_info(key).claimed_slots
        ]
        return {
            "runs that Dagster thinks are running": [
                run.run_id for run in instance.get_runs(RunsFilter(statuses=running))
            ],
            "claimed slots": claimed,
        }


def kill_server(data: Path) -> int:
    """SIGKILL the postmaster of a cluster; returns its process id."""
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    return pid
