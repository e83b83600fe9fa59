"""A PostgreSQL server that comes with the product: its binaries from a wheel, its cluster in ``DX_HOME``.

It listens on 127.0.0.1 only (no unix socket), asks every connection for a password (SCRAM-SHA-256)
and goes on running after the process that started it, whether that ends, crashes or is killed.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from dx_pipeline.errors import WarehouseError, WarehouseUnavailable
from dx_pipeline.warehouse import embedded_process as process
from dx_pipeline.warehouse.embedded_cluster import Cluster
from dx_pipeline.warehouse.embedded_process import HOST, OsUser
from dx_pipeline.warehouse.embedded_settings import (
    render_settings,
    server_settings,
    shared_memory_size,
    usable_memory,
)
from dx_pipeline.warehouse.server_folder import last_lines

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_START_SECONDS = 600.0  # recovery after a crash replays up to max_wal_size
_STOP_SECONDS = 300.0
_ORPHAN_SECONDS = 60.0
_SILENT_ENDS = 2


@dataclass(frozen=True)
class ServerAddress:
    """Where a server listens and as whom to log in; its ``repr`` hides the password."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """Connection URL of one database; ``driver`` is the URL's scheme. It holds the password."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"{driver}://{login}@{self.host}:{self.port}/{quote(database, safe='')}"


