"""Read a contract file (Open Data Contract Standard v3.1, YAML) into the typed model.

The standard's own pydantic model checks the shape; this module checks what the road needs beyond it.
Every refusal names the file, the path inside it and the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import yaml
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard, SchemaProperty
from pydantic import TypeAdapter, ValidationError

from dx_pipeline.contract.cron import parse_cron
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
)
from dx_pipeline.contract.place import Place, count_at, text_at
from dx_pipeline.contract.sheet_keys import unread_captions
from dx_pipeline.contract.source_keys import parse_source
from dx_pipeline.contract.volume import parse_volume
from dx_pipeline.yaml_document import parse_yaml

CONTRACT_SUFFIX = ".odcs.yaml"
SUPPORTED_API_VERSIONS = ("v3.1.0",)
MOST_COLUMNS = 800
"""PostgreSQL's tables have at most 1,600 columns, and the cleaner may add one to each of a contract."""
CANONICAL_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}\Z")
RESERVED_SUFFIXES = ("__unreadable", "__note", "_pseudonym", DAY_SUFFIX, PRECISION_SUFFIX, KEY_SUFFIX)
CLASSIFICATIONS = ("public", "internal", "personal", "sensitive")
LOGICAL_TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
ROOT_PROPERTIES = {
    "system", "ownerAgency", "source", "load", "rowIdentity", "rejectedShareCap", "minSourceRows",
    "expectedRows", "drift", "dependsOn", "leftOut", "volume",
}  # fmt: skip
_SECONDS_PER_UNIT = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "day": 86_400, "days": 86_400}
_DURATION = TypeAdapter(timedelta)


def load_contract(path: Path, root: Path) -> Contract:
    """Read one contract.

    Args:
        path: the ``*.odcs.yaml`` file.
        root: the project folder it belongs to (holds ``expectations/`` and ``warehouse_sql/``).

    Raises:
        ContractError: the file is unreadable, not ODCS v3.1, or lacks something the road needs.
    """
    place = Place(path)
    document = _parse(place)
    odcs = _validate_standard(document, place)
    custom = _custom(odcs.customProperties, place)
    for name in custom:
        if name not in ROOT_PROPERTIES:
            place.at(f"customProperties.{name}").refuse(
                f"unknown property; known: {', '.join(sorted(ROOT_PROPERTIES))}"
            )
    system = text_at(custom.get("system"), place.at("customProperties.system"))
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
    source = parse_source(custom.get("source"), place.at("customProperties.source"))
    if (problem := unread_captions(source, columns)) is not None:
        place.at("customProperties.source.captions").refuse(problem)
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
        version=text_at(odcs.version, place.at("version")),
        system=_name(system, place.at("customProperties.system")),
        dataset=dataset,
        purpose_vi=purpose_vi,
        purpose_en=purpose_en,
        owner_agency=text_at(custom.get("ownerAgency"), place.at("customProperties.ownerAgency")),
        source=source,
        load=load,
        columns=columns,
        row_identity=row_identity,
        rejected_share_cap=_share(custom.get("rejectedShareCap", 0.2), place.at("customProperties.rejectedShareCap")),
        min_source_rows=count_at(custom.get("minSourceRows", 1), place.at("customProperties.minSourceRows")),
        expected_rows=count_at(custom.get("expectedRows", 0), place.at("customProperties.expectedRows")),
        on_new_column=_drift(drift.get("newColumn", "warn"), place.at("customProperties.drift.newColumn")),
        on_widened_type=_drift(drift.get("widenedType", "hold"), place.at("customProperties.drift.widenedType")),
        freshness=_freshness(odcs, place),
        schedule=_schedule(odcs, place),
        depends_on=tuple(custom.get("dependsOn") or ()),
        left_out=_left_out(custom.get("leftOut"), columns, place.at("customProperties.leftOut")),
        volume=parse_volume(custom.get("volume"), place.at("customProperties.volume").refuse),
        path=path,
        root=root,
    )


def _parse(place: Place) -> dict[str, Any]:
    try:
        text = place.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        place.refuse(f"cannot be read: {error}")
    try:
        document = parse_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        place.at(line).refuse(f"is not valid YAML: {getattr(error, 'problem', error)}")
    if not isinstance(document, dict):
        place.refuse("is not a YAML mapping")
    return document


