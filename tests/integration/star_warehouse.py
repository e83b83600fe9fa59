"""A migrated warehouse on a real embedded server, and short ways to ask and fill it. Shared by test_star_*.py."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import with_includes
from dx_pipeline.warehouse.merge import Delivery, LoadBinds, MergeCounts, run_load
from tests.migrated_database import new_migrated_database

PROJECT = Path(__file__).resolve().parents[2]
AS_OF = datetime(2024, 7, 1, 1, 0, tzinfo=UTC)


@contextmanager
def running_server(version: int = 18) -> Iterator[EmbeddedServer]:
    """A server of that major version in a folder of its own; both are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dx-test-"))
    server = EmbeddedServer(folder, name="star", version=version, settings={"fsync": "off"})
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def migrated_warehouse(server: EmbeddedServer) -> Iterator[Warehouse]:
    """A new database on the server with all migrations applied."""
    warehouse = Warehouse(new_migrated_database(server), embedded=server)
    try:
        yield warehouse
    finally:
        warehouse.close()


def ask(warehouse: Warehouse, query: str, **binds: Any) -> list[tuple[Any, ...]]:
    """Rows of a query run as the owner."""
    with warehouse.owner() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), binds)]


def ask_as(warehouse: Warehouse, role: str, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query run with the rights of a role."""
    with warehouse.owner() as connection:
        connection.exec_driver_sql(f"set local role {role}")
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def fill_stage(
    warehouse: Warehouse,
    dataset: str,
    types: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    *,
    system: str = "one_stop",
    rejected: Sequence[tuple[str, str | None]] = (),
) -> None:
    """Make the stage tables of a dataset with these columns and rows; ``_row_hash`` follows the content.

    Args:
        rejected: row key and business key of each rejected row.
    """
    days = {f"{name}__day": "date" for name in types if name in ("ma_ho_so", "ma_ho_so_khac")}
    columns = {"_row": "bigint", "_row_hash": "bigint", "_warnings": "text[]", **types, **days}
    table = f"stage.{system}__{dataset}"
    with warehouse.loader() as connection:
        connection.exec_driver_sql(f"drop table if exists {table}, {table}__rejected")
        connection.exec_driver_sql(f"create unlogged table {table}__rejected (row_key text, business_key text)")
        for keys in rejected:
            connection.exec_driver_sql(f"insert into {table}__rejected values (%s, %s)", keys)
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.exec_driver_sql(f"create unlogged table {table} ({listed})")
        for number, row in enumerate(rows):
            unknown = set(row) - set(columns)
            assert not unknown, unknown
            values = {**dict.fromkeys(columns), **row, "_row": number}
            for day in days:
                code = row.get(day.removesuffix("__day"))
                values[day] = datetime.strptime(code.split("-")[1], "%y%m%d").date() if code else None
            values["_row_hash"] = row.get("_row_hash", hash(tuple(sorted((k, str(v)) for k, v in row.items()))))
            connection.execute(
                sa.text(f"insert into {table} values ({', '.join(f':{name}' for name in columns)})"), values
            )


def load(
    warehouse: Warehouse,
    dataset: str,
    batch_id: int,
    as_of: datetime = AS_OF,
    *,
    system: str = "one_stop",
    delivery: Delivery | None = None,
) -> MergeCounts:
    """Run the load file of a dataset with the loader's rights."""
    file = parse_load_file(PROJECT / "warehouse_sql" / "load" / system / f"{dataset}.sql")
    with warehouse.loader() as connection:
        return run_load(connection, file, LoadBinds(batch_id, as_of, 1), delivery)


def refresh(warehouse: Warehouse, mart: str) -> None:
    """Run a mart file with the loader's rights, in one transaction."""
    text = with_includes(PROJECT / "warehouse_sql" / "marts" / f"{mart}.sql").encode()
    with warehouse.loader() as connection:
        connection.connection.driver_connection.execute(text)  # type: ignore[union-attr]
