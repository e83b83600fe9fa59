"""Client programs of others that the tests connect with: where one is not installed, fail in CI and skip elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

JDBC_DRIVER = Path(os.environ.get("DX_JDBC_DRIVER") or "/usr/share/java/postgresql.jar")
ODBC_DRIVER = "PostgreSQL Unicode"


def require(found: bool, what: str, how: str) -> None:
    """Go on if it is there."""
    if found:
        return
    reason = f"{what} is not installed ({how})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require_program(name: str, package: str) -> str:
    """Path of a program of the system."""
    path = shutil.which(name)
    require(path is not None, name, f"apt-get install {package}")
    assert path is not None
    return path
