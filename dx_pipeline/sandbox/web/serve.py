"""The server process: ``python -m dx_pipeline.sandbox.web.serve FOLDER [PORT]``.

FOLDER holds ``<system>.json`` (the lists of one system, read again when the file changes), ``tokens.json`` and, while
the server runs, ``server.json`` with its process and port. The process ends when it is told to, and by itself when
``server.json`` is no longer its own: a folder that was removed leaves no server behind.

As real systems do now and then, it turns away some requests: HTTP 429 with Retry-After, and HTTP 503. The very next
attempt is answered.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from dx_pipeline.sandbox.web.answer import Answer, Data
from dx_pipeline.sandbox.web.apis import APIS, base_path

HOST: Final = "127.0.0.1"
STATE: Final = "server.json"
TOKENS: Final = "tokens.json"
#: Which request of a system is turned away: (every, status, headers).
TURNED_AWAY: Final[tuple[tuple[int, int, dict[str, str]], ...]] = ((29, 429, {"Retry-After": "0"}), (173, 503, {}))
_LOOK_SECONDS: Final = 2.0
_IDLE_SECONDS: Final = 60.0


class Systems:
    """What the systems hold, and how each answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: dict[Path, tuple[tuple[int, int], Any]] = {}
        self._requests: Counter[str] = Counter()

    def answer(self, path: str, query: Mapping[str, str], authorization: str) -> Answer:
        """The answer to one request."""
        system = next((name for name in APIS if path.startswith(f"{base_path(name)}/")), None)
        data = None if system is None else self._content(f"{system}.json")
        if system is None or data is None:
            return Answer({"message": "not found"}, 404)
        token = (self._content(TOKENS) or {}).get(system)
        if not token or authorization != f"Bearer {token}":
            return Answer({"message": "unauthorized"}, 401)
        with self._lock:
            self._requests[system] += 1
            turn = self._requests[system]
        for every, status, headers in TURNED_AWAY:
            if turn % every == 7:
                return Answer({"message": "busy"}, status, headers)
        lists: Data = data
        found = APIS[system](path.removeprefix(base_path(system)), query, lists)
        return Answer({"message": "not found"}, 404) if found is None else found

    def _content(self, name: str) -> Any:
        """A file's JSON, read again when it has changed; None if it is not there."""
        path = self._folder / name
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            with self._lock:
                if path not in self._held or self._held[path][0] != version:
                    self._held[path] = version, json.loads(path.read_text(encoding="utf-8"))
                return self._held[path][1]
        except FileNotFoundError:
            return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # headers and body leave in one packet
    timeout = _IDLE_SECONDS
    systems: Systems

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = self.systems.answer(parts.path, query, self.headers.get("Authorization", ""))
        body = json.dumps(answer.document, ensure_ascii=False).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client that hangs up
            super().handle()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line without the query."""
        sys.stderr.write(f"{self.command} {urlsplit(self.path).path} {int(code)}\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing else is told: a message may hold what the client sent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        handler = type("Handler", (_Handler,), {"systems": Systems(folder)})
        try:
            super().__init__((HOST, port), handler)
        except OSError:
            if port == 0:
                raise
            super().__init__((HOST, 0), handler)  # somebody else has the port now
        self._state = folder / STATE
        self._text = json.dumps({"pid": os.getpid(), "port": self.server_address[1]})
        self._looked = time.monotonic()

    def announce(self) -> None:
        """Say which process listens where."""
        partial = self._state.with_name(f".{STATE}.{os.getpid()}")
        partial.write_text(self._text, encoding="utf-8")
        partial.replace(self._state)

    def service_actions(self) -> None:
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if not self._is_announced():
            self.end()

    def end(self) -> None:
        """Stop serving, from any thread."""
        threading.Thread(target=self.shutdown).start()

    def _is_announced(self) -> bool:
        try:
            return self._state.read_text(encoding="utf-8") == self._text
        except OSError:
            return False


def main(arguments: list[str]) -> None:
    """Serve until told to end."""
    folder = Path(arguments[0])
    server = _Server(folder, int(arguments[1]) if len(arguments) > 1 else 0)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: server.end())
    server.announce()
    with server:
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main(sys.argv[1:])
