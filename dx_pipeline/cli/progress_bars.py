"""Progress bars for ``dx run``: one line per running step, with rows and rows per second."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

STEP_LABEL = {
    "extract": "đọc nguồn · extract",
    "clean": "làm sạch · clean",
    "judge": "kiểm định · judge",
    "publish": "công bố · publish",
}


class _RowsPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:,.0f} rows/s", style="cyan")


class BarProgress:
    """A ``ProgressListener`` that draws bars; on a pipe it stays quiet except for warnings."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.fields[dataset]:<34}"),
            TextColumn("[dim]{task.description:<20}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _RowsPerSecond(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> BarProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, dataset_id: str, step: str, rows: int, total: int | None = None) -> None:
        with self._guard:
            key = (dataset_id, step)
            if key not in self._tasks:
                self._tasks[key] = self._progress.add_task(STEP_LABEL.get(step, step), total=total, dataset=dataset_id)
            self._progress.update(self._tasks[key], advance=rows, total=total)

    def finish(self, dataset_id: str, step: str) -> None:
        with self._guard:
            task = self._tasks.pop((dataset_id, step), None)
            if task is not None:
                self._progress.remove_task(task)

    def warn(self, dataset_id: str, message: str) -> None:
        self._console.print(f"[yellow]![/] {escape(message)}", soft_wrap=True)
