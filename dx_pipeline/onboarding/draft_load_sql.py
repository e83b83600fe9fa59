"""Write the load SQL of a draft: one table in the system's own schema, one step that fills it."""

from __future__ import annotations

from dx_pipeline.clean.pseudonym import PSEUDONYM_SUFFIX
from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.contract.model import Column
from dx_pipeline.onboarding.draft import DatasetDraft, describe
from dx_pipeline.onboarding.profile import ProfiledColumn
from dx_pipeline.onboarding.yaml_text import TODO, both
from dx_pipeline.warehouse.stage import postgres_type

_CLOSED_ON = ("closed_on", "date", "Ngày không còn ở nguồn | Day it left the source")
_ENGINE = (
    ("row_hash", "bigint not null", "Mã băm nội dung dòng | Hash of the row"),
    ("first_batch_id", "bigint not null", "Lô đầu tiên đưa dòng vào | Batch that brought the row"),
    ("last_batch_id", "bigint not null", "Lô sửa dòng gần nhất | Batch that changed it last"),
    ("loaded_at", "timestamptz not null", "Thời điểm đọc từ nguồn | When it was read from the source"),
)
_WARNINGS = ("warnings", "text[]", "Mã các cảnh báo | Codes of the warnings")


def load_sql(draft: DatasetDraft) -> str:
    """The load file: DDL section and one ledger step."""
    profile, table = draft.profile, draft.target
    loaded = [column for column in profile.columns if not column.meaning.is_personal]
    key = profile.key.columns
    closes = profile.mode == "snapshot"
    defined = [(column.name, _sql_type(column, in_key=column.name in key), describe(column)) for column in loaded]
    defined += [_WARNINGS, *((_CLOSED_ON,) if closes else ()), *_ENGINE]
    columns = [f"    {name} {kind}" for name, kind, _ in defined] + [f"    primary key ({', '.join(key)})"]
    title = both(f"{TODO}: {draft.label}", f"{TODO}: {draft.label}")
    merge = "snapshot" if closes else "upsert"
    step = f"-- dx:step merge={merge} target={table} key={','.join(key)}"
    if not closes:
        step += f" version={profile.cursor}"
    selected = [f"    s.{column.name}" for column in loaded]
    selected += ["    s._warnings as warnings", "    s._row_hash as row_hash"]
    ends = "; one that left the source is closed" if closes else ""
    return "\n".join(
        [
            f"-- Grain: {table} has one row per {', '.join(profile.key.columns)}, its latest state{ends}.",
            "-- Drafted by `dx contract init`: a plain copy of the accepted rows. Turn it into the star you need.",
            *_left_behind(draft, loaded),
            "",
            "-- dx:tables",
            f"create schema if not exists {draft.system};",
            "",
            f"comment on schema {draft.system} is {_text(both(f'{TODO}: {draft.system}', f'{TODO}: {draft.system}'))};",
            "",
            f"grant usage on schema {draft.system} to dx_loader, dx_engineer, dx_analyst;",
            "",
            f"create table if not exists {table} (",
            ",\n".join(columns),
            ");",
            "",
            f"comment on table {table} is {_text(title)};",
            *(f"comment on column {table}.{name} is {_text(text)};" for name, _, text in defined),
            "",
            f"grant select, insert, update on {table} to dx_loader;",
            f"grant select on {table} to dx_engineer, dx_analyst;",
            "",
            f"select ops.keep_history('{table}');",
            "",
            f"{step} ledger",
            "select",
            ",\n".join(selected),
            f"from stage.{draft.system}__{draft.dataset} as s;",
            "",
        ]
    )


def _left_behind(draft: DatasetDraft, loaded: list[ProfiledColumn]) -> list[str]:
    hidden = [column for column in draft.profile.columns if column not in loaded]
    pseudonymised = [c.name + PSEUDONYM_SUFFIX for c in hidden if SEMANTIC_TYPES[c.meaning.semantic_type].pseudonymised]
    lines = []
    if hidden:
        lines.append(f"-- Personal, so not here: {', '.join(column.name for column in hidden)}.")
    if pseudonymised:
        lines.append(f"-- In stage for schema restricted, if a figure needs them: {', '.join(pseudonymised)}.")
    return lines


def _sql_type(column: ProfiledColumn, *, in_key: bool) -> str:
    meaning = column.meaning
    as_contract = Column(
        column.name, column.source.name, meaning.semantic_type, meaning.logical_type, options=meaning.options
    )
    kind = postgres_type(SEMANTIC_TYPES[meaning.semantic_type].arrow_type(as_contract))
    return f"{kind} not null" if in_key or column.is_required else kind


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
