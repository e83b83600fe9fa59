"""Write the contract and the system file of a draft."""

from __future__ import annotations

from typing import Any

from dx_pipeline.onboarding.draft import DatasetDraft, describe
from dx_pipeline.onboarding.profile import Profile, ProfiledColumn
from dx_pipeline.onboarding.yaml_text import TODO, OneLine, both, yaml_text

CONTRACT_VERSION = "0.1.0"
_LOOKBACK = {"datetime": "PT2H", "date": "P1D"}


def system_text(system: str, title: str, kind: str, connection: str) -> str:
    """``system.yaml``: connection, owner and schedule."""
    return yaml_text(
        {
            "name": system,
            "title": {"vi": f"{TODO}: tên hệ thống {title}", "en": f"{TODO}: name of the system {title}"},
            "connection": connection.upper(),
            "owners": [f"team:{TODO}"],
            "schedule": "0 5 * * *",
            "poolLimit": 1,
            "kinds": [kind],
        },
        f"Drafted by `dx contract init`; the URL is a secret and is read from DX_CONNECTION_{connection.upper()}.",
        f"Fill in every {TODO}: `dx contract check` lists them.",
    )


def contract_text(draft: DatasetDraft) -> str:
    """The contract in the Open Data Contract Standard v3.1.0."""
    profile = draft.profile
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": draft.id,
        "name": draft.id,
        "version": CONTRACT_VERSION,
        "status": "draft",
        "domain": draft.system,
        "description": {
            "purpose": both(f"{TODO}: dữ liệu {draft.label} để làm gì", f"{TODO}: what {draft.label} is for"),
            "usage": both(f"{TODO}: dùng cho báo cáo nào", f"{TODO}: which reports use it"),
            "limitations": both(f"{TODO}: dữ liệu không gồm gì", f"{TODO}: what it does not hold"),
        },
        "team": {"name": TODO, "members": [OneLine(username=TODO, role="owner")]},
        "slaProperties": [OneLine(property="latency", value=26, unit="h")],
        "customProperties": [OneLine(property=name, value=value) for name, value in _properties(draft)],
        "schema": [
            {
                "name": draft.dataset,
                "physicalName": profile.relation.source.table or draft.label,
                "description": both(f"{TODO}: {draft.label} là gì", f"{TODO}: what {draft.label} is"),
                "dataGranularityDescription": both(
                    f"Mỗi dòng là một {', '.join(profile.key.columns)}", f"One row per {', '.join(profile.key.columns)}"
                ),
                "properties": [_column(column, profile) for column in profile.columns],
            }
        ],
    }
    return yaml_text(document, *_findings(draft))


def _properties(draft: DatasetDraft) -> list[tuple[str, Any]]:
    profile = draft.profile
    found: list[tuple[str, Any]] = [
        ("system", draft.system),
        ("ownerAgency", TODO),
        ("source", OneLine(_source(profile))),
        ("load", OneLine(_load(profile))),
        ("rejectedShareCap", 0.2),
        ("minSourceRows", 1 if profile.total_rows else 0),
        ("expectedRows", profile.total_rows),
        ("drift", OneLine(newColumn="warn", widenedType="hold")),
    ]
    if draft.depends_on:
        found.append(("dependsOn", list(draft.depends_on)))
    if profile.left_out:
        found.append(("leftOut", list(profile.left_out)))
    return found


def _source(profile: Profile) -> dict[str, Any]:
    source = profile.relation.source
    if source.kind == "csv":
        return {"kind": "csv", "path": source.path, "encoding": source.encoding, "delimiter": source.delimiter}
    if source.kind == "xlsx":
        sheet = {"sheet": source.sheet} if source.sheet else {}
        return {"kind": "xlsx", "path": source.path, **sheet, "headerRow": source.header_row}
    if source.kind == "json":
        encoding = {"encoding": source.encoding} if source.encoding != "utf-8" else {}
        return {
            "kind": "json",
            "path": source.path,
            **({"records": source.records} if source.records else {}),
            **encoding,
        }
    if source.kind == "parquet":
        return {"kind": "parquet", "path": source.path}
    schema = {"schema": source.schema} if source.schema else {}
    return {"kind": "table", **schema, "table": source.table}


def _load(profile: Profile) -> dict[str, Any]:
    if profile.mode == "snapshot" or profile.cursor is None:
        return {"mode": "snapshot"}
    lookback = _LOOKBACK[profile.column(profile.cursor).meaning.semantic_type]
    return {"mode": "incremental", "cursor": profile.cursor, "lookback": lookback}


def _column(column: ProfiledColumn, profile: Profile) -> dict[str, Any]:
    meaning, source = column.meaning, column.source
    found: dict[str, Any] = {"name": column.name, "physicalName": source.name}
    if not column.facts.is_file and source.type_text:
        found["physicalType"] = source.type_text
    found["logicalType"] = meaning.logical_type
    in_key = column.name in profile.key.columns
    if in_key or column.is_required:
        found["required"] = True
    if in_key:
        found |= {"primaryKey": True, "primaryKeyPosition": profile.key.columns.index(column.name) + 1}
    found["classification"] = meaning.classification
    found["description"] = describe(column)
    custom: list[dict[str, Any]] = [OneLine(property="semanticType", value=meaning.semantic_type)]
    if meaning.options:
        options = dict(meaning.options)
        if "codes" in options:
            options["codes"] = {code: list(variants) for code, variants in options["codes"].items()}
        custom.append({"property": "options", "value": options})
    found["customProperties"] = custom
    return found


def _findings(draft: DatasetDraft) -> list[str]:
    """Comment lines: on what the draft rests, and what a person has to decide."""
    profile = draft.profile
    key = ", ".join(profile.key.columns)
    lines = [
        f"Drafted by `dx contract init` from {profile.sampled_rows:,} of {profile.total_rows:,} rows of {draft.label}.",
        f"Fill in every {TODO} (`dx contract check` lists them), then raise the version to 1.0.0.",
        f"Key {key}: {profile.key.why}.",
    ]
    if profile.key.conflicts:
        lines.append(f"{profile.key.conflicts:,} rows of the sample do not keep to this key: they would be rejected.")
    if profile.cursor and profile.mode == "snapshot":
        lines.append(f"Read whole each time; once it is large: load mode incremental with cursor {profile.cursor}.")
    personal = [column.name for column in profile.columns if column.meaning.is_personal]
    if personal:
        lines.append(
            f"Suspected personal data, so not in the star: {', '.join(personal)}. Leave out what no figure needs."
        )
    if profile.left_out:
        lines.append(f"Not read (documents, bytes): {', '.join(profile.left_out)}.")
    return lines
