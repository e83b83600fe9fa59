"""From which instant the warehouse knows a row: one clock for all who publish, so that "as known at" is exact.

Whoever publishes a batch holds a shared lock from before the instant its rows are stamped with until its commit. Whoever
fixes a report (``publication``) holds the same lock alone while reading. So everything stamped before the report's
instant is committed and in it, and everything committed later is stamped later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.connection import Warehouse

_LOCK = "hashtextextended('dx:known_time', 0)"


def begin_publishing(connection: Connection) -> datetime:
    """Before anything is written by a publishing transaction: the instant from which its rows are known.

    Never before an instant given out earlier, should the server's clock be set back.
    """
    connection.exec_driver_sql(f"select pg_advisory_xact_lock_shared({_LOCK})")
    found: datetime = connection.exec_driver_sql(
        "select greatest(clock_timestamp(), (select max(b.published_at) + interval '1 microsecond' from ops.batch as b))"
    ).scalar_one()
    return found


@contextmanager
def nothing_published_meanwhile(warehouse: Warehouse) -> Iterator[Connection]:
    """A loader's transaction whose ``now()`` separates all that is published from all that is going to be."""
    with warehouse.loader() as gate:
        gate.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        with warehouse.loader() as connection:
            yield connection
