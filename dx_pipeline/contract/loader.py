"""Read a contract file (Open Data Contract Standard v3.1, YAML) into the typed model.

The standard's own pydantic model checks the shape; this module checks what the road needs beyond it.
Every refusal names the file, the path inside it and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard, SchemaProperty
from pydantic import TypeAdapter, ValidationError

from dx_pipeline.contract.http_api import API_KEYS, parse_http_api
from dx_pipeline.contract.model import (
    DAY_SUFFIX,
    KEY_SUFFIX,
    PRECISION_SUFFIX,
    Column,
    Contract,
    DriftPolicy,
    LoadMode,
    LoadPolicy,
    PeriodPolicy,
    SourceKind,
    SourceRelation,
)
from dx_pipeline.errors import ContractError

CONTRACT_SUFFIX = ".odcs.yaml"
SUPPORTED_API_VERSIONS = ("v3.1.0",)
CANONICAL_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}\Z")
RESERVED_SUFFIXES = ("__unreadable", "__note", "_pseudonym", DAY_SUFFIX, PRECISION_SUFFIX, KEY_SUFFIX)
CLASSIFICATIONS = ("public", "internal", "personal", "sensitive")
LOGICAL_TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
ROOT_PROPERTIES = {
    "system", "ownerAgency", "source", "load", "rowIdentity", "rejectedShareCap", "minSourceRows",
    "expectedRows", "drift", "dependsOn", "leftOut",
}  # fmt: skip
SOURCE_KEYS = {
    "kind", "schema", "table", "query", "path", "encoding", "delimiter", "sheet", "headerRow", "nullValues",
    "record", *API_KEYS,
    "headerRows", "totalRows", "stopAt",
}  # fmt: skip
_SECONDS_PER_UNIT = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "day": 86_400, "days": 86_400}
_DURATION = TypeAdapter(timedelta)


class _Place:
    """Where in which file we are, so that each refusal can say so."""

    def __init__(self, path: Path, inside: str = "") -> None:
        self.path = path
        self.inside = inside

    def at(self, part: str) -> _Place:
        return _Place(self.path, f"{self.inside}.{part}" if self.inside else part)

    def refuse(self, reason: str, next_step: str = "") -> NoReturn:
        where = f"{self.path} at {self.inside}" if self.inside else str(self.path)
        raise ContractError(
            f"contract {where}: {reason}",
            next_step=next_step or "mend the file; `dx contract check FILE` tells when it is right",
        )


def load_contract(path: Path, root: Path) -> Contract:
    """Read one contract.

    Args:
        path: the ``*.odcs.yaml`` file.
        root: the project folder it belongs to (holds ``expectations/`` and ``warehouse_sql/``).

    Raises:
        ContractError: the file is unreadable, not ODCS v3.1, or lacks something the road needs.
    """
    place = _Place(path)
    document = _parse(place)
    odcs = _validate_standard(document, place)
    custom = _custom(odcs.customProperties, place)
    for name in custom:
        if name not in ROOT_PROPERTIES:
            place.at(f"customProperties.{name}").refuse(
                f"unknown property; known: {', '.join(sorted(ROOT_PROPERTIES))}"
            )
    system = _text(custom.get("system"), place.at("customProperties.system"))
    if not odcs.schema_ or len(odcs.schema_) != 1:
        place.at("schema").refuse("exactly one schema object is needed: one contract, one dataset")
    schema = odcs.schema_[0]
    dataset = _name(schema.name, place.at("schema[0].name"))
    expected_id = f"{system}.{dataset}"
    if odcs.id != expected_id:
        place.at("id").refuse(f"is {odcs.id!r} but system and schema name say {expected_id!r}")
    if path.name != f"{dataset}{CONTRACT_SUFFIX}" or path.parent.name != system:
        place.refuse(f"the file of {expected_id} must be assets/{system}/{dataset}{CONTRACT_SUFFIX}")
    columns = _columns(schema.properties or [], place.at("schema[0].properties"))
    by_name = {column.name: column for column in columns}
    keys = [column.name for column in columns if column.key_position is not None]
    if not keys:
        place.at("schema[0].properties").refuse("no column has primaryKey: true; a dataset needs its business key")
    source = _source(custom.get("source"), place.at("customProperties.source"))
    load = _load(custom.get("load"), by_name, place.at("customProperties.load"))
    row_identity = tuple(custom.get("rowIdentity") or keys)
    for name in row_identity:
        if name not in by_name:
            place.at("customProperties.rowIdentity").refuse(f"{name!r} is not a column of the contract")
        if by_name[name].is_personal:
            place.at("customProperties.rowIdentity").refuse(
                f"{name!r} is {by_name[name].classification}: it never reaches the warehouse, so no row could be followed"
                " by it; name a column that identifies no person"
            )
    drift = custom.get("drift") or {}
    purpose_vi, purpose_en = _bilingual(
        odcs.description.purpose if odcs.description else None, place.at("description.purpose")
    )
    return Contract(
        id=expected_id,
        version=_text(odcs.version, place.at("version")),
        system=_name(system, place.at("customProperties.system")),
        dataset=dataset,
        purpose_vi=purpose_vi,
        purpose_en=purpose_en,
        owner_agency=_text(custom.get("ownerAgency"), place.at("customProperties.ownerAgency")),
        source=source,
        load=load,
        columns=columns,
        row_identity=row_identity,
        rejected_share_cap=_share(custom.get("rejectedShareCap", 0.2), place.at("customProperties.rejectedShareCap")),
        min_source_rows=_count(custom.get("minSourceRows", 1), place.at("customProperties.minSourceRows")),
        expected_rows=_count(custom.get("expectedRows", 0), place.at("customProperties.expectedRows")),
        on_new_column=_drift(drift.get("newColumn", "warn"), place.at("customProperties.drift.newColumn")),
        on_widened_type=_drift(drift.get("widenedType", "hold"), place.at("customProperties.drift.widenedType")),
        freshness=_freshness(odcs, place),
        depends_on=tuple(custom.get("dependsOn") or ()),
        left_out=_left_out(custom.get("leftOut"), columns, place.at("customProperties.leftOut")),
        path=path,
        root=root,
    )


def _parse(place: _Place) -> dict[str, Any]:
    try:
        text = place.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        place.refuse(f"cannot be read: {error}")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        place.at(line).refuse(f"is not valid YAML: {getattr(error, 'problem', error)}")
    if not isinstance(document, dict):
        place.refuse("is not a YAML mapping")
    return document


def _validate_standard(document: dict[str, Any], place: _Place) -> OpenDataContractStandard:
    if document.get("kind") != "DataContract":
        place.at("kind").refuse(f"is {document.get('kind')!r}, must be 'DataContract'")
    if document.get("apiVersion") not in SUPPORTED_API_VERSIONS:
        place.at("apiVersion").refuse(
            f"is {document.get('apiVersion')!r}, supported: {', '.join(SUPPORTED_API_VERSIONS)}"
        )
    try:
        return OpenDataContractStandard.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        inside = ".".join(str(part) for part in first["loc"])
        place.at(inside).refuse(f"{first['msg']} (got {str(first.get('input'))[:80]!r})")


def _custom(properties: Sequence[CustomProperty] | None, place: _Place) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in properties or []:
        if not item.property:
            place.at("customProperties").refuse("an entry has no `property` name")
        if item.property in found:
            place.at(f"customProperties.{item.property}").refuse("is given twice")
        found[item.property] = item.value
    return found


def _columns(properties: Sequence[SchemaProperty], place: _Place) -> tuple[Column, ...]:
    columns: list[Column] = []
    seen: set[str] = set()
    for number, item in enumerate(properties):
        here = place.at(f"[{number}]" + (f" ({item.name})" if item.name else ""))
        name = _name(item.name, here.at("name"))
        if name in seen:
            here.refuse(f"column {name!r} is given twice")
        if name.startswith("_") or name.endswith(RESERVED_SUFFIXES):
            here.at("name").refuse("this name is reserved for the pipeline's own columns")
        seen.add(name)
        if item.logicalType not in LOGICAL_TYPES:
            here.at("logicalType").refuse(f"is {item.logicalType!r}, must be one of {', '.join(LOGICAL_TYPES)}")
        classification = item.classification or "internal"
        if classification not in CLASSIFICATIONS:
            here.at("classification").refuse(f"is {classification!r}, must be one of {', '.join(CLASSIFICATIONS)}")
        custom = _custom(item.customProperties, here)
        unknown = set(custom) - {"semanticType", "options"}
        if unknown:
            here.at("customProperties").refuse(f"unknown {', '.join(sorted(unknown))}; known: semanticType, options")
        options = custom.get("options") or {}
        if not isinstance(options, Mapping):
            here.at("customProperties.options").refuse("must be a mapping")
        vi, en = _bilingual(item.description, here.at("description"))
        columns.append(
            Column(
                name=name,
                source_name=item.physicalName or name,
                semantic_type=_text(custom.get("semanticType"), here.at("customProperties.semanticType")),
                logical_type=item.logicalType,
                options=dict(options),
                physical_type=item.physicalType,
                required=bool(item.required),
                key_position=(item.primaryKeyPosition or number + 1) if item.primaryKey else None,
                classification=classification,
                description_vi=vi,
                description_en=en,
            )
        )
    if not columns:
        place.refuse("the contract names no column")
    sources = [column.source_name for column in columns]
    for name in sources:
        if sources.count(name) > 1:
            place.refuse(f"source column {name!r} is used by two columns")
    return tuple(columns)


def _source(value: Any, place: _Place) -> SourceRelation:
    if not isinstance(value, Mapping):
        place.refuse("is missing; give {kind: table|query|csv|xlsx|dbf|xml|http_json, ...}")
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
    }
    if kind not in needed:
        place.at("kind").refuse(f"is {kind!r}, must be one of {', '.join(needed)}")
    if not value.get(needed[kind]):
        place.at(needed[kind]).refuse(f"is needed for kind {kind}")
    if kind == "xml" and not value.get("path"):
        place.at("path").refuse("is needed for kind xml")
    foreign = API_KEYS & set(value)
    if foreign and kind != "http_json":
        place.refuse(f"{', '.join(sorted(foreign))} belongs to kind http_json, not to {kind}")
    return SourceRelation(
        kind=cast(SourceKind, kind),
        schema=value.get("schema"),
        table=value.get("table"),
        query=value.get("query"),
        path=value.get("path"),
        encoding=str(value.get("encoding", "cp1252" if kind == "dbf" else "utf-8")),
        delimiter=str(value.get("delimiter", ",")),
        sheet=value.get("sheet"),
        header_row=_count(value.get("headerRow", 1), place.at("headerRow")),
        header_rows=max(_count(value.get("headerRows", 1), place.at("headerRows")), 1),
        total_rows=_texts(value.get("totalRows"), place.at("totalRows")),
        stop_at=_texts(value.get("stopAt"), place.at("stopAt")),
        null_values=tuple(str(item) for item in value.get("nullValues") or ()),
        record=None if value.get("record") is None else _text(value["record"], place.at("record")),
        api=parse_http_api(value, place) if kind == "http_json" else None,
    )


def _texts(value: Any, place: _Place) -> tuple[str, ...]:
    """A list of texts that are not blank; empty if it is not given."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        place.refuse('must be a list of texts, e.g. ["Tổng cộng", "Cộng"]')
    return tuple(value)


