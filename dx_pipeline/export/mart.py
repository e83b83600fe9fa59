"""One mart to a file, read with the rights of a role and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dx_pipeline.docs_site.catalogue import TableColumn
from dx_pipeline.errors import WarehouseError
from dx_pipeline.export.dictionary import MartDictionary
from dx_pipeline.export.table_writer import Format, replacing, write_table
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.asking import asking
from dx_pipeline.warehouse.connection import Warehouse

BLOCK = 5_000  # rows in memory at a time


@dataclass(frozen=True)
class Exported:
    """The files of one export and the rows in it."""

    data: Path
    dictionary: Path
    rows: int


def export_mart(warehouse: Warehouse, about: MartDictionary, *, role: str, kind: Format, out: Path) -> Exported:
    """Write ``out/<mart>.<kind>`` and ``out/<mart>.dictionary.json``.

    Raises:
        WarehouseError: the role may not read the mart.
        SettingsError: see ``write_table``.
    """
    target = out / f"{about.name}.{kind}"
    sidecar = out / f"{about.name}.dictionary.json"
    with mart_rows(warehouse, about, role) as blocks:
        count = write_table(target, kind, about.columns, blocks, about)
    write_json(sidecar, {**about.document(), "file": target.name, "rows": count, "read_as": role})
    return Exported(target, sidecar, count)


@contextmanager
def mart_rows(
    warehouse: Warehouse, about: MartDictionary, role: str, columns: Sequence[TableColumn] | None = None
) -> Iterator[Iterator[Sequence[Sequence[Any]]]]:
    """Blocks of rows by a cursor of the server, in the order of the primary key.

    Raises:
        WarehouseError: the role may not read the mart.
    """
    names = ", ".join(identifier(one.name) for one in columns or about.columns)
    order = f" order by {', '.join(map(identifier, about.primary_key))}" if about.primary_key else ""
    statement = f"select {names} from mart.{identifier(about.name)}{order}"
    try:
        with asking(warehouse, role) as connection:
            reading = connection.execution_options(stream_results=True, max_row_buffer=BLOCK)
            yield reading.exec_driver_sql(statement).partitions(BLOCK)
    except sa.exc.DBAPIError as error:
        denied = getattr(error.orig, "sqlstate", None) == "42501"
        told = f"{role} may not read it" if denied else str(error.orig).splitlines()[0]
        raise WarehouseError(
            f"mart {about.name}: {told}",
            next_step=f"readers: {', '.join(about.readers)}; --role chooses" if denied else "run `dx doctor`",
        ) from None


def write_json(target: Path, document: Any) -> None:
    """A JSON file for people and programs, in one step."""
    with replacing(target) as beside:
        beside.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
