"""A built one-stop sandbox and plain SQL on it, for the tests of the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq

from dx_pipeline.sandbox.one_stop import BuildReport, build_one_stop
from dx_pipeline.sandbox.one_stop.schema import TABLES, connection_text
from dx_pipeline.warehouse.embedded import EmbeddedServer

DOSSIERS = 2_000
PASSWORD = "mật khẩu 'đọc' 1982"
ORDER = {"linh_vuc": "MaLinhVuc", "ngay_nghi": "Ngay", "groups": "GroupCode", "thu_tuc": "MaTTHC"}


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(connection_text(url)) as connection:
        connection.execute("set search_path = motcua")
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def value(url: str, statement: str) -> Any:
    return rows(url, statement)[0][0]


def checksums(url: str) -> dict[str, str]:
    """MD5 of every table's text, in key order."""
    return {
        table: value(
            url, f"select md5(string_agg(t::text, E'\\n' order by \"{ORDER.get(table, 'Id')}\")) from {table} as t"
        )
        for table in TABLES
    }


class Sandbox:
    """One built sandbox with its truth."""

    def __init__(self, url: str, folder: Path, report: BuildReport) -> None:
        self.url = url
        self.report = report
        self.truth: list[dict[str, Any]] = pq.read_table(report.truth_file).to_pylist()
        self.summary: dict[str, Any] = json.loads(report.summary_file.read_text("utf-8"))
        self.folder = folder

    def planted(self, code: str) -> list[dict[str, Any]]:
        return [row for row in self.truth if row["code"] == code]

    def ids(self, table: str, *verdicts: str) -> set[int]:
        return {row["source_id"] for row in self.truth if row["table"] == table and row["verdict"] in verdicts}

    def column(self, table: str, column: str, ids: set[int]) -> dict[int, Any]:
        listed = ", ".join(map(str, sorted(ids)))
        return dict(rows(self.url, f'select "Id", "{column}" from {table} where "Id" in ({listed})'))


def built_sandbox(server: EmbeddedServer, database: str, folder: Path) -> Sandbox:
    """A sandbox of 2,000 dossiers in a new database."""
    server.create_database(database)
    url = server.start().url(database)
    report = build_one_stop(url, dossiers=DOSSIERS, truth_path=folder, reader_password=PASSWORD)
    return Sandbox(url, folder, report)


REAL_DAY = "20[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])"


def moment(column: str) -> str:
    """Naive local timestamp of a text time in either form; null for '' and for days that do not exist."""
    name = f'"{column}"'
    return f"""coalesce(
        to_timestamp(case when {name} like '%:%' and {name} !~ '^31/11' then {name} end, 'DD/MM/YYYY HH24:MI:SS'),
        to_timestamp(
            case when {name} ~ '^{REAL_DAY}[0-9]{{6}}$' and {name} !~ '^20240231' then {name} end, 'YYYYMMDDHH24MISS'
        )
    )::timestamp"""
