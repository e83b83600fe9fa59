"""A full disk is told in a sentence; any other error keeps its traceback."""

from __future__ import annotations

import errno
import sqlite3

import pytest
import sqlalchemy as sa
import typer

from dx_pipeline.cli.console import friendly


def _raising(error: BaseException) -> None:
    @friendly
    def command() -> None:
        raise error

    command()


@pytest.mark.parametrize(
    "cause",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("disk I/O error"),
    ],
)
def test_a_full_disk_is_told_with_the_next_step(cause: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    error = sa.exc.OperationalError("commit", None, cause)
    error.__cause__ = cause
    with pytest.raises(typer.Exit) as leaving:
        _raising(error)
    assert leaving.value.exit_code == 1
    told = capsys.readouterr().err
    assert "the disk of DX_HOME is full" in told
    assert "then run again" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("bug", [KeyError("x"), OSError(errno.EACCES, "no"), sqlite3.OperationalError("no such table")])
def test_a_bug_is_not_taken_for_a_full_disk(bug: Exception) -> None:
    with pytest.raises(type(bug)):
        _raising(bug)
