"""The part of a contract that describes a JSON API or an XML file: read, and refused with file, path and reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dx_pipeline.contract.http_api import HttpApi, Paging, RequestList, Since
from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import SourceRelation
from dx_pipeline.errors import ContractError


def load(folder: Path, source: dict[str, Any]) -> SourceRelation:
    path = folder / "assets" / "pakn" / "phan_anh.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    column = {
        "name": "id", "physicalName": "id", "logicalType": "string", "primaryKey": True, "description": "Mã | Code",
        "customProperties": [{"property": "semanticType", "value": "identifier"}],
    }  # fmt: skip
    custom = {"system": "pakn", "ownerAgency": "H50.00", "source": source, "load": {"mode": "snapshot"}}
    document = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "pakn.phan_anh", "version": "1.0.0", "status": "active",
        "description": {"purpose": "Phản ánh | Petitions"},
        "customProperties": [{"property": name, "value": value} for name, value in custom.items()],
        "schema": [{"name": "phan_anh", "properties": [column]}],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return load_contract(path, folder).source


def test_everything_that_can_be_said_of_an_api(tmp_path: Path) -> None:
    source = load(
        tmp_path,
        {
            "kind": "http_json",
            "path": "/petitions",
            "records": "data.items",
            "paging": {"style": "page", "parameter": "page", "sizeParameter": "size", "size": 200, "mostPages": 50},
            "total": "total",
            "error": {"code": "error.code", "ok": [0, "00", None, True], "message": "error.userMessage"},
            "parameters": {"officeCode": "000.00.00.H50", "dataYear": [2023, 2024]},
            "since": {"parameter": "from", "format": "%d/%m/%Y"},
            "nullValues": ["N/A"],
        },
    )
    assert source.label == "/petitions"
    assert not source.is_file
    assert source.api == HttpApi(
        records="data.items",
        paging=Paging("page", "page", "size", 200, 1, None, 50),
        total="total",
        error_code="error.code",
        ok_codes=("0", "00", None, "true"),
        error_message="error.userMessage",
        parameters={"officeCode": ("000.00.00.H50",), "dataYear": ("2023", "2024")},
        since=Since("from", "%d/%m/%Y"),
    )
    assert load(tmp_path, {"kind": "http_json", "path": "/x"}).api == HttpApi()
    assert load(tmp_path, {"kind": "xml", "path": "*.xml", "record": "DoanhNghiep"}).record == "DoanhNghiep"


@pytest.mark.parametrize(
    ("source", "place", "reason"),
    [
        ({"path": "petitions"}, "path", "must be a path below the connection's URL"),
        ({"path": "/a?token=x"}, "path", "without ? #"),
        ({"path": "/a/../b"}, "path", "without ? #"),
        ({"records": 5}, "records", "must be a name or a dotted path"),
        ({"records": "data."}, "records", "must be a name or a dotted path"),
        ({"paging": "page"}, "paging", "must be a mapping"),
        ({"paging": {"style": "pages"}}, "paging.style", "must be one of none, page, offset, cursor, link"),
        ({"paging": {"style": "page"}}, "paging.parameter", "is needed for paging style page"),
        ({"paging": {"style": "cursor", "parameter": "c"}}, "paging.next", "is needed for paging style cursor"),
        ({"paging": {"style": "link"}}, "paging.next", "is needed for paging style link"),
        ({"paging": {"size": 0}}, "paging.size", "must be a whole number from 1 up"),
        ({"paging": {"style": "page", "parameter": "p", "sizeParameter": "s"}}, "paging.size", "is needed with"),
        ({"paging": {"sise": 1}}, "paging", "unknown sise; known: first, mostPages, next"),
        ({"error": {"message": "m"}}, "error.code", "is missing"),
        ({"error": {"code": "c", "ok": 0}}, "error.ok", "must be a list"),
        ({"parameters": {"access_token": "x"}}, "parameters.access_token", "looks like a secret"),
        ({"parameters": {"X-Api-Key": "x"}}, "parameters.X-Api-Key", "looks like a secret"),
        ({"parameters": {"a": []}}, "parameters.a", "must be a text, a number, or a list"),
        ({"parameters": {"a": list(range(101)), "b": list(range(100))}}, "parameters", "make 10100 combinations"),
        ({"since": {"format": "iso"}}, "since.parameter", "is missing"),
        ({"since": {"parameter": "f", "format": "%H:%M"}}, "since.format", "or a pattern such as"),
        ({"since": {"parameter": "f", "format": "yyyy"}}, "since.format", "or a pattern such as"),
        ({"kind": "csv", "path": "*.csv", "total": "n"}, "source", "total belongs to kind http_json, not to csv"),
        ({"kind": "xml", "path": "*.xml"}, "record", "is needed for kind xml"),
        ({"kind": "xml", "record": "x", "path": None}, "path", "is needed for kind xml"),
        ({"kind": "soap"}, "kind", "must be one of table, query, csv, xlsx, dbf, xml, http_json, json, parquet"),
    ],
)
def test_refusals_name_file_path_and_reason(tmp_path: Path, source: dict[str, Any], place: str, reason: str) -> None:
    with pytest.raises(ContractError) as caught:
        load(tmp_path, {"kind": "http_json", "path": "/x", **source})
    assert "phan_anh.odcs.yaml at customProperties.source" in caught.value.what
    assert f"{place}: " in caught.value.what
    assert reason in caught.value.what
    assert caught.value.next_step


def test_the_example_of_the_guide(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "onboard-a-source.md").read_text(encoding="utf-8")
    example = guide.split("### JSON API")[1].split("```yaml\n")[1].split("```")[0]
    api = load(tmp_path, yaml.safe_load(example)["source"]).api
    assert api is not None
    assert api.parameters == {"officeCode": ("000.00.00.H50",), "dataYear": ("2023", "2024")}
    assert api.ok_codes == ("0", "0", None)


DRIVEN = {
    "path": "/indicators/hasdata",
    "records": "data",
    "total": "total",
    "paging": {"style": "page", "parameter": "page", "sizeParameter": "pageSize", "size": 100},
    "parameters": {"dataYear": [2023, 2024]},
    "send": {"officeCode": "office.code", "periodId": "periodId"},
}


def test_a_list_that_says_what_is_asked_and_codes_that_mean_none_or_busy(tmp_path: Path) -> None:
    error = {"code": "error.code", "ok": [0], "empty": [3], "busy": [99]}
    api = load(tmp_path, {"kind": "http_json", "path": "/x", "error": error, "requestsFrom": DRIVEN}).api
    assert api == HttpApi(
        error_code="error.code",
        ok_codes=("0",),
        empty_codes=("3",),
        busy_codes=("99",),
        requests_from=RequestList(
            "/indicators/hasdata",
            {"officeCode": "office.code", "periodId": "periodId"},
            "data",
            Paging("page", "page", "pageSize", 100),
            "total",
            {"dataYear": ("2023", "2024")},
        ),
    )
    assert api.asks_more_than_once
    assert not HttpApi(parameters={"a": ("1",)}).asks_more_than_once


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"requestsFrom": {**DRIVEN, "path": "hasdata"}}, "requestsFrom.path", "must be a path below"),
        ({"requestsFrom": {**DRIVEN, "send": {}}}, "requestsFrom.send", "is missing"),
        ({"requestsFrom": {**DRIVEN, "send": {"token": "a"}}}, "requestsFrom.send.token", "looks like a secret"),
        ({"requestsFrom": DRIVEN, "parameters": {"periodId": 1}}, "send.periodId", "is given in source.parameters too"),
        ({"requestsFrom": {**DRIVEN, "since": "x"}}, "requestsFrom", "unknown since"),
        ({"error": {"code": "c", "ok": [0], "empty": [0]}}, "error.empty", "'0' has another meaning"),
        ({"error": {"code": "c", "empty": [3], "busy": [3]}}, "error.busy", "'3' has another meaning"),
        ({"error": {"code": "c", "busy": 3}}, "error.busy", "must be a list of codes"),
    ],
)
def test_a_driven_request_that_cannot_work_is_refused(
    tmp_path: Path, changes: dict[str, Any], place: str, reason: str
) -> None:
    with pytest.raises(ContractError) as caught:
        load(tmp_path, {"kind": "http_json", "path": "/x", **changes})
    assert place in caught.value.what
    assert reason in caught.value.what
