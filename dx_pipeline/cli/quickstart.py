"""``dx quickstart`` (what ``make run`` calls) and ``dx dev`` (the Dagster UI)."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.panel import Panel
from rich.table import Table

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.settings import PROJECT_ROOT, get_settings

REPORT_DATE = "2024-06-30"
ON_TIME = (
    "select to_char(month, 'YYYY-MM') as month, sum(received) as received,"
    " round(100.0 * sum(on_time_766) / nullif(sum(on_time_766 + overdue_766), 0), 2) as rate_766,"
    " round(100.0 * sum(early_local + on_time_local) / nullif(sum(early_local + on_time_local + overdue_local), 0), 2)"
    f" as rate_local from mart.dossier_on_time where month <= date '{REPORT_DATE}' group by 1 order by 1 desc limit 6"
)


def register(app: typer.Typer) -> None:
    app.command()(quickstart)
    app.command()(dev)


@friendly
def quickstart() -> None:
    """Sandbox province, whole pipeline, a readable result: everything `make run` does.

    Example: dx quickstart
    """
    from dx_pipeline.cli.figures import refresh_figures
    from dx_pipeline.cli.run import execute
    from dx_pipeline.cli.sandbox import build
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse

    build(dossiers=None, seed=None, fresh=False)
    succeeded = execute(get_catalog().select([]))
    if not succeeded:
        refresh_figures()
    with get_warehouse().loader() as connection:
        _show_answers(connection)
    _show_next_steps()
    if not succeeded:
        raise typer.Exit(1)


@friendly
def dev(
    port: Annotated[int, typer.Option("--port", "-p", help="Port of the web UI on 127.0.0.1.")] = 3000,
) -> None:
    """Open the Dagster UI with its daemon (schedules, backfills) over this installation's runs.

    Example: dx dev --port 3001
    """
    from dx_pipeline.orchestration.instance import (
        apply_pool_limits,
        close_dead_runs,
        open_instance,
        prepare_dagster_home,
    )
    from dx_pipeline.orchestration.process import get_road

    settings = get_settings()
    prepare_dagster_home(settings)
    road = get_road()
    with open_instance() as instance:
        close_dead_runs(instance)
        apply_pool_limits(instance, road.catalog.systems.values())
    road.warehouse.close()
    os.environ["DX_HOME"] = str(settings.home)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    console.print(f"Dagster UI: http://127.0.0.1:{port}  (Ctrl-C stops it; runs stay in {settings.dagster_home})")
    os.chdir(PROJECT_ROOT)
    quiet = ["-W", "ignore:Function `dev_command` is superseded"]
    serve = ["-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's `&` leaves it ignored, and Dagster then ignores TERM too
    os.execvp(sys.executable, [sys.executable, *quiet, *serve])


def _show_answers(connection: sa.Connection) -> None:
    from dx_pipeline.cli.figures import show_figures

    console.print()
    show_figures(connection)
    on_time = connection.execute(sa.text(ON_TIME)).all()
    if not on_time:
        return
    table = Table(title="Hồ sơ đúng hạn · Dossiers on time", title_justify="left")
    for name in ("tháng · month", "tiếp nhận · received", "QĐ 766, %", "địa phương · local, %"):
        table.add_column(name, justify="left" if name.startswith("tháng") else "right")
    for row in on_time:
        table.add_row(row.month, f"{row.received:,}", str(row.rate_766), str(row.rate_local))
    console.print(table)


def _show_next_steps() -> None:
    console.print(
        Panel.fit(
            "\n".join(
                (
                    "make dev                       Dagster: đồ thị, kiểm định, lịch chạy · graph, checks, schedules",
                    "dx figures HH_INTERNET         một số liệu: nguồn, truy vấn · one figure: its source, its query",
                    "dx quarantine list             dòng bị loại và lý do · rejected rows and why",
                    "dx batches show 1              một lô: tệp, quy tắc, số dòng · one batch in full",
                    'dx sql "select * from mart.dossier_on_time limit 5"',
                    "dx sandbox change && dx run    một giờ trôi qua · an hour passes",
                    "dx sandbox verify              lỗi đã gài so với phán quyết · planted faults against verdicts",
                    "dx down                        dừng máy chủ · stop the servers",
                )
            ),
            title="Tiếp theo · Next",
            subtitle="dx = .venv/bin/dx",
            border_style="dim",
        )
    )
