"""Open the warehouse: the embedded PostgreSQL, or any PostgreSQL >= 16 named by ``DX_WAREHOUSE_URL``.

Two ways in: ``owner`` connections run migrations; ``loader`` connections take the role ``dx_loader``,
which may write rows but owns nothing, so that load SQL can never alter or drop a shared table.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from dx_pipeline.errors import DatasetBusy, SettingsError, WarehouseError, WarehouseUnavailable
from dx_pipeline.settings import TALLIES_FROM_ROWS, Settings
from dx_pipeline.warehouse.arrow_connections import ArrowConnections
from dx_pipeline.warehouse.embedded import EmbeddedServer

logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # a lost session is told of by whoever used it
_QUOTED = re.compile(r'".*"', re.DOTALL)
LOADER_ROLE = "dx_loader"
DATABASE = "dx_warehouse"
OLDEST_SERVER = 16
LOCAL_TIME_ZONE = "Asia/Ho_Chi_Minh"
SESSION_OPTIONS = f"-c timezone={LOCAL_TIME_ZONE} -c client_connection_check_interval=2000 -c jit=off"
_LOCK = sa.text("select pg_advisory_lock(hashtextextended(:name, 0))")
_TRY = sa.text("select pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = sa.text("select pg_advisory_unlock(hashtextextended(:name, 0))")
_TURN_LOOK_SECONDS = 0.1


class Warehouse:
    """A handle on the warehouse; connections are made when asked for and disposed by ``close``."""

    def __init__(
        self, url: URL, *, embedded: EmbeddedServer | None = None, tallies_from_rows: int = TALLIES_FROM_ROWS
    ) -> None:
        """``tallies_from_rows``: rows from which on marts keep their counts (``DX_TALLIES_FROM_ROWS``)."""
        self.url = url
        self.tallies_from_rows = tallies_from_rows
        self.embedded = embedded
        self._owner = _engine(url, SESSION_OPTIONS)
        self._loader = _engine(url, f"{SESSION_OPTIONS} -c role={LOADER_ROLE}")
        sa.event.listen(self._loader, "reset", _forget_temporary)
        # Apart from the others, and as many as are asked for: a lock is held as long as a source takes to be read, so
        # a few sources that hang would else use up the connections of all.
        self._locks = _engine(url, f"{SESSION_OPTIONS} -c role={LOADER_ROLE}", max_overflow=-1)
        self.arrow = ArrowConnections(self.adbc_uri)

    @classmethod
    def open(cls, settings: Settings) -> Warehouse:
        """Start the embedded server if no other is configured, and check that the server can be used.

        Raises:
            SettingsError: ``DX_WAREHOUSE_URL`` is no PostgreSQL URL.
            WarehouseUnavailable: the server cannot be reached.
            WarehouseError: the server is too old.
        """
        if settings.warehouse_url is not None:
            url = external_url(settings.warehouse_url.get_secret_value())
            warehouse = cls(url, tallies_from_rows=settings.tallies_from_rows)
        else:
            server = embedded_server(settings)
            address = server.start()
            server.create_database(DATABASE)
            url = make_url(address.url(DATABASE))
            warehouse = cls(url, embedded=server, tallies_from_rows=settings.tallies_from_rows)
        warehouse.check_version()
        return warehouse

    def check_version(self) -> int:
        """Major version of the server.

        Raises:
            WarehouseUnavailable, WarehouseError: see ``open``.
        """
        with self.owner() as connection:
            version = int(connection.exec_driver_sql("show server_version_num").scalar_one()) // 10_000
        if version < OLDEST_SERVER:
            raise WarehouseError(
                f"the warehouse runs PostgreSQL {version}, at least {OLDEST_SERVER} is needed",
                next_step="upgrade the server or unset DX_WAREHOUSE_URL to use the embedded one",
            )
        return version

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """A transaction as the owner of the warehouse; committed at the end, rolled back on an error."""
        with _begin(self._owner) as connection:
            yield connection

    @contextmanager
    def loader(self) -> Iterator[Connection]:
        """A transaction with the rights of ``dx_loader``; committed at the end, rolled back on an error."""
        with _begin(self._loader) as connection:
            yield connection

    @contextmanager
    def dataset_lock(self, dataset_id: str, *, timeout_seconds: int) -> Iterator[None]:
        """Hold the dataset for this process, so that two runs never work on it at once.

        The lock belongs to the database session: it ends with the process, however that dies.

        Raises:
            DatasetBusy: another run held the dataset for longer than ``timeout_seconds``.
        """
        name = f"dx:{dataset_id}"
        with self._lock_session() as connection:
            connection.execute(
                sa.text("select set_config('lock_timeout', :limit, false)"),
                {"limit": str(max(1, timeout_seconds * 1000))},
            )
            try:
                connection.execute(_LOCK, {"name": name})
            except sa.exc.OperationalError as error:
                raise DatasetBusy(
                    f"{dataset_id}: another run has held this dataset for {timeout_seconds} s",
                    next_step="wait for it, or look at `dx status` which run it is",
                ) from error
            with _unlocking(connection, name):
                yield

    @contextmanager
    def source_turn(self, system: str, *, limit: int, timeout_seconds: int) -> Iterator[None]:
        """Hold one of the ``limit`` turns at a source, so that all runs together never read more of it at once.

        As ``dataset_lock``, it ends with the process. Whoever waits for a turn holds its dataset, and whoever has one
        waits for nothing but the source: nobody waits in a circle.

        Raises:
            DatasetBusy: others have used every turn for longer than ``timeout_seconds``.
        """
        names = [f"dx:source:{system}:{number}" for number in range(max(limit, 1))]
        give_up = time.monotonic() + timeout_seconds
        with self._lock_session() as connection:
            while not (taken := next((n for n in names if connection.execute(_TRY, {"name": n}).scalar_one()), None)):
                if time.monotonic() >= give_up:
                    raise DatasetBusy(
                        f"the source of system {system} has been read by others for {timeout_seconds} s, and"
                        f" {len(names)} at once may read it",
                        next_step=f"wait for them, or raise poolLimit in assets/{system}/system.yaml if the owner agrees",
                    )
                time.sleep(_TURN_LOOK_SECONDS)
            with _unlocking(connection, taken):
                yield

    @contextmanager
    def _lock_session(self) -> Iterator[Connection]:
        with _connect(self._locks) as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def adbc_uri(self) -> str:
        """libpq URI for ADBC with the loader's role. Holds the password: never log it."""
        return libpq_uri(self.url, f"{SESSION_OPTIONS} -c role={LOADER_ROLE}")

    def close(self) -> None:
        """Give back all connections; the server itself goes on."""
        self._owner.dispose()
        self._loader.dispose()
        self._locks.dispose()
        self.arrow.close()


