"""A TCP link between pipeline and source that breaks off, or lets something happen, after a number of bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

BLOCK = 16 * 1024


class Link:
    """Listens on a free port of 127.0.0.1 and passes everything on to the source."""

    def __init__(self, upstream_port: Callable[[], int]) -> None:
        self._upstream_port = upstream_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._after: int | None = None
        self._strike: Callable[[], None] | None = None
        self._refusing = False
        self.struck = False
        self.bytes_from_source = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def strike_after(self, count: int, strike: Callable[[], None]) -> None:
        """Call ``strike`` once, in the middle of the stream, when the source has sent that many bytes from now on."""
        with self._guard:
            self._after, self._strike = self.bytes_from_source + count, strike

    def cut(self, *, for_good: bool) -> None:
        """Reset every connection; refuse new ones too, if it is for good."""
        self._refusing = for_good
        with self._guard:
            sockets = list(self._open)
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end(one)

    def mend(self) -> None:
        """Let everything through again."""
        self._refusing = False
        with self._guard:
            self._after = self._strike = None

    def close(self) -> None:
        self._listener.close()
        self.cut(for_good=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            try:
                source = socket.create_connection(("127.0.0.1", self._upstream_port()), timeout=10)
            except OSError:
                client.close()
                continue
            source.settimeout(None)
            with self._guard:
                self._open |= {client, source}
            threading.Thread(target=self._pass_on, args=(client, source, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(source, client, True), daemon=True).start()

    def _pass_on(self, giver: socket.socket, taker: socket.socket, from_source: bool) -> None:
        try:
            while block := giver.recv(BLOCK):
                if from_source:
                    self._count(block, taker)
                else:
                    taker.sendall(block)
        except OSError:
            pass
        finally:
            self._end(giver)
            self._end(taker)

    def _count(self, block: bytes, taker: socket.socket) -> None:
        with self._guard:
            before = self.bytes_from_source
            self.bytes_from_source += len(block)
            strike = None
            if self._after is not None and self.bytes_from_source >= self._after:
                strike, first = self._strike, max(self._after - before, 0)
                self._after = self._strike = None
        if strike is None:
            taker.sendall(block)
            return
        taker.sendall(block[:first])
        self.struck = True
        strike()
        taker.sendall(block[first:])

    def _end(self, one: socket.socket) -> None:
        with self._guard:
            self._open.discard(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
