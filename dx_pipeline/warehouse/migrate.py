"""Bring the warehouse to the state its SQL files describe: ordered, recorded, checksummed, re-runnable.

Files: ``warehouse_sql/migrations/NNNN_name.sql`` of every project folder, then the ``-- dx:tables``
section of load files. Each runs in one transaction together with its row in ``ops.migration``.
A migration must never be edited once it ran; a ``dx:tables`` section is idempotent and runs again
when it changed.

A line ``-- dx:copy schema.table(col, ...) from reference/file.csv`` loads a CSV file (header, UTF-8)
that lies below ``warehouse_sql/``; statements above it run before, those below it after.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import MigrationError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.distribution import SEQUENTIAL
from dx_pipeline.warehouse.load_file import tables_section

MIGRATION_NAME = re.compile(r"^\d{4}_[a-z0-9_]+\.sql\Z")
COPY_DIRECTIVE = re.compile(
    r"^-- dx:copy (?P<target>[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*)\s*\((?P<columns>[a-z0-9_,\s]+)\) from (?P<file>\S+)\s*$",
    re.MULTILINE,
)
_BOOTSTRAP = """
create schema if not exists ops;
create table if not exists ops.migration (
    project text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    seconds numeric(10, 3) not null,
    primary key (project, name)
);
comment on table ops.migration is 'Các tệp SQL đã chạy trên kho | SQL files that have run on this warehouse';
comment on column ops.migration.project is 'Thư mục dự án | Project folder the file belongs to';
comment on column ops.migration.name is 'Tên tệp | File name';
comment on column ops.migration.checksum is 'SHA-256 của nội dung | SHA-256 of the content';
comment on column ops.migration.applied_at is 'Thời điểm chạy | When it ran';
comment on column ops.migration.seconds is 'Số giây chạy | Seconds it took';
"""


@dataclass(frozen=True)
class SqlScript:
    """One recorded script: a migration file or the tables section of a load file."""

    project: str
    name: str
    path: Path
    text: str
    editable: bool

    @property
    def checksum(self) -> str:
        content = self.text
        for match in COPY_DIRECTIVE.finditer(self.text):
            file = self._sql_root / match["file"]
            content += hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "missing"
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def _sql_root(self) -> Path:
        return next(parent for parent in self.path.parents if parent.name == "warehouse_sql")


def scripts_of(roots: Sequence[Path]) -> list[SqlScript]:
    """All scripts in the order they must run.

    Raises:
        MigrationError: a file name is not ``NNNN_name.sql`` or a number is used twice.
    """
    found: list[SqlScript] = []
    for position, root in enumerate(roots):
        project = "dx" if position == 0 else root.name
        numbers: dict[str, str] = {}
        for path in sorted((root / "warehouse_sql" / "migrations").glob("*.sql")):
            if not MIGRATION_NAME.match(path.name):
                raise MigrationError(f"migration {path}: the name must look like 0007_what_it_does.sql")
            if path.name[:4] in numbers:
                raise MigrationError(f"migrations {numbers[path.name[:4]]} and {path.name} have the same number")
            numbers[path.name[:4]] = path.name
            found.append(SqlScript(project, path.name, path, path.read_text(encoding="utf-8"), editable=False))
    for position, root in enumerate(roots):
        project = "dx" if position == 0 else root.name
        for path in sorted((root / "warehouse_sql" / "load").glob("*/*.sql")):
            section = tables_section(path)
            if section:
                found.append(SqlScript(project, f"load/{path.parent.name}/{path.name}", path, section, editable=True))
    return found


def migrate(
    warehouse: Warehouse, roots: Sequence[Path], *, broken: MutableMapping[Path, MigrationError] | None = None
) -> list[str]:
    """Run what has not run yet; return the names of the scripts that ran.

    Args:
        broken: takes the failures of ``dx:tables`` sections by load file, so that one dataset's mistake does
            not stop the others; without it they are raised.

    Raises:
        MigrationError: a script failed (file, line and server message are named), or one that already
            ran was edited since.
    """
    ran: list[str] = []
    scripts = scripts_of(roots)
    with warehouse.owner() as connection:
        connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended('dx:migrate', 0))")
        connection.exec_driver_sql(_BOOTSTRAP)
    for script in scripts:
        try:
            with warehouse.owner() as connection:
                connection.exec_driver_sql(SEQUENTIAL)
                connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended('dx:migrate', 0))")
                if _run_once(connection, script):
                    ran.append(script.name)
        except MigrationError as error:
            if broken is None or not script.editable:
                raise
            broken[script.path] = error
    return ran


def _run_once(connection: Connection, script: SqlScript) -> bool:
    checksum = script.checksum
    recorded = connection.execute(
        sa.text("select checksum from ops.migration where project = :project and name = :name"),
        {"project": script.project, "name": script.name},
    ).scalar()
    if recorded == checksum:
        return False
    if recorded is not None and not script.editable:
        raise MigrationError(
            f"migration {script.path.name} was edited after it ran on this warehouse",
            next_step="restore the file and put the change into a new migration with the next number",
        )
    started = time.monotonic()
    _execute(connection, script)
    connection.execute(
        sa.text(
            "insert into ops.migration (project, name, checksum, seconds) values (:project, :name, :checksum, :seconds)"
            " on conflict (project, name) do update set checksum = excluded.checksum, applied_at = now(),"
            " seconds = excluded.seconds"
        ),
        {
            "project": script.project,
            "name": script.name,
            "checksum": checksum,
            "seconds": round(time.monotonic() - started, 3),
        },
    )
    return True


def _execute(connection: Connection, script: SqlScript) -> None:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    position = 0
    try:
        for match in COPY_DIRECTIVE.finditer(script.text):
            _execute_text(driver, script, position, match.start())
            _copy_reference(driver, script, match)
            position = match.end()
        _execute_text(driver, script, position, len(script.text))
    except psycopg.Error as error:
        raise MigrationError(
            f"migration {script.path}: {_server_message(error, script.text, position)}",
            next_step="mend the file and run again; nothing of this migration was kept",
        ) from error


def _execute_text(driver: psycopg.Connection[Any], script: SqlScript, start: int, end: int) -> None:
    piece = script.text[start:end]
    if re.sub(r"--[^\n]*", "", piece).strip():
        driver.execute(piece.encode())


def _copy_reference(driver: psycopg.Connection[Any], script: SqlScript, match: re.Match[str]) -> None:
    file = (script._sql_root / match["file"]).resolve()
    if not file.is_relative_to(script._sql_root.resolve()) or not file.is_file():
        raise MigrationError(f"migration {script.path}: reference file {match['file']!r} is not below warehouse_sql/")
    schema, table = match["target"].split(".")
    columns = [psycopg.sql.Identifier(name.strip()) for name in match["columns"].split(",")]
    statement = psycopg.sql.SQL("copy {}.{} ({}) from stdin (format csv, header true)").format(
        psycopg.sql.Identifier(schema), psycopg.sql.Identifier(table), psycopg.sql.SQL(", ").join(columns)
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(file.read_bytes())


def _server_message(error: psycopg.Error, text: str, start: int) -> str:
    diagnostic = error.diag
    message = diagnostic.message_primary or str(error)
    if diagnostic.statement_position:
        line = text.count("\n", 0, start + int(diagnostic.statement_position)) + 1
        message = f"line {line}: {message}"
    return message
