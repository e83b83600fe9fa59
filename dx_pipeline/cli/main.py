"""The ``dx`` command: run the road, look at its ledger, mend what was rejected."""

from __future__ import annotations

import contextlib
import logging
import os
import sys

import typer

from dx_pipeline import __version__
from dx_pipeline.cli import (
    access,
    alerts,
    assessment,
    audit,
    batches,
    bi,
    capacity,
    contracts,
    docs,
    drift,
    export,
    figures,
    keys,
    metrics,
    publication,
    quarantine,
    quickstart,
    report,
    run,
    safekeeping,
    sandbox,
    score,
    server,
    sql,
    trace,
    vanished,
    warehouse,
)
from dx_pipeline.cli.console import console
from dx_pipeline.garbage_collection import collect_rarely

app = typer.Typer(
    name="dx",
    help="Kho dữ liệu dùng chung của tỉnh · The shared provincial data warehouse.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
quickstart.register(app)
run.register(app)
batches.register(app)
quarantine.register(app)
vanished.register(app)
drift.register(app)
sql.register(app)
server.register(app)
contracts.register(app)
sandbox.register(app)
figures.register(app)
trace.register(app)
publication.register(app)
audit.register(app)
access.register(app)
bi.register(app)
alerts.register(app)
keys.register(app)
safekeeping.register(app)
docs.register(app)
metrics.register(app)
export.register(app)
score.register(app)
report.register(app)
assessment.register(app)
warehouse.register(app)
capacity.register(app)


@app.command()
def version() -> None:
    """Print the version.

    Example: dx version
    """
    console.print(__version__)


def main() -> None:
    """Run a command, then leave at once.

    Great Expectations and DuckDB, once both are imported, hold each other at interpreter shutdown and print pages of
    leak warnings; everything of ours is committed and closed by then.
    """
    status = 0
    collect_rarely()
    try:
        app()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
