"""The pseudonym keys of this installation against what its warehouse was filled with; rotation and re-keying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from dx_pipeline.clean.key_file import check_value, delete_key, rotate_keys
from dx_pipeline.clean.pseudonym import PseudonymKeys, pseudonymised_columns
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SettingsError
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.key_register import deleted_keys, known_keys, register_key, rows_by_version
from dx_pipeline.warehouse.operation_log import note_operation


@dataclass(frozen=True)
class KeyState:
    """One version: whether the file has it, whether it is the key that was used here, and the rows that carry it."""

    version: int
    current: bool
    check_value: str
    in_file: bool
    matches: bool
    deleted: bool
    rows: Mapping[str, int]


def keys_in_use(warehouse: Warehouse, settings: Settings, contract: Contract) -> PseudonymKeys:
    """The keys for the pseudonyms of a dataset, checked against those the warehouse was filled with; none if it has none.

    Raises:
        SettingsError: the key file is gone, malformed or another one.
    """
    if not pseudonymised_columns(contract):
        return PseudonymKeys(0, {})
    with warehouse.loader() as connection:
        _refuse_new_file(settings, known_keys(connection))
        keys = PseudonymKeys.load(settings.keys_path)
        register_key(connection, keys.current, check_value(keys, keys.current))
    return keys


def key_states(warehouse: Warehouse, settings: Settings) -> list[KeyState]:
    """Every version that is in the file, was used, or stands in a row."""
    with warehouse.loader() as connection:
        known = known_keys(connection)
        deleted = deleted_keys(connection)
        tables = rows_by_version(connection)
    keys = PseudonymKeys.load(settings.keys_path) if settings.keys_path.exists() else PseudonymKeys(0, {})
    seen = {version for counts in tables.values() for version in counts}
    states = []
    for version in sorted({*keys.keys, *known, *seen}):
        in_file = version in keys.keys
        value = check_value(keys, version) if in_file else known.get(version, "")
        states.append(
            KeyState(
                version=version,
                current=version == keys.current,
                check_value=value,
                in_file=in_file,
                matches=in_file and known.get(version, value) == value,
                deleted=version in deleted,
                rows={table: counts[version] for table, counts in tables.items() if version in counts},
            )
        )
    return states


def rotate(warehouse: Warehouse, settings: Settings, *, lost: bool = False) -> int:
    """Make a new key the current one and return its version. Rows keep their version until they are loaded again.

    Args:
        lost: the keys of the file are not those of the warehouse, which are lost: go on without them.

    Raises:
        SettingsError: the file does not hold the keys of the warehouse and ``lost`` was not said.
    """
    states = key_states(warehouse, settings)
    wrong = frozenset(state.version for state in states if state.in_file and not state.matches)
    gone = [state.version for state in states if not state.in_file and not state.deleted and state.rows]
    if (wrong or gone) and not lost:
        raise SettingsError(
            f"key version {', '.join(map(str, sorted({*wrong, *gone})))} of the warehouse is not in {settings.keys_path}",
            next_step="put the key file back from its own backup; `dx keys rotate --lost` goes on without it, and rows of"
            " those versions can no longer be linked to new ones",
        )
    keys = rotate_keys(settings.keys_path, above=max((state.version for state in states), default=0), drop=wrong)
    with warehouse.owner() as connection:
        register_key(connection, keys.current, check_value(keys, keys.current))
        note_operation(connection, "key_rotation", {"version": keys.current, "lost": sorted({*wrong, *gone})})
    return keys.current


def forget(warehouse: Warehouse, settings: Settings, version: int, *, even_if_used: bool = False) -> int:
    """Delete a version of the key: its pseudonyms stay different from one another, but no person is found by them.

    Returns:
        How many rows carry the version.

    Raises:
        SettingsError: it is in use, is not there, or rows carry it and ``even_if_used`` was not said.
    """
    rows = sum(sum(state.rows.values()) for state in key_states(warehouse, settings) if state.version == version)
    if rows and not even_if_used:
        raise SettingsError(
            f"{rows:,} rows carry key version {version}",
            next_step="`dx keys rotate --rekey` computes them again with the current key; `dx keys forget"
            f" {version} --even-if-used` cuts them off from the persons for good",
        )
    delete_key(settings.keys_path, version)
    with warehouse.owner() as connection:
        connection.execute(
            sa.text("update ops.pseudonym_key set deleted_at = now() where key_version = :version"),
            {"version": version},
        )
        note_operation(connection, "key_deletion", {"version": version, "rows": rows})
    return rows


def batches_to_rekey(
    warehouse: Warehouse, contracts: Iterable[Contract], landing: LandingStore
) -> list[tuple[Contract, int]]:
    """Landed batches to replay, in the order they came, so that every pseudonym is made again with the current key.

    Of a snapshot only the newest. What is no longer landed is left out: read it from the source again.
    """
    found: list[tuple[Contract, int]] = []
    with warehouse.loader() as connection:
        for contract in contracts:
            if not pseudonymised_columns(contract):
                continue
            origins = connection.execute(
                sa.text(
                    "select distinct coalesce(replay_of, batch_id) as origin from ops.batch where system = :system"
                    " and dataset = :dataset and status = 'published' and extracted > 0 order by 1"
                ),
                {"system": contract.system, "dataset": contract.dataset},
            ).scalars()
            landed = [n for n in origins if landing.batch_dir(contract.system, contract.dataset, n).is_dir()]
            found += [(contract, n) for n in (landed[-1:] if contract.load.mode == "snapshot" else landed)]
    return sorted(found, key=lambda pair: pair[1])


def _refuse_new_file(settings: Settings, known: Mapping[int, str]) -> None:
    if known and not settings.keys_path.exists():
        raise SettingsError(
            f"the pseudonym key file {settings.keys_path} is gone, and this warehouse holds pseudonyms made with it",
            next_step="put it back from its own backup (mode 0600); if it is lost, `dx keys rotate --lost`",
        )
