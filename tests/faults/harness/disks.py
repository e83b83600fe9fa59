"""Small and read-only file systems over a folder of an installation; they need the right to mount."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

PATIENCE_SECONDS = 5.0
FILLER = "filler.bin"


@lru_cache(maxsize=1)
def may_mount() -> bool:
    """Whether this user may mount a tmpfs."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="dx-mount-") as folder:
        if _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder).returncode != 0:
            return False
        _unmount(Path(folder))
    return True


@contextmanager
def small_disk(folder: Path, *, free_bytes: int) -> Iterator[None]:
    """The folder on a file system of its own with so much room; inside the block it can be given more."""
    folder.mkdir(parents=True, exist_ok=True)
    used = sum(_blocks(path) for path in folder.rglob("*"))
    with tempfile.TemporaryDirectory(prefix="dx-kept-", dir=folder.parent.parent) as kept:
        _copy(folder, Path(kept))
        done = _mount("-t", "tmpfs", "-o", f"size={used + free_bytes},mode=700", "tmpfs", str(folder))
        assert done.returncode == 0, done.stderr
        _copy(Path(kept), folder)
    try:
        yield
    finally:
        _unmount(folder)


def fill(folder: Path, *, but: int) -> None:
    """Use up the disk of a folder, but for some bytes."""
    block = b"\0" * 4096
    with suppress(OSError), (folder / FILLER).open("wb", buffering=0) as filler:
        while filler.write(block):
            pass
    room = max((folder / FILLER).stat().st_size - but, 0)
    os.truncate(folder / FILLER, room)


def give_room(folder: Path) -> None:
    """What filled the disk is gone."""
    (folder / FILLER).unlink(missing_ok=True)


@contextmanager
def own_mount(folder: Path) -> Iterator[None]:
    """The folder as a mount of its own, so that it alone can be made read-only."""
    folder.mkdir(parents=True, exist_ok=True)
    done = _mount("--bind", str(folder), str(folder))
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        _unmount(folder)


def make_read_only(folder: Path) -> None:
    """From now on nothing can be written; waits for files that are being written, as the kernel asks."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (done := _mount("-o", "remount,bind,ro", str(folder))).returncode != 0:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.005)


def make_writable(folder: Path) -> None:
    done = _mount("-o", "remount,bind,rw", str(folder))
    assert done.returncode == 0, done.stderr


def _copy(given: Path, copy: Path) -> None:
    subprocess.run(["cp", "-a", f"{given}/.", str(copy)], check=True, timeout=120)


def _blocks(path: Path) -> int:
    return 4096 if path.is_dir() else (path.stat().st_size + 4095) // 4096 * 4096


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, timeout=60, check=False)


def _unmount(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (done := subprocess.run(["umount", str(folder)], capture_output=True, text=True, check=False)).returncode:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.05)
