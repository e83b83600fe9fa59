"""ADBC connections to the warehouse, kept for the next COPY.

Each new one reads the types of the whole database: 0.1 to 0.2 s for a star of some hundred partitions, which is longer
than the COPY of most batches. ADBC is imported by the first one: it brings pandas with it, and most commands copy nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

import adbc_driver_manager

from dx_pipeline.errors import WarehouseUnavailable

if TYPE_CHECKING:
    import adbc_driver_postgresql.dbapi as adbc

KEPT = 2


class ArrowConnections:
    """Hands out connections in autocommit mode, one user at a time each; a broken one is not handed out again."""

    def __init__(self, uri: Callable[[], str]) -> None:
        """``uri``: libpq URI; it holds a password, so it is asked for when needed and never kept."""
        self._uri = uri
        self._idle: list[adbc.Connection] = []
        self._guard = Lock()

    @contextmanager
    def lease(self) -> Iterator[adbc.Connection]:
        """A connection that has just answered.

        Raises:
            WarehouseUnavailable: the server cannot be reached.
        """
        connection = self._answering() or self._connect()
        try:
            yield connection
        except BaseException:
            _close(connection)
            raise
        with self._guard:
            if len(self._idle) < KEPT:
                self._idle.append(connection)
                return
        _close(connection)

    def prepare(self) -> None:
        """Connect ahead of the first COPY; a server that does not answer is told of by whoever needs it."""
        with suppress(WarehouseUnavailable), self.lease():
            return

    def close(self) -> None:
        """Close those that nobody uses."""
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            _close(connection)

    def _connect(self) -> adbc.Connection:
        import adbc_driver_postgresql.dbapi as adbc

        try:
            return adbc.connect(self._uri(), autocommit=True)
        except adbc_driver_manager.Error as error:
            raise WarehouseUnavailable(f"the warehouse cannot be reached for COPY: {brief(error)}") from None

    def _answering(self) -> adbc.Connection | None:
        while True:
            with self._guard:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
                    cursor.fetchone()
            except adbc_driver_manager.Error:  # the server was restarted meanwhile
                _close(connection)
            else:
                return connection


def brief(error: Exception) -> str:
    """The first line of an error, no longer than a message can be."""
    return str(error).split("\n")[0][:300]


def _close(connection: adbc.Connection) -> None:
    with suppress(adbc_driver_manager.Error):
        connection.close()
