"""Hosts of a network on this machine: Linux network namespaces on a bridge. Needs root."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class NetworkHost:
    """A namespace with one address; processes are started in it, and all of them die with it."""

    def __init__(self, network: Network, number: int) -> None:
        self.name = f"{network.name}h{number}"
        self.address = f"{network.prefix}.{number + 1}"
        self._outer, self._inner = f"{network.name}o{number}", f"{network.name}i{number}"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._outer, "type", "veth", "peer", "name", self._inner)
        _ip("link", "set", self._inner, "netns", self.name)
        _ip("link", "set", self._outer, "master", network.name, "up")
        inside = ("-n", self.name)
        _ip(*inside, "addr", "add", f"{self.address}/24", "dev", self._inner)
        _ip(*inside, "link", "set", self._inner, "up")
        _ip(*inside, "link", "set", "lo", "up")

    def start(
        self, command: Sequence[str | Path], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as said:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.name, *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def processes(self) -> list[int]:
        return [int(line) for line in _ip("netns", "pids", self.name).split()]

    def cut_off(self) -> None:
        """No packet comes in or out any more."""
        _ip("link", "set", self._outer, "down")

    def connect(self) -> None:
        _ip("link", "set", self._outer, "up")

    def kill(self) -> None:
        """The power is gone: off the network, and no process is left."""
        self.cut_off()
        while found := self.processes():
            for process in found:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def remove(self) -> None:
        self.kill()
        _ip("netns", "del", self.name)


class Network:
    """A bridge; this machine has the first address, and forwards ports of it to its own loopback."""

    def __init__(self) -> None:
        number = os.getpid() % 250 + 1
        self.name = f"dx{os.getpid() % 100_000}"
        self.prefix = f"10.213.{number}"
        self.address = f"{self.prefix}.1"
        self.hosts: list[NetworkHost] = []
        self._listening: list[socket.socket] = []
        _ip("link", "add", self.name, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self.name)
        _ip("link", "set", self.name, "up")

    def add_host(self) -> NetworkHost:
        host = NetworkHost(self, len(self.hosts) + 1)
        self.hosts.append(host)
        return host

    def forward(self, port: int) -> None:
        """What comes to this port of the first address goes to the same port of the loopback."""
        listening = socket.create_server((self.address, port))
        self._listening.append(listening)
        threading.Thread(target=_accept, args=(listening, port), daemon=True).start()

    def remove(self) -> None:
        for listening in self._listening:
            listening.close()
        for host in self.hosts:
            host.remove()
        _ip("link", "del", self.name)


@contextmanager
def network() -> Iterator[Network]:
    """A network that is gone at the end, with all that runs on its hosts."""
    made = Network()
    try:
        yield made
    finally:
        made.remove()


def why_not() -> str | None:
    """Why this machine can make no network namespace; None if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = f"dxprobe{os.getpid()}"
    try:
        _ip("netns", "add", probe)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespace can be made here: {getattr(error, 'stderr', None) or error}"
    _ip("netns", "del", probe)
    return None


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=20).stdout


def _accept(listening: socket.socket, port: int) -> None:
    while True:
        try:
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
        except OSError:
            return
        threading.Thread(target=_pass_on, args=(near, far), daemon=True).start()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    with near, far:
        while True:
            for ready in select.select([near, far], [], [])[0]:
                try:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    (far if ready is near else near).sendall(data)
                except OSError:
                    return
