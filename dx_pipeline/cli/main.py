"""The ``dx`` command: run the road, look at its ledger, mend what was rejected."""

from __future__ import annotations

import typer

from dx_pipeline import __version__
from dx_pipeline.cli import batches, contracts, quarantine, quickstart, run, sandbox, server, sql
from dx_pipeline.cli.console import console

app = typer.Typer(
    name="dx",
    help="Kho dữ liệu dùng chung của tỉnh · The shared provincial data warehouse.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
quickstart.register(app)
run.register(app)
batches.register(app)
quarantine.register(app)
sql.register(app)
server.register(app)
contracts.register(app)
sandbox.register(app)


@app.command()
def version() -> None:
    """Print the version."""
    console.print(__version__)


if __name__ == "__main__":
    app()
