"""Progress of ``dx run``: how many datasets are published, and one line per running step with rows and rows per second."""

from __future__ import annotations

import threading
from time import monotonic

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.spinner import Spinner
from rich.table import Column
from rich.text import Text

STEP_LABEL = {
    "extract": "đọc nguồn · extract",
    "clean": "làm sạch · clean",
    "judge": "kiểm định · judge",
    "publish": "công bố · publish",
}
WIDE = 110


class _Rows(ProgressColumn):
    def render(self, task: Task) -> Text:
        done = f"{int(task.completed):,}"
        return Text(f"{done}/{int(task.total):,}" if task.total is not None else f"{done} rows", style="green")


class _RowsPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:,.0f}/s", style="cyan")


class BarProgress:
    """A ``ProgressListener`` that draws bars; on a pipe it stays quiet except for warnings.

    ``datasets``: how many will be published, for the first line; without it that line is left out.
    """

    def __init__(self, console: Console, datasets: int | None = None) -> None:
        self._console = console
        self._datasets = datasets
        self._published = 0
        self._started = monotonic()
        self._spinner = Spinner("dots")
        self._wide = console.width >= WIDE
        self._progress = Progress(*_columns(self._wide), console=console, auto_refresh=False)
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._guard = threading.Lock()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)

    def __enter__(self) -> BarProgress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def advance(self, dataset_id: str, step: str, rows: int, total: int | None = None) -> None:
        with self._guard:
            key = (dataset_id, step)
            if key not in self._tasks:
                label = STEP_LABEL.get(step, step) if self._wide else step
                self._tasks[key] = self._progress.add_task(label, total=total, dataset=dataset_id)
            self._progress.update(self._tasks[key], advance=rows, total=total)

    def finish(self, dataset_id: str, step: str) -> None:
        with self._guard:
            if step == "publish":
                self._published += 1
            task = self._tasks.pop((dataset_id, step), None)
            if task is not None:
                self._progress.remove_task(task)

    def warn(self, dataset_id: str, message: str) -> None:
        self._console.print(f"[yellow]![/] {escape(message)}", soft_wrap=True)

    def _render(self) -> RenderableType:
        bars = self._progress.get_renderable()
        if self._datasets is None:
            return bars
        seconds = int(monotonic() - self._started)
        self._spinner.update(
            text=Text.assemble(
                f"đã công bố {self._published}/{self._datasets} tập dữ liệu · datasets published",
                (f"  {seconds // 60}:{seconds % 60:02}", "yellow"),
            )
        )
        return Group(self._spinner, bars)


def _columns(wide: bool) -> list[ProgressColumn]:
    name = TextColumn("{task.fields[dataset]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
    step = TextColumn("[dim]{task.description}", table_column=Column(no_wrap=True))
    bar = BarColumn(bar_width=30 if wide else 10)
    return [name, step, bar, _Rows(), _RowsPerSecond(), *([TimeElapsedColumn()] if wide else [])]
