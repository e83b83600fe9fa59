"""The landing zone on disk: ``root/<system>/<dataset>/<batch id>/`` with Parquet parts and a manifest.

A batch appears whole or not at all: it is written under a temporary name, flushed to the disk and
renamed in one step. Once there it is never changed, only discarded.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import dx_pipeline
from dx_pipeline.errors import LandingError
from dx_pipeline.landing.manifest import MANIFEST_NAME, LandedFile, Manifest, read_manifest
from dx_pipeline.landing.parquet_parts import PartWriteError, landed_schema, write_parts

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}\Z")
_TEMPORARY = re.compile(r"^\.(\d+)\.tmp-(\d+)\Z")
_HASH_BLOCK = 1024 * 1024
_in_writing: set[Path] = set()  # temporary directories of this process; pids come again in containers


class LandingStore:
    """All landed batches of an installation. Directories are mode 0700, files 0600: they hold personal data."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def batch_dir(self, system: str, dataset: str, batch_id: int) -> Path:
        """Where a batch lies, whether it exists or not.

        Raises:
            LandingError: a name that is no plain snake_case word, or a negative batch id.
        """
        if not _NAME.match(system) or not _NAME.match(dataset) or batch_id < 0:
            raise LandingError(
                f"{system!r}.{dataset!r} batch {batch_id} is not a name for a landed batch",
                next_step="system and dataset are lower-case snake_case, the batch id is a whole number from 0 up",
            )
        return self._root / system / dataset / str(batch_id)

    def write(
        self,
        *,
        system: str,
        dataset: str,
        batch_id: int,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        facts: Mapping[str, Any],
        on_rows: Callable[[int], None] | None = None,
    ) -> Manifest:
        """Land a stream of batches as one immutable batch.

        Args:
            schema: of the batches; a column of null type is stored as text.
            facts: whatever tells the batch's story (contract version, window, source rows, schema
                fingerprint, source position); stored in the manifest. No secrets.
            on_rows: progress callback, told the rows written so far (from the writing thread).

        Raises:
            LandingError: the batch exists already, or the disk is full or refuses.
            DxError: whatever the source raises while it is read; nothing is kept then.
        """
        final = self.batch_dir(system, dataset, batch_id)
        label = f"{system}.{dataset} batch {batch_id}"
        temporary = final.with_name(f".{batch_id}.tmp-{os.getpid()}")
        if final.exists():
            raise _exists(label, final)
        _in_writing.add(temporary)
        try:
            with _disk_errors(label, self._root):
                self._make_private(final.parent)
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir(mode=0o700)
            files = _write_parts(label, self._root, temporary, schema, batches, on_rows)
            manifest = Manifest(
                system=system,
                dataset=dataset,
                batch_id=batch_id,
                row_count=sum(file.rows for file in files),
                columns=tuple((item.name, str(item.type)) for item in landed_schema(schema)),
                files=tuple(files),
                facts=dict(facts),
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                dx_version=dx_pipeline.__version__,
                directory=final,
            )
            with _disk_errors(label, self._root):
                _write_synced(temporary / MANIFEST_NAME, manifest.to_json())
                _sync_directory(temporary)
                _rename_batch(label, temporary, final)
                _sync_directory(final.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        finally:
            _in_writing.discard(temporary)
        return manifest

    def load_manifest(self, system: str, dataset: str, batch_id: int) -> Manifest:
        """The manifest of a landed batch.

        Raises:
            LandingError: there is no such batch, or its manifest is damaged.
        """
        label = f"{system}.{dataset} batch {batch_id}"
        manifest = read_manifest(self.batch_dir(system, dataset, batch_id), label)
        if (manifest.system, manifest.dataset, manifest.batch_id) != (system, dataset, batch_id):
            raise LandingError(
                f"{label}: the manifest there is that of {manifest.label}",
                next_step="restore the directory from a backup, or land the dataset again",
            )
        return manifest

    def read(
        self, manifest: Manifest, batch_rows: int = 65_536, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a batch in the order they were landed, at most ``batch_rows`` at a time.

        Args:
            columns: only these; by default all.

        Raises:
            LandingError: a file is missing or damaged.
        """
        for file in manifest.files:
            path = manifest.directory / file.name
            try:
                with pq.ParquetFile(path, pre_buffer=False) as parquet:
                    if parquet.metadata.num_rows != file.rows:
                        raise _damaged(manifest, file, f"it holds {parquet.metadata.num_rows} rows, not {file.rows}")
                    yield from parquet.iter_batches(
                        batch_size=batch_rows, columns=list(columns) if columns is not None else None
                    )
            except FileNotFoundError:
                raise _missing(manifest, file) from None
            except (OSError, pa.ArrowException) as error:
                raise _damaged(manifest, file, " ".join(str(error).split())[:200]) from None

    def verify(self, manifest: Manifest) -> None:
        """Check that every file of a batch is there and is, byte for byte, what was landed.

        Raises:
            LandingError: names the first file that is missing or damaged.
        """
        for file in manifest.files:
            path = manifest.directory / file.name
            digest = hashlib.sha256()
            try:
                size = path.stat().st_size
                if size != file.bytes:
                    raise _damaged(manifest, file, f"it has {size} bytes, not {file.bytes}")
                with path.open("rb") as stream:
                    while block := stream.read(_HASH_BLOCK):
                        digest.update(block)
            except FileNotFoundError:
                raise _missing(manifest, file) from None
            except OSError as error:
                raise _damaged(manifest, file, error.strerror or "it cannot be read") from None
            if digest.hexdigest() != file.sha256:
                raise _damaged(manifest, file, "its SHA-256 is not the one in the manifest")

    def discard(self, system: str, dataset: str, batch_id: int) -> None:
        """Remove a batch (retention, or a batch that failed its checks); no error if it is not there."""
        directory = self.batch_dir(system, dataset, batch_id)
        grave = directory.with_name(f".{batch_id}.tmp-{os.getpid()}")
        with _disk_errors(f"{system}.{dataset} batch {batch_id}", self._root), suppress(FileNotFoundError):
            os.rename(directory, grave)
            shutil.rmtree(grave)
            _sync_directory(directory.parent)

    def sweep_temporary(self) -> int:
        """Remove what broken-off runs left behind; returns how many directories.

        A temporary directory whose process still lives is left alone.
        """
        removed = 0
        for path in self._root.glob("*/*/.*.tmp-*"):
            match = _TEMPORARY.match(path.name)
            if match and path not in _in_writing and not _is_alive(int(match[2])):
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
        return removed

    def _make_private(self, directory: Path) -> None:
        for path in (self._root, directory.parent, directory):
            path.mkdir(mode=0o700, parents=path == self._root, exist_ok=True)
            if path.stat().st_mode & 0o077:
                path.chmod(0o700)


def _write_parts(
    label: str,
    root: Path,
    temporary: Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    on_rows: Callable[[int], None] | None,
) -> list[LandedFile]:
    try:
        return write_parts(temporary, schema, batches, on_rows)
    except PartWriteError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise _disk_error(label, root, cause) from cause
        if isinstance(cause, pa.ArrowException | ValueError | TypeError):
            raise LandingError(
                f"{label}: the source sent a batch that does not have the announced columns: "
                + " ".join(str(cause).split())[:200],
                next_step="this is a defect of the reader of this kind of source; report it with this message",
            ) from cause
        if cause is not None:
            raise cause from None
        raise


def _rename_batch(label: str, temporary: Path, final: Path) -> None:
    try:
        os.rename(temporary, final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _exists(label, final) from None
        raise


@contextmanager
def _disk_errors(label: str, root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _disk_error(label, root, error) from error


def _is_alive(process_id: int) -> bool:
    if process_id == os.getpid():
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write_synced(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exists(label: str, directory: Path) -> LandingError:
    return LandingError(
        f"{label} is already landed at {directory}; a landed batch is never overwritten",
        next_step="use a new batch id, or discard the batch first",
    )


def _missing(manifest: Manifest, file: LandedFile) -> LandingError:
    return LandingError(
        f"{manifest.label}: {manifest.directory / file.name} is missing",
        next_step="restore it from a backup, or land the dataset again as a new batch",
    )


def _damaged(manifest: Manifest, file: LandedFile, reason: str) -> LandingError:
    return LandingError(
        f"{manifest.label}: {manifest.directory / file.name} is damaged: {reason}",
        next_step="restore it from a backup, or land the dataset again as a new batch",
    )


def _disk_error(label: str, root: Path, error: OSError) -> LandingError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LandingError(
            f"{label}: the disk of the landing zone {root} is full; nothing of the batch was kept",
            next_step="free space or move DX_HOME to a larger disk, then run again",
        )
    reason = error.strerror or " ".join(str(error).split())[:200]
    return LandingError(
        f"{label}: the landing zone {root} cannot be written: {reason}; nothing of the batch was kept",
        next_step="check that the directory exists, belongs to this user and is not read-only",
    )
