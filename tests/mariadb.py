"""The sandbox's MariaDB server for tests, with a temporary data folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymysql
import pytest

from dx_pipeline.sandbox.mariadb_server import DRIVER, MariadbServer, installed


class RunningMariadb:
    """One running server; ``create_database`` gives the URL of a new, empty database."""

    def __init__(self, server: MariadbServer) -> None:
        address = server.start()
        self.server = server
        self._address = address
        self.port = address.port
        self.user = address.user
        self.password = address.password

    def connect(self, database: str | None = None) -> pymysql.Connection[Any]:
        """An administrator's connection."""
        return self.server.connect(database)

    def create_database(self) -> tuple[str, str]:
        """Name and URL of a new database; its user is the administrator."""
        name = f"t_{uuid4().hex[:12]}"
        self.server.create_database(name, reader=f"{name}_doc")
        return name, self._address.url(name, DRIVER)


def require_mariadb() -> None:
    """Where MariaDB is not installed, fail in CI and skip elsewhere."""
    if installed():
        return
    reason = "MariaDB is not installed (apt-get install mariadb-server)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_mariadb() -> Iterator[RunningMariadb]:
    """Start a server and stop it at the end."""
    require_mariadb()
    folder = Path(tempfile.mkdtemp(prefix="dx-mariadb-"))
    server = MariadbServer(folder)
    try:
        yield RunningMariadb(server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
