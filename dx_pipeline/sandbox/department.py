"""What a department's system of the sandbox says of itself: how it is built, how it is found again, how it is verified.

Each system has such a description in ``<system>/department.py``; ``departments.py`` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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


def unchanged(site: Site, url: str) -> str:
    """The URL of files and of SQLite: where they are does not change when servers start again."""
    return url


def on_the_server(site: Site, url: str) -> str:
    """The URL of a database on the sandbox's PostgreSQL server, with the port that it has now."""
    address = site.server.start()
    moved = sa.make_url(url).set(host=address.host, port=address.port)
    return moved.render_as_string(hide_password=False)


@dataclass(frozen=True)
class Department:
    """One system: its name in ``assets/``, how to build it (gives the URL to read it by), and how to find it again."""

    system: str
    build: Callable[[Site], str]
    located: Callable[[Site, str], str] = unchanged
    """The URL after a restart of the servers, from the former URL. A system with a server of its own starts it here."""
    flagged: Mapping[str, str] = field(default_factory=dict)
    """Dataset → SQL that gives (row key at the source, flag) of every flagged row in the star."""
    hidden_keys: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """Dataset → how the star, which does not hold its key, names a row of that key."""
    stop: Callable[[Site], bool] | None = None
    """Stops the system's own server, if it has one; False if it was not running."""
    token: Callable[[Site], str] | None = None
    """The token of an API, told apart from its URL."""

    @property
    def connection(self) -> str:
        """The variable that holds the URL."""
        return f"DX_CONNECTION_{self.system.upper()}"

    def is_built(self, site: Site) -> bool:
        """True once a build went through."""
        return (site.truth_path(self.system) / "truth.json").exists()


def flags_of(table: str, *, key: str, flags: str = "t.quality_flags") -> str:
    """SQL that gives (row key, flag) of every flagged row of a star table ``t``; ``key`` is SQL on ``t``."""
    return f"select {key}::text as row_key, f.flag from {table} as t cross join lateral unnest({flags}) as f (flag)"
