"""``dx up``, ``dx down``, ``dx status``, ``dx doctor``: the installation itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly, show_error
from dx_pipeline.cli.tables import VERY_WIDE, WIDE, dataset_names, plain_table, status_text
from dx_pipeline.settings import get_settings


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(doctor)


@friendly
def up(
    show_password: Annotated[bool, typer.Option("--show-password", help="Print the password too.")] = False,
) -> None:
    """Start the embedded warehouse (and the sandbox, if it was built) and say how to connect.

    Example: dx up
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.sandbox.province import SandboxProvince

    settings = get_settings()
    warehouse = get_warehouse()
    url = warehouse.url
    console.print(f"warehouse   {url.host}:{url.port}  database {url.database}  user {url.username}")
    if show_password:
        console.print(f"password    {url.password}")
    elif warehouse.embedded is not None:
        console.print("password    hidden; `dx up --show-password` prints it")
    province = SandboxProvince(settings)
    if province.is_built():
        province.start()
        for error in province.not_built.values():
            show_error(error)
        console.print(f"sandbox     {province.describe()}")


@friendly
def down() -> None:
    """Stop the embedded warehouse, the sandbox and the Superset of this installation. Nothing is lost.

    Example: dx down
    """
    from dx_pipeline.bi.superset_server import SupersetServer
    from dx_pipeline.sandbox.province import SandboxProvince
    from dx_pipeline.warehouse.connection import embedded_server

    settings = get_settings()
    stopped = [
        name
        for name, stop in (
            ("warehouse", embedded_server(settings).stop),
            ("sandbox", SandboxProvince(settings).stop),
            ("superset", SupersetServer.of(settings).stop),
        )
        if stop()
    ]
    console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@friendly
def status() -> None:
    """Each dataset at a glance: last publishing, whether it is late, when it is due next, what waits or failed.

    Example: dx status
    """
    import sqlalchemy as sa

    from dx_pipeline.contract.timeliness import in_words, timeliness
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE

    catalog, warehouse = get_catalog(), get_warehouse()
    local = ZoneInfo(LOCAL_TIME_ZONE)
    with warehouse.loader() as connection:
        latest = connection.execute(
            sa.text(
                "select distinct on (system, dataset) system || '.' || dataset as dataset_id, batch_id, status, message,"
                " accepted, quarantined, published_at, started_at from ops.batch order by system, dataset, batch_id desc"
            )
        ).mappings().all()  # fmt: skip
        published: dict[str, datetime] = {
            row[0]: row[1].astimezone(local)
            for row in connection.execute(
                sa.text(
                    "select system || '.' || dataset, max(published_at) from ops.batch"
                    " where published_at is not null group by 1"
                )
            )
        }
        open_rows: dict[str, int] = {
            row[0]: row[1]
            for row in connection.execute(
                sa.text(
                    "select system || '.' || dataset, count(*) from ops.quarantine where status = 'open' group by 1"
                )
            )
        }
        clock = connection.execute(sa.text("select now()")).scalar_one().astimezone(local)
    by_id = {row["dataset_id"]: row for row in latest}
    header, shown = dataset_names(catalog.contracts, full=console.width >= VERY_WIDE)
    moment = "%Y-%m-%d %H:%M" if console.width >= WIDE else "%m-%d %H:%M"
    table = plain_table("Tình trạng · Status")
    table.add_column(header, overflow="ellipsis")
    for name in ("batch", "state", "published", "fresh", "due", "in quarantine"):
        table.add_column(name, justify="right" if name in ("batch", "in quarantine") else "left", no_wrap=True)
    for contract in catalog.contracts.values():
        row = by_id.get(contract.id)
        when = published.get(contract.id)
        found = timeliness(catalog.schedule_of(contract), contract.freshness, when, clock)
        fresh = "–" if when is None or contract.freshness is None else "[green]yes"
        if found.late_by is not None:
            fresh = f"[yellow]late {in_words(found.late_by)}"
        due = "–" if found.due is None else f"{found.due:{moment}}"
        table.add_row(
            shown[contract.id],
            str(row["batch_id"]) if row else "–",
            status_text(row["status"]) if row else "[dim]never run",
            f"{when:{moment}}" if when else "–",
            fresh,
            f"[yellow]{due}" if found.is_overdue else due,
            f"{open_rows.get(contract.id, 0):,}",
        )
    console.print(table)
    for row in latest:
        if row["message"]:
            console.print(f"[red]{row['status']}[/] batch {row['batch_id']}: {escape(row['message'])}", soft_wrap=True)


@friendly
def doctor() -> None:
    """Check everything this installation needs and say how to mend what is wrong.

    Example: dx doctor
    """
    from dx_pipeline.cli.diagnosis import diagnose

    findings = diagnose(get_settings())
    for finding in findings:
        mark = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "error": "[red]✗[/]"}[finding.level]
        console.print(f"{mark} [bold]{escape(finding.subject)}[/]  {escape(finding.what)}", soft_wrap=True)
        if finding.next_step:
            console.print(f"    [dim]→[/] {escape(finding.next_step)}", soft_wrap=True)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)
