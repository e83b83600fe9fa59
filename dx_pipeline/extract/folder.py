"""Files of a source folder: which ones belong to a dataset, and proof that they held still while read."""

from __future__ import annotations

import hashlib
import io
import os
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract.window import Window

_MAGIC = (
    (b"PK\x03\x04", "a zip or Excel (.xlsx) file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel (.xls) or password-protected Office file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
)
MOST_COLUMNS = 16_384  # of an Excel sheet; more is no table but a file read with the wrong delimiter, or an attack
_HTML = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:<!doctype\s+html|<html|<head|<script)", re.IGNORECASE)


@dataclass(frozen=True)
class SourceFile:
    """One file of a dataset: its name below the folder, and its size and time when it was found."""

    path: Path
    name: str
    size: int
    modified_ns: int

    def position(self, sha256: str, rows: int) -> dict[str, Any]:
        """What a manifest tells of it."""
        modified = datetime.fromtimestamp(self.modified_ns / 1e9, UTC).isoformat(timespec="seconds")
        return {"name": self.name, "bytes": self.size, "sha256": sha256, "modified_at": modified, "rows": rows}


def find_files(contract: Contract, connection_url: str) -> list[SourceFile]:
    """All files that match the contract's path below the connection's folder, by name.

    Raises:
        ContractError: the path leaves the folder.
        SourceUnavailable: the folder is not there, or no file matches.
        UnreadableSource: a match is a link that leads out of the folder.
    """
    folder = Path(unquote(urlsplit(connection_url).path))
    pattern = PurePosixPath(contract.source.path or "")
    if pattern.is_absolute() or ".." in pattern.parts or not pattern.parts or "\\" in str(pattern):
        raise ContractError(
            f"{contract.id}: source.path {str(pattern)!r} leaves the folder of the connection",
            next_step=f"in {contract.path} write a path below the folder, with '/' and without '..', e.g. '2024/*.csv'",
        )
    if not folder.is_dir():
        raise SourceUnavailable(
            f"{contract.id}: the folder of system {contract.system} is not there or cannot be read",
            next_step="check that the share is mounted and the folder in the connection's file:/// URL",
        )
    root = folder.resolve()
    files = []
    for path in sorted(folder.glob(str(pattern))):
        if path.name.startswith((".", "~$")) or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if not path.resolve().is_relative_to(root):
            raise UnreadableSource(
                f"{contract.id}: {name} is a link that leads out of the source folder; it is not read",
                next_step="put the file itself into the folder",
            )
        try:
            status = path.stat()
        except OSError as error:
            raise unreadable_file(contract, name, error) from None
        files.append(SourceFile(path, name, status.st_size, status.st_mtime_ns))
    if not files:
        raise SourceUnavailable(
            f"{contract.id}: no file matches {str(pattern)!r} in the folder of system {contract.system}",
            next_step=f"ask the owner {contract.owner_agency} for the file, or mend source.path in {contract.path}",
        )
    return files


def unreadable_file(contract: Contract, name: str, error: OSError) -> SourceUnavailable:
    """The operating system will not give us the file."""
    return SourceUnavailable(
        f"{contract.id}: {name} cannot be read: {error.strerror or error}",
        next_step="check the file's permissions and that the share is mounted; then run again",
    )


def check_unchanged(contract: Contract, file: SourceFile) -> None:
    """Refuse a file that was written to while it was read.

    Raises:
        SourceUnavailable: its size or time is not what it was.
    """
    try:
        status = file.path.stat()
    except OSError as error:
        raise unreadable_file(contract, file.name, error) from None
    if (status.st_size, status.st_mtime_ns) != (file.size, file.modified_ns):
        raise SourceUnavailable(
            f"{contract.id}: {file.name} was changed while it was read; it may still be being copied",
            next_step="run again when the copy is finished; senders should copy to another name and rename",
        )


