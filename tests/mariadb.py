"""A real MariaDB server for tests, on 127.0.0.1 with a temporary data folder."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pymysql
import pytest

_START_SECONDS = 60.0


class MariadbServer:
    """One running server; ``create_database`` gives the URL of a new, empty database."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self.password = password

    def connect(self, database: str | None = None) -> pymysql.Connection:
        """An administrator's connection."""
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="dx", password=self.password, database=database, autocommit=True
        )

    def create_database(self) -> tuple[str, str]:
        """Name and URL of a new database."""
        name = f"t_{uuid4().hex[:12]}"
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"create database {name} character set utf8mb4")
        return name, f"mysql+pymysql://dx:{self.password}@127.0.0.1:{self.port}/{name}"


@contextmanager
def running_mariadb() -> Iterator[MariadbServer]:
    """Start a server and stop it at the end; where it is not installed, fail in CI and skip elsewhere."""
    daemon = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    installer = shutil.which("mariadb-install-db")
    if daemon is None or installer is None:
        reason = "MariaDB is not installed (apt-get install mariadb-server)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="dx-mariadb-"))
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data = folder / "data"
    common = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
    subprocess.run(
        [installer, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_urlsafe(18)
    setup = folder / "setup.sql"
    setup.write_text(
        f"create user dx@'127.0.0.1' identified by '{password}';\n"
        "grant all on *.* to dx@'127.0.0.1' with grant option;\n"
    )
    setup.chmod(0o644)
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [
            daemon,
            *common,
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={folder}/s",
            f"--pid-file={folder}/pid",
            f"--init-file={setup}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=32M",
            "--innodb-flush-log-at-trx-commit=0",
        ],
        stdout=log,
        stderr=log,
    )
    try:
        running = MariadbServer(port, password)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                running.connect().close()
                break
            except pymysql.err.OperationalError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"mariadbd did not start: {(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.1)
        yield running
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
