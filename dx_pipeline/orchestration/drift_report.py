"""What differs between a source today, its contract and the last published batch, what it does, how to accept it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from dx_pipeline.contract.amend import Amendment, Bump, LeaveOut, SetColumn
from dx_pipeline.contract.model import Column, Contract, LoadPolicy
from dx_pipeline.errors import ContractError, DxError, LandingError
from dx_pipeline.extract.drift import ChangedColumn, Drift, check_drift
from dx_pipeline.extract.physical_type import normalise_type
from dx_pipeline.extract.rename_evidence import Rename, propose_renames
from dx_pipeline.extract.shape import ShapeChange, contract_key, primary_key, shape_changes, shape_from_json
from dx_pipeline.extract.source import SourceReader, open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.orchestration.code_growth import UnknownCode, unknown_codes
from dx_pipeline.warehouse.shape_history import RecordedShape, published_shape

if TYPE_CHECKING:
    from dx_pipeline.orchestration.road import Road

SAMPLE_ROWS = 20_000
LOADED, HELD = "loaded as before", "held: nothing is read"


@dataclass(frozen=True)
class Difference:
    """One line of the report. ``amendment``: how a program can write it into the contract; None: by hand, if at all."""

    column: str
    what: str
    was: str
    now: str
    effect: str
    accept: str
    held: bool = False
    amendment: Amendment | None = None
    bump: Bump = "minor"


@dataclass(frozen=True)
class DriftReport:
    """All differences of one dataset; ``since``: the last published batch it was compared with."""

    contract: Contract
    drift: Drift
    differences: tuple[Difference, ...]
    codes: tuple[UnknownCode, ...]
    since: RecordedShape | None

    @property
    def is_held(self) -> bool:
        """True if the next run would be held for the source's structure."""
        return any(difference.held for difference in self.differences)


def drift_report(
    road: Road, contract: Contract, *, renames: Mapping[str, str] | None = None, retyped: Sequence[str] = ()
) -> DriftReport:
    """Look at the live source; nothing is landed, no batch is opened.

    Args:
        renames: old to new source names that a person knows of.
        retyped: source columns whose other type a person accepts.

    Raises:
        DxError: the source cannot be reached or read; a named column is not there.
    """
    url = road.settings.connection_url(road.catalog.systems[contract.system].connection)
    with road.warehouse.loader() as connection:
        since = published_shape(connection, contract)
    with open_source(contract, url) as reader:
        drift = check_drift(contract, reader.describe())
    pairs = _told(contract, drift, renames or {})
    told = {pair.old for pair in pairs}, {pair.new for pair in pairs}
    missing = [name for name in drift.missing if name not in told[0]]
    added = [name for name in drift.added if name not in told[1]]
    if missing and added:
        pairs += _proposed(road, contract, drift, url, missing, added)
    unknown = set(retyped) - {item.column for item in drift.changed}
    if unknown:
        raise ContractError(f"{contract.id}: the type of {', '.join(sorted(unknown))} has not changed")
    changes = shape_changes(contract, shape_from_json(since.source_columns), drift.columns) if since else []
    return DriftReport(
        contract=contract,
        drift=drift,
        differences=tuple(_differences(contract, drift, pairs, changes, set(retyped), since)),
        codes=tuple(unknown_codes(contract, load_suite(contract), road.landing, road.warehouse)),
        since=since,
    )


def _told(contract: Contract, drift: Drift, renames: Mapping[str, str]) -> list[Rename]:
    for old, new in renames.items():
        if old not in drift.missing or new not in drift.added:
            raise ContractError(
                f"{contract.id}: {old} → {new} is no rename: {old!r} must be missing at the source and {new!r} new there",
                next_step=f"missing: {', '.join(drift.missing) or 'none'}; new: {', '.join(drift.added) or 'none'}",
            )
    return [Rename(old, new, 1.0, None, 0) for old, new in renames.items()]


def _proposed(
    road: Road, contract: Contract, drift: Drift, url: str, missing: Sequence[str], added: Sequence[str]
) -> list[Rename]:
    promised = {column.source_name: column for column in contract.columns}
    found = {column.name: column.type_text for column in drift.columns}
    key = [name for name in contract_key(contract) if name in found]
    if len(key) < len(contract.key_columns):
        key = []
    before = _landed_rows(road, contract, [*key, *missing])
    now = None
    if before is not None:
        with open_source(_asking(contract, [*key, *added]), url) as reader:
            now = _first_rows(reader)
    types = {} if contract.source.is_file else found
    return propose_renames(
        {name: normalise_type(promised[name].physical_type or "") for name in missing},
        {name: types.get(name, "") for name in added},
        key,
        before,
        now,
    )


def _landed_rows(road: Road, contract: Contract, names: Sequence[str]) -> pa.Table | None:
    """Some rows of the last published batch, as texts; None if there is none or it lacks a column."""
    with road.warehouse.loader() as connection:
        shape = published_shape(connection, contract)
    if shape is None:
        return None
    try:
        manifest = road.landing.load_manifest(contract.system, contract.dataset, shape.batch_id)
        batch = next(road.landing.read(manifest, batch_rows=SAMPLE_ROWS, columns=list(dict.fromkeys(names))), None)
    except LandingError:
        return None
    if batch is None or not set(names) <= set(batch.schema.names):
        return None
    return _as_texts(pa.table(batch))


