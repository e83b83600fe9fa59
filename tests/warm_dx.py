"""``dx`` commands that need not import the judge: one process imports it and forks itself for each command.

With the judge come Great Expectations, pandas, DuckDB and SQLAlchemy, most of what a command imports; the command line and
Dagster are imported by the command itself. A command is a process of its own, with the arguments, environment, output and
exit code of ``python -m dx_pipeline.cli.main``. What a new interpreter alone can show (imports that are forgotten, signals,
commands found by their name) is tested with one: ``Installation.is_warm = False``.

The process that imports ends when its standard input is closed, thus with the one that started it.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from dx_pipeline.settings import PROJECT_ROOT

FREE = ("DX_", "PYTEST_")
"""Beginnings of the names that may differ: nothing that is imported looks at them before a command runs."""


class WarmDx:
    """Client of one such process, which is started with the first command."""

    def __init__(self) -> None:
        self._starting = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._fixed: dict[str, str] = {}
        self._folder = ""

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, timeout: float
    ) -> subprocess.CompletedProcess[str] | None:
        """Output and exit code of a command; None where its environment asks for a new interpreter.

        Raises:
            subprocess.TimeoutExpired: it took longer than that, and was killed.
        """
        with self._starting:
            if self._process is None:
                self._start(environment)
        if _fixed(environment) != self._fixed:
            return None
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as link,
        ):
            link.connect(f"{self._folder}/commands")
            asked = json.dumps({"arguments": list(arguments), "environment": dict(environment)}).encode()
            socket.send_fds(link, [len(asked).to_bytes(4)], [out.fileno(), err.fileno()])
            link.sendall(asked)
            (pid,) = struct.unpack("!i", _exactly(link, 4))
            link.settimeout(timeout)
            try:
                (status,) = struct.unpack("!i", _exactly(link, 4))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), timeout) from None
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(["dx", *arguments], status, *texts)

    def _start(self, environment: Mapping[str, str]) -> None:
        self._fixed = _fixed(environment)
        self._folder = tempfile.mkdtemp(prefix="dx-warm-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_dx", self._folder],
            cwd=PROJECT_ROOT,
            env=self._fixed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self._stop)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the process that imports the judge does not start"

    def _stop(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        Path(self._folder, "commands").unlink(missing_ok=True)
        Path(self._folder).rmdir()


def _fixed(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(FREE)}


def _exactly(link: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = link.recv(size - len(received))
        if not part:
            raise EOFError("the process that runs dx has ended")
        received += part
    return received


def _serve(folder: str) -> None:
    """Fork for each command; return in the process that is to run it, or exit when standard input is closed."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/commands")
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a command is nobody's concern here
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:
                os._exit(0)
            link, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _run(link)
                return
            link.close()


def _run(link: socket.socket) -> None:
    """Become the command; another process waits for its end and tells of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, descriptors, _, _ = socket.recv_fds(link, 4, 2)
    asked = json.loads(_exactly(link, int.from_bytes(size)))
    command = os.fork()
    if command:
        link.sendall(struct.pack("!i", command))
        _, status = os.waitpid(command, 0)
        link.sendall(struct.pack("!i", os.waitstatus_to_exitcode(status)))
        os._exit(0)
    link.close()
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for number, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(asked["environment"])
    import dx_pipeline.cli.main as dx

    assert dx.__file__ is not None
    sys.argv = [dx.__file__, *asked["arguments"]]
    dx.main()


if __name__ == "__main__":
    from dx_pipeline.judge.verdict import prepare_to_judge  # not by the tests, which start this

    prepare_to_judge()
    _serve(sys.argv[1])
