"""The files of an embedded PostgreSQL cluster: how they are made and checked.

A cluster ``home/name/`` holds, beside what every server's folder has (``server_folder``)::

    data/            the data folder, complete from the moment it exists
    data.partial/    a data folder being made; a left-over is removed
    server.conf      our settings, rewritten at every start
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from dx_pipeline.warehouse import embedded_process as process
from dx_pipeline.warehouse.embedded_process import OsUser
from dx_pipeline.warehouse.server_folder import ServerFolder, last_lines


@dataclass(frozen=True)
class Cluster(ServerFolder):
    """The folder of one PostgreSQL cluster, and its major version."""

    version: int

    @property
    def configuration(self) -> Path:
        return self.folder / "server.conf"

    def check_data(self, user: OsUser) -> None:
        """A data folder that exists must be one, of this version, of the user that will run it.

        Raises:
            WarehouseError: it is not.
        """
        if not self.check_owner(user):
            return
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
