"""GET requests to one JSON API: bounded in time, size and attempts; the token never leaves this module.

What a server may do wrong is told in one message each. Messages name the path of the contract, never the
URL, its query or a part of the answer: the first may hold a key, the last a person's data.
"""

from __future__ import annotations

import contextlib
import email.utils
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SettingsError, SourceDrift, UnreadableSource
from dx_pipeline.extract import source_errors as errors
from dx_pipeline.extract.sign_of_life import still_alive
from dx_pipeline.loopback import is_this_machine
from dx_pipeline.settings import get_settings

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0  # longest silence; shorter where DX_SOURCE_SILENCE_SECONDS says so
SILENT_ATTEMPTS = 2  # a server that says nothing costs the whole silence each time
WHOLE_SECONDS = 300.0  # one answer, from the first byte asked to the last byte received
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes, unpacked
ATTEMPTS = 5
FIRST_WAIT = 0.5  # seconds; doubled with every attempt, with full jitter
LONGEST_WAIT = 60.0
_MOST_REDIRECTS = 3
_BLOCK = 64 * 1024
_AGAIN = (429, 502, 503, 504)
_PLAIN_TOKEN = re.compile(r"^[\x21-\x7e]+(?: [\x21-\x7e]+)*$")

Query = Sequence[tuple[str, str]]
T = TypeVar("T")


class NoSuchPath(SourceDrift):
    """The API does not know this path (HTTP 404, 410)."""


@dataclass(frozen=True)
class Answer:
    """The whole body of one answer, and when the server said it was made (None if it did not)."""

    body: bytes
    content_type: str
    made_at: datetime | None


class _BusyError(Exception):
    """Worth another attempt; ``wait`` seconds if the server said how long."""

    def __init__(
        self, reason: str, wait: float | None = None, *, is_connected: bool = False, is_silent: bool = False
    ) -> None:
        super().__init__(reason)
        self.is_silent = is_silent
        self.wait = wait
        self.is_connected = is_connected


