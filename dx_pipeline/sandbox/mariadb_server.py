"""A MariaDB server of the sandbox, where MariaDB is installed: for the departments that keep their data in one.

It listens on 127.0.0.1 only (no unix socket), knows no account without a password and goes on running after the
process that started it. It is found by its data folder on the command lines in ``/proc`` and stopped by its pid.
Nothing in it is precious: it is built anew from the seed, so it syncs to disk as little as it can.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pymysql

from dx_pipeline.errors import SettingsError, WarehouseUnavailable
from dx_pipeline.sql_quoting import mysql_identifier
from dx_pipeline.warehouse import embedded_process as process
from dx_pipeline.warehouse.embedded import ServerAddress
from dx_pipeline.warehouse.embedded_process import HOST, OsUser
from dx_pipeline.warehouse.server_folder import ServerFolder, last_lines

SYSTEM_USER: Final = "dx_mariadb"
DRIVER: Final = "mysql+pymysql"
_DAEMONS: Final = ("mariadbd", "mysqld")
_INSTALLERS: Final = ("mariadb-install-db", "mysql_install_db")
_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/bin")
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 120.0
_START_ATTEMPTS: Final = 3
_SMALL_LOG: Final = "--innodb-log-file-size=10M"
_SMALL: Final = (
    _SMALL_LOG,
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=0",
    "--performance-schema=OFF",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=8M",
    "--table-open-cache=200",
    "--max-connections=50",
    "--skip-log-bin",
)


def installed() -> bool:
    """Whether MariaDB's server programs are on this machine."""
    return _program(_DAEMONS) is not None and _program(_INSTALLERS) is not None


