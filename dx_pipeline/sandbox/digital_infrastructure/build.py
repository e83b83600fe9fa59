"""Builds the database ``ha_tang_so`` of the department of information (Sở TT&TT): schema ``cds``, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from dx_pipeline.errors import SourceUnavailable
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.digital_infrastructure.agencies import agency_rows, system_rows
from dx_pipeline.sandbox.digital_infrastructure.infrastructure import infrastructure_rows
from dx_pipeline.sandbox.digital_infrastructure.kinds import KINDS
from dx_pipeline.sandbox.digital_infrastructure.teams import team_rows
from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.sandbox.one_stop.schema import connection_text
from dx_pipeline.sandbox.planted import TruthBook

SCHEMA: Final = "cds"
PRESENT: Final = date(2024, 6, 30)
#: table -> ((column, PostgreSQL type), ...)
TABLES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "dm_xa": (
        ("ma_xa", "varchar(5) primary key"),
        ("ten_xa", "varchar(100) not null"),
        ("ma_huyen", "varchar(5)"),
        ("het_hieu_luc", "date"),
    ),
    "ha_tang_so": (
        ("id", "bigint primary key"),
        ("ky", "varchar(6)"),
        ("ma_xa", "varchar(100)"),
        ("thue_bao_bang_rong", "varchar(20)"),
        ("thue_bao_di_dong", "varchar(20)"),
        ("ho_co_internet", "varchar(20)"),
        ("ho_co_smartphone", "varchar(20)"),
        ("tong_ho", "varchar(20)"),
        ("dan_so", "varchar(20)"),
        ("ngay_cap_nhat", "timestamp not null"),
    ),
    "to_cnscd": (
        ("id", "bigint primary key"),
        ("ma_to", "varchar(20)"),
        ("cap", "varchar(30)"),
        ("ma_xa", "varchar(100)"),
        ("ten_thon", "varchar(150)"),
        ("so_thanh_vien", "varchar(20)"),
        ("qd_thanh_lap", "varchar(100)"),
        ("ngay_thanh_lap", "varchar(19)"),
        ("ngay_giai_the", "varchar(19)"),
        ("ngay_cap_nhat", "timestamp not null"),
    ),
    "bao_cao_to_cnscd": (
        ("id", "bigint primary key"),
        ("ma_dong", "varchar(20)"),
        ("cap", "varchar(30)"),
        ("ma_xa", "varchar(100)"),
        ("ten_thon", "varchar(150)"),
        ("so_thanh_vien", "varchar(20)"),
        ("ngay_bao_cao", "date"),
        ("ngay_cap_nhat", "timestamp not null"),
    ),
    "he_thong_tt": (
        ("id", "bigint primary key"),
        ("ma_ht", "varchar(20)"),
        ("ten_ht", "varchar(250)"),
        ("loai", "varchar(40)"),
        ("chu_quan", "varchar(35)"),
        ("cap_do", "varchar(20)"),
        ("ipv6", "varchar(20)"),
        ("ket_noi_emc", "varchar(20)"),
        ("ket_noi_lgsp", "varchar(20)"),
        ("url", "varchar(250)"),
        ("ngay_cap_nhat", "timestamp not null"),
    ),
    "don_vi_cds": (
        ("id", "bigint primary key"),
        ("ma_don_vi", "varchar(35)"),
        ("ket_noi_tslcd", "varchar(20)"),
        ("can_bo_cds", "varchar(40)"),
        ("can_bo_attt", "varchar(40)"),
        ("ngay_cap_nhat", "timestamp not null"),
    ),
}


def build_digital_infrastructure(url: str, *, seed: int, truth_path: Path, reader: str, password: str) -> None:
    """Drop and rebuild schema ``cds`` at ``url`` in one transaction, and write the truth about what was planted.

    The same seed gives the same rows. ``reader`` becomes a role that may read the schema and nothing else.

    Raises:
        SourceUnavailable: the server cannot be reached.
    """
    truth = TruthBook(KINDS)
    communes = commune_list(PRESENT)
    agencies = build_agencies(seed)
    teams, reports = team_rows(communes, seed, truth)
    rows: dict[str, list[dict[str, Any]]] = {
        "dm_xa": [
            {"ma_xa": one.code, "ten_xa": one.name, "ma_huyen": one.district, "het_hieu_luc": one.ceased_on}
            for one in communes
        ],
        "ha_tang_so": infrastructure_rows(communes, seed, truth),
        "to_cnscd": teams,
        "bao_cao_to_cnscd": reports,
        "he_thong_tt": system_rows(agencies, seed, truth),
        "don_vi_cds": agency_rows(agencies, seed, truth),
    }
    try:
        connection = psycopg.connect(connection_text(url))
    except psycopg.OperationalError as error:
        raise SourceUnavailable(
            "The server for the sandbox's digital-infrastructure database cannot be reached.",
            next_step="Check that it runs: `dx sandbox build` starts it.",
        ) from error
    with connection:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SCHEMA)))
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
        for table, listed in rows.items():
            _fill(connection, table, listed)
        _grant(connection, reader, password)
    truth.write(
        truth_path,
        {
            "ha_tang_so": len(rows["ha_tang_so"]),
            "to_cong_nghe_so": len(teams),
            "to_cong_nghe_so_bao_cao": len(reports),
            "he_thong_thong_tin": len(rows["he_thong_tt"]),
            "don_vi_chuyen_doi_so": len(rows["don_vi_cds"]),
        },
    )


def _fill(connection: psycopg.Connection[Any], table: str, rows: Iterable[dict[str, Any]]) -> None:
    columns = TABLES[table]
    declared = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns
    )
    connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(SCHEMA, table), declared))
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(SCHEMA, table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[name] for name, _ in columns])
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(SCHEMA, table)))


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
