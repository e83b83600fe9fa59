"""A JSON API that misbehaves in every way we know, over real HTTP servers: one message each, and none hangs."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from dx_pipeline.contract.http_api import HttpApi, Paging
from dx_pipeline.errors import (
    ContractError,
    IncompleteExtract,
    SettingsError,
    SourceDrift,
    SourceUnavailable,
    UnreadableSource,
)
from dx_pipeline.extract import http_client
from dx_pipeline.extract.source import open_source
from tests.certificate import make_certificate
from tests.http_petitions import PAGES, PEOPLE, SECRET, by_page, petitions, read, refused
from tests.http_server import Reply, Request, json_reply, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(http_client, "READ_SECONDS", 0.5)


def test_link_to_another_host_is_not_followed() -> None:
    link = Paging("link", next="next")
    for onward in ("http://127.0.0.2/petitions", "//evil.example/x", "https://127.0.0.1/petitions", "file:///etc"):
        refused(
            lambda _, onward=onward: json_reply({"data": PEOPLE, "next": onward}),
            UnreadableSource,
            "its next page leads to another address",
            HttpApi("data", link),
        )


def test_error_code_inside_http_200() -> None:
    api = HttpApi("data", error_code="error.code", error_message="error.userMessage")

    def says(code: object) -> Callable[[Request], Reply]:
        return lambda _: json_reply({"data": [], "error": {"code": code, "userMessage": f"Lỗi, {SECRET}"}})

    refused(says(17), SourceUnavailable, r"answers with error.code '17': Lỗi, \*\*\*", api)
    refused(says("401"), SettingsError, "connection PAKN refuses the token", api)
    for fine in (0, "0", None):
        with serving(says(fine)) as server:
            assert read(petitions(api), server.url)[1] == []


def test_busy_server_is_asked_again() -> None:
    for status in (429, 502, 503, 504):

        def answer(request: Request, status: int = status) -> Reply:
            return Reply(status=status) if request.number < 3 else by_page(request)

        with serving(answer) as server:
            assert len(read(petitions(HttpApi("data", PAGES, "total")), server.url)[1]) == 25
        assert len(server.requests) == 6


def test_retry_after_is_obeyed() -> None:
    def answer(request: Request) -> Reply:
        if request.number == 0:
            return Reply(status=429, headers={"Retry-After": "1"})
        return json_reply({"data": PEOPLE})

    started = time.monotonic()
    with serving(answer) as server:
        assert len(read(petitions(), server.url)[1]) == 25
    assert time.monotonic() - started >= 1
    late = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    for value in ("7200", late):
        told = refused(
            lambda _, value=value: Reply(status=429, headers={"Retry-After": value}),
            SourceUnavailable,
            r"HTTP 429 \(1 attempt\); it asks to come again in 7\d\d\d seconds",
        )
        assert len(told) == 1
    refused(lambda _: Reply(status=503, headers={"Retry-After": "soon"}), SourceUnavailable, r"HTTP 503 \(5 attempts\)")


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(SourceUnavailable, match=r"cannot be reached: connection refused \(5 attempts\)"):
            read(petitions(), f"http://127.0.0.1:{held.getsockname()[1]}")


def broken_off(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"data": [')


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def silent(connection: socket.socket) -> None:
    time.sleep(1.5)


@pytest.mark.parametrize(
    ("raw", "words"),
    [(broken_off, "the answer broke off"), (garbage, "cannot be reached"), (silent, "no byte within 0.5 seconds")],
)
def test_answers_that_are_none(raw: Callable[[socket.socket], None], words: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(http_client, "ATTEMPTS", 2)
    assert len(refused(lambda _: Reply(raw=raw), SourceUnavailable, words)) == 2


def test_broken_off_once_is_read_again() -> None:
    def answer(request: Request) -> Reply:
        return Reply(raw=broken_off) if request.number == 0 else json_reply({"data": PEOPLE})

    with serving(answer) as server:
        assert len(read(petitions(), server.url)[1]) == 25


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_trickle_is_cut_off(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "WHOLE_SECONDS", 1.0)

    def trickle(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(b"H" if not start else b" ")
            time.sleep(0.1)

    started = time.monotonic()
    refused(lambda _: Reply(raw=trickle), SourceUnavailable, "an answer took longer than 1 seconds")
    assert time.monotonic() - started < 5


def test_status_codes() -> None:
    for status, kind, words in (
        (401, SettingsError, r"the API of connection PAKN refuses the token \(HTTP 401\)"),
        (403, SettingsError, r"refuses the token \(HTTP 403\)"),
        (404, SourceDrift, "/petitions does not exist in the source: HTTP 404"),
        (400, ContractError, "refuses the query on /petitions: HTTP 400"),
        (500, SourceUnavailable, "HTTP 500"),
    ):
        assert len(refused(lambda _, status=status: Reply(b"x", status), kind, words)) == 1
    with (
        serving(lambda _: Reply(status=401)) as server,
        pytest.raises(SettingsError, match="none is set") as caught,
        open_source(petitions(), server.url) as reader,
    ):
        reader.describe()
    assert "DX_CONNECTION_<NAME>_TOKEN" in caught.value.next_step


def test_web_page_invalid_json_and_wrong_shapes() -> None:
    page = b"<!DOCTYPE html><html>login</html>"
    for body, kind, words in (
        (page, UnreadableSource, r"answers with a web page \(often a login or error page\), not with JSON"),
        (b"\n <?xml version='1.0'?><a/>", UnreadableSource, "XML|web page"),
        (b'{"data": [1,}', UnreadableSource, "not valid JSON: line 1, column 13"),
        (b'{"data": [NaN]}', UnreadableSource, "not valid JSON: NaN is not JSON"),
        (b'{"data": [], "data": [{}]}', UnreadableSource, "an object has the same name twice"),
        (b"[" * 100_000, UnreadableSource, "nested too deep"),
        (b'{"data": ["Nguy\xea\xb7n"]}', UnreadableSource, "byte 15 is not UTF-8"),
        (b"", UnreadableSource, "answers with nothing"),
        (b"null", UnreadableSource, "answers with nothing"),
        (b'{"datas": [], "message": "x"}', SourceDrift, "there is no 'data' .* it has: datas, message"),
        (b"[]", SourceDrift, "there is no 'data'"),
        (b'{"data": "x"}', SourceDrift, "not a list of records"),
        (b'{"data": [{"id": 1}, 2]}', UnreadableSource, "record 2 of 'data' .* is not an object"),
        (b'{"data": [{"id": "\\ud800"}]}', UnreadableSource, "a text of id .* is broken Unicode"),
    ):
        refused(lambda _, body=body: Reply(body), kind, words)
    refused(
        lambda _: json_reply({"data": [], "n": "many"}), SourceDrift, "'n' in the answer", HttpApi("data", total="n")
    )


def test_paging_that_never_ends() -> None:
    endless = iter(range(10**9))
    page = Paging("page", "page", most_pages=5)
    refused(
        lambda _: json_reply({"data": PEOPLE}), ContractError, "page 2 is the same as page 1", HttpApi("data", page)
    )
    refused(
        lambda _: json_reply({"data": [{"id": next(endless)}]}),
        ContractError,
        "more than 5 pages",
        HttpApi("data", page),
    )
    cursor = HttpApi("data", Paging("cursor", "after", next="next"))
    refused(
        lambda r: json_reply({"data": [{"id": r.number}], "next": "a" if r.query.get("after") == "b" else "b"}),
        ContractError,
        "leads back to a page that was read",
        cursor,
    )
    refused(lambda r: json_reply({"data": [], "next": r.number}), ContractError, "only empty pages", cursor)


def test_total_that_does_not_agree() -> None:
    api = HttpApi("data", PAGES, "total")

    def fewer(request: Request) -> Reply:
        return json_reply({"data": PEOPLE[:9] if request.query["page"] == "1" else [], "total": 25})

    refused(fewer, IncompleteExtract, "the API counts 25 records in /petitions, 9 came", api)

    def moving(request: Request) -> Reply:
        page = int(request.query["page"])
        return json_reply({"data": PEOPLE[(page - 1) * 10 : page * 10], "total": 24 + page})

    refused(moving, IncompleteExtract, "its total went from 25 to 26", api)
    of_the_page = HttpApi("data", PAGES, "count")
    refused(
        lambda r: json_reply(
            {"data": PEOPLE[(int(r.query["page"]) - 1) * 10 :][:10], "count": 10 if r.number < 2 else 5}
        ),
        IncompleteExtract,
        "its total went from 10 to 5",
        of_the_page,
    )


def test_size_is_capped_also_when_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"data": PEOPLE}).encode()
    with serving(lambda _: Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})) as server:
        assert len(read(petitions(), server.url)[1]) == 25
    monkeypatch.setattr(http_client, "LARGEST_ANSWER", 2**20)
    bomb = gzip.compress(b" " * 50_000_000)
    refused(
        lambda _: Reply(bomb, headers={"Content-Encoding": "gzip"}),
        UnreadableSource,
        "larger than the 1 MiB that are read",
    )
    refused(lambda _: Reply(b" " * 2_000_000), UnreadableSource, "ask for smaller pages|larger than the 1 MiB")
    refused(lambda _: Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), UnreadableSource, "cannot be unpacked")


def test_redirects() -> None:
    def answer(request: Request) -> Reply:
        if request.path == "/petitions":
            return Reply(status=302, headers={"Location": "/v2/petitions?x=1"})
        return json_reply({"data": PEOPLE})

    with serving(answer) as server:
        assert len(read(petitions(), server.url)[1]) == 25
    for address in ("http://localhost:1/petitions", "https://sso.example/login", "http://[::bad", "//other/"):
        refused(
            lambda _, address=address: Reply(status=302, headers={"Location": address}),
            UnreadableSource,
            "it redirects to another address",
        )
    refused(lambda _: Reply(status=307, headers={"Location": "/petitions"}), UnreadableSource, "again and again")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody vouches for, and a server's context with it."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_tls_is_verified(certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(by_page, certificate[1]) as server:
        with pytest.raises(SourceUnavailable, match="its TLS certificate cannot be verified") as caught:
            read(petitions(HttpApi("data", PAGES, "total")), server.url)
        assert SECRET not in str(caught.value)
        assert server.requests == []  # the token was not sent
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert len(read(petitions(HttpApi("data", PAGES, "total")), server.url)[1]) == 25


def test_trickle_over_tls_is_cut_off(certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "WHOLE_SECONDS", 1.0)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(50):
            connection.sendall(b" ")
            time.sleep(0.1)

    started = time.monotonic()
    with serving(lambda _: Reply(raw=trickle), certificate[1]) as server:
        with pytest.raises(SourceUnavailable, match="an answer took longer than 1 seconds"):
            read(petitions(), server.url)
        assert time.monotonic() - started < 4
