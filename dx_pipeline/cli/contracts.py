"""``dx contract``: check contracts, suites and load SQL before they meet a source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli import contract_init
from dx_pipeline.cli.console import console, friendly, show_error
from dx_pipeline.cli.project import add_projects
from dx_pipeline.cli.reasons import reasons
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.loader import CONTRACT_SUFFIX, load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError
from dx_pipeline.settings import get_settings

contract_app = typer.Typer(help="Contracts of the datasets.", no_args_is_help=True)
ProjectOption = Annotated[list[Path] | None, typer.Option("--project", help="Further project folder (repeatable).")]


def register(app: typer.Typer) -> None:
    contract_app.command(name="reasons")(reasons)
    contract_app.command(name="init")(contract_init.init)
    app.add_typer(contract_app, name="contract")


@contract_app.command(name="list")
@friendly
def list_contracts(project: ProjectOption = None) -> None:
    """All datasets, their owners and how they are read.

    Example: dx contract list
    """
    add_projects(project)
    catalog = load_catalog(get_settings().project_roots, strict=False)
    table = plain_table("Hợp đồng dữ liệu · Contracts")
    for name in ("dataset", "version", "owner", "mode", "columns"):
        table.add_column(name, justify="right" if name == "columns" else "left", no_wrap=name != "dataset")
    for contract in catalog.contracts.values():
        table.add_row(
            f"{contract.id}\n[dim]{escape(contract.purpose_vi)} | {escape(contract.purpose_en)}",
            contract.version,
            contract.owner_agency,
            contract.load.mode,
            str(len(contract.columns)),
        )
    console.print(table)
    for error in catalog.broken:
        show_error(error)
    if catalog.broken:
        raise typer.Exit(1)


@contract_app.command()
@friendly
def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Contract files; default: all known ones.")] = None,
    project: ProjectOption = None,
) -> None:
    """Check contract, suite and load SQL of each dataset; no source is touched.

    Examples:

      dx contract check

      dx contract check examples/nyc311/assets/nyc311/service_request.odcs.yaml
    """
    add_projects(project)
    found = paths or [
        path
        for root in get_settings().project_roots
        for path in sorted((root / "assets").glob(f"*/*{CONTRACT_SUFFIX}"))
    ]
    failed = unfinished = 0
    for path in found:
        try:
            contract = load_contract(path.resolve(), _root_of(path.resolve()))
            _check_all(contract)
            console.print(f"[green]✓[/] {contract.id}  {path}")
            unfinished += _warn_of_open_places(contract)
        except DxError as error:
            failed += 1
            show_error(error)
    drafts = f", {unfinished} with open TODOs" if unfinished else ""
    console.print(f"{len(found) - failed} right, {failed} broken{drafts}")
    if failed:
        raise typer.Exit(1)


def _check_all(contract: Contract) -> None:
    from dx_pipeline.clean.batch import cleaned_schema
    from dx_pipeline.judge.suite import load_suite
    from dx_pipeline.warehouse.load_file import parse_load_file

    load_suite(contract, cleaned_schema(contract).names)
    parse_load_file(contract.load_path)


def _warn_of_open_places(contract: Contract) -> bool:
    """Tell which lines of a draft wait for a person; True if there are any."""
    from dx_pipeline.onboarding.todo import open_places

    places = open_places(contract)
    for place in places:
        console.print(f"  [yellow]![/] {escape(str(place))}", soft_wrap=True)
    return bool(places)


def _root_of(path: Path) -> Path:
    """The project folder of ``<root>/assets/<system>/<dataset>.odcs.yaml``."""
    return path.parent.parent.parent
