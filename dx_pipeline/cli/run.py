"""``dx run`` and ``dx replay``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from rich.markup import escape

from dx_pipeline.cli.alert_tables import show_check
from dx_pipeline.cli.console import console, errors, friendly, number, show_error
from dx_pipeline.cli.progress_bars import BarProgress
from dx_pipeline.cli.project import add_projects
from dx_pipeline.cli.tables import VERY_WIDE, WIDE, dataset_names, plain_table, run_table
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError, SettingsError
from dx_pipeline.progress import listen

if TYPE_CHECKING:
    from dx_pipeline.orchestration.run_report import RunReport
    from dx_pipeline.orchestration.step_failure import StepFailure

ProjectOption = Annotated[
    list[Path] | None,
    typer.Option("--project", help="Further project folder with contracts, suites and load SQL (repeatable)."),
]


def register(app: typer.Typer) -> None:
    app.command(name="run")(run)
    app.command(name="replay")(replay)


@friendly
def run(
    names: Annotated[
        list[str] | None, typer.Argument(help="Systems or datasets, e.g. one_stop or one_stop.ho_so. Default: all.")
    ] = None,
    partition: Annotated[
        str | None,
        typer.Option("--partition", "-p", help="Read one month again, e.g. 2024-03, instead of what is new."),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Read all rows again and close with the day what the source no longer has."),
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be read and written; do nothing.")] = False,
    project: ProjectOption = None,
) -> None:
    """Read the sources and bring the warehouse up to date.

    Examples:

      dx run                                   everything that is new, all systems

      dx run one_stop                          one system

      dx run one_stop.ho_so -p 2024-03         one dataset, one month again

      dx run --whole one_stop                  all rows again, to find what was deleted at the source

      dx run --plan                            what would happen

      dx run --project examples/nyc311 nyc311  a system from another folder
    """
    add_projects(project)
    from dx_pipeline.orchestration.process import get_catalog

    month = _month(partition)
    if whole and month is not None:
        raise SettingsError("--whole and --partition exclude each other", next_step="give one of them")
    catalog = get_catalog()
    for broken in catalog.broken:
        show_error(broken)
    contracts = catalog.select(names or [])
    if month is not None:
        contracts = [contract for contract in contracts if contract.load.period is not None]
    if not contracts:
        raise SettingsError("there is no dataset to run", next_step="`dx contract list` shows the known ones")
    if plan:
        _show_plan(contracts, month, whole)
        return
    succeeded = execute(contracts, month=month, whole=whole)
    if not succeeded or catalog.broken:
        raise typer.Exit(1)


@friendly
def replay(
    batch: Annotated[int, typer.Argument(help="Batch whose landed files are judged and published again.")],
    project: ProjectOption = None,
) -> None:
    """Judge and publish a landed batch again, without touching the source.

    Use it after a rule or a load SQL was mended. Rows already in the warehouse stay as they are.

    Example: dx replay 42
    """
    add_projects(project)
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.warehouse import ledger

    with get_warehouse().loader() as connection:
        found = ledger.get_batch(connection, batch)
    if not execute([get_catalog().contract(found.dataset_id)], replay_batch=batch):
        raise typer.Exit(1)


def execute(
    contracts: Sequence[Contract],
    *,
    month: date | None = None,
    replay_batch: int | None = None,
    whole: bool = False,
) -> bool:
    """Run, show what came of it, tell alerts. True if every step succeeded."""
    from dx_pipeline.orchestration.alerting import UNUSABLE, tell_outage_after_run

    try:
        return _execute(contracts, month, replay_batch, whole)
    except UNUSABLE:
        tell_outage_after_run()
        raise


def _execute(contracts: Sequence[Contract], month: date | None, replay_batch: int | None, whole: bool) -> bool:
    logging.getLogger("dagster.builtin.dx").setLevel(logging.CRITICAL)  # broken files are told of below, once
    from dx_pipeline.orchestration.dagster_process import dagster_beside, run_here
    from dx_pipeline.orchestration.process import prepare_replay, read_ahead
    from dx_pipeline.orchestration.run_report import RunRequest

    run_id = str(uuid4())
    request = RunRequest(tuple(contracts), run_id, month, replay_batch, whole)
    with dagster_beside(request) as beside, _telling_of_interruption(), BarProgress(console, len(contracts)) as bars:
        listen(bars)
        if replay_batch is None:
            read_ahead(contracts, run_id=run_id, month=month, whole=whole)
        else:
            prepare_replay()
        report = run_here(request) if beside is None else beside.report()
    if report.dead_runs:
        console.print(f"[yellow]![/] closed {len(report.dead_runs)} run(s) whose process had died")
    if report.batches:
        console.print(run_table(report.batches, console.width))
    for message, assets in _by_message(report.failures).items():
        what, _, next_step = message.partition("\n  → ")
        errors.print(f"[dim]{escape(', '.join(assets))}[/]", soft_wrap=True)
        show_error(DxError(what, next_step=next_step))
    if report.waiting:
        console.print(
            f"[yellow]![/] not brought, because something they need failed: {', '.join(report.waiting)}", soft_wrap=True
        )
    _tell_alerts(report)
    console.print(f"run {report.run_id} " + ("[green]succeeded" if report.succeeded else "[red]had failures"))
    return report.succeeded


@contextmanager
def _telling_of_interruption() -> Iterator[None]:
    """Ctrl-C and SIGTERM are answered at once; to write the end of the run down takes seconds."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        errors.print("[yellow]![/] interrupted: what was published is kept, `dx run` goes on from there; ending …")
        raise


