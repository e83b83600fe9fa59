"""The folder of a server that the product brings: whose it is, its log, its password, its port.

It holds, for every kind of server::

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

# Below the ports Linux hands to outgoing connections (32768 and up), so that ours is free next time too.
_PORTS = range(20_000, 32_768)
_LARGE_LOG_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class ServerFolder:
    """The folder of one server (absolute, without links), the server's name and its administrator."""

    folder: Path
    name: str
    admin: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

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
                f"{self.folder} belongs to the user {user_name(owner)}, not to {user_name(os.geteuid())}",
                f"run as {user_name(owner)}, or set DX_HOME to a folder of your own",
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

    def check_owner(self, user: OsUser) -> bool:
        """Whether there is a data folder; one that exists must be the user's that will run the server.

        Raises:
            WarehouseError: it is another user's.
        """
        try:
            owner = self.data.stat().st_uid
        except FileNotFoundError:
            return False
        if owner != user.uid:
            wanted = user_name(user.uid)
            raise self.failure(
                f"{self.data} belongs to the user {user_name(owner)}, the server runs as {wanted}",
                f"stop the server and give the folder over (`chown -R {wanted}`), or set another DX_HOME",
            )
        return True

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

    def new_port(self) -> int:
        """A port that is free now, drawn at random.

        Raises:
            WarehouseError: none is.
        """
        for _ in range(200):
            port = secrets.choice(_PORTS)
            if process.is_free_port(port):
                return port
        raise self.failure(
            f"no free port between {_PORTS.start} and {_PORTS.stop - 1}", "stop servers that are not used"
        )

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


def user_name(uid: int) -> str:
    """Name of an OS user, or the number of one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
