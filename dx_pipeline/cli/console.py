"""How the command line speaks: one console, one way to show errors and counts."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from dx_pipeline.errors import DxError

P = ParamSpec("P")
R = TypeVar("R")

PIPE_WIDTH = 160
_REFUSED_BY_DISK = re.compile("disk is full|disk I/O error|unable to open database file")  # SQLite's words


def _console(*, stderr: bool) -> Console:
    """A console that does not squeeze tables into 80 columns when it writes to a pipe or a file."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PIPE_WIDTH
    return made


console = _console(stderr=False)
errors = _console(stderr=True)


def show_error(error: DxError) -> None:
    """What happened, then what to do next."""
    errors.print(f"[bold red]✗[/] {escape(error.what)}", soft_wrap=True)
    if error.next_step:
        errors.print(f"  [dim]→[/] {escape(error.next_step)}", soft_wrap=True)


def friendly(function: Callable[P, R]) -> Callable[P, R]:
    """Show our own errors as a message and exit 1; a bug keeps its traceback."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except DxError as error:
            show_error(error)
            raise typer.Exit(1) from None
        except Exception as error:
            full = _full_disk(error)
            if full is None:
                raise
            show_error(full)
            raise typer.Exit(1) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return wrapped


def _full_disk(error: BaseException) -> DxError | None:
    """What to tell when the disk failed or filled up under Dagster's own files or ours; None for any other error."""
    cause: BaseException | None = error
    while cause is not None:
        is_full_file = isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)
        if is_full_file or (isinstance(cause, sqlite3.OperationalError) and _REFUSED_BY_DISK.search(str(cause))):
            return DxError(
                "the disk of DX_HOME is full or refuses to write; the run stopped, what was published before is kept",
                next_step="free space or mend the disk, then run again: it goes on where it stopped",
            )
        cause = cause.__cause__ or cause.__context__
    return None


def number(value: int | None) -> str:
    """A count with thousands separators; a dash when unknown."""
    return "–" if value is None else f"{value:,}"
