"""``dx access``: who may log in to the warehouse, with which rights, and until when."""

from __future__ import annotations

import csv
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from dx_pipeline.warehouse.access import AccessRight
    from dx_pipeline.warehouse.connection import Warehouse

access_app = typer.Typer(help="Logins: give, end and show rights, each until a day.", no_args_is_help=True)
LONGEST_DAYS = 731
DEFAULT_DAYS = 365
ENDS_SOON_DAYS = 14


def register(app: typer.Typer) -> None:
    app.add_typer(access_app, name="access")


@access_app.command()
@friendly
def grant(
    login: Annotated[str, typer.Argument(help="Name of the login: small letters, digits and '_'.")],
    kind: Annotated[str, typer.Option("--kind", "-k", help="analyst, department, bi, engineer or auditor.")],
    holder: Annotated[str, typer.Option("--for", help="Person or service that uses it; kept on record.")],
    agency: Annotated[
        list[str] | None,
        typer.Option("--agency", "-a", help="Only the own rows of this agency and those below it (repeatable)."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help=f"Last day, e.g. 2026-12-31. Default: {DEFAULT_DAYS} days from now.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="New file (mode 600) for the password, instead of showing it."),
    ] = None,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Make a new password for a login that has one.")
    ] = False,
) -> None:
    """Give a right to a login; a new login is made and its password shown once.

    A login has one right at a time: granting again changes kind, agencies or end and keeps the password.

      analyst      marts and star; with --agency of the star only its own rows (dossiers, petitions, ratings, budget)

      department   the rows its agency has to mend, its own rows of the marts, and what all share

      bi           marts, for a BI tool; with --agency its own rows of them

      engineer     star, marts and ledger                auditor      ledger and the records of reads and rights

    Examples:

      dx access grant an_nguyen --kind analyst --agency H50.05 --until 2026-12-31 --for "Nguyễn Văn An, Sở Xây dựng"

      dx access grant superset --kind bi --for "Superset của tỉnh" --password-file superset.pw
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.access import KINDS, grant_access

    if kind not in KINDS:
        raise SettingsError(f"--kind {kind!r} is unknown", next_step=f"use one of {', '.join(KINDS)}")
    if password_file is not None and password_file.exists():
        raise SettingsError(
            f"--password-file {password_file} exists", next_step="name a new file; it is never overwritten"
        )
    warehouse = get_warehouse()
    done = grant_access(
        warehouse,
        login,
        kind,
        agencies=agency or (),
        holder=holder,
        valid_until=_end_of(until),
        new_password=new_password or password_file is not None,
    )
    right = done.right
    console.print(
        f"{login} may log in as {right.kind} until {_moment(right.valid_until)}: {escape(', '.join(right.roles))}",
        soft_wrap=True,
    )
    url = warehouse.url
    console.print(f"server      {url.host}:{url.port}  database {url.database}  user {login}", soft_wrap=True)
    if done.password is None:
        console.print("password    as before; --new-password makes another")
    elif password_file is not None:
        write_password(password_file, done.password)
        console.print(f"password    in {escape(str(password_file))} (mode 600)", soft_wrap=True)
    else:
        console.print(f"password    {done.password}   [dim]shown this once; it is kept nowhere", soft_wrap=True)


@access_app.command()
@friendly
def revoke(login: Annotated[str, typer.Argument(help="Login whose right ends now.")]) -> None:
    """End the right of a login at once: it loses its roles and its password, and its sessions are closed.

    The name stays reserved, so that it never means another person in the records; `dx access grant` gives it a new right.

    Example: dx access revoke an_nguyen
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.access import revoke_access

    right = revoke_access(get_warehouse(), login)
    console.print(f"{login} ({right.kind}, {escape(right.holder)}) has no right any more", soft_wrap=True)


