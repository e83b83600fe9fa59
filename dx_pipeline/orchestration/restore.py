"""``dx restore``: a backup checked, brought back in one transaction, compared, and what landed since published again.

The key file is not touched unless the backup holds it and none is there: pseudonyms and keys are kept apart.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dx_pipeline.clean.key_file import check_value
from dx_pipeline.clean.pseudonym import PseudonymKeys
from dx_pipeline.errors import SettingsError, WarehouseError
from dx_pipeline.landing.manifest import MANIFEST_NAME
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration.backup import (
    DESCRIPTION,
    DUMP,
    FORMAT_VERSION,
    KEYS,
    LANDING,
    ROLES,
    SEAL,
    describe_files,
    sha256_of,
)
from dx_pipeline.settings import Settings, write_private_file
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.dump import analyze, restore_database, restore_roles, table_sums, user_schemas
from dx_pipeline.warehouse.operation_log import note_operation


@dataclass(frozen=True)
class RestoreReport:
    """What came back."""

    created_at: str
    tables: int
    rows: int
    batches: int
    logins_without_password: tuple[str, ...]
    not_in_landing: tuple[str, ...]
    keys: str
    warnings: tuple[str, ...] = field(default=())


def check_backup(folder: Path) -> dict[str, Any]:
    """The description of a backup, after every file was compared with its hash.

    Raises:
        SettingsError: it is no backup, of a later release, or a file is missing, damaged or was added.
    """
    try:
        sealed = (folder / SEAL).read_text(encoding="ascii").split()[0]
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        version = description["format_version"]
    except (OSError, ValueError, IndexError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{folder} is not a backup that can be read ({type(error).__name__})",
            next_step=f"name the folder that `dx backup` wrote; it holds {DESCRIPTION} and {SEAL}",
        ) from None
    damaged = []
    if sha256_of(folder / DESCRIPTION) != sealed:
        damaged.append(DESCRIPTION)
    elif version != FORMAT_VERSION:
        raise SettingsError(f"{folder} is a backup of form {version}, this release reads {FORMAT_VERSION}")
    else:
        found = describe_files(folder)
        damaged = sorted(
            {name for name in {*found, *description["files"]} if found.get(name) != description["files"].get(name)}
        )
    if damaged:
        raise SettingsError(
            f"{folder}: {', '.join(damaged[:5])} {'is' if len(damaged) == 1 else 'are'} not what the backup wrote",
            next_step="use another copy of the backup; nothing was changed",
        )
    return description


def restore(warehouse: Warehouse, settings: Settings, folder: Path, *, force: bool = False) -> RestoreReport:
    """Bring a backup back into the warehouse of this installation.

    Args:
        force: replace what is there.

    Raises:
        SettingsError: the backup is damaged, the warehouse is not empty, or the key file is another one.
        WarehouseError: the database could not be brought back and is as it was, or it is not what was backed up.
    """
    folder = folder.expanduser().absolute()
    description = check_backup(folder)
    keys = _check_keys(settings, description, folder)
    if warehouse.check_version() < int(description["postgresql"]):
        raise SettingsError(
            f"the backup is of PostgreSQL {description['postgresql']}, the server is older",
            next_step="restore into a server of that version or newer",
        )
    with warehouse.owner() as connection:
        present = user_schemas(connection)
        if present and not force:
            raise SettingsError(
                f"the warehouse at {warehouse.url.host}:{warehouse.url.port}/{warehouse.url.database} is not empty"
                f" (schemas {', '.join(present)})",
                next_step="take a backup of it, then `dx restore DIRECTORY --force` replaces it",
            )
        logins = restore_roles(connection, json.loads((folder / ROLES).read_text(encoding="utf-8")))
    restore_database(warehouse, folder / DUMP, drop=present)
    rows = _compare(warehouse, description["tables"])
    analyze(warehouse)
    batches, warnings = _restore_landing(settings, folder)
    if keys == "restored":
        write_private_file(settings.keys_path, (folder / KEYS).read_text(encoding="utf-8"))
    with warehouse.owner() as connection:
        absent = _not_in_landing(connection, LandingStore(settings.landing_root))
        told = {"backup_of": description["created_at"], "tables": len(description["tables"]), "rows": rows}
        note_operation(connection, "restore", {**told, "forced_over": present if force else [], "keys": keys})
    return RestoreReport(
        created_at=str(description["created_at"]),
        tables=len(description["tables"]),
        rows=rows,
        batches=batches,
        logins_without_password=tuple(logins),
        not_in_landing=tuple(absent),
        keys=keys,
        warnings=tuple(warnings),
    )


def _check_keys(settings: Settings, description: Mapping[str, Any], folder: Path) -> str:
    """``present``, ``restored`` (to be), ``missing`` or ``none``; refuses another key under the same number."""
    expected = {int(version): value for version, value in description["key_check_values"].items()}
    if not settings.keys_path.exists():
        return "restored" if (folder / KEYS).exists() else "missing" if expected else "none"
    keys = PseudonymKeys.load(settings.keys_path)
    wrong = [v for v, value in expected.items() if v in keys.keys and check_value(keys, v) != value]
    if wrong:
        raise SettingsError(
            f"{settings.keys_path} holds another key {wrong[0]} than the warehouse of this backup was filled with",
            next_step="put the key file that belongs to this warehouse in its place, then restore; nothing was changed",
        )
    return "present" if set(expected) <= set(keys.keys) else "missing"


def _compare(warehouse: Warehouse, expected: Mapping[str, Mapping[str, Any]]) -> int:
    """Rows of all tables, after each table was found to hold what was backed up."""
    with warehouse.owner() as connection:
        found = table_sums(connection)
    differing = sorted(
        table
        for table in {*found, *expected}
        if table not in found
        or table not in expected
        or (found[table].rows, found[table].checksum) != (expected[table]["rows"], expected[table]["checksum"])
    )
    if differing:
        raise WarehouseError(
            f"restored, but not what was backed up: {', '.join(differing[:8])}",
            next_step="restore another backup; nothing may be published into this one",
        )
    return sum(table.rows for table in found.values())


def _restore_landing(settings: Settings, folder: Path) -> tuple[int, list[str]]:
    """Landed batches that the backup holds with their files and the landing zone does not; a batch appears whole."""
    restored, warnings = 0, []
    for manifest in sorted((folder / LANDING).glob(f"*/*/*/{MANIFEST_NAME}")):
        system, dataset, batch_id = manifest.parent.relative_to(folder / LANDING).parts
        target = LandingStore(settings.landing_root).batch_dir(system, dataset, int(batch_id))
        if target.exists():
            if (target / MANIFEST_NAME).read_bytes() != manifest.read_bytes():
                warnings.append(f"{system}.{dataset} batch {batch_id}: another batch of that number has landed; kept")
        elif any(path.name != MANIFEST_NAME for path in manifest.parent.iterdir()):
            for parent in (settings.landing_root, target.parent.parent, target.parent):
                parent.mkdir(mode=0o700, parents=parent == settings.landing_root, exist_ok=True)
            partial = target.with_name(f".{batch_id}.tmp-0")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(manifest.parent, partial)
            partial.chmod(0o700)
            partial.rename(target)
            restored += 1
    return restored, warnings


def _not_in_landing(connection: sa.Connection, store: LandingStore) -> list[str]:
    """Batches of the ledger whose landed rows are not here: they cannot be replayed."""
    rows = connection.exec_driver_sql(
        "select system, dataset, batch_id from ops.batch where landing_path is not null and replay_of is null"
        " and status <> 'superseded' order by batch_id"
    )
    return [f"{row[0]}.{row[1]} batch {row[2]}" for row in rows if not store.batch_dir(row[0], row[1], row[2]).is_dir()]