def embedded_server(settings: Settings) -> EmbeddedServer:
    """The embedded warehouse server of this installation, started or not."""
    return EmbeddedServer(settings.home, name="warehouse")


def external_url(text: str) -> URL:
    """Parse ``DX_WAREHOUSE_URL``; the driver is always psycopg 3.

    Raises:
        SettingsError: it is not a PostgreSQL URL.
    """
    try:
        url = make_url(text)
    except sa.exc.ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingsError(
            "DX_WAREHOUSE_URL is not a PostgreSQL URL",
            next_step="write it as postgresql://user:password@host:5432/database",
        )
    return url.set(drivername="postgresql+psycopg")


def broke_off(error: sa.exc.DBAPIError) -> bool:
    """Whether the same statements may succeed when tried again: the session was lost, or lost to another one.

    SQLSTATE classes 08 (connection), 40 (deadlock, serialization) and 57P (server shutting down):
    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state.startswith(("08", "40", "57P"))


def libpq_uri(url: URL, options: str = "") -> str:
    """The same address as libpq understands it (ADBC, psql). Holds the password: never log it."""
    query: Mapping[str, Any] = dict(url.query)
    plain = url.set(drivername="postgresql", query={}).render_as_string(hide_password=False)
    parts = [f"{key}={quote(str(value))}" for key, value in query.items() if key != "options"]
    if options:
        parts.append("options=" + quote(options))
    return plain + ("?" + "&".join(parts) if parts else "")


@contextmanager
def _unlocking(connection: Connection, name: str) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(sa.exc.DBAPIError):  # a session that broke off has given its lock back already
            connection.execute(_UNLOCK, {"name": name})


def run_text(connection: Connection, text: str) -> None:
    """Run SQL as it stands, one statement or many; ``%`` and ``:`` mean nothing.

    Raises:
        psycopg.Error: a statement failed.
    """
    driver: Any = connection.connection.driver_connection
    if text.strip():
        driver.execute(text.encode())


def without_values(error: psycopg.Error) -> str:
    """What the server said, without what rows hold.

    Errors about data (SQLSTATE class 22) quote the value; broken constraints (class 23) show the row below the message.
    """
    message = error.diag.message_primary or str(error)
    return _QUOTED.sub('"…"', message) if str(error.sqlstate).startswith("22") else message


def _forget_values(context: sa.engine.ExceptionContext) -> None:
    """Messages go to the ledger, to logs and to Dagster's event log, where rows of people have no place."""
    original = context.original_exception
    if isinstance(original, psycopg.Error) and str(original.sqlstate).startswith(("22", "23")):
        original.args = (without_values(original),)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (f"({type(original).__name__}) {original.args[0]}",)


def _engine(url: URL, options: str, *, max_overflow: int = 4) -> Engine:
    engine = sa.create_engine(
        url,
        connect_args={"options": options, "application_name": "dx_pipeline", "connect_timeout": 10},
        pool_size=2,
        max_overflow=max_overflow,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    sa.event.listen(engine, "handle_error", _forget_values)
    return engine


def _forget_temporary(session: Any, _record: object, state: sa.PoolResetState) -> None:
    """Temporary views outlive their transaction: whoever gets the session next would find their names taken."""
    if state.terminate_only:
        return
    session.rollback()
    session.autocommit = True
    session.execute("discard temp")
    session.autocommit = False


@contextmanager
def _connect(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        raise _unavailable(engine.url, error) from None
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _begin(engine: Engine) -> Iterator[Connection]:
    with _connect(engine) as connection:
        try:
            with connection.begin():
                yield connection
        except sa.exc.OperationalError as error:
            if error.connection_invalidated:
                raise WarehouseUnavailable(
                    f"the warehouse at {engine.url.host}:{engine.url.port} closed the connection",
                    next_step="run again: what was not committed is redone; `dx doctor` tells if the server is up",
                ) from error
            raise


def _unavailable(url: URL, error: sa.exc.OperationalError) -> WarehouseUnavailable:
    # libpq puts an indented hint below the reason, and one line per address it tried.
    told = [line for line in str(error.orig or "").splitlines() if line and not line[0].isspace()]
    reason = told[-1].removeprefix("connection failed: ") if told else "no answer"
    if url.password:
        reason = reason.replace(str(url.password), "•••")
    return WarehouseUnavailable(
        f"the warehouse at {url.host}:{url.port}/{url.database} cannot be reached: {reason}",
        next_step="`dx doctor` tells what is wrong, `dx up` starts the embedded one; then run again",
    )
