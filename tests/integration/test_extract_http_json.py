"""A JSON API as a source, over a real HTTP server: what is read and how it arrives."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.contract.http_api import HttpApi, Paging, Since
from dx_pipeline.errors import (
    ContractError,
    SettingsError,
)
from dx_pipeline.extract import http_client
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.settings import Settings
from tests.extract_contracts import make_contract
from tests.http_petitions import PAGES, PEOPLE, SECRET, by_page, petitions, read
from tests.http_server import Reply, Request, json_reply, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(http_client, "READ_SECONDS", 0.5)


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


def test_not_found_beyond_the_last_page_is_the_end() -> None:
    def answer(request: Request) -> Reply:
        page = int(request.query["page"])
        return json_reply({"data": PEOPLE[(page - 1) * 5 : page * 5], "total": 25}) if page <= 5 else Reply(status=404)

    with serving(answer) as server:
        assert len(read(petitions(HttpApi("data", Paging("page", "page", "n", 5), "total")), server.url)[1]) == 25
    assert len(server.requests) == 6


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
