"""The departments' systems of the sandbox beside the one-stop system: how each is built and where its truth is.

A new system is one entry in ``DEPARTMENTS``. The truth is written last, so its presence says that the system is built.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa

from dx_pipeline.warehouse.embedded import EmbeddedServer


@dataclass(frozen=True)
class Site:
    """Where a department's system is built: the sandbox's folder, its PostgreSQL server, the seed."""

    folder: Path
    server: EmbeddedServer
    seed: int

    def truth_path(self, system: str) -> Path:
        """Folder of the truth of one system."""
        return self.folder / f"{system}_truth"


@dataclass(frozen=True)
class Department:
    """One system: its name in ``assets/``, how to build it (gives the URL to read it by), and how to find it again."""

    system: str
    build: Callable[[Site], str]
    located: Callable[[Site, str], str]
    """The URL after a restart of the servers, from the former URL."""

    @property
    def connection(self) -> str:
        """The variable that holds the URL."""
        return f"DX_CONNECTION_{self.system.upper()}"

    def is_built(self, site: Site) -> bool:
        """True once a build went through."""
        return (site.truth_path(self.system) / "truth.json").exists()


def build_department(department: Department, site: Site) -> str:
    """Build one system anew; returns the URL to read it by (it holds a password: never log it)."""
    (site.truth_path(department.system) / "truth.json").unlink(missing_ok=True)
    return department.build(site)


def locate_departments(site: Site, known: Mapping[str, str | None]) -> dict[str, str]:
    """Connection variable → URL of every built system, with the ports the servers have now."""
    return {
        one.connection: one.located(site, known[one.connection] or "")
        for one in DEPARTMENTS
        if one.is_built(site) and known.get(one.connection)
    }


def _build_digital_infrastructure(site: Site) -> str:
    from dx_pipeline.sandbox.digital_infrastructure.build import build_digital_infrastructure

    database, reader, password = "ha_tang_so", "ha_tang_so_doc", secrets.token_urlsafe(24)
    address = site.server.start()
    site.server.create_database(database)
    build_digital_infrastructure(
        address.url(database),
        seed=site.seed,
        truth_path=site.truth_path("digital_infrastructure"),
        reader=reader,
        password=password,
    )
    return f"postgresql://{reader}:{quote(password, safe='')}@{address.host}:{address.port}/{database}"


def _on_the_server(site: Site, url: str) -> str:
    address = site.server.start()
    moved = sa.make_url(url).set(host=address.host, port=address.port)
    return moved.render_as_string(hide_password=False)


def _build_task_tracking(site: Site) -> str:
    from dx_pipeline.sandbox.task_tracking.build import build_task_tracking

    file = site.folder / "task_tracking.db"
    build_task_tracking(file, seed=site.seed, truth_path=site.truth_path("task_tracking"))
    return f"sqlite:///{file}"


def _build_poor_households(site: Site) -> str:
    from dx_pipeline.sandbox.poor_households.build import build_poor_households

    folder = (site.folder / "poor_households").resolve()
    build_poor_households(folder, seed=site.seed, truth_path=site.truth_path("poor_households"))
    return folder.as_uri()


def _unchanged(site: Site, url: str) -> str:
    return url


def _build_eid(site: Site) -> str:
    from dx_pipeline.sandbox.eid.build import build_eid

    folder = (site.folder / "eid").resolve()
    build_eid(folder, seed=site.seed, truth_path=site.truth_path("eid"))
    return folder.as_uri()


DEPARTMENTS: Final = (
    Department("digital_infrastructure", _build_digital_infrastructure, _on_the_server),
    Department("task_tracking", _build_task_tracking, _unchanged),
    Department("eid", _build_eid, _unchanged),
    Department("poor_households", _build_poor_households, _unchanged),
)