@access_app.command()
@friendly
def show(
    login: Annotated[
        str | None, typer.Argument(help="One login: its rights so far and every table it may read.")
    ] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Rights that have ended, too.")] = False,
    output: Annotated[str, typer.Option("--format", "-f", help="table or csv.")] = "table",
) -> None:
    """Who has which right, and until when.

    Examples:

      dx access show

      dx access show an_nguyen

      dx access show --ended -f csv > quyen.csv
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.access import list_rights, readable_tables

    if output not in ("table", "csv"):
        raise SettingsError(f"--format {output!r} is unknown", next_step="use table or csv")
    warehouse = get_warehouse()
    with warehouse.owner() as connection:
        rights = list_rights(connection, login=login, ended=ended or login is not None)
        if login is not None and not rights:
            raise SettingsError(f"{login} was never given a right", next_step="`dx access show` lists the logins")
        tables = readable_tables(connection, login) if login is not None else []
    if output == "csv":
        _write_csv(rights)
        return
    if not rights:
        console.print("nobody has a right; `dx access grant` gives one")
        return
    table = plain_table("Quyền truy cập · Rights")
    for name in ("login", "kind", "agencies", "holder", "granted", "until", "state"):
        table.add_column(name, overflow="fold", no_wrap=name in ("kind", "granted", "until"))
    for right in rights:
        table.add_row(
            right.login,
            right.kind,
            escape(", ".join(right.agencies)) or "toàn tỉnh · province",
            escape(right.holder),
            f"{_moment(right.granted_at)} {escape(right.granted_by)}",
            _moment(right.valid_until),
            _state(right),
        )
    console.print(table)
    if login is not None:
        for rows in ("own rows", "all rows"):
            names = [name for name, which in tables if which == rows]
            if names:
                console.print(f"{rows}: {', '.join(names)}", soft_wrap=True)
        if not tables:
            console.print("reads nothing")


@access_app.command()
@friendly
def agencies() -> None:
    """Agencies that --agency can name, with their level.

    Example: dx access agencies
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.access import list_agencies, sync_department_roles

    warehouse = get_warehouse()
    sync_department_roles(warehouse)
    with warehouse.owner() as connection:
        found = list_agencies(connection)
    table = plain_table("Cơ quan · Agencies")
    for name in ("code", "level", "name"):
        table.add_column(name, overflow="fold", no_wrap=name == "code")
    for row in found:
        table.add_row(*map(escape, row))
    console.print(table)


@access_app.command()
@friendly
def sync() -> None:
    """Bring rights up to date: roles for agencies that are new, an end to rights whose time is over.

    Dagster does it every minute (access_sensor); every command that opens the warehouse ends rights too.

    Example: dx access sync
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.access import end_lapsed, sync_department_roles

    warehouse: Warehouse = get_warehouse()
    ended = end_lapsed(warehouse)
    made = sync_department_roles(warehouse)
    console.print(
        f"{made} roles and policies made, {len(ended)} rights ended: {', '.join(r.login for r in ended) or '–'}"
    )


def write_password(path: Path, password: str) -> None:
    """Write to a new file that only its owner may read.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(
            f"the password could not be written to {path}: {error.strerror}; nobody has seen it",
            next_step="`dx access grant … --new-password` makes another",
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(password + "\n")


def _end_of(text: str | None) -> datetime:
    """The first instant after the last day, in local time."""
    from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE

    zone = ZoneInfo(LOCAL_TIME_ZONE)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if text is None:
        return today + timedelta(days=DEFAULT_DAYS + 1)
    try:
        last = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise SettingsError(f"--until {text!r} is no day", next_step="write it as 2026-12-31") from None
    if not today <= last <= today + timedelta(days=LONGEST_DAYS):
        raise SettingsError(
            f"--until {text} is not within {LONGEST_DAYS} days from now",
            next_step="a right is given for two years at most, and given again",
        )
    return last + timedelta(days=1)


def _state(right: AccessRight) -> str:
    if right.ended_at is not None:
        return f"[dim]{right.end_reason} {_moment(right.ended_at)}"
    left = right.valid_until - datetime.now(right.valid_until.tzinfo)
    return "[green]valid" if left.days >= ENDS_SOON_DAYS else f"[yellow]valid, {max(left.days, 0)} days left"


def _moment(at: datetime | None) -> str:
    from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE

    return "" if at is None else f"{at.astimezone(ZoneInfo(LOCAL_TIME_ZONE)):%Y-%m-%d %H:%M}"


def _write_csv(rights: list[AccessRight]) -> None:
    from dx_pipeline.spreadsheet import harmless

    writer = csv.writer(sys.stdout)
    writer.writerow(
        ["login", "kind", "agencies", "holder", "granted_at", "granted_by", "valid_until", "ended_at", "end_reason"]
    )
    for one in rights:
        cells = [one.login, one.kind, " ".join(one.agencies), one.holder, _moment(one.granted_at), one.granted_by]
        cells += [_moment(one.valid_until), _moment(one.ended_at), one.end_reason or ""]
        writer.writerow([harmless(cell) for cell in cells])