def _asking(contract: Contract, names: Sequence[str]) -> Contract:
    """The contract as if it promised just these source columns, whatever they mean."""
    columns = tuple(
        Column(f"dx_{number}", name, "text", "string", key_position=1 if number == 0 else None)
        for number, name in enumerate(dict.fromkeys(names))
    )
    return replace(contract, columns=columns, load=LoadPolicy("snapshot"), row_identity=("dx_0",))


def _first_rows(reader: SourceReader) -> pa.Table | None:
    try:
        extraction = reader.extract(Window("full"))
        batches = []
        for batch in extraction.batches:
            batches.append(batch)
            if sum(item.num_rows for item in batches) >= SAMPLE_ROWS:
                break
    except DxError:
        return None  # no evidence is no obstacle: the names remain
    return _as_texts(pa.Table.from_batches(batches)) if batches else None


def _as_texts(table: pa.Table) -> pa.Table:
    return pa.table({name: table[name].cast(pa.string()) for name in table.column_names})


def _differences(
    contract: Contract,
    drift: Drift,
    renames: Sequence[Rename],
    changes: Sequence[ShapeChange],
    retyped: set[str],
    since: RecordedShape | None,
) -> list[Difference]:
    names = {column.source_name: column.name for column in contract.columns}
    types = {column.name: column.type_text for column in drift.columns}
    pairs = {pair.old: pair for pair in renames}
    lines = []
    for name in drift.missing:
        lines.append(_renamed(pairs[name], names[name]) if name in pairs else _missing(name))
    for item in drift.changed:
        lines.append(_retyped(contract, item, names[item.column], accepted=item.column in retyped))
    taken = {pair.new for pair in renames}
    for name in drift.added:
        if name not in taken:
            held = contract.on_new_column == "hold"
            lines.append(
                Difference(name, "new", "", types[name], HELD if held else f"{LOADED}; the column is not read",
                           "--accept names it in leftOut; to read it, add it to the contract by hand", held,
                           LeaveOut(name))
            )  # fmt: skip
    lines += [_changed(change) for change in changes]
    lines += _other_key(contract, drift, since)
    return lines


def _missing(name: str) -> Difference:
    return Difference(
        name, "missing", "", "", HELD,
        "the owner brings it back, or --rename OLD=NEW, or take it out of contract, suite and load SQL", held=True,
    )  # fmt: skip


def _renamed(pair: Rename, column: str) -> Difference:
    if pair.same_values is not None:
        why = f"{pair.same_values:.0%} of {pair.compared:,} rows have the same value"
    else:
        why = "as you say" if pair.like_name == 1.0 else f"names {pair.like_name:.0%} alike"
    return Difference(
        pair.old, "probably renamed", pair.old, f"{pair.new} ({why})", HELD, "--accept sets physicalName", held=True,
        amendment=SetColumn(column, "physicalName", pair.new), bump="major",
    )  # fmt: skip


def _retyped(contract: Contract, item: ChangedColumn, column: str, *, accepted: bool) -> Difference:
    held = item.kind != "widened" or contract.on_widened_type == "hold"
    by_hand = item.kind == "changed" and not accepted
    return Difference(
        item.column, "type changed" if item.kind == "changed" else item.kind, item.was, item.now,
        HELD if held else LOADED,
        f"check its semanticType, then --retype {item.column}" if by_hand else "--accept sets physicalType",
        held, None if by_hand else SetColumn(column, "physicalType", item.now),
        "minor" if item.kind == "widened" else "major",
    )  # fmt: skip


def _changed(change: ShapeChange) -> Difference:
    if change.kind == "key changed":
        what = "key changed" if change.guarded else "key not unique any more"
        effect = LOADED if change.guarded else f"{LOADED}; rows that repeat the contract's key are rejected"
        accept = "ask the owner which key holds; another key is another contract"
    elif change.kind == "may be empty":
        what, accept = "may be empty now", "nothing to write; required: false if empty is right"
        effect = LOADED if change.guarded else f"{LOADED}; the rules decide on rows without it"
    else:
        what, effect, accept = change.kind, LOADED, "nothing to write; the next published batch is the new measure"
    return Difference(change.column or "(primary key)", what, change.was, change.now, effect, accept)


def _other_key(contract: Contract, drift: Drift, since: RecordedShape | None) -> list[Difference]:
    """The source's own key, where it is another than the contract's and no earlier batch has shown it."""
    source, wanted = primary_key(drift.columns), contract_key(contract)
    if not source or set(source) == set(wanted):
        return []
    if since is not None and primary_key(shape_from_json(since.source_columns)) == source:
        return []
    if since is not None and primary_key(shape_from_json(since.source_columns)):
        return []  # told as a change
    return [
        Difference(
            "(primary key)", "another key than the contract's", ", ".join(wanted), ", ".join(source), LOADED,
            "nothing to write if the contract's key is the business key",
        )
    ]  # fmt: skip
