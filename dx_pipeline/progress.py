"""Progress of long work, told to whoever listens (the CLI's bars, Dagster's log, nobody)."""

from __future__ import annotations

from typing import Protocol


class ProgressListener(Protocol):
    """Hears about each step of each dataset."""

    def advance(self, dataset_id: str, step: str, rows: int, total: int | None = None) -> None:
        """``rows`` more rows went through a step; ``total`` when it is known."""

    def finish(self, dataset_id: str, step: str) -> None:
        """The step is over."""

    def warn(self, dataset_id: str, message: str) -> None:
        """Something a person should read; the work goes on."""


class SilentProgress:
    """Listens to nothing."""

    def advance(self, dataset_id: str, step: str, rows: int, total: int | None = None) -> None:
        return None

    def finish(self, dataset_id: str, step: str) -> None:
        return None

    def warn(self, dataset_id: str, message: str) -> None:
        return None


class _Current:
    """The listener of this process; steps report from several threads."""

    listener: ProgressListener = SilentProgress()


def listener() -> ProgressListener:
    """The listener of this process."""
    return _Current.listener


def listen(new: ProgressListener) -> None:
    """Tell ``new`` about all progress from now on."""
    _Current.listener = new
