"""An API that is asked once per combination that its own list names; codes inside HTTP 200; texts for numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dx_pipeline.contract.http_api import HttpApi, Paging, RequestList
from dx_pipeline.errors import ContractError, DxError, SourceDrift, SourceUnavailable
from dx_pipeline.extract import http_client, http_paging
from dx_pipeline.extract.source import open_source
from tests.http_petitions import petitions, read, refused
from tests.http_server import Reply, Request, json_reply, serving

LIST = RequestList(
    "/hasdata", {"code": "indicator.code", "year": "year"}, "data", Paging("page", "page", "size", 2), "total"
)
API = HttpApi(
    records="data",
    total="total",
    error_code="error.code",
    ok_codes=("0",),
    empty_codes=("3",),
    busy_codes=("99",),
    requests_from=LIST,
)
NAMED = [("A", 2023), ("B", 2023), ("A", 2024), ("B", 2023), ("C", 2024)]  # B 2023 twice, C without a figure


def listed(request: Request, named: list[tuple[str, int]] = NAMED) -> Reply:
    records = [{"indicator": {"code": code}, "year": year} for code, year in named]
    page = int(request.query["page"])
    return json_reply({"data": records[2 * page - 2 : 2 * page], "total": len(records), "error": {"code": 0}})


def answer(request: Request) -> Reply:
    if request.path == "/hasdata":
        return listed(request)
    if request.query["code"] == "C":
        return json_reply({"data": None, "error": {"code": 3}, "total": 0})
    return json_reply({"data": {"value": 1.5, "unit": "%"}, "error": {"code": 0}, "total": 1})


def test_each_combination_is_asked_once_and_none_is_no_error() -> None:
    with serving(answer) as server:
        extraction, rows = read(petitions(API, "?code ?year value"), server.url)
        asked = [tuple(one.query.values()) for one in server.requests if one.path == "/petitions"]
    assert asked == [("A", "2023"), ("B", "2023"), ("A", "2024"), ("C", "2024")]
    assert [tuple(row.values()) for row in rows] == [("A", "2023", "1.5"), ("B", "2023", "1.5"), ("A", "2024", "1.5")]
    assert extraction.source_rows == 3


def test_own_parameters_are_combined_with_the_list() -> None:
    api = replace(API, parameters={"office": ("X", "Y")})
    with serving(answer) as server:
        _, rows = read(petitions(api, "?office ?code ?year"), server.url)
    assert [row["?office"] for row in rows] == ["X", "Y"] * 3


def test_the_survey_knows_the_columns_and_how_many_there_are() -> None:
    with serving(answer) as server, open_source(petitions(API, "?code value"), server.url) as reader:
        assert {"?code", "value", "unit"} <= {column.name for column in reader.describe()}
        assert reader.holds_at_least(3)
        assert not reader.holds_at_least(4)


def test_an_empty_list_gives_no_row() -> None:
    with serving(lambda request: listed(request, [])) as server:
        extraction, rows = read(petitions(API, "?code value"), server.url)
        assert (extraction.source_rows, rows) == (0, [])


def test_busy_inside_http_200_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)

    def often_busy(request: Request) -> Reply:
        return answer(request) if request.number % 3 else json_reply({"data": None, "error": {"code": 99}, "total": 0})

    with serving(often_busy) as server:
        _, rows = read(petitions(API, "?code value"), server.url)
    assert len(rows) == 3


def test_always_busy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)
    api = replace(API, requests_from=None, total=None)
    requests = refused(
        lambda _: json_reply({"error": {"code": 99}}), SourceUnavailable, r"error.code '99' \(5 attempts\)", api
    )
    assert len(requests) == http_client.ATTEMPTS


@pytest.mark.parametrize(
    ("broken", "kind", "words"),
    [
        (
            lambda request: json_reply({"data": [{"indicator": {}, "year": 1}], "total": 1, "error": {"code": 0}}),
            SourceDrift,
            "record 1 of /hasdata has no value 'indicator.code' for the parameter code",
        ),
        (lambda request: json_reply({"error": {"code": 7}}), SourceUnavailable, "/hasdata answers with error.code '7'"),
        (lambda request: Reply(status=404), SourceDrift, "/hasdata"),
        (
            lambda request: listed(request) if request.path == "/hasdata" else json_reply({"error": {"code": 7}}),
            SourceUnavailable,
            "for request 1 of the 4 that /hasdata lists answers with error.code '7'",
        ),
    ],
)
def test_what_goes_wrong_names_the_list_or_the_request(
    broken: Callable[[Request], Reply], kind: type[DxError], words: str
) -> None:
    refused(broken, kind, words, API)


def test_too_many_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_paging, "MOST_REQUESTED", 3)
    refused(answer, ContractError, "/hasdata lists more than 3 different requests", API)


def test_a_text_is_no_number_of_json() -> None:
    def values(_: Request) -> Reply:
        found: list[Any] = [12.345, 7, "1.234", "1.234,5", None, " "]
        return json_reply({"data": [{"value": value} for value in found]})

    contract = petitions(HttpApi(records="data"), "value")
    strict = replace(contract, columns=tuple(replace(one, physical_type="number") for one in contract.columns))
    with serving(values) as server:
        assert [row["value"] for row in read(strict, server.url)[1]] == [
            "12.345", "7", '"1.234"', '"1.234,5"', None, " ",
        ]  # fmt: skip
        assert [row["value"] for row in read(contract, server.url)[1]][2] == "1.234"
