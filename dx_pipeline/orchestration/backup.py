"""``dx backup``: the warehouse, the manifests of what landed, and a hash of every file, in one folder.

::

    backup.json                 what this is: time, versions, rows and checksum of every table, hash of every file
    backup.sha256               hash of backup.json
    warehouse.dump              pg_dump, custom format
    roles.json                  group roles and memberships, no passwords
    settings.json               settings that are no secrets, and the names of the connections
    landing/<system>/<dataset>/<batch>/manifest.json   and the Parquet files, if asked for
    keys/pseudonym.json         only if asked for

The folder appears whole or not at all. It holds personal data: mode 0700, files 0600.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import dx_pipeline
from dx_pipeline.clean.key_file import check_value
from dx_pipeline.clean.pseudonym import PseudonymKeys
from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.errors import LandingError, SettingsError
from dx_pipeline.landing.manifest import MANIFEST_NAME
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.dump import dump_database, roles_of, snapshot, table_sums
from dx_pipeline.warehouse.operation_log import note_operation

FORMAT_VERSION = 1
DESCRIPTION, SEAL, DUMP, ROLES, SETTINGS, LANDING, KEYS = (
    "backup.json", "backup.sha256", "warehouse.dump", "roles.json", "settings.json", "landing", "keys/pseudonym.json",
)  # fmt: skip


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds."""

    folder: Path
    tables: int
    rows: int
    batches: int
    bytes: int
    missing: tuple[str, ...]
    with_keys: bool


def make_backup(
    warehouse: Warehouse,
    settings: Settings,
    catalog: Catalog,
    folder: Path,
    *,
    landing_files: bool = False,
    with_keys: bool = False,
) -> BackupReport:
    """Write a backup into a new folder.

    Args:
        landing_files: copy the landed rows too, not only their manifests.
        with_keys: put the pseudonym keys beside the pseudonyms. Whoever has both can link them to persons.

    Raises:
        SettingsError: the folder is there already, lies inside what is backed up, or cannot be written.
        WarehouseError: the dump failed.
    """
    folder = folder.expanduser().absolute()
    _check_place(folder, settings)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(mode=0o700, parents=True)
        report = _fill(warehouse, settings, catalog, partial, landing_files=landing_files, with_keys=with_keys)
        if folder.exists():
            folder.rmdir()  # an empty one
        os.rename(partial, folder)
    except OSError as error:
        raise SettingsError(
            f"backup to {folder}: {error.filename or folder}: {error.strerror}",
            next_step="choose a folder on a disk with room that this user may write",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    with warehouse.owner() as connection:
        told = {"tables": report.tables, "rows": report.rows, "batches": report.batches, "bytes": report.bytes}
        note_operation(connection, "backup", {**told, "with_keys": with_keys, "landing_files": landing_files})
    return BackupReport(**{**asdict(report), "folder": folder})


def _check_place(folder: Path, settings: Settings) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            f"backup to {folder}: it is there already", next_step="choose a new folder, e.g. one named after the day"
        )
    if folder.is_relative_to(settings.landing_root) or folder.is_relative_to(settings.home / "warehouse"):
        raise SettingsError(
            f"backup to {folder}: it lies inside what is backed up", next_step="choose a folder on another disk"
        )


def _fill(
    warehouse: Warehouse, settings: Settings, catalog: Catalog, folder: Path, *, landing_files: bool, with_keys: bool
) -> BackupReport:
    with snapshot(warehouse) as (connection, name):
        dump_database(warehouse, folder / DUMP, name)
        sums = table_sums(connection)
        roles = roles_of(connection)
        landed = connection.execute(
            sa.text(
                "select system, dataset, batch_id from ops.batch where landing_path is not null and replay_of is null"
                " order by batch_id"
            )
        ).all()
        last_batch = connection.exec_driver_sql("select coalesce(max(batch_id), 0) from ops.batch").scalar_one()
        migrations = connection.exec_driver_sql("select project || '/' || name from ops.migration order by 1").scalars()
        applied = list(migrations)
    write_private(folder / ROLES, _json(roles))
    write_private(folder / SETTINGS, _json(_settings(settings, catalog)))
    copied, missing = _copy_landing(LandingStore(settings.landing_root), folder, landed, with_files=landing_files)
    keys = PseudonymKeys.load(settings.keys_path) if settings.keys_path.exists() else None
    if with_keys and keys is not None:
        (folder / KEYS).parent.mkdir(mode=0o700)
        write_private(folder / KEYS, settings.keys_path.read_text(encoding="utf-8"))
    files = describe_files(folder)
    description = {
        "format_version": FORMAT_VERSION,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "dx_version": dx_pipeline.__version__,
        "postgresql": warehouse.check_version(),
        "last_batch": last_batch,
        "landing_files": landing_files,
        "with_keys": with_keys and keys is not None,
        "key_check_values": {str(v): check_value(keys, v) for v in keys.keys} if keys else {},
        "batches_without_landing": missing,
        "migrations": applied,
        "tables": {table: asdict(found) for table, found in sums.items()},
        "files": files,
    }
    write_private(folder / DESCRIPTION, _json(description))
    write_private(folder / SEAL, f"{sha256_of(folder / DESCRIPTION)}  {DESCRIPTION}\n")
    return BackupReport(
        folder=folder,
        tables=len(sums),
        rows=sum(found.rows for found in sums.values()),
        batches=copied,
        bytes=sum(int(file["bytes"]) for file in files.values()),
        missing=tuple(missing),
        with_keys=with_keys and keys is not None,
    )


def _copy_landing(
    store: LandingStore, folder: Path, landed: Sequence[Any], *, with_files: bool
) -> tuple[int, list[str]]:
    """Copy the manifests (and files) of the landed batches; what retention or a newer batch removed is named."""
    copied, missing = 0, []
    for system, dataset, batch_id in landed:
        try:
            manifest = store.load_manifest(system, dataset, batch_id)
            if with_files:
                store.verify(manifest)
        except LandingError:
            missing.append(f"{system}/{dataset}/{batch_id}")
            continue
        target = folder / LANDING / system / dataset / str(batch_id)
        target.mkdir(mode=0o700, parents=True)
        for name in [MANIFEST_NAME, *(file.name for file in manifest.files if with_files)]:
            shutil.copyfile(manifest.directory / name, target / name)
            (target / name).chmod(0o600)
        copied += 1
    for path in (folder / LANDING, *(folder / LANDING).rglob("*")):
        if path.is_dir():
            path.chmod(0o700)  # mkdir gives its mode to the last folder only
    return copied, missing


def _settings(settings: Settings, catalog: Catalog) -> dict[str, Any]:
    """What a new installation must be given; secrets by name only."""
    plain = settings.model_dump(mode="json", exclude={"warehouse_url", "home"})
    return {
        "settings": plain,
        "warehouse_is_external": settings.warehouse_url is not None,
        "connections": sorted({f"DX_CONNECTION_{system.connection.upper()}" for system in catalog.systems.values()}),
    }


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Name below the folder → bytes and SHA-256, of every file but the description and its seal."""
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (DESCRIPTION, SEAL)
    }


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600, on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
