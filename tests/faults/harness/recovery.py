"""What must hold after a fault: nothing half done at once, and after a plain run nothing that tells of it."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from threading import Lock

import psycopg

from tests.faults.harness.processes import alive_under
from tests.faults.harness.scene import Scene, Star
from tests.faults.runs import leftovers

_ONE_AT_A_TIME = Lock()  # Dagster's home is an environment variable of the whole process
ENDING_SECONDS = 10.0


def half_done(scene: Scene, *allowed: Star) -> list[str]:
    """Tables of the star that are neither as before the run nor as after it. Marts are refreshed later, from whole tables."""
    found = scene.star()
    return [
        table
        for table, checksum in found.items()
        if not table.startswith("mart.") and checksum not in [star.get(table) for star in allowed]
    ]


def differences(scene: Scene, *allowed: Star) -> dict[str, tuple[object, list[object]]]:
    """Tables that are not what undisturbed runs leave: what they are, and what they may be."""
    found = scene.star()
    tables = sorted(found.keys() | {table for star in allowed for table in star})
    return {
        table: (found.get(table), [star.get(table) for star in allowed])
        for table in tables
        if found.get(table) not in [star.get(table) for star in allowed]
    }


def traces(scene: Scene) -> dict[str, list[str]]:
    """Everything a run leaves behind that it should not; the sessions of a killed one are given time to end."""
    with _ONE_AT_A_TIME:
        found = leftovers(scene, scene.url)
    found["advisory locks"] = _advisory_locks(scene.url)
    found["locked files"] = _locked_files(scene.home)
    found["temporary files"] = _temporary_files(scene.home)
    found["processes"] = alive_under(scene.home)
    return {what: marks for what, marks in found.items() if marks}


def _advisory_locks(url: str) -> list[str]:
    deadline = time.monotonic() + ENDING_SECONDS
    while True:
        with psycopg.connect(url) as connection:
            held = connection.execute(
                "select format('pid %s, %s %s', l.pid, l.classid, l.objid) from pg_locks as l where locktype = 'advisory'"
            ).fetchall()
        if not held or time.monotonic() > deadline:
            return [row[0] for row in held]
        time.sleep(0.1)


def _locked_files(home: Path) -> list[str]:
    locked = []
    for path in home.glob("*/lock"):
        with path.open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(path.relative_to(home).as_posix())
    return locked


def _temporary_files(home: Path) -> list[str]:
    return sorted(
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if path.relative_to(home).parts[1:2] != ("data",)
        and (path.name.startswith(".") or ".tmp" in path.name or path.name.endswith((".partial", ".new")))
    )
