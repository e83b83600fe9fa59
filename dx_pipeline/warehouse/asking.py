"""Ask one question with the rights of a role, by a login of its own that can take no other.

``set role`` in the owner's session is not enough: the question itself may set the role back
(``set_config('role', 'none', true)``) and go on with the owner's rights, as far as a function carries out SQL.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from dx_pipeline.errors import WarehouseError
from dx_pipeline.sql_quoting import identifier, literal
from dx_pipeline.warehouse.connection import SESSION_OPTIONS, Warehouse

_PREFIX = "dx_asking_"
_LEFT_OVER = (
    "select rolname from pg_roles where starts_with(rolname, 'dx_asking_') and rolvaliduntil < now()"
    " and not exists (select from pg_stat_activity as a where a.usename = rolname)"
)


@contextmanager
def asking(warehouse: Warehouse, role: str) -> Iterator[Connection]:
    """A read-only transaction of a login that is a member of ``role`` and of nothing else; the login is gone afterwards.

    Raises:
        WarehouseError: the owner may not make the login.
    """
    name = _PREFIX + secrets.token_hex(8)
    password = secrets.token_urlsafe(24)
    try:
        with warehouse.owner() as connection:
            for (left_over,) in connection.exec_driver_sql(_LEFT_OVER).all():
                connection.exec_driver_sql(f"drop role {identifier(left_over)}")  # of a process that was killed
            driver: psycopg.Connection[object] = connection.connection.driver_connection  # type: ignore[assignment]
            verifier = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            (until,) = connection.exec_driver_sql("select (now() + interval '10 minutes')::text").one()
            connection.exec_driver_sql(
                f"create role {identifier(name)} login noinherit connection limit 1 password {literal(verifier)}"
                f" valid until {literal(until)}"
            )
            connection.exec_driver_sql(f"grant {identifier(role)} to {identifier(name)} with inherit true, set false")
    except sa.exc.DBAPIError as error:
        raise WarehouseError(
            f"no login for {role} can be made: {str(error.orig).splitlines()[0]}",
            next_step="the owner of the warehouse needs createrole; or connect with psql as a member of the role",
        ) from None
    engine = sa.create_engine(
        warehouse.url.set(username=name, password=password),
        connect_args={"options": SESSION_OPTIONS, "application_name": "dx sql", "connect_timeout": 10},
        poolclass=NullPool,
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("set transaction read only")
            yield connection
    finally:
        engine.dispose()
        with suppress(sa.exc.DBAPIError), warehouse.owner() as connection:
            connection.exec_driver_sql(f"drop role {identifier(name)}")
