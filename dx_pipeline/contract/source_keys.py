"""The part ``source`` of a contract: where its rows are read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dx_pipeline.contract.csv_form import parse_further_forms
from dx_pipeline.contract.http_api import API_KEYS, parse_http_api
from dx_pipeline.contract.model import SourceKind, SourceRelation
from dx_pipeline.contract.place import Place, count_at, text_at, texts_at
from dx_pipeline.contract.sheet_keys import SHEET_KEYS, parse_sheet_keys

SOURCE_KEYS = {
    "kind", "schema", "table", "query", "path", "encoding", "delimiter", "sheet", "headerRow", "nullValues", "alsoSavedAs",
    "record", *API_KEYS,
    "headerRows", "totalRows", "stopAt", "nested", *SHEET_KEYS,
}  # fmt: skip


def parse_source(value: Any, place: Place) -> SourceRelation:
    """The relation that a mapping describes; refuses what is unknown, missing or of another kind."""
    if not isinstance(value, Mapping):
        place.refuse("is missing; give {kind: table|query|csv|xlsx|dbf|xml|json|parquet|http_json, ...}")
    unknown = set(value) - SOURCE_KEYS
    if unknown:
        place.refuse(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(SOURCE_KEYS))}")
    kind = value.get("kind")
    needed = {
        "table": "table",
        "query": "query",
        "csv": "path",
        "xlsx": "path",
        "dbf": "path",
        "xml": "record",
        "http_json": "path",
        "json": "path",
        "parquet": "path",
    }
    if kind not in needed:
        place.at("kind").refuse(f"is {kind!r}, must be one of {', '.join(needed)}")
    if not value.get(needed[kind]):
        place.at(needed[kind]).refuse(f"is needed for kind {kind}")
    if kind == "xml" and not value.get("path"):
        place.at("path").refuse("is needed for kind xml")
    captions, control_total = parse_sheet_keys(value, place)
    foreign = (API_KEYS & set(value)) - ({"records"} if kind == "json" else set())
    if "alsoSavedAs" in value and kind != "csv":
        place.at("alsoSavedAs").refuse(f"belongs to kind csv, not to {kind}")
    if foreign and kind != "http_json":
        place.refuse(f"{', '.join(sorted(foreign))} belongs to kind http_json, not to {kind}")
    nested = value.get("nested", "json")
    if "nested" in value and (kind not in ("json", "parquet") or nested not in ("json", "refuse")):
        place.at("nested").refuse(f"is {nested!r}; it is json or refuse, for kinds json and parquet")
    return SourceRelation(
        kind=cast(SourceKind, kind),
        schema=value.get("schema"),
        table=value.get("table"),
        query=value.get("query"),
        path=value.get("path"),
        encoding=str(value.get("encoding", "cp1252" if kind == "dbf" else "utf-8")),
        delimiter=str(value.get("delimiter", ",")),
        further_forms=parse_further_forms(value.get("alsoSavedAs"), place.at("alsoSavedAs")),
        sheet=value.get("sheet"),
        header_row=count_at(value.get("headerRow", 1), place.at("headerRow")),
        header_rows=max(count_at(value.get("headerRows", 1), place.at("headerRows")), 1),
        total_rows=texts_at(value.get("totalRows"), place.at("totalRows")),
        stop_at=texts_at(value.get("stopAt"), place.at("stopAt")),
        captions=captions,
        control_total=control_total,
        null_values=tuple(str(item) for item in value.get("nullValues") or ()),
        record=None if value.get("record") is None else text_at(value["record"], place.at("record")),
        api=parse_http_api(value, place) if kind == "http_json" else None,
        records=text_at(value["records"], place.at("records")) if kind == "json" and "records" in value else None,
        nested=nested,
    )
