"""Pseudonyms of personal identifiers: HMAC-SHA256 with a secret key, as a DuckDB expression.

HMAC(K, v) = H((K xor opad) || H((K xor ipad) || v)) (RFC 2104). The two padded keys are bound as
parameters, so that no key stands in a statement. Each domain (citizen_id, phone) has its own key, derived
from the master key, so that pseudonyms of different domains cannot be joined.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dx_pipeline.clean.registry import semantic_type
from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import SettingsError
from dx_pipeline.sql_quoting import identifier

_BLOCK_BYTES = 64
KEY_BYTES = 32
PSEUDONYM_SUFFIX = "_pseudonym"


@dataclass(frozen=True)
class PseudonymKeys:
    """The master keys by version and the version in use. The keys never show in repr or messages."""

    current: int
    keys: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> PseudonymKeys:
        """Read the key file; on first use make it with one fresh key and mode 0600.

        Form: ``{"current": 1, "keys": {"1": "<base64 of at least 32 bytes>"}}``. Raises SettingsError for a
        malformed file and for one that other users may read or write.
        """
        if not path.exists():
            _create(path)
        try:
            mode = path.stat().st_mode
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"pseudonym key file {path} cannot be read ({type(error).__name__})",
                next_step="check the path and its owner",
            ) from None
        if mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise SettingsError(
                f"pseudonym key file {path} is open to other users (mode {stat.S_IMODE(mode):04o})",
                next_step=f"chmod 600 {path}",
            )
        return cls._parse(content, path)

    @classmethod
    def _parse(cls, content: str, path: Path) -> PseudonymKeys:
        try:
            document = json.loads(content)
            keys = {int(v): base64.b64decode(k, validate=True) for v, k in document["keys"].items()}
            current = int(document["current"])
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise SettingsError(
                f"pseudonym key file {path} is malformed",
                next_step='expected {"current": 1, "keys": {"1": "<base64>"}}; restore it from its backup',
            ) from None
        if current not in keys:
            raise SettingsError(
                f"pseudonym key file {path}: current version {current} has no key",
                next_step="name a version listed under keys",
            )
        short = sorted(v for v, key in keys.items() if len(key) < KEY_BYTES)
        if short:
            raise SettingsError(
                f"pseudonym key file {path}: key {short[0]} is shorter than {KEY_BYTES} bytes",
                next_step="restore the file from its backup",
            )
        return cls(current, keys)

    def domain_key(self, domain: str) -> bytes:
        """The 32-byte key of one domain, derived from the current master key."""
        return hmac.digest(self.keys[self.current], f"pseudonym/{domain}".encode(), "sha256")


def _create(path: Path) -> None:
    """Write a new key file whole or not at all; another process that was first keeps its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"current": 1, "keys": {"1": key}}, file)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def pseudonym(value: str, domain: str, keys: PseudonymKeys) -> bytes:
    """HMAC-SHA256 of one cleaned value with the key of its domain: the reference of the SQL expression."""
    return hmac.digest(keys.domain_key(domain), value.encode(), hashlib.sha256)


def pseudonym_columns(contract: Contract, keys: PseudonymKeys) -> tuple[dict[str, str], dict[str, bytes]]:
    """DuckDB expressions of the pseudonym columns, and the values of their named parameters.

    One ``<column>_pseudonym`` (BLOB, null where the value is null) for every personal column whose semantic
    type is pseudonymised; the expressions refer to the columns of the cleaned batch.
    """
    expressions: dict[str, str] = {}
    parameters: dict[str, bytes] = {}
    for column in pseudonymised_columns(contract):
        domain = column.semantic_type
        inner, outer = f"pseudonym_{domain}_inner", f"pseudonym_{domain}_outer"
        parameters[inner], parameters[outer] = _padded(keys.domain_key(domain))
        expressions[column.name + PSEUDONYM_SUFFIX] = _expression(column.name, inner, outer)
    return expressions, parameters


def pseudonymised_columns(contract: Contract) -> list[Column]:
    """Personal columns that reach the warehouse as pseudonyms."""
    return [
        column for column in contract.columns if column.is_personal and semantic_type(contract, column).pseudonymised
    ]


def _padded(key: bytes) -> tuple[bytes, bytes]:
    """(inner, outer): the key xor ipad and xor opad, one SHA-256 block each."""
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def _expression(column: str, inner: str, outer: str) -> str:
    return f"unhex(sha256(${outer}::blob || unhex(sha256(${inner}::blob || encode({identifier(column)})))))"
