"""A JSON document to a folder, or by POST to an address of the operator's choice.

The token comes from the environment (``DX_EXPORT_TOKEN``) and goes to that address only: redirects are not followed, and
messages name the host, never the path, the query or the token. The same document has the same ``Idempotency-Key``, so that a
receiver can tell a repeated POST from a new one.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from dx_pipeline.errors import SettingsError
from dx_pipeline.export.mart import write_json
from dx_pipeline.loopback import is_this_machine

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds; doubled with every attempt, with jitter
LONGEST_WAIT = 60.0
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Delivered:
    """Where the document went, in words that may be shown."""

    where: str
    attempts: int


def deliver(document: Any, name: str, to: str, token: str | None) -> Delivered:
    """Write ``to/<name>.json``, or POST to ``to`` if it is an address.

    Raises:
        SettingsError: the address cannot be used, or its server did not take the document.
    """
    if not to.lower().startswith(("http://", "https://")):
        target = Path(to) / f"{name}.json"
        write_json(target, document)
        return Delivered(str(target), 1)
    return _post(to, json.dumps(document, ensure_ascii=False).encode(), token)


def _post(address: str, body: bytes, token: str | None) -> Delivered:
    host = _checked_host(address, has_token=bool(token))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "dx_pipeline",
        "Idempotency-Key": hashlib.sha256(body).hexdigest(),
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    told = ""
    with urllib3.PoolManager(num_pools=1) as pool:
        for attempt in range(1, ATTEMPTS + 1):
            wait = random.uniform(0.5, 1.0) * FIRST_WAIT * 2 ** (attempt - 1)
            try:
                answer = pool.request(
                    "POST",
                    address,
                    body=body,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                )
                status, asked = answer.status, answer.headers.get("Retry-After", "")
                answer.close()
            except (HTTPError, OSError, ValueError) as error:
                told = f"no answer ({type(error).__name__})"
            else:
                if 200 <= status < 300:
                    return Delivered(host, attempt)
                told = f"HTTP {status}"
                if status not in _AGAIN:
                    raise _refused(host, told, status)
                if asked.isdigit():
                    wait = float(asked)
            if wait > LONGEST_WAIT:
                told += f"; it asks to come again in {wait:.0f} seconds"
                break
            if attempt < ATTEMPTS:
                time.sleep(wait)
    raise SettingsError(
        f"{host} did not take the document: {told}, {attempt} attempts",
        next_step="try again later; nothing else was sent",
    )


def _refused(host: str, told: str, status: int) -> SettingsError:
    if status in (401, 403):
        return SettingsError(
            f"{host} refuses the token: {told}", next_step="set DX_EXPORT_TOKEN to the one it gave you"
        )
    if 300 <= status < 400:
        return SettingsError(
            f"{host} leads to another address: {told}; the token is for this one only", next_step="name the new address"
        )
    return SettingsError(f"{host} does not take the document: {told}", next_step="ask its owner what it takes")


def _checked_host(address: str, *, has_token: bool) -> str:
    """Host and port of the address.

    Raises:
        SettingsError: it holds a password, or a token would go over the network unencrypted.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None:
        raise SettingsError("--to is no address", next_step="write it as https://host/path")
    if parts.username or parts.password:
        raise SettingsError("--to holds a user or a token", next_step="put the token into DX_EXPORT_TOKEN")
    if has_token and parts.scheme == "http" and not is_this_machine(host):
        raise SettingsError(
            f"{host} is asked over http, where everyone on the way reads the token", next_step="use https"
        )
    return f"{host}:{port}" if port else host