def _validate_standard(document: dict[str, Any], place: Place) -> OpenDataContractStandard:
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


def _custom(properties: Sequence[CustomProperty] | None, place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in properties or []:
        if not item.property:
            place.at("customProperties").refuse("an entry has no `property` name")
        if item.property in found:
            place.at(f"customProperties.{item.property}").refuse("is given twice")
        found[item.property] = item.value
    return found


def _columns(properties: Sequence[SchemaProperty], place: Place) -> tuple[Column, ...]:
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
                semantic_type=text_at(custom.get("semanticType"), here.at("customProperties.semanticType")),
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
    if len(columns) > MOST_COLUMNS:
        place.refuse(
            f"has {len(columns):,} columns, a table of the warehouse has at most {MOST_COLUMNS:,}: leave out what no "
            "figure needs (leftOut), or make two datasets of it with the same key"
        )
    for name, count in Counter(column.source_name for column in columns).items():
        if count > 1:
            place.refuse(f"source column {name!r} is used by two columns")
    return tuple(columns)


def _load(value: Any, columns: Mapping[str, Column], place: Place) -> LoadPolicy:
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
        covers=_covers(value.get("covers"), mode, columns, place.at("covers")),
    )


def _covers(value: Any, mode: str, columns: Mapping[str, Column], place: Place) -> tuple[str, ...]:
    """Columns that tell what one delivery is about: a month, a district."""
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        place.refuse("must be a list of columns, for example [month] or [month, district]")
    if mode != "snapshot":
        place.refuse(f"belongs to mode snapshot; a delivery of mode {mode} speaks for the rows it holds and no others")
    for name in value:
        if name not in columns:
            place.refuse(f"{name!r} is not a column of the contract")
    return tuple(value)


def _left_out(value: Any, columns: Sequence[Column], place: Place) -> tuple[str, ...]:
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


def _freshness(odcs: OpenDataContractStandard, place: Place) -> timedelta | None:
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


def _schedule(odcs: OpenDataContractStandard, place: Place) -> str | None:
    """The cron line of ``{property: frequency, value: monthly, scheduler: cron, schedule: "0 6 5 * *"}``."""
    for number, item in enumerate(odcs.slaProperties or []):
        if item.property == "frequency" and item.schedule is not None:
            here = place.at(f"slaProperties[{number}]")
            if item.scheduler != "cron":
                here.at("scheduler").refuse(f"is {item.scheduler!r}, must be cron")
            return _cron_line(item.schedule, here.at("schedule"))
    return None


def _cron_line(text: str, place: Place) -> str:
    """A cron line, tidied; refused with what is wrong."""
    try:
        return parse_cron(text).text
    except ValueError as error:
        place.refuse(f"{text!r} {error}", next_step='write it as "minute hour day month weekday", e.g. "0 6 5 * *"')


def _bilingual(text: str | None, place: Place) -> tuple[str, str]:
    vi, separator, en = (text or "").partition(" | ")
    if not separator or not vi.strip() or not en.strip():
        place.refuse("must be written 'Tiếng Việt | English'")
    return vi.strip(), en.strip()


def _name(value: Any, place: Place) -> str:
    text = text_at(value, place)
    if not CANONICAL_NAME.match(text):
        place.refuse(f"{text!r} must be lower-case ASCII snake_case, at most 63 characters")
    return text


def _share(value: Any, place: Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        place.refuse(f"is {value!r}, must be a share between 0 and 1")
    return float(value)


def _drift(value: Any, place: Place) -> DriftPolicy:
    if value not in ("warn", "hold"):
        place.refuse(f"is {value!r}, must be warn or hold")
    return cast(DriftPolicy, value)


def _duration(value: Any, place: Place) -> timedelta:
    try:
        return _DURATION.validate_python(value)
    except ValidationError:
        place.refuse(f"is {value!r}, must be an ISO 8601 duration such as PT2H or P1D")


def _month(value: Any, place: Place) -> date:
    match = re.match(r"^(\d{4})-(\d{2})(?:-01)?$", str(value))
    if not match or not 1 <= int(match[2]) <= 12:
        place.refuse(f"is {value!r}, must be a month such as 2023-01")
    return date(int(match[1]), int(match[2]), 1)
