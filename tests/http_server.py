"""A real HTTP server on 127.0.0.1 for tests: one function answers, every request is kept."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One GET or POST: its path, query, headers and body, and how many came before it."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    number: int
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """What is sent back; ``raw`` writes to the socket itself instead."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[socket.socket], None] | None = None


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers})


class ApiServer:
    """A running server: ``url`` and the requests it has had."""

    def __init__(self, answer: Callable[[Request], Reply], context: ssl.SSLContext | None) -> None:
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = dict(parse_qsl(parts.query, True))
                request = Request(parts.path, query, dict(self.headers), len(outer.requests), body)
                outer.requests.append(request)
                reply = answer(request)
                try:
                    if reply.raw is not None:
                        reply.raw(self.connection)
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    self.send_response(reply.status)
                    for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    pass  # the client has gone

            do_POST = do_GET

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # a client that hangs up, or refuses the certificate
                    super().handle()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"


@contextmanager
def serving(answer: Callable[[Request], Reply], context: ssl.SSLContext | None = None) -> Iterator[ApiServer]:
    """A server for the time of a ``with`` block; with a ``context`` it speaks TLS."""
    api = ApiServer(answer, context)
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()
        thread.join()