class MariadbServer:
    """One MariaDB server, found by its folder: any process may start, use and stop it."""

    def __init__(self, home: Path, *, name: str = "mariadb", admin: str = "dx_sandbox") -> None:
        """Describe the server in ``home/name``; nothing is touched before ``start``."""
        self.name = name
        self._folder = ServerFolder(home.expanduser().resolve() / name, name, admin)

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._folder.log

    def start(self) -> ServerAddress:
        """Make the data folder if there is none, start the server unless it runs, wait until it lets us in.

        Raises:
            SettingsError: MariaDB is not installed.
            WarehouseError: it cannot be made or ends at once; the message carries the last lines of its log.
        """
        daemon, installer = _program(_DAEMONS), _program(_INSTALLERS)
        if daemon is None or installer is None:
            raise SettingsError(
                "MariaDB is not installed on this machine",
                next_step="`apt-get install mariadb-server`, or `dx sandbox build --fresh` to build in SQLite instead",
            )
        folder = self._folder
        with folder.telling("start"):
            user = process.server_user(SYSTEM_USER)
            folder.claim(user)
            with process.exclusive(folder.folder / "lock", seconds=_START_SECONDS) as lock:
                found = self._running()
                if found is not None and not folder.data.exists():
                    self._end(found[0])  # somebody removed the folder under it
                    found = None
                if found is None:
                    process.open_path(user, folder.folder)
                    if not folder.check_owner(user):
                        self._make_data(user, installer, lock)
                    self._run(user, daemon)
        address = self.address()
        if address is None:
            raise WarehouseUnavailable(
                f"embedded server {self.name}: somebody stopped it right after its start", next_step="start it again"
            )
        return address

    def stop(self) -> bool:
        """Stop the server and wait for its end; False if it was not running."""
        folder = self._folder
        if not folder.owned():
            return False
        with folder.telling("stop"), process.exclusive(folder.folder / "lock", seconds=_START_SECONDS):
            found = self._running()
            if found is None:
                return False
            self._end(found[0])
            return True

    def address(self) -> ServerAddress | None:
        """Address of the server if it runs, else None."""
        if not self._folder.owned():
            return None
        found = self._running()
        return None if found is None else self._address(found[1])

    def connect(self, database: str | None = None) -> pymysql.Connection[Any]:
        """An administrator's connection to the running server; it commits each statement."""
        address = self.address()
        if address is None:
            raise WarehouseUnavailable(f"embedded server {self.name}: not running", next_step="start it first")
        return _connect(address, database)

    def create_database(self, name: str, *, reader: str) -> str:
        """Make the database anew, and a user who may only read it; returns that user's URL (it holds a password)."""
        address = self.start()
        password = secrets.token_urlsafe(24)
        database, user = mysql_identifier(name), mysql_identifier(reader)
        with _connect(address) as connection, connection.cursor() as cursor:
            cursor.execute(f"drop database if exists {database}")
            cursor.execute(f"create database {database} character set utf8mb4 collate utf8mb4_unicode_ci")
            cursor.execute(f"create or replace user {user}@'{HOST}' identified by '{password}'")
            cursor.execute(f"grant select on {database}.* to {user}@'{HOST}'")
        return ServerAddress(address.host, address.port, reader, password).url(name, DRIVER)

    def _end(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while process.is_alive(pid):
            if time.monotonic() > deadline:
                raise WarehouseUnavailable(
                    f"embedded server {self.name}: still stopping after {_STOP_SECONDS:.0f} s",
                    next_step=f"read {self.log}, and stop the process {pid} yourself",
                )
            time.sleep(0.02)

    def _address(self, port: int) -> ServerAddress:
        return ServerAddress(HOST, port, self._folder.admin, self._folder.password())

    def _running(self) -> tuple[int, int] | None:
        """Pid and port of the server that works on our data folder."""
        wanted = os.fsencode(f"--datadir={self._folder.data}")
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            given = process.arguments(int(entry.name))
            if wanted in given and os.path.basename(given[0]).decode("ascii", "replace") in _DAEMONS:
                ports = [one.partition(b"=")[2] for one in given if one.startswith(b"--port=")]
                if ports and process.is_alive(int(entry.name)):
                    return int(entry.name), int(ports[0])
        return None

    def _make_data(self, user: OsUser, installer: str, lock: int) -> None:
        """Make the system tables in ``data.partial``, which becomes ``data`` when it is complete."""
        folder = self._folder
        partial = folder.folder / "data.partial"
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(mode=0o700)
        if user.switch:
            os.chown(partial, user.uid, user.gid)
        process.write_file(folder.folder / "password", secrets.token_urlsafe(32) + "\n")
        command = [
            installer,
            "--no-defaults",
            f"--datadir={partial}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            _SMALL_LOG,
            "--loose-debug-no-sync",
        ]
        made = process.run_tool(command, user, keep_open=[lock])
        if made.returncode:
            said = last_lines(made.stdout + made.stderr)
            raise folder.failure(f"{Path(installer).name} failed: {said}", folder.space_hint())
        partial.replace(folder.data)

    def _run(self, user: OsUser, daemon: str) -> None:
        """Start the server on the remembered port, or on another one if something else took it."""
        folder = self._folder
        port = folder.remembered_port()
        if port is None or not process.is_free_port(port):
            port = folder.new_port()
        accounts = folder.folder / "accounts.sql"
        process.write_file(accounts, _accounts(folder.admin, folder.password()), owner=user)
        try:
            for attempt in range(1, _START_ATTEMPTS + 1):
                log_size = folder.open_log(user)
                command = [
                    daemon,
                    "--no-defaults",
                    f"--datadir={folder.data}",
                    f"--bind-address={HOST}",
                    f"--port={port}",
                    "--socket=",
                    f"--pid-file={folder.data / 'server.pid'}",
                    f"--init-file={accounts}",
                    "--skip-name-resolve",
                    *_SMALL,
                ]
                pid = process.launch(command, user, log=folder.log)
                if self._wait_until_ready(pid, port):
                    folder.remember_port(port)
                    return
                said = folder.log_since(log_size)
                if attempt == _START_ATTEMPTS or "Address already in use" not in said:
                    raise folder.failure(f"the server ended at its start: {last_lines(said)}", folder.space_hint())
                port = folder.new_port()
        finally:
            accounts.unlink(missing_ok=True)

    def _wait_until_ready(self, pid: int, port: int) -> bool:
        """Wait for the server ``pid``: True when it lets the administrator in, False when it has ended."""
        deadline = time.monotonic() + _START_SECONDS
        while process.is_alive(pid):
            with suppress(pymysql.err.OperationalError):
                _connect(self._address(port)).close()
                return True
            if time.monotonic() > deadline:
                raise WarehouseUnavailable(
                    f"embedded server {self.name}: not ready after {_START_SECONDS:.0f} s: "
                    + last_lines(self._folder.log_since(0)),
                    next_step=f"follow {self.log} and try again later",
                )
            time.sleep(0.05)
        return False


def _accounts(admin: str, password: str) -> str:
    """What the server does before it lets anybody in: no account without a password, ours with this one."""
    return (
        "delete from mysql.global_priv where user in ('', 'root');\n"
        "flush privileges;\n"
        f"create or replace user {mysql_identifier(admin)}@'{HOST}' identified by '{password}';\n"
        f"grant all on *.* to {mysql_identifier(admin)}@'{HOST}' with grant option;\n"
    )


def _connect(address: ServerAddress, database: str | None = None) -> pymysql.Connection[Any]:
    return pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=database,
        autocommit=True,
        connect_timeout=15,
    )


def _program(names: tuple[str, ...]) -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)
