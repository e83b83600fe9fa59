"""A JSON API as a source, over real HTTP servers that misbehave in every way we know."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.contract.http_api import HttpApi, Paging, Since
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    ContractError,
    DxError,
    IncompleteExtract,
    SettingsError,
    SourceDrift,
    SourceUnavailable,
    UnreadableSource,
)
from dx_pipeline.extract import http_client
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.settings import Settings
from tests.extract_contracts import make_contract
from tests.http_server import Reply, Request, json_reply, serving

SECRET = "s3cret-T0ken"
PEOPLE = [{"id": n, "name": f"Người {n}", "address": {"maXa": f"{19000 + n}"}} for n in range(1, 26)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(http_client, "READ_SECONDS", 0.5)


def petitions(api: HttpApi = HttpApi(records="data"), columns: str = "id name address.maXa", **more: Any) -> Contract:
    return make_contract(columns.split(), kind="http_json", path="/petitions", api=api, **more)


def with_token(url: str) -> str:
    return url.replace("://", f"://PAKN:{SECRET}@")


def read(contract: Contract, url: str, window: Window = Window("full")) -> tuple[Extraction, list[dict[str, Any]]]:
    with open_source(contract, with_token(url)) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table.to_pylist()


def refused(
    answer: Callable[[Request], Reply], kind: type[DxError], words: str, api: HttpApi = HttpApi(records="data")
) -> list[Request]:
    """The one message; it says what to do and holds neither token nor address."""
    with serving(answer) as server, pytest.raises(kind, match=words) as caught:
        read(petitions(api), server.url)
    assert caught.value.next_step
    assert SECRET not in str(caught.value)
    assert str(server.port) not in str(caught.value)
    assert "one_stop.ho_so" in caught.value.what
    return server.requests


def by_page(request: Request) -> Reply:
    size, page = int(request.query["size"]), int(request.query["page"])
    return json_reply({"data": PEOPLE[(page - 1) * size : page * size], "total": 25})


PAGES = Paging("page", "page", "size", 10)


def test_pages_with_total_and_nested_fields() -> None:
    with serving(by_page) as server:
        extraction, rows = read(petitions(HttpApi("data", PAGES, "total")), server.url)
    assert extraction.source_rows == len(rows) == 25
    assert rows[10] == {"id": "11", "name": "Người 11", "address.maXa": "19011"}
    assert [request.query["page"] for request in server.requests] == ["1", "2", "3"]
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {SECRET}"}
    assert extraction.position["pages"] == 3
    assert extraction.position["path"] == "/petitions"


def test_pages_without_total_end_at_an_empty_page_although_the_server_gives_fewer_than_asked() -> None:
    def answer(request: Request) -> Reply:
        page = int(request.query["page"])
        return json_reply({"data": PEOPLE[(page - 1) * 4 : page * 4]})

    with serving(answer) as server:
        extraction, rows = read(petitions(HttpApi("data", PAGES)), server.url)
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 26)]
    assert extraction.source_rows == 25
    assert len(server.requests) == 8


def test_offset_follows_what_came_not_what_was_asked() -> None:
    def answer(request: Request) -> Reply:
        start = int(request.query["offset"])
        return json_reply({"data": PEOPLE[start : start + 7], "meta": {"total": "25"}})

    api = HttpApi("data", Paging("offset", "offset", "limit", 10, first=0), "meta.total")
    with serving(answer) as server:
        assert len(read(petitions(api), server.url)[1]) == 25
    assert [request.query["offset"] for request in server.requests] == ["0", "7", "14", "21"]


def test_cursor_and_link() -> None:
    def answer(request: Request) -> Reply:
        start = int(request.query.get("after", "0"))
        onward = str(start + 10) if start + 10 < 25 else None
        link = f"/api/petitions?after={onward}" if onward else None
        return json_reply({"data": PEOPLE[start : start + 10], "next": onward, "links": {"next": link}})

    with serving(answer) as server:
        by_cursor = read(petitions(HttpApi("data", Paging("cursor", "after", next="next"))), server.url)[1]
        by_link = read(petitions(HttpApi("data", Paging("link", next="links.next"))), server.url + "/api")[1]
    assert by_cursor == by_link
    assert len(by_cursor) == 25
    assert server.requests[-1].path == "/api/petitions"


def test_link_to_another_host_is_not_followed() -> None:
    link = Paging("link", next="next")
    for onward in ("http://127.0.0.2/petitions", "//evil.example/x", "https://127.0.0.1/petitions", "file:///etc"):
        refused(
            lambda _, onward=onward: json_reply({"data": PEOPLE, "next": onward}),
            UnreadableSource,
            "its next page leads to another address",
            HttpApi("data", link),
        )


def test_values_keep_their_exact_text() -> None:
    body = (
        '{"data":[{"id":1.10,"name":12345678901234567890.123450,"address":{"maXa":true}},'
        '{"id":1e5,"name":"\\u0110ông","address":null},{"id":-0,"name":[1,{"a":"b"}],"address":{"maXa":""}},{}]}'
    ).encode("utf-8-sig")
    with serving(lambda _: Reply(body)) as server:
        extraction, rows = read(petitions(), server.url)
    assert [tuple(row.values()) for row in rows] == [
        ("1.10", "12345678901234567890.123450", "true"),
        ("1e5", "Đông", None),
        ("-0", '[1,{"a":"b"}]', ""),
        (None, None, None),
    ]
    assert extraction.source_rows == 4


def test_the_ministry_style_of_one_indicator_per_answer() -> None:
    """Shape of a real provincial reporting API: one object, error code inside HTTP 200, keys are parameters."""

    def answer(request: Request) -> Reply:
        asked = request.query
        assert asked["officeCode"] == "000.00.00.H50"
        value = {"indicatorCode": asked["indicatorCode"], "unit": "%", "value": float(asked["dataYear"]) / 1000}
        return json_reply({"data": value, "error": {"code": 0, "userMessage": None}, "total": 1})

    api = HttpApi(
        records="data",
        total="total",
        error_code="error.code",
        error_message="error.userMessage",
        parameters={"officeCode": ("000.00.00.H50",), "indicatorCode": ("TDTT", "GRDP"), "dataYear": ("2019", "2020")},
    )
    with serving(answer) as server:
        extraction, rows = read(petitions(api, "indicatorCode ?dataYear value"), server.url)
        with open_source(petitions(api, "indicatorCode ?dataYear value"), server.url) as reader:
            assert check_drift(petitions(api), reader.describe()).added == (
                "?dataYear",
                "indicatorCode",
                "unit",
                "value",
            )
            assert not reader.is_empty()
            assert reader.holds_at_least(4)
            assert not reader.holds_at_least(5)
    assert extraction.source_rows == 4
    assert [tuple(row.values()) for row in rows] == [
        ("TDTT", "2019", "2.019"),
        ("TDTT", "2020", "2.02"),
        ("GRDP", "2019", "2.019"),
        ("GRDP", "2020", "2.02"),
    ]


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


def test_not_found_beyond_the_last_page_is_the_end() -> None:
    def answer(request: Request) -> Reply:
        page = int(request.query["page"])
        return json_reply({"data": PEOPLE[(page - 1) * 5 : page * 5], "total": 25}) if page <= 5 else Reply(status=404)

    with serving(answer) as server:
        assert len(read(petitions(HttpApi("data", Paging("page", "page", "n", 5), "total")), server.url)[1]) == 25
    assert len(server.requests) == 6


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


def test_increment_asks_since_and_the_watermark_never_passes_the_servers_clock() -> None:
    api = HttpApi("data", since=Since("updatedFrom", "%d/%m/%Y %H:%M:%S"))
    contract = petitions(api, "id updated", mode="incremental", cursor="updated", lookback=timedelta(hours=2))
    rows = [
        {"id": 1, "updated": "31/01/2024 08:00:00"},
        {"id": 2, "updated": "01/02/2024 09:30:00"},
        {"id": 3, "updated": None},
        {"id": 4, "updated": "không rõ"},
    ]
    with serving(lambda _: json_reply({"data": rows})) as server:
        extraction, _ = read(contract, server.url, Window("increment", low="2024-01-31T06:00:00"))
        assert server.requests[-1].query == {"updatedFrom": "31/01/2024 06:00:00"}
        assert extraction.cursor_high == "2024-02-01T09:30:00"
        assert read(contract, server.url)[0].cursor_high == "2024-02-01T09:30:00"
        assert server.requests[-1].query == {}
        with pytest.raises(ContractError, match="read whole, not month by month"):
            read(contract, server.url, Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00"))
    rows[0]["updated"] = "01/01/9024 00:00:00"
    with serving(lambda _: json_reply({"data": rows})) as server:
        high = read(contract, server.url)[0].cursor_high
    assert high is not None
    assert abs(datetime.fromisoformat(high) - datetime.now()) < timedelta(days=1)
    never = pytest.raises(ContractError, match="not one of the 1 values of the cursor updated can be read")
    with serving(lambda _: json_reply({"data": rows[3:]})) as server, never:
        read(contract, server.url)


@pytest.mark.parametrize(
    ("pattern", "sent", "value"),
    [
        ("iso", "2024-01-31T06:00:00", "2024-01-31T06:00:00Z"),
        ("iso_offset", "2024-01-31T06:00:00+07:00", "2024-01-31T13:00:00"),
        ("epoch", "1706655600", 1706680800),
        ("epoch_ms", "1706655600000", 1706680800000),
    ],
)
def test_formats_of_a_moment(pattern: str, sent: str, value: object) -> None:
    api = HttpApi("data", since=Since("from", pattern))
    contract = petitions(api, "updated", mode="incremental", cursor="updated")
    with serving(lambda _: json_reply({"data": [{"updated": value}]})) as server:
        extraction, _ = read(contract, server.url, Window("increment", low="2024-01-31T06:00:00"))
    assert server.requests[0].query == {"from": sent}
    assert extraction.cursor_high == "2024-01-31T13:00:00"


def test_describe_looks_further_for_fields_that_are_left_out_when_empty() -> None:
    sparse = [{"id": n} for n in range(10)] + [{"id": 10, "name": "x", "address": {"maXa": "1", "thon": "2"}}]

    def answer(request: Request) -> Reply:
        page = int(request.query["page"])
        return json_reply({"data": sparse[(page - 1) * 5 : page * 5], "total": 11})

    api = HttpApi("data", Paging("page", "page", "size", 5), "total")
    with serving(answer) as server, open_source(petitions(api), server.url) as reader:
        drift = check_drift(petitions(api), reader.describe())
        assert (drift.missing, drift.added) == ((), ("address.thon",))
        assert len(server.requests) == 3
        assert reader.holds_at_least(11)
        assert not reader.holds_at_least(12)
        assert len(server.requests) == 3
    renamed = petitions(api, "id hoTen")
    with serving(answer) as server, open_source(renamed, server.url) as reader:
        assert check_drift(renamed, reader.describe()).missing == ("hoTen",)
    with (
        serving(lambda _: json_reply({"data": [], "total": 0})) as server,
        open_source(petitions(api), server.url) as r,
    ):
        assert check_drift(petitions(api), r.describe()).is_none
        assert r.is_empty()


def test_connection_urls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for url, words in (
        ("http://api.example.vn/v1", "in the clear"),
        ("https://", "names no host"),
        ("https://host:port/", "port"),
        ("https://host/a#b", "after #"),
    ):
        with pytest.raises(SettingsError, match=words):
            open_source(petitions(), url)
    with pytest.raises(SettingsError, match="the token of connection PAKN holds a character"):
        open_source(petitions(), "https://PAKN:a%0Ab@host/")
    with pytest.raises(ContractError, match="cannot be read over a https connection"):
        open_source(make_contract(["id"], table="x"), "https://host/")
    settings = Settings(home=tmp_path)
    monkeypatch.setenv("DX_CONNECTION_PAKN", "https://api.example.vn/v1?app=dx")
    assert settings.connection_url("pakn") == "https://PAKN:@api.example.vn/v1?app=dx"
    monkeypatch.setenv("DX_CONNECTION_PAKN_TOKEN", "a/b+c@d")
    assert settings.connection_url("pakn") == "https://PAKN:a%2Fb%2Bc%40d@api.example.vn/v1?app=dx"
    monkeypatch.setenv("DX_CONNECTION_PAKN", f"https://user:{SECRET}@api.example.vn/")
    with pytest.raises(SettingsError, match="connection PAKN: the URL holds a user or a token") as caught:
        settings.connection_url("pakn")
    assert SECRET not in str(caught.value)


def test_parameters_of_the_connection_and_of_the_contract_are_sent() -> None:
    api = HttpApi("data", parameters={"fields": ("a,b",), "q": ("Hướng Hóa",)})
    with serving(lambda _: json_reply({"data": PEOPLE})) as server:
        read(petitions(api), server.url + "/base?app=dx")
    assert server.requests[0].query == {"app": "dx", "fields": "a,b", "q": "Hướng Hóa"}
    assert server.requests[0].path == "/base/petitions"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody vouches for, and a server's context with it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([program, *made.split(), *names], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


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


def test_memory_is_bounded_by_the_page() -> None:
    """A hundred thousand records in pages of a thousand: batches stay small."""
    long = "x" * 200

    def answer(request: Request) -> Reply:
        page = int(request.query["page"])
        records = [{"id": page * 1000 + n, "name": long} for n in range(1000)] if page <= 100 else []
        return json_reply({"data": records, "total": 100_000})

    contract = petitions(HttpApi("data", Paging("page", "page", "size", 1000), "total"), "id name")
    with serving(answer) as server, open_source(contract, server.url) as reader:
        before = pa.total_allocated_bytes()
        rows = 0
        for batch in reader.extract(Window("full")).batches:
            rows += batch.num_rows
            assert batch.num_rows < 10_000
            assert pa.total_allocated_bytes() - before < 20_000_000
    assert rows == 100_000
