"""Dagster's SQLite event log with its connections kept open.

Dagster's own class makes an engine, opens the file, compiles the statement and closes the file for each event; closing
the last connection makes SQLite checkpoint and sync the whole file. A run here stores some 700 events, so that took
longer than the work itself. This class keeps one engine per file; what is stored is the same.

Each check result is stored with the materialization it looks at, for which Dagster reads and unpacks the asset's newest
event again: some 200 times a run. Here the newest one is remembered until another is stored, for a second at most.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import AssetKey, AssetRecordsFilter, DagsterEventType, EventLogEntry
from dagster._core.event_api import EventRecordsResult
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.pool import QueuePool

MOST_OPEN_FILES = 32
REMEMBERED_SECONDS = 1.0


class KeptOpenSqliteEventLogStorage(SqliteEventLogStorage):
    """``event_log_storage`` of ``dagster.yaml``; files lie where Dagster's default keeps them."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        self._has_check_table = False
        self._newest: dict[str, tuple[float, EventRecordsResult]] = {}  # by what was asked for
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> KeptOpenSqliteEventLogStorage:
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    @property
    def supports_asset_checks(self) -> bool:
        """Dagster looks into the catalogue of the file for each check result; once is enough."""
        if not self._has_check_table:
            self._has_check_table = bool(super().supports_asset_checks)
        return self._has_check_table

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """The newest one is remembered for a moment."""
        if limit != 1 or cursor is not None or ascending:
            return super().fetch_materializations(records_filter, limit, cursor, ascending)
        asked = repr(records_filter)
        known = self._newest.get(asked)
        if known is None or time.monotonic() - known[0] > REMEMBERED_SECONDS:
            known = time.monotonic(), super().fetch_materializations(records_filter, limit)
            self._newest[asked] = known
        return known[1]

    def store_event(self, event: EventLogEntry) -> None:
        super().store_event(event)
        if event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION:
            self._newest.clear()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> sa.Engine:
        if shard in self._engines:
            self._engines.move_to_end(shard)
            return self._engines[shard]
        engine = sa.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=8,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        sa.event.listen(engine, "connect", _commit_without_waiting_for_the_disk)
        self._engines[shard] = engine
        while len(self._engines) > MOST_OPEN_FILES:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def dispose(self) -> None:
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _commit_without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """In WAL mode a killed process loses nothing; a power cut may lose the last events, never the warehouse's rows.

    Source: https://sqlite.org/pragma.html#pragma_synchronous
    """
    connection.execute("pragma synchronous = normal")
