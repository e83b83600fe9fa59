"""Traces: ``warehouse_sql/traces/<name>.sql`` makes temporary views over the rows behind a number, for one command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.warehouse.connection import run_text, without_values
from dx_pipeline.warehouse.marts import with_includes

_FOLDER = Path("warehouse_sql") / "traces"


def run_trace(connection: Connection, roots: Sequence[Path], name: str) -> None:
    """Make what a trace makes, in the transaction of the caller; what its settings ``dx.…`` name is set by the caller.

    Raises:
        LoadFileError: the file is missing, or its SQL failed.
    """
    trace = _FOLDER / f"{name}.sql"
    path = next((root / trace for root in roots if (root / trace).exists()), None)
    if path is None:
        raise LoadFileError(f"{trace} is missing in the project folder", next_step="restore the file")
    script = with_includes(path, path.parent.parent / "marts")
    try:
        run_text(connection, script)
    except psycopg.Error as error:
        raise LoadFileError(f"{path}: {without_values(error)}", next_step="mend the SQL") from None
