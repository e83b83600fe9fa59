"""``dx bi superset``: the marts, indicators and dashboards in Apache Superset, ours or another one."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.access import DEFAULT_DAYS
from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError

bi_app = typer.Typer(help="BI tools.", no_args_is_help=True)
superset_app = typer.Typer(
    help="Apache Superset: datasets, metrics and dashboards of the warehouse.", no_args_is_help=True
)
bi_app.add_typer(superset_app, name="superset")
LOGIN = "superset_bi"


def register(app: typer.Typer) -> None:
    app.add_typer(bi_app, name="bi")


@superset_app.command()
@friendly
def install() -> None:
    """Install Superset into an environment of its own (.venv-superset), pinned by hash; a minute or two, 700 MB.

    Example: dx bi superset install
    """
    from dx_pipeline.bi import superset_server

    if superset_server.is_installed():
        console.print("Superset is installed")
        return
    with console.status("installing Superset …"):
        superset_server.install()
    console.print(f"Superset is installed in {superset_server.ENVIRONMENT.name}")


@superset_app.command()
@friendly
def up(
    port: Annotated[
        int | None, typer.Option("--port", "-p", help="Port on 127.0.0.1; default the first free from 8088.")
    ] = None,
) -> None:
    """Start the Superset of this installation on 127.0.0.1 and say how to log in.

    Example: dx bi superset up
    """
    from dx_pipeline.bi.superset_server import ADMIN, SupersetServer
    from dx_pipeline.settings import get_settings

    server = SupersetServer.of(get_settings())
    address = server.start(port)
    console.print(
        f"Superset    {address}  user {ADMIN}, password in {escape(str(server.password_file))}", soft_wrap=True
    )


@superset_app.command()
@friendly
def down() -> None:
    """Stop it; dashboards and settings stay.

    Example: dx bi superset down
    """
    from dx_pipeline.bi.superset_server import SupersetServer
    from dx_pipeline.settings import get_settings

    console.print("stopped" if SupersetServer.of(get_settings()).stop() else "it was not running")


@superset_app.command()
@friendly
def load(
    url: Annotated[str | None, typer.Option("--url", help="Another Superset, e.g. https://bi.tinh.gov.vn.")] = None,
    user: Annotated[str, typer.Option("--user", help="Its user with the Admin role.")] = "admin",
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="File with that user's password; needed with --url.")
    ] = None,
    warehouse_host: Annotated[
        str | None,
        typer.Option("--warehouse-host", help="Where that Superset reaches the warehouse, e.g. kho.tinh:5432."),
    ] = None,
) -> None:
    """Connect Superset to the warehouse and bring datasets, metrics and dashboards up to date.

    The login superset_bi (kind bi, for a year) is made anew with a password that only Superset gets. What was changed
    by hand in these datasets and dashboards is replaced; what has another name stays.

    Examples:

      dx bi superset load

      dx bi superset load --url https://bi.tinh.gov.vn --user admin --password-file admin.pw --warehouse-host 10.1.2.3:5432
    """
    from dx_pipeline.bi.superset_client import SupersetClient
    from dx_pipeline.bi.superset_server import ADMIN, SupersetServer
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.access import grant_access

    if url is None:
        server = SupersetServer.of(get_settings())
        client = SupersetClient(server.start(), ADMIN, server.password())
    elif password_file is None:
        raise SettingsError(
            "--url needs --password-file", next_step="put the password of --user into a file (mode 600)"
        )
    else:
        client = SupersetClient(url, user, _secret(password_file))
    warehouse = get_warehouse()
    right = grant_access(
        warehouse,
        LOGIN,
        "bi",
        holder=f"Superset {url or 'của kho'}",
        valid_until=datetime.now(UTC) + timedelta(days=DEFAULT_DAYS),
        new_password=True,
    )
    assert right.password is not None
    zipped, counts = _bundle(warehouse_host, "assets")
    client.bring_in(zipped, right.password)
    console.print(f"{counts} in Superset; login {LOGIN} until {right.right.valid_until:%Y-%m-%d}")


@superset_app.command()
@friendly
def bundle(
    path: Annotated[Path, typer.Argument(help="File to write, e.g. bundle.zip.")],
    warehouse_host: Annotated[
        str | None, typer.Option("--warehouse-host", help="Where Superset reaches the warehouse, e.g. kho.tinh:5432.")
    ] = None,
) -> None:
    """Write what another Superset imports (Dashboards, Import): no password in it, Superset asks for that of superset_bi.

    Example: dx bi superset bundle bundle.zip --warehouse-host 10.1.2.3:5432
    """
    zipped, counts = _bundle(warehouse_host, "Dashboard")
    try:
        path.write_bytes(zipped)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from None
    console.print(f"{counts} in {escape(str(path))}, {len(zipped) / 1000:,.0f} kB", soft_wrap=True)


@superset_app.command()
@friendly
def check() -> None:
    """Ask Superset for the data of every chart; exit 1 if one gives none.

    Example: dx bi superset check
    """
    from dx_pipeline.bi.superset_client import SupersetClient
    from dx_pipeline.bi.superset_server import ADMIN, SupersetServer
    from dx_pipeline.settings import get_settings

    server = SupersetServer.of(get_settings())
    charts = SupersetClient(server.start(), ADMIN, server.password()).chart_data()
    table = plain_table("Biểu đồ · Charts")
    for name in ("dashboard", "chart", "rows"):
        table.add_column(name, overflow="fold", justify="right" if name == "rows" else "left")
    for chart in charts:
        found = escape(chart.error) if chart.error else f"{len(chart.rows):,}"
        table.add_row(escape(", ".join(chart.dashboards)), escape(chart.name), found if chart.rows else f"[red]{found}")
    console.print(table)
    if not charts or not all(chart.rows for chart in charts):
        raise typer.Exit(1)


def _bundle(warehouse_host: str | None, kind: str) -> tuple[bytes, str]:
    """The bundle, and what is in it in words."""
    from dx_pipeline.bi.dashboards import load_dashboards
    from dx_pipeline.bi.datasets import read_datasets
    from dx_pipeline.bi.superset_bundle import bundle as make_bundle
    from dx_pipeline.contract.indicator import load_indicators
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings

    warehouse = get_warehouse()
    indicators = load_indicators(get_settings().project_roots)
    dashboards = load_dashboards(indicators)
    with warehouse.owner() as connection:
        datasets = read_datasets(connection, indicators)
    url = warehouse.url.set(username=LOGIN)
    if warehouse_host is not None:
        host, _, port = warehouse_host.partition(":")
        if not host or (port and not port.isdigit()):
            raise SettingsError(f"--warehouse-host {warehouse_host!r} is no address", next_step="e.g. kho.tinh:5432")
        url = url.set(host=host, port=int(port or 5432))
    zipped = make_bundle(url, datasets, dashboards, indicators, kind="assets" if kind == "assets" else "Dashboard")
    charts = sum(len(dashboard.charts) for dashboard in dashboards)
    metrics = sum(len(dataset.metrics) for dataset in datasets.values() if dataset.sql is None)
    return zipped, f"{len(datasets)} datasets, {metrics} metrics, {len(dashboards)} dashboards with {charts} charts"


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"--password-file {os.fspath(path)}: {error.strerror}") from None
