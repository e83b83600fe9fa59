"""The files of an embedded PostgreSQL cluster: who owns them, how they are made, what they remember.

A cluster ``home/name/`` holds::

    data/            the data folder, complete from the moment it exists
    data.partial/    a data folder being made; a left-over is removed
    server.conf      our settings, rewritten at every start
    server.log       the server's log; a large one becomes server.log.1 at a start
    password, port   the administrator's password (mode 0600) and the port to use again
    lock             held while the server is started or stopped
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dx_pipeline.errors import WarehouseError
from dx_pipeline.warehouse import embedded_process as process
from dx_pipeline.warehouse.embedded_process import OsUser

_LARGE_LOG_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Cluster:
    """The folder of one cluster (absolute, without links), its name, administrator and major version."""

    folder: Path
    name: str
    admin: str
    version: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def configuration(self) -> Path:
        return self.folder / "server.conf"

    def owned(self) -> bool:
        """Whether the folder exists.

        Raises:
            WarehouseError: it exists and is another user's.
        """
        try:
            owner = self.folder.stat().st_uid
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise self.failure(f"{self.folder} cannot be read: {error.strerror}", "check DX_HOME") from error
        if owner != os.geteuid():
            raise self.failure(
                f"{self.folder} belongs to the user {_user_name(owner)}, not to {_user_name(os.geteuid())}",
                f"run as {_user_name(owner)}, or set DX_HOME to a folder of your own",
            )
        return True

    def claim(self, user: OsUser) -> None:
        """Make the folder if it is missing; the server's group may pass it, nobody else."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        if not self.owned():
            self.folder.mkdir(mode=0o700, exist_ok=True)
        if user.switch:
            os.chown(self.folder, -1, user.gid)
        self.folder.chmod(0o710 if user.switch else 0o700)

    def check_data(self, user: OsUser) -> None:
        """A data folder that exists must be one, of this version, of the user that will run it.

        Raises:
            WarehouseError: it is not.
        """
        try:
            owner = self.data.stat().st_uid
        except FileNotFoundError:
            return
        if owner != user.uid:
            wanted = _user_name(user.uid)
            raise self.failure(
                f"{self.data} belongs to the user {_user_name(owner)}, the server runs as {wanted}",
                f"stop the server and give the folder over (`chown -R {wanted}`), or set another DX_HOME",
            )
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise self.failure(
                f"{self.data} is not a data folder of PostgreSQL (it has no PG_VERSION)",
                "move it away, or restore it from a backup; the next start then makes a new one",
            ) from None
        if version != str(self.version):
            raise self.failure(
                f"{self.data} was made by PostgreSQL {version}, the program runs version {self.version}",
                f"dump it with version {version} and load it into a new cluster, or move the folder away",
            )

    def make_data(self, user: OsUser, bin_folder: Path, lock: int) -> None:
        """``initdb`` into ``data.partial``, which becomes ``data`` when it is complete and on disk.

        ``lock`` is the descriptor of the held lock: initdb holds it on if we are killed, so that
        nobody makes the cluster at the same time.

        Raises:
            WarehouseError: initdb failed; the message carries what it said.
        """
        partial = self.folder / "data.partial"
        password_copy = self.folder / "password.initdb"
        password = secrets.token_urlsafe(32)
        process.write_file(self.folder / "password", password + "\n")
        if self.version >= 18:
            # Unicode's rules for upper and lower case, order by code point, whatever the machine has.
            locales = [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
        else:
            locales = [["--locale=C.UTF-8"], ["--locale=C"]]
        try:
            process.write_file(password_copy, password + "\n", owner=user)
            for locale in locales:
                if partial.exists():
                    shutil.rmtree(partial)
                partial.mkdir(mode=0o700)
                if user.switch:
                    os.chown(partial, user.uid, user.gid)
                command: list[str | Path] = [
                    bin_folder / "initdb",
                    f"--pgdata={partial}",
                    f"--username={self.admin}",
                    f"--pwfile={password_copy}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--data-checksums",
                    "--no-instructions",
                    *locale,
                ]
                made = process.run_tool(command, user, keep_open=[lock])
                if "invalid locale" not in made.stderr:
                    break
        finally:
            password_copy.unlink(missing_ok=True)
        if made.returncode:
            raise self.failure(f"initdb failed: {last_lines(made.stderr)}", self.space_hint())
        os.replace(partial, self.data)
        process.sync_folder(self.folder)

    def password(self) -> str:
        """The administrator's password.

        Raises:
            WarehouseError: its file is missing.
        """
        try:
            return (self.folder / "password").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise self.failure(
                f"the password file {self.folder / 'password'} is missing",
                f"put it back, holding the password of {self.admin}, with mode 0600",
            ) from None

    def remembered_port(self) -> int | None:
        """The port of the last start; None before the first one or if its file is damaged."""
        try:
            text = (self.folder / "port").read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return int(text) if text.isdigit() and 1024 <= int(text) <= 65535 else None

    def remember_port(self, port: int) -> None:
        """Note the port that a start succeeded on."""
        if port != self.remembered_port():
            process.write_file(self.folder / "port", f"{port}\n")

    def open_log(self, user: OsUser) -> int:
        """Make the log (after putting a large one aside) and return its size in bytes."""
        if self.log.exists() and self.log.stat().st_size > _LARGE_LOG_BYTES:
            os.replace(self.log, self.log.with_name("server.log.1"))
        if not self.log.exists():
            process.write_file(self.log, "", owner=user)
        return self.log.stat().st_size

    def log_since(self, offset: int) -> str:
        """The log from byte ``offset`` on, its last 64 KiB at most."""
        with self.log.open("rb") as stream:
            stream.seek(max(offset, self.log.stat().st_size - 65_536))
            return stream.read().decode("utf-8", "replace")

    def space_hint(self) -> str:
        """What to do when the server or initdb failed: where to read, and how full the disk is."""
        free = shutil.disk_usage(self.folder).free // (1024 * 1024)
        return f"read {self.log}; the disk of {self.folder} has {free} MB free" + (
            ": make room, at least 1 GB" if free < 1024 else ""
        )

    def failure(self, reason: str, next_step: str) -> WarehouseError:
        """An error that names the server."""
        return WarehouseError(f"embedded server {self.name}: {reason}", next_step=next_step)

    @contextmanager
    def telling(self, action: str) -> Iterator[None]:
        """Turn an error of the operating system into one that names the file and what to do."""
        try:
            yield
        except OSError as error:
            raise self.failure(
                f"cannot {action} it: {error.filename or self.folder}: {error.strerror or error}",
                "check that the disk has room and that DX_HOME can be written by this user",
            ) from error


def last_lines(text: str) -> str:
    """The last lines of a log, indented, for an error message."""
    lines = text.strip().splitlines()[-12:]
    return "\n".join(["", *(f"    {line}" for line in lines)]) if lines else "it said nothing"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