def _load(value: Any, columns: Mapping[str, Column], place: _Place) -> LoadPolicy:
    if not isinstance(value, Mapping):
        place.refuse("is missing; give {mode: incremental|snapshot|append, ...}")
    mode = value.get("mode")
    if mode not in ("incremental", "snapshot", "append"):
        place.at("mode").refuse(f"is {mode!r}, must be incremental, snapshot or append")
    cursor = value.get("cursor")
    if mode in ("incremental", "append") and not cursor:
        place.at("cursor").refuse(f"mode {mode} needs the column that grows with every change")
    if cursor and cursor not in columns:
        place.at("cursor").refuse(f"{cursor!r} is not a column of the contract")
    period = None
    if value.get("period"):
        given = value["period"]
        column = given.get("column")
        if column not in columns:
            place.at("period.column").refuse(f"{column!r} is not a column of the contract")
        if given.get("unit", "month") != "month":
            place.at("period.unit").refuse("only month is supported")
        period = PeriodPolicy(column=column, start=_month(given.get("start"), place.at("period.start")))
    return LoadPolicy(
        mode=cast(LoadMode, mode),
        cursor=cursor,
        lookback=_duration(value.get("lookback", "PT0S"), place.at("lookback")),
        period=period,
    )


def _left_out(value: Any, columns: Sequence[Column], place: _Place) -> tuple[str, ...]:
    """Source columns that are known and deliberately not read (data minimisation)."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        place.refuse("must be a list of source column names")
    read = {column.source_name for column in columns}
    for name in value:
        if name in read:
            place.refuse(f"{name!r} is a column of the contract, so it is not left out")
    return tuple(value)


def _freshness(odcs: OpenDataContractStandard, place: _Place) -> timedelta | None:
    for number, item in enumerate(odcs.slaProperties or []):
        if item.property == "latency":
            unit = str(item.unit or "h")
            here = place.at(f"slaProperties[{number}]")
            if unit not in _SECONDS_PER_UNIT:
                here.at("unit").refuse(f"is {unit!r}, must be one of {', '.join(_SECONDS_PER_UNIT)}")
            if isinstance(item.value, bool) or not isinstance(item.value, int | float) or item.value <= 0:
                here.at("value").refuse("must be a number above 0")
            return timedelta(seconds=float(item.value) * _SECONDS_PER_UNIT[unit])
    return None


def _bilingual(text: str | None, place: _Place) -> tuple[str, str]:
    vi, separator, en = (text or "").partition(" | ")
    if not separator or not vi.strip() or not en.strip():
        place.refuse("must be written 'Tiếng Việt | English'")
    return vi.strip(), en.strip()


def _text(value: Any, place: _Place) -> str:
    if not isinstance(value, str) or not value.strip():
        place.refuse("is missing or not a text")
    return value.strip()


def _name(value: Any, place: _Place) -> str:
    text = _text(value, place)
    if not CANONICAL_NAME.match(text):
        place.refuse(f"{text!r} must be lower-case ASCII snake_case, at most 63 characters")
    return text


def _share(value: Any, place: _Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        place.refuse(f"is {value!r}, must be a share between 0 and 1")
    return float(value)


def _count(value: Any, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        place.refuse(f"is {value!r}, must be a whole number from 0 up")
    return value


def _drift(value: Any, place: _Place) -> DriftPolicy:
    if value not in ("warn", "hold"):
        place.refuse(f"is {value!r}, must be warn or hold")
    return cast(DriftPolicy, value)


def _duration(value: Any, place: _Place) -> timedelta:
    try:
        return _DURATION.validate_python(value)
    except ValidationError:
        place.refuse(f"is {value!r}, must be an ISO 8601 duration such as PT2H or P1D")


def _month(value: Any, place: _Place) -> date:
    match = re.match(r"^(\d{4})-(\d{2})(?:-01)?$", str(value))
    if not match or not 1 <= int(match[2]) <= 12:
        place.refuse(f"is {value!r}, must be a month such as 2023-01")
    return date(int(match[1]), int(match[2]), 1)
