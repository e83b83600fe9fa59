"""How each kind of fault is done to a real run; each returns when the run has ended and the fault is lifted."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable

import psycopg

from tests.faults.harness import clock, disks
from tests.faults.harness.fault import Fault
from tests.faults.harness.landed import break_landed_file
from tests.faults.harness.moment import wait_for_moment
from tests.faults.harness.processes import kill, start_again, stop_server, workers_of
from tests.faults.harness.scene import Scene, Told
from tests.faults.runs import Run

Injector = Callable[[Scene, Fault, random.Random], Told]


def kill_run(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    scene.open()
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    kill(run.pid)
    run.reap()
    return _ended(run, struck)


def kill_run_and_workers(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    scene.open()
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    for pid in [*workers_of(run.pid), run.pid]:
        kill(pid)
    run.reap()
    return _ended(run, struck)


def kill_worker(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    """One of the workbooks' readers, once or each that comes."""
    scene.open()
    run = scene.begin()
    killed, wanted = set[int](), drawn.choice((1, 1, 9))
    while run.is_alive and len(killed) < wanted:
        for pid in set(workers_of(run.pid)) - killed:
            kill(pid)
            killed.add(pid)
    return _ended(run, bool(killed))


def stop_warehouse(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    scene.open()
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    stop_server(scene.home / "warehouse" / "data", drawn.choice((signal.SIGQUIT, signal.SIGKILL)))
    return _ended(run, struck)


def kill_session(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    """SIGKILL of one session: PostgreSQL restarts all of them and recovers. Or its end by an administrator."""
    scene.open()
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    gently = drawn.random() < 0.4
    with psycopg.connect(scene.url, autocommit=True) as connection:
        sessions = connection.execute(
            "select pid from pg_stat_activity where application_name = 'dx_pipeline' or (usename = current_user"
            " and backend_type = 'client backend') and pid <> pg_backend_pid() order by state = 'active' desc, pid"
        ).fetchall()
        for (pid,) in sessions if gently else sessions[:1]:
            if gently:
                connection.execute("select pg_terminate_backend(%s)", [pid])
            else:
                kill(pid)
    return _ended(run, struck and bool(sessions))


def stop_source(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    scene.open()
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    stop_server(scene.home / "sandbox_one_stop" / "data", drawn.choice((signal.SIGQUIT, signal.SIGKILL)))
    told = _ended(run, struck)
    scene.source.server.start()
    return told


def cut_connection(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    """In the middle of what the source sends, once or for good."""
    scene.open()
    for_good = drawn.random() < 0.4
    scene.link.strike_after(_bytes(fault, scene, drawn), lambda: scene.link.cut(for_good=for_good))
    told = _ended(scene.begin(), True)
    scene.link.mend()
    return Told(scene.link.struck, told.exit_code, told.output)


def change_source(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    """Rows are changed, added and deleted in the middle of the reading; files are written anew."""
    scene.open()
    in_place = drawn.random() < 0.5
    if fault.targets[0].startswith("one_stop"):
        scene.link.strike_after(_bytes(fault, scene, drawn), scene.source.change_database)
        told = _ended(scene.begin(), True)
        struck = scene.link.struck
        if not struck:
            scene.source.change_database()
        scene.source.change_files()
        return Told(struck, told.exit_code, told.output)
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    scene.source.change_files(in_place=in_place)
    scene.source.change_database()
    return _ended(run, struck)


def fill_disk(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    """The disk of one folder is full, from the moment on, but for a few bytes."""
    folder = scene.home / drawn.choice(("landing", "landing", "work", "work", "dagster", "warehouse"))
    scene.cleanup.enter_context(disks.small_disk(folder, free_bytes=(96 if folder.name == "warehouse" else 24) * 2**20))
    scene.open()
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    disks.fill(folder, but=drawn.choice((0, 8_192, 65_536)))
    told = _ended(run, struck)
    disks.give_room(folder)
    return told


def make_landing_read_only(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    folder = scene.home / "landing"
    scene.open()
    scene.cleanup.enter_context(disks.own_mount(folder))
    run = scene.begin()
    struck = wait_for_moment(fault, scene, run)
    disks.make_read_only(folder)
    told = _ended(run, struck)
    disks.make_writable(folder)
    return told


def run_twice(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    scene.open()
    first = scene.begin()
    struck = wait_for_moment(fault, scene, first)
    second = scene.begin()
    told, other = _ended(first, struck), _ended(second, struck)
    assert (told.exit_code, other.exit_code) == (0, 0), f"{told.output}\n--- the second run\n{other.output}"
    return told


def move_clock(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    """Of the run alone, or of the machine: then the warehouse goes by it too."""
    seconds = drawn.choice((-1, 1)) * drawn.choice((3_600, 86_400, 40 * 86_400, 400 * 86_400))
    moved = clock.MovedClock(scene.home.parent / "clock")
    whole_machine = drawn.random() < 0.5
    scene.open()
    if whole_machine:
        start_again(scene.home / "warehouse" / "data", moved.environment)
    run = scene.begin(moved.environment)
    struck = wait_for_moment(fault, scene, run)
    moved.move(seconds)
    told = _ended(run, struck)
    if whole_machine:
        scene.server.stop("fast")
    return told


def lose_landed_file(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    return break_landed_file(scene, fault, drawn, how="missing")


def flip_landed_bit(scene: Scene, fault: Fault, drawn: random.Random) -> Told:
    return break_landed_file(scene, fault, drawn, how="damaged")


def _ended(run: Run, struck: bool) -> Told:
    output = run.output()
    return Told(struck, run.exit_code, output)


def _bytes(fault: Fault, scene: Scene, drawn: random.Random) -> int:
    """Somewhere in what an undisturbed run is sent."""
    return drawn.randint(1, max(scene.bytes_undisturbed - 1, 1))


INJECTORS: dict[str, Injector] = {
    "run killed": kill_run,
    "run and its workers killed": kill_run_and_workers,
    "workbook worker killed": kill_worker,
    "warehouse stopped": stop_warehouse,
    "warehouse session killed": kill_session,
    "source stopped": stop_source,
    "connection cut": cut_connection,
    "source changed": change_source,
    "disk full": fill_disk,
    "landing read-only": make_landing_read_only,
    "two runs": run_twice,
    "clock moved": move_clock,
    "landed file lost": lose_landed_file,
    "landed bit flipped": flip_landed_bit,
}
