"""The servers of a benchmark: one source of a given size, and warehouses that are made anew for every first load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from benchmarks.measurement import Timed, run_timed
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse, embedded_server, libpq_uri

SYSTEM_TABLES = (
    "ho_so", "qua_trinh_xu_ly", "ho_so_bo_sung", "yeu_cau_thanh_toan", "giay_to_ket_qua", "dong_bo_dvcqg", "thu_tuc",
    "thay_doi_muc_do_thu_tuc", "linh_vuc", "groups", "ngay_nghi",
)  # fmt: skip
TABLES = {"all": SYSTEM_TABLES, "wide": ("ho_so",), "narrow": ("dong_bo_dvcqg",)}
ROWS_PER_DOSSIER = 6.1
"""Rows of all tables for one dossier of the sandbox, with its steps, messages, payments, results and supplements."""


@dataclass(frozen=True)
class Source:
    """A one-stop system of the sandbox that runs."""

    province: SandboxProvince
    reader_url: str
    """As the product reads it: without rights beyond reading."""

    def rows(self, tables: Sequence[str], where: str = "true") -> int:
        """Rows now in these tables."""
        engine = sa.create_engine(self.province.admin_url())
        with engine.connect() as connection:
            total = sum(
                int(connection.exec_driver_sql(f'select count(*) from motcua."{name}" where {where}').scalar_one())
                for name in tables
            )
        engine.dispose()
        return total

    @property
    def admin_uri(self) -> str:
        """For libpq. Holds a password: never print it."""
        return libpq_uri(make_url(self.province.admin_url()))


@dataclass(frozen=True)
class Target:
    """A warehouse that runs, with its schema and without rows, and a database beside it for the peers."""

    home: Path
    warehouse: Warehouse
    environment: dict[str, str]
    peers_uri: str

    def dx(self, *arguments: str) -> Timed:
        """A ``dx`` command as a process of its own."""
        return run_timed([sys.executable, "-m", "dx_pipeline.cli.main", *arguments], self.environment, self.home)


@contextmanager
def running_source(folder: Path, rows: int) -> Iterator[Source]:
    """Build a source of about ``rows`` rows; stopped and removed at the end."""
    home = folder / "source"
    _remove(home)
    environment = environment_of(home)
    command = [sys.executable, "-m", "dx_pipeline.cli.main", "sandbox", "build"]
    settings = Settings(home=home)
    try:
        home.mkdir(parents=True)
        run_timed([*command, "--dossiers", str(round(rows / ROWS_PER_DOSSIER))], environment, home)
        yield Source(SandboxProvince(settings), settings.connection_url("one_stop"))
    finally:
        _down(environment)
        _remove(home)


@contextmanager
def running_target(folder: Path, source: Source) -> Iterator[Target]:
    """A new warehouse, migrated, that reads the given source; stopped and removed at the end."""
    home = folder / "warehouse"
    _remove(home)
    environment = {**environment_of(home), "DX_CONNECTION_ONE_STOP": source.reader_url}
    settings = Settings(home=home)
    warehouse: Warehouse | None = None
    try:
        home.mkdir(parents=True)
        run_timed([sys.executable, "-m", "dx_pipeline.cli.main", "up"], environment, home)
        warehouse = Warehouse.open(settings)
        server = embedded_server(settings)
        server.create_database("peers")
        yield Target(home, warehouse, environment, server.start().url("peers", driver="postgresql"))
    finally:
        if warehouse is not None:
            warehouse.close()
        _down(environment)
        _remove(home)


def environment_of(home: Path) -> dict[str, str]:
    """The environment of this process with another ``DX_HOME`` and none of its other settings of the product."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DX_", "DAGSTER_"))}
    return {**kept, "DX_HOME": str(home), "COLUMNS": "200"}


def _down(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "dx_pipeline.cli.main"]
    subprocess.run([*command, "down"], env=environment, check=False, capture_output=True)


def _remove(home: Path) -> None:
    """Servers that an earlier, killed run left in this folder are stopped first."""
    if home.exists():
        _down(environment_of(home))
        shutil.rmtree(home)
