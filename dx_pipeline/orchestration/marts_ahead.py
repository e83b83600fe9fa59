"""Refresh marts in background threads, each as soon as what it depends on is published.

Dagster's steps of a run come one after the other; the marts of a run are statements that keep the database server busy
for seconds each. So those of a run are computed by two threads, and Dagster's steps wait for their results. Of those
that may begin, the one that took longest the last time comes first: begun last, it would keep the run waiting alone. A
step for which nothing ran ahead refreshes its mart itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from dx_pipeline.warehouse.marts import Mart, MartRefresh, refresh_mart, seconds_of_marts

if TYPE_CHECKING:
    from dx_pipeline.warehouse.connection import Warehouse

REFRESHED_AT_ONCE = 2


@dataclass(eq=False)
class _Waiting:
    """A mart of a run and the datasets it still waits for."""

    run_id: str
    mart: Mart
    missing: set[str]
    refreshed: Future[MartRefresh] = field(default_factory=Future)


class MartsAhead:
    """Two threads that refresh the marts of a run."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._threads = ThreadPoolExecutor(REFRESHED_AT_ONCE, thread_name_prefix="dx-mart")
        self._waiting: list[_Waiting] = []
        self._ready: list[_Waiting] = []
        self._seconds: Future[dict[str, float]] = Future()
        self._refreshing: dict[tuple[str, str], Future[MartRefresh]] = {}
        self._guard = Lock()

    def begin(self, marts: Sequence[Mart], datasets: Collection[str], *, run_id: str) -> None:
        """Expect a run that publishes ``datasets`` and refreshes those of ``marts`` that depend on any of them."""
        self._seconds = self._threads.submit(seconds_of_marts, self._warehouse)
        with self._guard:
            self._waiting += [
                _Waiting(run_id, mart, missing)
                for mart in marts
                if (missing := set(mart.depends_on).intersection(datasets))
            ]

    def published(self, dataset: str, *, run_id: str) -> None:
        """Start the marts of the run that waited for this dataset alone.

        A dataset that fails is never published: its marts stay out, as their steps do.
        """
        with self._guard:
            for waiting in [one for one in self._waiting if one.run_id == run_id]:
                waiting.missing.discard(dataset)
                if not waiting.missing:
                    self._waiting.remove(waiting)
                    self._ready.append(waiting)
                    self._refreshing[run_id, waiting.mart.name] = waiting.refreshed
                    self._threads.submit(self._refresh_longest)

    def refreshed(self, mart: Mart, *, run_id: str) -> MartRefresh:
        """The refresh begun earlier, else it is done now.

        Raises:
            LoadFileError: a statement failed; the mart keeps its former rows. A further call computes again.
        """
        with self._guard:
            begun = self._refreshing.pop((run_id, mart.name), None)
            self._waiting = [one for one in self._waiting if (one.run_id, one.mart.name) != (run_id, mart.name)]
        return begun.result() if begun is not None else refresh_mart(self._warehouse, mart, only_if_changed=True)

    def _refresh_longest(self) -> None:
        """Refresh that mart of the ready ones which took longest the last time; it is submitted once for each of them."""
        # Not knowing them is no reason to fail: what is wrong with the warehouse the refresh itself tells.
        seconds = {} if self._seconds.exception() is not None else self._seconds.result()
        with self._guard:
            longest = max(self._ready, key=lambda ready: seconds.get(ready.mart.name, 0.0))
            self._ready.remove(longest)
        try:
            longest.refreshed.set_result(refresh_mart(self._warehouse, longest.mart, only_if_changed=True))
        except BaseException as error:
            longest.refreshed.set_exception(error)
