"""The sandbox province as an installation: its servers, its connections, its truth."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from dotenv import dotenv_values

from dx_pipeline.errors import DxError, SettingsError
from dx_pipeline.sandbox import mariadb_store
from dx_pipeline.sandbox.department import Site
from dx_pipeline.sandbox.departments import (
    DEPARTMENTS,
    build_department,
    locate_departments,
    stop_departments,
)
from dx_pipeline.settings import Settings, write_private_file
from dx_pipeline.warehouse.embedded import EmbeddedServer

DATABASE = "mot_cua"
READER = "mot_cua_doc"
SERVER = "sandbox_one_stop"


class SandboxProvince:
    """Builds, starts and stops the source systems under ``DX_HOME``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = EmbeddedServer(settings.home, name=SERVER, admin="mot_cua_admin")
        self.not_built: dict[str, DxError] = {}
        """Departments' systems whose build or start failed, and why; the others are there all the same."""

    @property
    def truth_path(self) -> Path:
        """Folder of the truth: which faults were planted where."""
        return self._settings.home / "sandbox" / "one_stop_truth"

    @property
    def _receipt(self) -> Path:
        return self._settings.home / "sandbox" / "one_stop.json"

    def is_built(self) -> bool:
        """True once a build went through."""
        return self._receipt.exists()

    def build(
        self,
        *,
        dossiers: int | None = None,
        seed: int | None = None,
        fresh: bool = False,
        progress: Callable[[str, int], None] | None = None,
    ) -> bool:
        """Build the one-stop system and the departments'; False if all is there and only had to be started.

        The departments' systems are always built whole: they are small. One that fails is told of in ``not_built``.
        """
        built = self._build_one_stop(dossiers, seed, fresh, progress)
        site = self.site(seed)
        for department in DEPARTMENTS:
            if department.is_built(site) and not fresh:
                continue
            try:
                self._write_connections(build_department(department, site))
                built = True
            except DxError as error:
                self.not_built[department.system] = error
        return built

    def site(self, seed: int | None = None) -> Site:
        """Where the departments' systems are."""
        chosen = self._settings.sandbox_seed if seed is None else seed
        return Site(self._settings.home / "sandbox", self._server, chosen)

    def _build_one_stop(
        self, dossiers: int | None, seed: int | None, fresh: bool, progress: Callable[[str, int], None] | None
    ) -> bool:
        from dx_pipeline.sandbox.one_stop.build import build_one_stop

        if self.is_built() and not fresh:
            self.start()
            return False
        self._receipt.unlink(missing_ok=True)
        address = self._server.start()
        self._server.create_database(DATABASE)
        password = secrets.token_urlsafe(24)
        self.truth_path.mkdir(parents=True, exist_ok=True)
        wanted = dossiers or self._settings.sandbox_dossiers
        build_one_stop(
            address.url(DATABASE),
            dossiers=wanted,
            seed=self._settings.sandbox_seed if seed is None else seed,
            truth_path=self.truth_path,
            reader_password=password,
            progress=progress,
        )
        self._write_connection(password)
        self._receipt.write_text(json.dumps({"dossiers": wanted}), encoding="utf-8")
        return True

    def start(self) -> None:
        """Start the server of a built sandbox; its port may be another one than last time."""
        if not self.is_built():
            raise SettingsError("the sandbox is not built", next_step="`dx sandbox build`")
        self._server.start()
        url = dotenv_values(self._settings.connections_path).get("DX_CONNECTION_ONE_STOP") or ""
        password = url.partition(f"{READER}:")[2].rpartition("@")[0]
        if password:
            self._write_connection(password, quoted=True)
        known = dotenv_values(self._settings.connections_path)
        self._write_connections(locate_departments(self.site(), known, self.not_built))

    def stop(self) -> bool:
        """Stop the servers; False if none was running."""
        stopped = stop_departments(self.site())
        return self._server.stop() or bool(stopped)

    def change(self, *, rows: int, seed: int) -> int:
        """Change some dossiers, as an hour of work would."""
        from dx_pipeline.sandbox.one_stop.change import change_one_stop

        self.start()
        return change_one_stop(self.admin_url(), rows=rows, seed=seed)

    def admin_url(self) -> str:
        """URL with which the sandbox itself may write. Holds a password: never log it."""
        return self._server.start().url(DATABASE)

    def describe(self) -> str:
        """One line for people."""
        address = self._server.address()
        where = f"{address.host}:{address.port}" if address else "stopped"
        dossiers = json.loads(self._receipt.read_text(encoding="utf-8"))["dossiers"] if self.is_built() else 0
        others = sum(department.is_built(self.site()) for department in DEPARTMENTS)
        return f"one-stop system, {dossiers:,} dossiers, PostgreSQL at {where}; {others} departments' systems"

    def stores(self) -> str:
        """One line for people: which departments' systems are in MariaDB, or in SQLite instead."""
        site = self.site()
        known = dotenv_values(self._settings.connections_path)
        urls = {one.system: known.get(one.connection) or "" for one in DEPARTMENTS if one.is_built(site)}
        return mariadb_store.in_words(site, urls)

    def _write_connection(self, password: str, *, quoted: bool = False) -> None:
        address = self._server.start()
        secret = password if quoted else quote(password, safe="")
        url = f"postgresql://{READER}:{secret}@{address.host}:{address.port}/{DATABASE}"
        self._write_connections({"DX_CONNECTION_ONE_STOP": url})

    def _write_connections(self, urls: Mapping[str, str]) -> None:
        path = self._settings.connections_path
        known = {**(dotenv_values(path) if path.exists() else {}), **urls}
        write_private_file(path, "".join(f"{name}='{value}'\n" for name, value in known.items()))
