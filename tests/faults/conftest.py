"""One small province for all fault tests, its warehouse loaded once without any fault, and copies to break."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from dotenv import dotenv_values
from psycopg import sql

from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings, write_private_file
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

DOSSIERS = 2_000


class Province:
    """The sandbox's one-stop database and copies of it."""

    def __init__(self, home: Path) -> None:
        self._settings = Settings(home=home)
        self._sandbox = SandboxProvince(self._settings)

    def stop(self) -> None:
        assert self._sandbox.stop()

    def start(self) -> None:
        self._sandbox.start()

    def admin_url(self, database: str) -> str:
        """libpq URL of a database, as one who may change it."""
        url = sa.make_url(self._sandbox.admin_url()).set(drivername="postgresql", database=database)
        return url.render_as_string(hide_password=False)

    def reader_url(self, database: str, *, password: str | None = None) -> str:
        """URL of a database, as the pipeline reads it."""
        url = sa.make_url(str(dotenv_values(self._settings.connections_path)["DX_CONNECTION_ONE_STOP"]))
        chosen = url.set(database=database, password=password or url.password)
        return chosen.render_as_string(hide_password=False)

    def copy(self, *statements: str) -> str:
        """Name of a new copy of the one-stop database, changed by the given statements."""
        name = f"mot_cua_{uuid4().hex[:8]}"
        with psycopg.connect(self.admin_url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} template mot_cua").format(sql.Identifier(name)))
        self.change(name, *statements)
        return name

    def change(self, database: str, *statements: str) -> None:
        with psycopg.connect(self.admin_url(database)) as connection:
            connection.execute("set search_path = motcua")
            for statement in statements:
                connection.execute(statement)

    def value(self, database: str, statement: str) -> object:
        with psycopg.connect(self.admin_url(database)) as connection:
            connection.execute("set search_path = motcua")
            row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


class LoadedProvince(Installation):
    """An installation whose one-stop system was loaded once, undisturbed."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation.home)
        self.dx("sandbox", "build", "--dossiers", str(DOSSIERS))
        self.province = Province(self.home)
        self.dx("run", "one_stop")
        self.checksums = star_checksums(warehouse_url(self.home))

    def reading(self, database: str) -> Installation:
        """The same installation, reading a copy of the one-stop database."""
        other = Installation(self.home)
        other.environment["DX_CONNECTION_ONE_STOP"] = self.province.reader_url(database)
        return other


def use_the_same_key(home: Path, other_home: Path) -> None:
    """Give an installation the pseudonym key of another one, so that their stars can be compared."""
    key = Path("keys") / "pseudonym.json"
    write_private_file(home / key, (other_home / key).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def loaded(make_installation: Callable[[], Installation]) -> LoadedProvince:
    return LoadedProvince(make_installation())


class NewWarehouse(Installation):
    """An installation with an empty warehouse of its own on a shared server; it reads the loaded province."""

    def __init__(self, installation: Installation, loaded: LoadedProvince, server: EmbeddedServer) -> None:
        super().__init__(installation.home)
        name = f"w_{uuid4().hex[:12]}"
        address = server.start()
        server.create_database(name)
        self.url = address.url(name, "postgresql")
        self.environment["DX_WAREHOUSE_URL"] = self.url
        self.environment["DX_CONNECTION_ONE_STOP"] = loaded.province.reader_url("mot_cua")
        use_the_same_key(self.home, loaded.home)
        self._province = loaded.province

    def reading(self, database: str) -> Installation:
        """The same installation, reading a copy of the one-stop database."""
        other = Installation(self.home)
        other.environment |= self.environment
        other.environment["DX_CONNECTION_ONE_STOP"] = self._province.reader_url(database)
        return other


@pytest.fixture
def new_warehouse(
    make_installation: Callable[[], Installation], loaded: LoadedProvince, source_server: EmbeddedServer
) -> NewWarehouse:
    """An empty warehouse with the loaded one's key."""
    return NewWarehouse(make_installation(), loaded, source_server)
