"""What a source's structure was at one reading against another: nullability, primary key, undeclared types.

The contract promises names and types (``drift``); these changes it does not promise, so they never hold a batch. They
are told, because what the source no longer guards the rules will have to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.physical_type import compare_types
from dx_pipeline.extract.source import SourceColumn

ShapeKind = Literal["may be empty", "never empty", "key changed", "widened", "narrowed", "changed"]


@dataclass(frozen=True)
class ShapeChange:
    """One change since an earlier reading; ``guarded``: the source still promises what the contract relies on."""

    column: str
    kind: ShapeKind
    was: str
    now: str
    guarded: bool

    @property
    def message(self) -> str:
        """One sentence for the ledger's warnings."""
        if self.kind == "may be empty":
            return f"column {self.column} may be empty now: the source no longer forbids it"
        if self.kind == "never empty":
            return f"column {self.column} is never empty any more at the source"
        if self.kind == "key changed":
            lost = "" if self.guarded else "; the source no longer keeps the contract's key unique"
            return f"the primary key of the source changed from ({self.was}) to ({self.now}){lost}"
        return f"column {self.column} {self.kind} from {self.was} to {self.now}"


def shape_changes(contract: Contract, before: Sequence[SourceColumn], now: Sequence[SourceColumn]) -> list[ShapeChange]:
    """Changes of columns that both readings have, and of the primary key.

    A type that the contract names is left to ``drift``.
    """
    earlier = {column.name: column for column in before}
    promised = {column.source_name: column for column in contract.columns}
    found = []
    for column in now:
        was = earlier.get(column.name)
        if was is None or column.name not in promised:
            continue
        if was.nullable != column.nullable:
            kind: ShapeKind = "may be empty" if column.nullable else "never empty"
            guarded = not (column.nullable and promised[column.name].required)
            texts = ("not null", "null") if column.nullable else ("null", "not null")
            found.append(ShapeChange(column.name, kind, *texts, guarded=guarded))
        if promised[column.name].physical_type is None and was.type_text and column.type_text:
            type_kind = compare_types(was.type_text, column.type_text)
            if type_kind is not None:
                found.append(ShapeChange(column.name, type_kind, was.type_text, column.type_text, guarded=True))
    old_key, new_key = primary_key(before), primary_key(now)
    if old_key != new_key:
        wanted = set(contract_key(contract))
        guarded = not (old_key and set(old_key) <= wanted) or bool(new_key and set(new_key) <= wanted)
        found.append(
            ShapeChange("", "key changed", ", ".join(old_key) or "none", ", ".join(new_key) or "none", guarded=guarded)
        )
    return found


def primary_key(columns: Sequence[SourceColumn]) -> tuple[str, ...]:
    """Names of the source's primary key, in key order; empty if it tells of none."""
    keyed = sorted((column for column in columns if column.key_position), key=lambda column: column.key_position)
    return tuple(column.name for column in keyed)


def contract_key(contract: Contract) -> tuple[str, ...]:
    """Source names of the contract's key."""
    return tuple(contract.column(name).source_name for name in contract.key_columns)


def shape_as_json(columns: Sequence[SourceColumn]) -> list[dict[str, Any]]:
    """The columns as the ledger keeps them."""
    return [
        {"name": item.name, "type": item.type_text, "nullable": item.nullable, "key": item.key_position}
        for item in columns
    ]


def shape_from_json(columns: Sequence[Mapping[str, Any]]) -> tuple[SourceColumn, ...]:
    """The columns as ``shape_as_json`` wrote them."""
    return tuple(
        SourceColumn(str(item["name"]), str(item["type"]), bool(item["nullable"]), int(item["key"])) for item in columns
    )
