"""Changes to the file of pseudonym keys: a new version, a version deleted. Written whole or not at all, mode 0600."""

from __future__ import annotations

import base64
import fcntl
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dx_pipeline.clean.pseudonym import KEY_BYTES, PseudonymKeys
from dx_pipeline.errors import SettingsError

_CHECKED_TEXT = b"dx pseudonym key check"
LARGEST_VERSION = 32_767  # key_version is a smallint


def check_value(keys: PseudonymKeys, version: int) -> str:
    """16 hex digits by which a key is recognised; they tell nothing of the key or of any pseudonym."""
    return hmac.digest(keys.keys[version], _CHECKED_TEXT, "sha256").hex()[:16]


def rotate_keys(path: Path, *, above: int = 0, drop: frozenset[int] = frozenset()) -> PseudonymKeys:
    """Add a version with a fresh key and make it the current one; older versions stay.

    Args:
        above: the new version is greater than this and than every version in the file.
        drop: versions to leave out (keys that turned out not to be the warehouse's).

    Raises:
        SettingsError: the file cannot be read, or there is no further version.
    """
    with _changing(path):
        old = PseudonymKeys.load(path)
        version = max(above, *old.keys) + 1
        if version > LARGEST_VERSION:
            raise SettingsError(f"pseudonym key file {path}: no version after {LARGEST_VERSION} is possible")
        kept = {number: key for number, key in old.keys.items() if number not in drop}
        new = PseudonymKeys(version, {**kept, version: secrets.token_bytes(KEY_BYTES)})
        _replace(path, new)
        return new


def delete_key(path: Path, version: int) -> PseudonymKeys:
    """Take a version out of the file for good.

    Raises:
        SettingsError: it is the current version, or not in the file.
    """
    with _changing(path):
        old = PseudonymKeys.load(path)
        if version == old.current:
            raise SettingsError(
                f"key version {version} is in use and cannot be deleted",
                next_step="`dx keys rotate --rekey` makes a new version and computes the pseudonyms again",
            )
        if version not in old.keys:
            raise SettingsError(f"key version {version} is not in {path}", next_step="`dx keys show` lists them")
        new = PseudonymKeys(old.current, {number: key for number, key in old.keys.items() if number != version})
        _replace(path, new)
        return new


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """One change at a time; the lock file ends with the process that holds it, only the lock stays behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, keys: PseudonymKeys) -> None:
    document = {
        "current": keys.current,
        "keys": {str(version): base64.b64encode(key).decode() for version, key in sorted(keys.keys.items())},
    }
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