def refuse_foreign_content(contract: Contract, file: SourceFile, head: bytes, expected: str) -> None:
    """Refuse what is plainly something else: nothing, a web page, another format.

    Args:
        head: the first bytes of the file.
        expected: what it should be, for the message.

    Raises:
        UnreadableSource: tells what it is instead.
    """
    found = None
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        found = "empty"
    elif _HTML.match(head):
        found = "a web page (often the login or error page of the site it was downloaded from)"
    else:
        found = next((what for magic, what in _MAGIC if head.startswith(magic)), None)
    if found is not None:
        raise UnreadableSource(
            f"{contract.id}: {file.name} is {found}, not {expected}",
            next_step=f"get the file again from the owner {contract.owner_agency}, or mend source.kind in "
            f"{contract.path}",
        )


def header_names(contract: Contract, file: SourceFile, cells: list[str]) -> list[str]:
    """Column names of a header row: NFC, without byte-order mark and outer or doubled blanks.

    A blank cell (often the rest of a merged one) is named ``column_<position>``.

    Raises:
        SourceDrift: not one of the contract's columns is there. Nothing of the row is shown, because a
            file without a header has people's data in that place.
        UnreadableSource: a name is there twice, or there are more columns than any sheet can have.
    """
    if len(cells) > MOST_COLUMNS:
        raise UnreadableSource(
            f"{contract.id}: the header of {file.name} has {len(cells)} columns, more than the {MOST_COLUMNS} that are "
            "read",
            next_step=f"see what the file really is, and check source.delimiter in {contract.path}",
        )
    names = []
    for number, cell in enumerate(cells, start=1):
        name = header_name(cell)
        names.append(name or f"column_{number}")
    if not any(header_name(column.source_name) in names for column in contract.columns):
        raise SourceDrift(
            f"{contract.id}: row {contract.source.header_row} of {file.name} ({len(cells)} cells) holds none of the "
            "contract's column names",
            next_step=f"see whether the file has a header, and check source.delimiter, source.headerRow, source.sheet "
            f"and physicalName in {contract.path}",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UnreadableSource(
            f"{contract.id}: the header of {file.name} has {', '.join(map(repr, twice[:5]))} more than once",
            next_step="ask the owner to give every column its own name",
        )
    return names


def header_name(text: str) -> str:
    """One header cell as it is compared with a contract's physicalName."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\ufeff", "")).split())


def column_positions(contract: Contract, file: SourceFile, names: list[str]) -> list[int]:
    """Where each contract column stands in this file's header.

    Raises:
        SourceDrift: names the file and the columns it lacks.
    """
    lacking = [c.source_name for c in contract.columns if header_name(c.source_name) not in names]
    if lacking:
        shown = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
        raise SourceDrift(
            f"{contract.id}: {file.name} lacks the column{'s' if len(lacking) > 1 else ''} "
            f"{', '.join(lacking)}; its header is: {shown}",
            next_step=f"ask the owner {contract.owner_agency} for a file with these columns, or mend physicalName "
            f"(or source.delimiter, source.headerRow) in {contract.path} and raise the contract's version",
        )
    return [names.index(header_name(column.source_name)) for column in contract.columns]


def described_names(contract: Contract, headers: list[list[str]]) -> list[str]:
    """Every name in any header, as the contract writes it where it knows the column."""
    known = {header_name(column.source_name): column.source_name for column in contract.columns}
    merged = dict.fromkeys(name for header in headers for name in header)
    return [known.get(name, name) for name in merged]


def refuse_period(contract: Contract, window: Window) -> None:
    """A file is read whole: an increment of it is all of it, a month of it cannot be had.

    Raises:
        ContractError: the window is a period.
    """
    if window.kind == "period":
        raise ContractError(
            f"{contract.id}: a {contract.source.kind} source is read whole, not month by month",
            next_step=f"take load.period out of {contract.path}",
        )


class HashingFile(io.RawIOBase):
    """A file opened for reading that hashes what passes through."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = os.readv(self._descriptor, [view])
        self._hash.update(view[:count])
        return count

    def digest(self) -> str:
        """SHA-256 (hex) of what was read so far."""
        return self._hash.hexdigest()

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def file_sha256(contract: Contract, file: SourceFile) -> str:
    """SHA-256 (hex) of a whole file.

    Raises:
        SourceUnavailable: it cannot be read.
    """
    buffer = bytearray(1024 * 1024)
    try:
        with HashingFile(file.path) as stream:
            while stream.readinto(buffer):
                pass
            return stream.digest()
    except OSError as error:
        raise unreadable_file(contract, file.name, error) from None
