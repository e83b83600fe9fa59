"""Rights of people and services on the warehouse: logins made, changed, ended and let lapse, each time on record.

A login has one right at a time: a kind, agencies (none for the whole province) and an end. When the right ends the
login loses its roles, may not log in any more and its sessions are closed. Passwords are made here, turned into a SCRAM
verifier before they leave this process, and given to the caller once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError, WarehouseError
from dx_pipeline.sql_quoting import identifier, literal
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE, Warehouse
from dx_pipeline.warehouse.operation_log import note_operation, operating_system_user

Kind = Literal["analyst", "department", "bi", "engineer", "auditor"]
KINDS: tuple[Kind, ...] = ("analyst", "department", "bi", "engineer", "auditor")
OF_AGENCIES: frozenset[Kind] = frozenset({"analyst", "department", "bi"})
_CONNECTIONS = {"bi": 20}
_FEW_CONNECTIONS = 5
_LOGIN = re.compile(r"[a-z][a-z0-9_]{2,39}")
_RESERVED = ("dx_", "pg_")


@dataclass(frozen=True)
class AccessRight:
    """One right, past or present."""

    login: str
    kind: Kind
    agencies: tuple[str, ...]
    roles: tuple[str, ...]
    holder: str
    granted_at: datetime
    granted_by: str
    valid_until: datetime
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True)
class Granted:
    """A right that was given; ``password`` only if one was made now."""

    right: AccessRight
    password: str | None


def group_roles(kind: Kind, agencies: Sequence[str]) -> tuple[str, ...]:
    """The group roles that a right gives.

    Raises:
        SettingsError: the kind has no agencies, or needs one.
    """
    if kind == "department" and not agencies:
        raise SettingsError("--kind department needs --agency", next_step="e.g. --agency H50.05; `dx access agencies`")
    if agencies and kind not in OF_AGENCIES:
        raise SettingsError(f"--kind {kind} is for the whole province", next_step="leave --agency out")
    if not agencies:
        return (f"dx_{kind}",)
    extra = ("dx_department_analyst",) if kind == "analyst" else ()
    return (*extra, *(f"dx_department:{agency}" for agency in agencies))


def grant_access(
    warehouse: Warehouse,
    login: str,
    kind: Kind,
    *,
    agencies: Sequence[str] = (),
    holder: str,
    valid_until: datetime,
    new_password: bool = False,
) -> Granted:
    """Give a right to a login, which is made if it is new; the right it had ends.

    Args:
        agencies: codes of the agencies whose own rows are seen; none is the whole province.
        holder: the person or service, and what for.
        new_password: make a password although the login has one.

    Raises:
        SettingsError: name, kind, agency or end is no good.
        WarehouseError: a login of that name was not made here, or the owner may not make logins.
    """
    _check_login(login)
    agencies = sorted(set(agencies))
    roles = group_roles(kind, agencies)
    if not 3 <= len(holder.strip()) <= 200:
        raise SettingsError(
            "--for does not say who uses the login", next_step="e.g. --for 'Nguyễn Văn An, Sở Xây dựng'"
        )
    sync_department_roles(warehouse)
    try:
        with warehouse.owner() as connection:
            _lock(connection)
            _check_agencies(connection, agencies)
            known = connection.execute(
                sa.text("select exists (select from ops.access_grant where login = :login)"), {"login": login}
            ).scalar_one()
            exists = _exists(connection, login)
            if exists and not known:
                raise WarehouseError(
                    f"the role {login} exists and was not made by `dx access grant`",
                    next_step="choose another name for the login",
                )
            if valid_until <= connection.exec_driver_sql("select now()").scalar_one():
                raise SettingsError(f"--until {valid_until:%Y-%m-%d} has passed", next_step="give a day in the future")
            ended = _end(connection, login, "replaced") if exists else []
            if not exists:
                connection.exec_driver_sql(f"create role {identifier(login)} nologin")
            password = None if ended and not new_password else secrets.token_urlsafe(24)
            _let_in(connection, login, kind, valid_until, password)
            for role in roles:
                connection.exec_driver_sql(
                    _raw(f"grant {identifier(role)} to {identifier(login)} with inherit true, set false")
                )
            row = connection.execute(
                sa.text(
                    "insert into ops.access_grant (login, kind, agencies, roles, holder, granted_by, valid_until) values"
                    " (:login, :kind, :agencies, :roles, :holder, :by, :valid_until) returning *"
                ),
                {
                    "login": login,
                    "kind": kind,
                    "agencies": list(agencies),
                    "roles": list(roles),
                    "holder": holder.strip(),
                    "by": operating_system_user(),
                    "valid_until": valid_until,
                },
            ).one()
            right = _right(row)
            note_operation(
                connection,
                "access_grant",
                {
                    **_told(right),
                    "replaced": [one.kind for one in ended],
                    "new_password": password is not None,
                },
            )
    except sa.exc.ProgrammingError as error:
        raise _not_allowed(error, login) from None
    return Granted(right, password)


def revoke_access(warehouse: Warehouse, login: str) -> AccessRight:
    """End the right of a login at once: no roles, no way in, no open session.

    Raises:
        WarehouseError: the login has no right.
    """
    try:
        with warehouse.owner() as connection:
            _lock(connection)
            ended = _end(connection, login, "revoked") if _exists(connection, login) else []
            if not ended:
                raise WarehouseError(
                    f"{login} has no right that could be revoked", next_step="`dx access show` lists them"
                )
            _shut_out(connection, login)
            note_operation(connection, "access_revoke", _told(ended[0]))
            _close_sessions(connection, login)
    except sa.exc.ProgrammingError as error:
        raise _not_allowed(error, login) from None
    return ended[0]


def end_lapsed(warehouse: Warehouse) -> list[AccessRight]:
    """End every right whose time is over: the roles go and open sessions with them; the server refuses new ones already."""
    lapsed = sa.text("select distinct login from ops.access_grant where ended_at is null and valid_until <= now()")
    with warehouse.owner() as connection:
        if not connection.execute(lapsed).first():
            return []
    ended: list[AccessRight] = []
    with warehouse.owner() as connection:
        _lock(connection)
        for login in list(connection.execute(lapsed).scalars()):
            over = _end(connection, login, "lapsed")
            if _exists(connection, login):
                _shut_out(connection, login)
                _close_sessions(connection, login)
            for right in over:
                note_operation(connection, "access_lapse", _told(right))
            ended += over
    return ended


def sync_department_roles(warehouse: Warehouse) -> int:
    """Make the roles and policies of agencies that are new in the catalogue; returns how many things were made.

    Raises:
        WarehouseError: a load holds a fact for too long, or the owner may not make roles.
    """
    try:
        with warehouse.owner() as connection:
            _lock(connection)
            made = int(connection.exec_driver_sql("select ops.sync_department_roles()").scalar_one())
            if made:
                note_operation(connection, "access_roles", {"made": made})
    except sa.exc.OperationalError as error:
        raise WarehouseError(
            f"the departments' roles could not be brought up to date: {_first_line(error)}",
            next_step="a run holds the facts: wait until it is done, then try again",
        ) from None
    except sa.exc.ProgrammingError as error:
        raise _not_allowed(error, "the departments") from None
    return made


def list_rights(connection: Connection, *, login: str | None = None, ended: bool = False) -> list[AccessRight]:
    """Rights by login, the newest first; of ended ones only if asked for."""
    rows = connection.execute(
        sa.text(
            "select * from ops.access_grant where (cast(:login as text) is null or login = :login)"
            " and (:ended or ended_at is null) order by login, grant_id desc"
        ),
        {"login": login, "ended": ended},
    )
    return [_right(row) for row in rows]


def list_agencies(connection: Connection) -> list[tuple[str, str, str]]:
    """Code, level and name of every agency that has a role."""
    rows = connection.exec_driver_sql(
        "select distinct on (a.agency_code) a.agency_code, coalesce((select min(substr(g.rolname, 10)) from"
        " pg_auth_members as m join pg_roles as g on g.oid = m.roleid"
        " where m.member = r.oid and g.rolname like 'dx_level:%%'), ''), a.name"
        " from core.dim_agency as a join pg_roles as r on r.rolname = 'dx_department:' || a.agency_code"
        " order by a.agency_code, a.valid_from desc"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def readable_tables(connection: Connection, login: str) -> list[tuple[str, str]]:
    """Each table and view a login may read, and which rows: all, or those of its agencies."""
    rows = connection.execute(
        sa.text(
            "select format('%I.%I', n.nspname, c.relname), c.relrowsecurity and exists (select from pg_policy as p"
            " where p.polrelid = c.oid and pg_get_expr(p.polqual, p.polrelid) <> 'true')"
            " and pg_has_role(:login, 'dx_department', 'member')"
            " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname in ('core', 'mart', 'ops', 'restricted', 'stage') and c.relkind in ('r', 'p', 'v', 'm')"
            " and has_schema_privilege(:login, n.oid, 'usage')"
            " and has_any_column_privilege(:login, c.oid, 'select') order by 1"
        ),
        {"login": login},
    )
    return [(row[0], "own rows" if row[1] else "all rows") for row in rows]


def _check_login(login: str) -> None:
    if not _LOGIN.fullmatch(login) or login.startswith(_RESERVED):
        raise SettingsError(
            f"{login!r} is no name for a login",
            next_step="3 to 40 small letters, digits and '_', a letter first, not dx_ or pg_: e.g. an_nguyen",
        )


def _check_agencies(connection: Connection, agencies: Sequence[str]) -> None:
    for agency in agencies:
        if not _exists(connection, f"dx_department:{agency}"):
            raise SettingsError(
                f"agency {agency!r} is not in the catalogue (core.dim_agency)",
                next_step="`dx access agencies` lists the codes; a new agency appears after the run that brings it",
            )


def _lock(connection: Connection) -> None:
    """One at a time: two at once could give a login two rights."""
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended('dx:access', 0))")


def _exists(connection: Connection, role: str) -> bool:
    return bool(
        connection.execute(
            sa.text("select exists (select from pg_roles where rolname = :role)"), {"role": role}
        ).scalar_one()
    )


def _let_in(connection: Connection, login: str, kind: Kind, valid_until: datetime, password: str | None) -> None:
    secret = ""
    if password is not None:
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        verifier = driver.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
        secret = f" password {literal(verifier)}"
    connection.exec_driver_sql(
        _raw(
            f"alter role {identifier(login)} login inherit connection limit {_CONNECTIONS.get(kind, _FEW_CONNECTIONS)}"
            f"{secret} valid until {literal(valid_until.isoformat())}"
        )
    )
    for name, value in (
        ("timezone", LOCAL_TIME_ZONE),  # of the role, not of the session: it reaches the workers of Citus too
        ("statement_timeout", "10min"),
        ("idle_in_transaction_session_timeout", "10min"),
    ):
        connection.exec_driver_sql(_raw(f"alter role {identifier(login)} set {name} = {literal(value)}"))


def _end(connection: Connection, login: str, reason: str) -> list[AccessRight]:
    """Close the right in the books and take every role from the login, also those that were given by hand."""
    if _exists(connection, login):
        groups = connection.execute(
            sa.text(
                "select distinct g.rolname, pg_get_userbyid(m.grantor) from pg_auth_members as m"
                " join pg_roles as g on g.oid = m.roleid join pg_roles as r on r.oid = m.member where r.rolname = :login"
            ),
            {"login": login},
        ).all()
        for group, grantor in groups:
            connection.exec_driver_sql(
                _raw(f"revoke {identifier(group)} from {identifier(login)} granted by {identifier(grantor)}")
            )
    rows = connection.execute(
        sa.text(
            "update ops.access_grant set ended_at = now(), ended_by = :by, end_reason = :reason"
            " where login = :login and ended_at is null returning *"
        ),
        {"login": login, "reason": reason, "by": operating_system_user()},
    )
    return [_right(row) for row in rows]


def _shut_out(connection: Connection, login: str) -> None:
    """The role stays, so that its name in the records never means another person; it has no password and no way in."""
    connection.exec_driver_sql(_raw(f"alter role {identifier(login)} nologin password null"))


def _close_sessions(connection: Connection, login: str) -> None:
    """Open sessions have lost their rights already. An owner that may not end them leaves them with nothing."""
    try:
        with connection.begin_nested():
            connection.execute(
                sa.text("select pg_terminate_backend(pid) from pg_stat_activity where usename = :login"),
                {"login": login},
            )
    except sa.exc.ProgrammingError:
        return


def _right(row: sa.Row[Any]) -> AccessRight:
    return AccessRight(
        login=row.login,
        kind=row.kind,
        agencies=tuple(row.agencies),
        roles=tuple(row.roles),
        holder=row.holder,
        granted_at=row.granted_at,
        granted_by=row.granted_by,
        valid_until=row.valid_until,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def _told(right: AccessRight) -> dict[str, Any]:
    return {
        "login": right.login,
        "kind": right.kind,
        "agencies": list(right.agencies),
        "roles": list(right.roles),
        "holder": right.holder,
        "valid_until": right.valid_until.isoformat(),
    }


def _not_allowed(error: sa.exc.DBAPIError, subject: str) -> WarehouseError:
    return WarehouseError(
        f"the rights of {subject} could not be changed: {_first_line(error)}",
        next_step="the owner of the warehouse needs createrole, and admin option on the roles dx_…",
    )


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).splitlines()[0]


def _raw(statement: str) -> str:
    """A statement that takes no bound values; names in it are quoted."""
    return statement.replace("%", "%%")
