"""Starts runs on the code server of a host, as Dagster does by default, and sees when that host has lost them.

Dagster's own launcher never looks after a run again: if its host dies, the run stays "started" for hours. A code server
knows the runs it has started, so it can be asked: one that answers and does not know the run has been started anew. Run
monitoring then closes the run, and run retries start it again. While the host is away the run is left as it is: Dagster
retries a run once, at the moment it is closed, and only if the code of the host can be reached.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster import Field, IntSource
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import ConfigurableClassData, deserialize_value

_ANSWER_SECONDS = 10


class HostRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher with a health check of the run's process."""

    def __init__(
        self, patience_seconds: int = 3600, settle_seconds: int = 30, inst_data: ConfigurableClassData | None = None
    ) -> None:
        """Args:
        patience_seconds: how long a host may be away before its runs are given up; they are not started again then.
        settle_seconds: how long a host must have been back, so that the daemon has seen it too.
        """
        super().__init__(inst_data=inst_data)
        self._patience_seconds = patience_seconds
        self._settle_seconds = settle_seconds
        self._silent_since: dict[str, float] = {}
        self._unknown_since: dict[str, float] = {}

    @classmethod
    def config_type(cls) -> Any:
        return {
            "patience_seconds": Field(IntSource, default_value=3600, is_required=False),
            "settle_seconds": Field(IntSource, default_value=30, is_required=False),
        }

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a started run lives, by the word of the code server that started it."""
        place = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
        if not place:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "not started by a code server")
        server = f"{place['host']}:{place.get('port', '')}"
        client = DagsterGrpcClient(
            port=place.get("port"),
            socket=place.get("socket"),
            host=place["host"],
            use_ssl=bool(place.get("use_ssl", False)),
        )
        try:
            told = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=_ANSWER_SECONDS)
        except DagsterUserCodeUnreachableError:
            self._unknown_since.pop(run.run_id, None)
            silent = _seconds_since(self._silent_since, run.run_id)
            message = f"the code server {server} has not answered for {silent:.0f} seconds"
            return CheckRunHealthResult(_gone(silent, self._patience_seconds, WorkerStatus.FAILED), message)
        self._silent_since.pop(run.run_id, None)
        if deserialize_value(told, CanCancelExecutionResult).can_cancel:
            self._unknown_since.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        unknown = _seconds_since(self._unknown_since, run.run_id)
        message = f"the code server {server} does not know the run any more: it was started anew"
        return CheckRunHealthResult(_gone(unknown, self._settle_seconds, WorkerStatus.NOT_FOUND), message)


def _seconds_since(first_seen: dict[str, float], run_id: str) -> float:
    now = time.monotonic()
    return now - first_seen.setdefault(run_id, now)


def _gone(seconds: float, limit: float, status: WorkerStatus) -> WorkerStatus:
    return status if seconds >= limit else WorkerStatus.RUNNING
