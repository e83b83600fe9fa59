"""Names a process so that a later one can tell whether it still lives."""

from __future__ import annotations

import os
import socket

import psutil


def process_tag() -> str:
    """``host:pid:start`` of this process."""
    return f"{socket.gethostname()}:{os.getpid()}:{int(psutil.Process().create_time())}"


def is_alive(tag: str) -> bool:
    """Whether the process of a tag still runs; one of another host is taken to."""
    host, pid, started = tag.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(started)
    except psutil.NoSuchProcess:
        return False
