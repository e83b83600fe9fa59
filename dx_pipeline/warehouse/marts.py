"""Marts: ``warehouse_sql/marts/<name>.sql``, each refreshing one ``mart`` table in one transaction.

The header line ``-- dx:mart name=... depends=system.dataset,...`` names the table and the datasets
after whose publishing it is refreshed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa

from dx_pipeline.errors import LoadFileError
from dx_pipeline.warehouse.connection import Warehouse, without_values

HEADER = re.compile(r"^-- dx:mart name=(?P<name>[a-z][a-z0-9_]*) depends=(?P<depends>[a-z0-9_.,]+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Mart:
    """One mart: its table, what it depends on and its grain (the first paragraph of its file)."""

    name: str
    depends_on: tuple[str, ...]
    grain: str
    path: Path

    @property
    def table(self) -> str:
        return f"mart.{self.name}"


def load_marts(roots: Sequence[Path]) -> list[Mart]:
    """All marts of the given project folders, by name.

    Raises:
        LoadFileError: a file has no header or a name is used twice.
    """
    marts: dict[str, Mart] = {}
    for root in roots:
        for path in sorted((root / "warehouse_sql" / "marts").glob("*.sql")):
            text = path.read_text(encoding="utf-8")
            match = HEADER.search(text)
            if match is None:
                raise LoadFileError(f"mart file {path}: the line `-- dx:mart name=... depends=...` is missing")
            if match["name"] in marts:
                raise LoadFileError(f"mart {match['name']} is defined by {marts[match['name']].path} and {path}")
            first_paragraph = itertools.takewhile(
                lambda line: line.startswith("-- "), text[: match.start()].splitlines()
            )
            grain = " ".join(line.removeprefix("-- ").strip() for line in first_paragraph)
            marts[match["name"]] = Mart(match["name"], tuple(match["depends"].split(",")), grain, path)
    return [marts[name] for name in sorted(marts)]


def refresh_mart(warehouse: Warehouse, mart: Mart) -> int:
    """Refresh one mart in one transaction; returns its number of rows.

    Raises:
        LoadFileError: a statement failed; the mart keeps its former rows.
    """
    with warehouse.loader() as connection:
        try:
            connection.connection.driver_connection.execute(mart.path.read_bytes())  # type: ignore[union-attr]
        except psycopg.Error as error:
            raise LoadFileError(
                f"mart {mart.name} ({mart.path}): {without_values(error)}",
                next_step="mend the SQL and run `dx run` again; the mart keeps its former rows",
            ) from None
        return int(connection.execute(sa.text(f"select count(*) from mart.{mart.name}")).scalar_one())
