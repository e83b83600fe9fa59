"""Builds the register's database: schema ``dbo``, named as its SQL Server original, on the sandbox's PostgreSQL server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from dx_pipeline.errors import SourceUnavailable
from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.sandbox.one_stop.schema import connection_text
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.staff.kinds import DATASET, KINDS
from dx_pipeline.sandbox.staff.persons import staff_rows

SCHEMA: Final = "dbo"
TABLE: Final = "HoSoCanBo"
#: HeSoLuong has room for more than the table of coefficients, so 234 for 2.34 can be typed; the bits are texts.
COLUMNS: Final = (
    ("SoHieuCBCCVC", "varchar(30)"),
    ("HoTenKhaiSinh", "varchar(100)"),
    ("GioiTinh", "varchar(5)"),
    ("NgaySinh", "varchar(10)"),
    ("SoDinhDanh", "varchar(20)"),
    ("DanToc", "varchar(50)"),
    ("MaDonVi", "varchar(35)"),
    ("MaNgach", "varchar(20)"),
    ("HeSoLuong", "numeric(6,2)"),
    ("TrinhDoChuyenMon", "varchar(50)"),
    ("TrinhDoTinHoc", "varchar(50)"),
    ("NgayTuyenDung", "varchar(10)"),
    ("LaChuyenTrachCDS", "varchar(10)"),
    ("LaKiemNhiemCDS", "varchar(10)"),
    ("LaDauMoiATTT", "varchar(20)"),
    ("Nam", "integer"),
    ("NgayCapNhat", "timestamp"),
)


def build_staff(url: str, *, seed: int, truth_path: Path, reader: str, password: str) -> None:
    """Drop and rebuild schema ``dbo`` at ``url`` in one transaction, and write the truth about what was planted.

    The same seed gives the same rows. ``reader`` becomes a role that may read the schema and nothing else.

    Raises:
        SourceUnavailable: the server cannot be reached.
    """
    truth = TruthBook(KINDS)
    rows = staff_rows(build_agencies(seed), seed, truth)
    try:
        connection = psycopg.connect(connection_text(url))
    except psycopg.OperationalError as error:
        raise SourceUnavailable(
            "The server for the sandbox's staff register cannot be reached.",
            next_step="Check that it runs: `dx sandbox build` starts it.",
        ) from error
    with connection:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SCHEMA)))
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
        _fill(connection, rows)
        _grant(connection, reader, password)
    truth.write(truth_path, {DATASET: len(rows)})


def _fill(connection: psycopg.Connection[Any], rows: list[dict[str, Any]]) -> None:
    declared = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in COLUMNS
    )
    table = sql.Identifier(SCHEMA, TABLE)
    connection.execute(sql.SQL("create table {} ({})").format(table, declared))
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in COLUMNS)
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin").format(table, names)) as copy,
    ):
        for row in rows:
            copy.write_row([row[name] for name, _ in COLUMNS])
    connection.execute(sql.SQL("analyze {}").format(table))


def _grant(connection: psycopg.Connection[Any], reader: str, password: str) -> None:
    """A read-only role with a statement timeout; it may read this schema only."""
    role = sql.Identifier(reader)
    exists = connection.execute("select 1 from pg_roles where rolname = %s", (reader,)).fetchone()
    verb = sql.SQL("alter role") if exists else sql.SQL("create role")
    connection.execute(sql.SQL("{} {} with login password {}").format(verb, role, sql.Literal(password)))
    connection.execute(sql.SQL("alter role {} set statement_timeout = '30min'").format(role))
    connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(role))
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(SCHEMA), role))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(sql.Identifier(SCHEMA), role))
