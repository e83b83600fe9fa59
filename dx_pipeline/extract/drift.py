"""Has the source still the shape its contract promises?

``check_drift`` only looks; ``refuse_drift`` decides. What may pass is passed with a warning, so that a
department hears of it before it hurts.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift
from dx_pipeline.extract.physical_type import ChangeKind, compare_types, normalise_type
from dx_pipeline.extract.source import SourceColumn

_LIKENESS = 0.6


@dataclass(frozen=True)
class ChangedColumn:
    """A column whose declared type is no longer the contract's."""

    column: str
    was: str
    now: str
    kind: ChangeKind


@dataclass(frozen=True)
class Drift:
    """Source against contract, by source column names.

    ``renamed`` is a guess (old name → new name): a missing column beside a new one with a like name and
    the same type. Its columns are also in ``missing`` and ``added``.
    """

    fingerprint: str
    added: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[ChangedColumn, ...]
    renamed: tuple[tuple[str, str], ...]
    messages: tuple[str, ...]
    columns: tuple[SourceColumn, ...] = ()

    @property
    def is_none(self) -> bool:
        """True if the source is exactly as promised."""
        return not (self.added or self.missing or self.changed)


def schema_fingerprint(columns: Sequence[SourceColumn]) -> str:
    """SHA-256 (hex) of names and types, whatever their order."""
    described = sorted([column.name, column.type_text] for column in columns)
    return hashlib.sha256(json.dumps(described, ensure_ascii=False).encode()).hexdigest()


def check_drift(contract: Contract, columns: Sequence[SourceColumn]) -> Drift:
    """Compare what the source declares with what the contract promises; never raises.

    A type is compared only where both sides tell one (a CSV file or a query on SQLite tells none).
    """
    found = {column.name: column for column in columns}
    promised = {column.source_name: column for column in contract.columns}
    missing = tuple(name for name in promised if name not in found)
    added = tuple(name for name in found if name not in promised and name not in contract.left_out)
    changed = []
    for name, column in promised.items():
        if name not in found or not column.physical_type or not found[name].type_text or contract.source.is_file:
            continue
        kind = compare_types(column.physical_type, found[name].type_text)
        if kind is not None:
            changed.append(
                ChangedColumn(name, normalise_type(column.physical_type), normalise_type(found[name].type_text), kind)
            )
    types = {name: normalise_type(column.physical_type or "") for name, column in promised.items()}
    renamed = _guess_renames(missing, added, types, {name: item.type_text for name, item in found.items()})
    return Drift(
        fingerprint=schema_fingerprint(columns),
        added=added,
        missing=missing,
        changed=tuple(changed),
        renamed=renamed,
        messages=tuple(_messages(contract, missing, added, changed, renamed)),
        columns=tuple(columns),
    )


def refuse_drift(contract: Contract, drift: Drift) -> None:
    """Stop if the source broke its contract; say everything in one message.

    A missing column, a narrowed or a changed type is always refused; a new column or a widened type
    only where the contract's ``drift`` policy says ``hold``. What passes, the caller warns of with
    ``drift.messages``.

    Raises:
        SourceDrift: names dataset and columns and tells what to do.
    """
    broken = [item for item in drift.changed if item.kind != "widened" or contract.on_widened_type == "hold"]
    held_new = drift.added if contract.on_new_column == "hold" else ()
    if not (drift.missing or broken or held_new):
        return
    new_names = {new for _, new in drift.renamed}
    lines = _messages(
        contract,
        drift.missing,
        [name for name in drift.added if name in held_new or name in new_names],
        broken,
        drift.renamed,
    )
    steps = []
    if drift.renamed:
        pairs = ", ".join(f"{old} → {new}" for old, new in drift.renamed)
        steps.append(f"if renamed ({pairs}), set physicalName to the new name")
    if drift.missing:
        steps.append("if a column is really gone, ask the owner to bring it back or take it out of the contract")
    if broken:
        steps.append("if the new type is right, set physicalType to it and check the column's semanticType")
    if held_new:
        steps.append(
            "if the new columns name persons, send the file back; else add them to the contract, or to its leftOut list, "
            "or set drift.newColumn: warn"
        )
    raise SourceDrift(
        f"{contract.id}: the source {contract.source.label} is not what contract version {contract.version} promises: "
        + "; ".join(lines),
        next_step=f"agree with the owner {contract.owner_agency}, then in {contract.path}: "
        + "; ".join(steps)
        + "; raise the contract's version and run again",
    )


def _messages(
    contract: Contract,
    missing: Sequence[str],
    added: Sequence[str],
    changed: Sequence[ChangedColumn],
    renamed: Sequence[tuple[str, str]],
) -> list[str]:
    old_to_new = dict(renamed)
    lines = []
    for name in missing:
        guess = f" (renamed to {old_to_new[name]}?)" if name in old_to_new else ""
        lines.append(f"column {name} is missing{guess}")
    for item in changed:
        lines.append(f"column {item.column} {item.kind} from {item.was} to {item.now}")
    for name in added:
        if name not in old_to_new.values():
            lines.append(f"column {name} is new: not in the contract and not in its leftOut list")
    return lines


def _guess_renames(
    missing: Sequence[str], added: Sequence[str], was: dict[str, str], now: dict[str, str]
) -> tuple[tuple[str, str], ...]:
    free = list(added)
    pairs: list[tuple[str, str]] = []
    for old in missing:
        same_type = [new for new in free if not was[old] or not now[new] or compare_types(was[old], now[new]) is None]
        folded = {_fold(new): new for new in same_type}
        close = difflib.get_close_matches(_fold(old), list(folded), n=1, cutoff=_LIKENESS)
        if close:
            new = folded[close[0]]
            free.remove(new)
            pairs.append((old, new))
    return tuple(pairs)


def _fold(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