class ApiClient:
    """One API of one system; user and password of the URL are the connection's name and its token."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        parts = urlsplit(connection_url)
        try:
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            self._refuse_url("its port is not a number")
        self._scheme, self._host = parts.scheme.lower(), parts.hostname or ""
        self._base = parts.path.rstrip("/")
        self._base_query = parse_qsl(parts.query, keep_blank_values=True)
        self._connection = unquote(parts.username or "")
        self._token = unquote(parts.password or "").removeprefix("Bearer ").strip()
        if not self._host or parts.fragment:
            self._refuse_url("it names no host" if not self._host else "it has a part after #")
        if self._scheme == "http" and not is_this_machine(self._host):
            self._refuse_url("http:// would send token and data in the clear; only https:// may leave this machine")
        if self._token and not _PLAIN_TOKEN.match(self._token):
            raise SettingsError(
                f"{contract.id}: the token of {self._named} holds a character that no token has",
                next_step=f"set {self._token_setting} again, without quotation marks and line breaks",
            )
        self._sockets: list[socket.socket] = []
        self._pool: urllib3.HTTPConnectionPool | None = None

    def close(self) -> None:
        """Give the connection back."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def hidden(self, text: str) -> str:
        """A text of the server, fit for a message: one line, short, without the token."""
        return errors.redact(text, self._token)[:200]

    def come_again(self, reason: str) -> NoReturn:
        """The answer says that the API is busy: for what is called by :meth:`get`, which then asks again."""
        raise _BusyError(reason, is_connected=True)

    def refuse_token(self, how: str) -> NoReturn:
        """The API does not accept us."""
        state = "refuses the token" if self._token else "wants a token, none is set"
        raise SettingsError(
            f"{self._contract.id}: the API of {self._named} {state} ({how})",
            next_step=f"check {self._token_setting}: ask the owner {self._contract.owner_agency} for a token that is "
            f"valid and may read {self._contract.source.path}",
        )

    @contextlib.contextmanager
    def speaking_of(self, contract: Contract) -> Iterator[None]:
        """Messages tell of this contract: of another resource that is read over the same connection."""
        own, self._contract = self._contract, contract
        try:
            yield
        finally:
            self._contract = own

    def get(self, path: str, query: Query, understood: Callable[[Answer], T]) -> T:
        """What is understood of the answer for a path below the connection's base, after as many attempts as allowed.

        Args:
            understood: reads the answer; may call :meth:`come_again`.

        Raises:
            SourceUnavailable: cannot be reached, is busy, breaks off, takes too long.
            SettingsError: the token is refused.
            NoSuchPath: HTTP 404. ContractError: the API refuses the parameters.
            UnreadableSource: too large, or leads to another host.
        """
        for attempt in range(1, ATTEMPTS + 1):
            still_alive()
            try:
                return understood(self._once(path, query))
            except _BusyError as busy:
                wait = busy.wait
                if wait is None:
                    wait = random.uniform(0.5, 1.0) * min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
                tried = f"{busy} ({attempt} attempt{'s' if attempt > 1 else ''})"
                if wait > LONGEST_WAIT:
                    raise errors.timed_out(
                        self._contract, f"{tried}; it asks to come again in {wait:.0f} seconds"
                    ) from None
                if attempt == ATTEMPTS or (busy.is_silent and attempt >= SILENT_ATTEMPTS):
                    refusal = errors.connection_lost if busy.is_connected else errors.unreachable
                    raise refusal(self._contract, tried) from None
                time.sleep(wait)
        raise AssertionError

    def link(self, address: str) -> tuple[str, Query]:
        """Path and query of the next page's address, which must be of the same API.

        Raises:
            UnreadableSource: it leads elsewhere; the token is not sent there.
        """
        own = f"{self._scheme}://{self._netloc}{self._base}/"
        target = self._own_address(own, address, "its next page leads to")
        if not target.path.startswith(f"{self._base}/"):
            self._refuse_elsewhere("its next page leads to", f"{self._host}, outside of the connection's base")
        pairs = parse_qsl(target.query, keep_blank_values=True)
        return target.path[len(self._base) :], pairs

    def _once(self, path: str, query: Query) -> Answer:
        pairs = [*self._base_query, *query]
        target = quote(self._base + path, safe="/%:@!$&'()*+,;=~-._") + (f"?{urlencode(pairs)}" if pairs else "")
        for _ in range(_MOST_REDIRECTS + 1):
            with self._deadline(), self._asked(target) as response:
                location = response.headers.get("Location")
                if response.status in (301, 302, 303, 307, 308) and location:
                    here = f"{self._scheme}://{self._netloc}{target}"
                    onward = self._own_address(here, location, "it redirects to")
                    target = (onward.path or "/") + (f"?{onward.query}" if onward.query else "")
                    continue
                self._check_status(response)
                return Answer(self._body(response), response.headers.get("Content-Type", ""), _made_at(response))
        raise UnreadableSource(
            f"{self._contract.id}: {self._contract.source.label} redirects again and again",
            next_step=f"check source.path in {self._contract.path} and the URL of {self._named}",
        )

    @contextlib.contextmanager
    def _asked(self, target: str) -> Iterator[urllib3.BaseHTTPResponse]:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "dx_pipeline"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        response: urllib3.BaseHTTPResponse | None = None
        try:
            response = self._opened().urlopen(
                "GET",
                target,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=_connect_seconds(), read=_read_seconds()),
            )
            yield response
        except SSLError:
            raise errors.unreachable(self._contract, "its TLS certificate cannot be verified") from None
        except DecodeError:
            raise UnreadableSource(
                f"{self._contract.id}: the answer of {self._contract.source.label} cannot be unpacked",
                next_step=f"ask the owner {self._contract.owner_agency} to look at the API's compression",
            ) from None
        except (HTTPError, OSError, ValueError) as error:
            silent = isinstance(error, ReadTimeoutError | ConnectTimeoutError | TimeoutError) and not isinstance(
                error, NewConnectionError
            )
            raise _BusyError(_cause(error), is_connected=response is not None, is_silent=silent) from None
        finally:
            if response is not None:
                response.close()

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        blocks = []
        size = 0
        while block := response.read1(_BLOCK):
            still_alive()
            size += len(block)
            if size > LARGEST_ANSWER:
                raise UnreadableSource(
                    f"{self._contract.id}: one answer of {self._contract.source.label} is larger than the "
                    f"{LARGEST_ANSWER // 2**20} MiB that are read",
                    next_step=f"ask for smaller pages: source.paging.size in {self._contract.path}",
                )
            blocks.append(block)
        return b"".join(blocks)

    def _check_status(self, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        told = f"HTTP {status}"
        if status in _AGAIN:
            raise _BusyError(told, _retry_after(response.headers.get("Retry-After")), is_connected=True)
        if status in (401, 403, 407):
            self.refuse_token(told)
        if status in (404, 410):
            gone = errors.relation_missing(self._contract, told)
            raise NoSuchPath(gone.what, next_step=gone.next_step)
        if status >= 500:
            raise errors.connection_lost(self._contract, told)
        raise errors.statement_refused(self._contract, told)

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[None]:
        """No answer takes longer than this, however slowly it trickles: its socket is then shut."""
        passed = threading.Event()

        def shut() -> None:
            passed.set()
            for opened in self._sockets:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)

        timer = threading.Timer(WHOLE_SECONDS, shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except _BusyError:
            if not passed.is_set():
                raise
        finally:
            timer.cancel()
        if passed.is_set():
            self.close()
            raise errors.timed_out(self._contract, f"an answer took longer than {WHOLE_SECONDS:g} seconds")

    def _opened(self) -> urllib3.HTTPConnectionPool:
        if self._pool is None:
            pool = urllib3.connection_from_url(f"{self._scheme}://{self._netloc}", maxsize=1)
            pool.ConnectionCls = _watched(pool.ConnectionCls, self._sockets)
            self._pool = pool
        return self._pool

    def _own_address(self, here: str, address: str, how: str) -> SplitResult:
        """The address as seen from ``here``; refused if it is not of this scheme, host and port."""
        try:
            parts = urlsplit(urljoin(here, address))
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            self._refuse_elsewhere(how, "not an address")
        if (parts.scheme, parts.hostname, port) != (self._scheme, self._host, self._port) or parts.username:
            self._refuse_elsewhere(how, parts.hostname)
        return parts

    def _refuse_elsewhere(self, how: str, host: str | None) -> NoReturn:
        raise UnreadableSource(
            f"{self._contract.id}: {self._contract.source.label} is not followed: {how} another address "
            f"({self.hidden(host or 'unnamed')[:100]}), and the token is for this one only",
            next_step=f"if the API has moved, change the URL of {self._named}",
        )

    def _refuse_url(self, reason: str) -> NoReturn:
        raise SettingsError(
            f"{self._contract.id}: the URL of system {self._contract.system} cannot be used: {reason}",
            next_step="write it as https://host/base and put the token into DX_CONNECTION_<NAME>_TOKEN",
        )

    @property
    def _netloc(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    @property
    def _named(self) -> str:
        return f"connection {self._connection}" if self._connection else f"system {self._contract.system}"

    @property
    def _token_setting(self) -> str:
        return f"DX_CONNECTION_{self._connection or '<NAME>'}_TOKEN"


def _watched(base: Any, sockets: list[socket.socket]) -> Any:
    """A connection class that tells which socket it uses, so that a deadline can shut it."""

    class Watched(base):  # type: ignore[misc]
        def connect(self: HTTPConnection) -> None:
            super().connect()  # type: ignore[misc]
            sockets[:] = [self.sock] if self.sock is not None else []

    return Watched


def _connect_seconds() -> float:
    return min(CONNECT_SECONDS, get_settings().source_connect_seconds)


def _read_seconds() -> float:
    return min(READ_SECONDS, get_settings().source_silence_seconds / SILENT_ATTEMPTS)


def _cause(error: BaseException) -> str:
    """What broke, in our words: the library's own message holds host, path and query."""
    if isinstance(error, NameResolutionError):
        return "its host name is not known"
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return f"no connection within {_connect_seconds():g} seconds"
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return f"no byte within {_read_seconds():g} seconds"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror.lower()
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, NewConnectionError):
        return "no connection"
    return "the answer broke off" if isinstance(error, ProtocolError) else "the answer is not HTTP"


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: a number, or a date of HTTP; None if it cannot be read."""
    text = (value or "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    moment = _http_date(text)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0) if moment is not None else None


def _made_at(response: urllib3.BaseHTTPResponse) -> datetime | None:
    return _http_date(response.headers.get("Date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
