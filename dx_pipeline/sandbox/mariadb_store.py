"""Where a department's table is built: in MariaDB where it is installed, else in SQLite, with the same rows.

All departments of the sandbox that keep their data in MariaDB share one server; each has a database and a reader of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from dx_pipeline.sandbox.department import Site
from dx_pipeline.sandbox.mariadb_server import DRIVER, MariadbServer, installed
from dx_pipeline.sql_quoting import identifier, mysql_identifier

_ROWS_AT_ONCE: Final = 1_000


@dataclass(frozen=True)
class Table:
    """A table as MariaDB declares it. SQLite gets the same declaration without MariaDB's character sets."""

    name: str
    columns: Sequence[tuple[str, str]]

    def create_in_mariadb(self) -> str:
        """The statement for MariaDB."""
        return (
            f"create table {mysql_identifier(self.name)} ({', '.join(f'{name} {kind}' for name, kind in self.columns)})"
        )

    def create_in_sqlite(self) -> str:
        """The statement for SQLite."""
        plain = ", ".join(f"{name} {kind.partition(' character set ')[0]}" for name, kind in self.columns)
        return f"create table {identifier(self.name)} ({plain})"


def build_table(site: Site, system: str, table: Table, rows: Sequence[Sequence[Any]]) -> str:
    """Build the system's database anew with that one table; returns the URL to read it by (it may hold a password)."""
    if installed():
        return fill_mariadb(server_of(site), system, table, rows)
    file = site.folder / f"{system}.db"
    fill_sqlite(file, table, rows)
    return f"sqlite:///{file}"


def fill_mariadb(server: MariadbServer, system: str, table: Table, rows: Sequence[Sequence[Any]]) -> str:
    """The table in a database of its own on the server, started if need be; returns the URL of its reader."""
    url = server.create_database(system, reader=f"{system}_doc")
    with closing(server.connect(system)) as connection, connection.cursor() as cursor:
        # The server of such an office is old and takes what it is given: zero dates, texts cut to their width.
        cursor.execute("set session sql_mode = ''")
        cursor.execute(table.create_in_mariadb())
        places = ", ".join("%s" for _ in table.columns)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            cursor.executemany(f"insert into {mysql_identifier(table.name)} values ({places})", part)
    return url


def fill_sqlite(file: Path, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """The table in a file that appears under its name when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as connection, connection:
        connection.execute(table.create_in_sqlite())
        places = ", ".join("?" for _ in table.columns)
        connection.executemany(f"insert into {identifier(table.name)} values ({places})", rows)
    partial.replace(file)


def located(site: Site, url: str) -> str:
    """The URL after a restart: the server's port may be another one; a file stays where it is."""
    if not in_mariadb(url):
        return url
    address = server_of(site).start()
    return sa.make_url(url).set(host=address.host, port=address.port).render_as_string(hide_password=False)


def stop(site: Site) -> bool:
    """Stop the server that the departments share; False if it was not running."""
    return server_of(site).stop()


def server_of(site: Site) -> MariadbServer:
    """The MariaDB server of the sandbox."""
    return MariadbServer(site.folder)


def in_mariadb(url: str) -> bool:
    """Whether a department's URL leads to MariaDB."""
    return url.startswith(f"{DRIVER}:")


def in_words(site: Site, urls: Mapping[str, str]) -> str:
    """One line for people about the departments, by system, that are in MariaDB or stand in SQLite instead."""
    of_mariadb = sorted(system for system, url in urls.items() if in_mariadb(url))
    of_sqlite = sorted(system for system, url in urls.items() if url.startswith("sqlite:"))
    parts = []
    if of_mariadb:
        address = server_of(site).address()
        where = f"{address.host}:{address.port}" if address else "stopped"
        parts.append(f"{', '.join(of_mariadb)} in MariaDB at {where}")
    if of_sqlite:
        parts.append(f"{', '.join(of_sqlite)} in SQLite, because MariaDB was not installed")
    return "; ".join(parts)
