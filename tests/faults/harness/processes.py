"""Kill what belongs to one run, or to one server, by process id."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil

WORKER = "dx_pipeline.extract.sheet_conversion"


def workers_of(pid: int) -> list[int]:
    """The workbook readers of a run. Servers it started are in sessions of their own and none of them."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [child.pid for child in children if WORKER in child.cmdline()]
    except psutil.Error:
        return []


def kill(pid: int) -> None:
    """As the kernel's out-of-memory killer does it; nothing if it has ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def postmaster_of(data: Path) -> int | None:
    """Process id of the server of a cluster."""
    try:
        return int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def stop_server(data: Path, number: int) -> None:
    """Send a signal to a server (SIGQUIT is an immediate stop) and wait for its end."""
    pid = postmaster_of(data)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"the server of {data} does not end"
        time.sleep(0.02)


def start_again(data: Path, environment: dict[str, str]) -> None:
    """Restart a server with the same command and user, in another environment; returns when it takes connections."""
    pid = postmaster_of(data)
    assert pid is not None
    running = psutil.Process(pid)
    command, user, group = running.cmdline(), running.uids().real, running.gids().real
    stop_server(data, signal.SIGINT)
    with (data.parent / "server.log").open("ab") as log:
        subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=[],
        )
    deadline = time.monotonic() + 30
    while b"ready" not in (data / "postmaster.pid").read_bytes() if (data / "postmaster.pid").exists() else True:
        assert time.monotonic() < deadline, f"the server of {data} does not start"
        time.sleep(0.02)


def alive_under(home: Path) -> list[str]:
    """Processes, other than servers, that still work for an installation."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if not any(WORKER in part or "dx_pipeline.cli.main" in part for part in command):
            continue
        with suppress(psutil.Error):
            if process.environ().get("DX_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid}: {' '.join(command)[:120]}")
    return found