def _tell_alerts(report: RunReport) -> None:
    """The last thing a run does: everything is published, or has failed, by now."""
    from dx_pipeline.alerts.condition import RunNews
    from dx_pipeline.orchestration.alerting import check_after_run

    checked = check_after_run(RunNews(tuple(failure.subject for failure in report.failures), report.dead_runs))
    if checked is not None:
        show_check(checked, only_if_news=True)


def _by_message(failures: Sequence[StepFailure]) -> dict[str, list[str]]:
    """Message → the assets it is about: a source that is down is told once, not once per dataset."""
    common: dict[str, list[StepFailure]] = {}
    for failure in failures:
        common.setdefault(failure.message.removeprefix(f"{failure.dataset}: "), []).append(failure)
    return {
        message if len(found) > 1 else found[0].message: [failure.asset for failure in found]
        for message, found in common.items()
    }


def _show_plan(contracts: Sequence[Contract], month: date | None, whole: bool) -> None:
    from dx_pipeline.extract.source import open_source
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.warehouse.load_file import parse_load_file

    road = get_road()
    wide = console.width >= WIDE
    header, shown = dataset_names((contract.id for contract in contracts), full=console.width >= VERY_WIDE)
    table = plain_table("Kế hoạch, không ghi gì · Plan, nothing is written")
    table.add_column(header, overflow="ellipsis")
    if wide:
        table.add_column("reads", no_wrap=True)
    table.add_column("how", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("rows", justify="right")
    table.add_column("writes", no_wrap=True)
    for contract in contracts:
        kind, window = road.window(contract, month, whole=whole)
        try:
            url = road.settings.connection_url(road.catalog.systems[contract.system].connection)
            with open_source(contract, url) as reader:
                rows = number(reader.extract(window).source_rows)
        except DxError as error:
            rows = f"[red]{escape(error.what)}"
        try:
            targets = "\n".join(parse_load_file(contract.load_path).targets)
        except DxError as error:
            targets = f"[red]{escape(error.what)}"
        table.add_row(
            shown[contract.id],
            *([contract.source.label] if wide else []),
            f"{kind} {month:%Y-%m}" if kind == "period" and month else kind,
            (window.low or "–")[: 19 if wide else 16],
            rows,
            targets,
        )
    console.print(table)


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{3})-(\d{2})", text, re.ASCII)
    if match is None or not 1 <= int(match[2]) <= 12:
        raise SettingsError(f"--partition {text!r} is not a month", next_step="write it as 2024-03")
    return date(int(match[1]), int(match[2]), 1)