class EmbeddedServer:
    """One PostgreSQL cluster, found by its folder: any process may start, use and stop it."""

    def __init__(
        self,
        home: Path,
        *,
        name: str,
        admin: str = "dx_admin",
        settings: Mapping[str, str] | None = None,
        version: int = 18,
    ) -> None:
        """Describe the cluster ``home/name``; nothing is touched before ``start``.

        Args:
            home: folder of the installation, usually ``DX_HOME``.
            name: name of the cluster, e.g. ``warehouse``.
            admin: superuser made with the cluster.
            settings: PostgreSQL settings over our defaults; they count from the next real start.
            version: major version of PostgreSQL, 16 or 18.
        """
        if not _NAME.fullmatch(name):
            raise WarehouseError(
                f"embedded server {name!r}: the name is malformed",
                next_step="use lower-case letters, digits, '_' and '-', a letter first",
            )
        self.name = name
        self._cluster = Cluster(home.expanduser().resolve() / name, name, admin, version)
        self._settings = dict(settings or {})

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._cluster.log

    def start(self) -> ServerAddress:
        """Make the cluster if there is none, start it unless it runs, wait until it accepts connections.

        Safe to call at the same time from several processes: one starts, the others find it running.

        Raises:
            WarehouseError: the cluster belongs to another user or version, the disk refuses, or the
                server ends at once; the message carries the last lines of its log.
            WarehouseUnavailable: it still recovers after ten minutes; trying again waits on.
            SettingsError: a setting is malformed or fixed.
        """
        cluster = self._cluster
        bin_folder = process.binaries(cluster.version)
        with cluster.telling("start"):
            user = process.server_user()
            cluster.claim(user)
            with process.exclusive(cluster.folder / "lock", seconds=_START_SECONDS) as lock:
                cluster.check_data(user)
                pid = self._running_pid()
                if pid is None or not self._wait_until_ready(pid):
                    process.admit(user, bin_folder=bin_folder, folder=cluster.folder)
                    if not cluster.data.exists():
                        cluster.make_data(user, bin_folder, lock)
                    self._run(user, bin_folder)
        address = self.address()
        if address is None:
            raise WarehouseUnavailable(
                f"embedded server {self.name}: somebody stopped it right after its start",
                next_step="start it again",
            )
        return address

    def stop(self, mode: str = "fast") -> bool:
        """Stop the server and wait for its end; False if it was not running.

        Args:
            mode: ``smart`` waits for sessions to end, ``fast`` ends them, ``immediate`` is a crash
                that the next start recovers from.

        Raises:
            WarehouseError: the cluster belongs to another user.
            WarehouseUnavailable: it still runs after five minutes.
        """
        cluster = self._cluster
        number = _STOP_SIGNALS.get(mode)
        if number is None:
            raise cluster.failure(f"no stop mode {mode!r}", "use smart, fast or immediate")
        if not cluster.owned():
            return False
        with (
            cluster.telling("stop"),
            process.exclusive(cluster.folder / "lock", seconds=_START_SECONDS),
        ):
            pid = self._running_pid()
            if pid is None:
                return False
            deadline = time.monotonic() + _STOP_SECONDS
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            while process.serves(pid, cluster.data):
                if time.monotonic() > deadline:
                    raise WarehouseUnavailable(
                        f"embedded server {self.name}: still stopping ({mode}) after {_STOP_SECONDS:.0f} s",
                        next_step="wait for its sessions to end, or stop it in mode immediate",
                    )
                time.sleep(0.02)
            return True

    def is_running(self) -> bool:
        """Whether the server's process lives; it may still be recovering (see ``address``)."""
        if not self._cluster.owned():
            return False
        with self._cluster.telling("look at"):
            return self._running_pid() is not None

    def address(self) -> ServerAddress | None:
        """Address of the server if it accepts connections, else None."""
        cluster = self._cluster
        if not cluster.owned():
            return None
        with cluster.telling("look at"):
            found = process.read_pid_file(cluster.data)
            if found is None or found.port is None or found.status != "ready":
                return None
            if not process.serves(found.pid, cluster.data):
                return None
            return ServerAddress(HOST, found.port, cluster.admin, cluster.password())

    def create_database(self, name: str) -> None:
        """Make a database (UTF-8) on the running server, unless it exists.

        Raises:
            WarehouseUnavailable: the server is not running.
            WarehouseError: the server refuses the name.
        """
        import psycopg
        from psycopg import errors, sql

        address = self.address()
        if address is None:
            raise WarehouseUnavailable(
                f"embedded server {self.name}: not running, so database {name} cannot be made",
                next_step="start the server first",
            )
        query = "select 1 from pg_catalog.pg_database where datname = %s"
        try:
            with psycopg.connect(
                address.url("postgres", "postgresql"), autocommit=True, connect_timeout=30
            ) as connection:
                if connection.execute(query, [name]).fetchone() is None:
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            return  # another process made it between our question and our statement
        except psycopg.Error as error:
            raise self._cluster.failure(f"database {name} could not be made: {error}", f"read {self.log}") from error

    def _running_pid(self) -> int | None:
        found = process.read_pid_file(self._cluster.data)
        return found.pid if found is not None and process.serves(found.pid, self._cluster.data) else None

    def _run(self, user: OsUser, bin_folder: Path) -> None:
        """Start the server on the remembered port, or on another one if something else took it."""
        cluster = self._cluster
        settings = server_settings(
            self._settings,
            memory_bytes=usable_memory(),
            has_lz4=process.has_lz4(bin_folder),
            shared_memory_bytes=shared_memory_size(),
        )
        text = render_settings(settings, base="data/postgresql.conf")
        process.write_file(cluster.configuration, text, owner=user)
        cluster.password()  # a missing one is told before the start
        port = cluster.remembered_port()
        if port is None or not process.is_free_port(port):
            port = cluster.new_port()
        deadline = time.monotonic() + _ORPHAN_SECONDS
        silent_ends = 0
        while True:
            process.disown_stale_pid(cluster.data, user)
            log_size = cluster.open_log(user)
            pid = process.launch(self._command(bin_folder, port), user, log=cluster.log)
            if self._wait_until_ready(pid):
                cluster.remember_port(port)
                return
            said = cluster.log_since(log_size)
            if time.monotonic() < deadline and "Address already in use" in said:
                port = cluster.new_port()
            elif time.monotonic() < deadline and "pre-existing shared memory block" in said:
                time.sleep(0.2)  # sessions of a killed server are still ending
            elif silent_ends < _SILENT_ENDS and not said.strip():
                silent_ends += 1  # killed from outside before it could speak: once more
            else:
                raise cluster.failure(f"the server ended at its start: {last_lines(said)}", cluster.space_hint())

    def _command(self, bin_folder: Path, port: int) -> list[str | Path]:
        """Who may reach the server stands on the command line, where `alter system` cannot change it."""
        options = {
            "config_file": str(self._cluster.configuration),
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
        }
        command: list[str | Path] = [bin_folder / "postgres", "-D", self._cluster.data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _wait_until_ready(self, pid: int) -> bool:
        """Wait for the server ``pid``: True when it accepts connections, False when it has ended."""
        deadline = time.monotonic() + _START_SECONDS
        while process.is_alive(pid):
            found = process.read_pid_file(self._cluster.data)
            if found is not None and found.pid == pid and found.status == "ready":
                return True
            if time.monotonic() > deadline:
                raise WarehouseUnavailable(
                    f"embedded server {self.name}: not ready after {_START_SECONDS:.0f} s: "
                    + last_lines(self._cluster.log_since(0)),
                    next_step=f"it may be recovering from a crash: follow {self.log} and try again later",
                )
            time.sleep(0.02)
        return False
