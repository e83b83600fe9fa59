"""The moments of a run, as they are seen from outside: in the ledger, in the landing zone, in the work folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg

from tests.faults.harness.fault import AT_RANDOM, Fault

if TYPE_CHECKING:
    from tests.faults.harness.scene import Scene
    from tests.faults.runs import Run

LOOK_SECONDS = 0.003
_ORDER = ("extracting", "landed", "staged", "published")


def wait_for_moment(fault: Fault, scene: Scene, run: Run) -> bool:
    """Wait until the run is where the fault strikes, or just past it; False if the run ended before."""
    if fault.moment == AT_RANDOM:
        deadline = time.monotonic() + fault.share * scene.seconds_undisturbed
        while run.is_alive and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return run.is_alive
    with psycopg.connect(scene.url, autocommit=True) as connection:
        seen = _seen(fault.moment, scene, connection)
        while run.is_alive:
            if seen():
                return run.is_alive
            time.sleep(LOOK_SECONDS)
    return False


def _seen(moment: str, scene: Scene, connection: psycopg.Connection) -> Callable[[], bool]:
    def furthest() -> int:
        found = connection.execute(
            "select status from ops.batch where batch_id > %s", [scene.last_batch_before]
        ).fetchall()
        return max((_ORDER.index(row[0]) for row in found if row[0] in _ORDER), default=-1)

    def stage_table() -> bool:
        found = connection.execute("select exists (select from pg_tables where schemaname = 'stage')").fetchone()
        return bool(found and found[0])

    def writing_the_star() -> bool:
        found = connection.execute(
            "select exists (select from pg_locks as l join pg_class as c on c.oid = l.relation"
            " join pg_namespace as n on n.oid = c.relnamespace join pg_stat_activity as a on a.pid = l.pid"
            " where n.nspname in ('core', 'restricted') and l.mode = 'RowExclusiveLock'"
            " and l.pid <> pg_backend_pid())"
        ).fetchone()
        return bool(found and found[0])

    landing, work = scene.home / "landing", scene.home / "work"
    looks: dict[str, Callable[[], bool]] = {
        "extracting": lambda: furthest() >= 0,
        "half landed": lambda: any(landing.glob("*/*/.*.tmp-*")) or furthest() >= 1,
        "landed": lambda: furthest() >= 1,
        "cleaning": lambda: any(work.glob("*")) or furthest() >= 2,
        "staging": lambda: stage_table() or furthest() >= 2,
        "staged": lambda: furthest() >= 2,
        "publishing": lambda: writing_the_star() or furthest() >= 3,
        "published": lambda: furthest() >= 3,
    }
    return looks[moment]
