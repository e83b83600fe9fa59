"""``dx vanished``: decide about rows that a source no longer has, and look at what was decided."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly, number
from dx_pipeline.cli.run import ProjectOption, execute
from dx_pipeline.cli.tables import plain_table

vanished_app = typer.Typer(no_args_is_help=True, help="Dòng không còn ở nguồn · Rows that a source no longer has.")
By = Annotated[str, typer.Option("--by", help="Who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the name.")]
DatasetName = Annotated[str, typer.Argument(help="Dataset, e.g. poor_households.ho_ngheo.")]


def register(app: typer.Typer) -> None:
    app.add_typer(vanished_app, name="vanished")


@vanished_app.command()
@friendly
def accept(dataset: DatasetName, by: By, reason: Reason, project: ProjectOption = None) -> None:
    """Read a dataset whole and close all that its source no longer has, however much it is.

    For a batch that was held because more had vanished than the contract allows, after the owner said that it is right.
    If the run fails, the next whole read within a day carries the decision out.

    Example: dx vanished accept one_stop.qua_trinh_xu_ly --by "Trần Văn B" --reason "Công văn 12/STP"
    """
    _decide_and_run(dataset, None, by, reason, project)


@vanished_app.command()
@friendly
def withdraw(
    dataset: DatasetName,
    part: Annotated[str, typer.Argument(help="Part that left the source, as `dx run` names it, e.g. year=2022.")],
    by: By,
    reason: Reason,
    project: ProjectOption = None,
) -> None:
    """Close the rows of a year, month or commune whose file was withdrawn, or came again with its header only.

    A part that is not delivered any more stays as it is until a person says that it was withdrawn. Take the file out
    first: rows that still come stay open.

    Example: dx vanished withdraw poor_households.ho_ngheo year=2022 --by "Trần Văn B" --reason "Công văn 45/SLĐ"
    """
    _decide_and_run(dataset, part, by, reason, project)


@vanished_app.command(name="list")
@friendly
def list_() -> None:
    """What was decided, by whom, why, and which batch closed how many rows.

    Example: dx vanished list
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.vanishing import list_decisions

    with get_warehouse().loader() as connection:
        found = list_decisions(connection)
    table = plain_table("Quyết định về dòng không còn ở nguồn · Decisions about vanished rows")
    for header in ("#", "dataset", "part", "by", "reason", "when", "batch", "closed"):
        table.add_column(header)
    for one in found:
        table.add_row(
            str(one.decision_id),
            escape(one.dataset),
            escape(one.part or "all"),
            escape(one.decided_by),
            escape(one.reason),
            f"{one.decided_at.astimezone():%Y-%m-%d %H:%M}",
            str(one.carried_out_by or "waiting"),
            number(one.rows_closed) if one.rows_closed is not None else "–",
        )
    console.print(table)


def _decide_and_run(dataset: str, part: str | None, by: str, reason: str, project: ProjectOption) -> None:
    from dx_pipeline.cli.project import add_projects

    add_projects(project)
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.warehouse.vanishing import decide

    contract = get_catalog().contract(dataset)
    with get_warehouse().loader() as connection:
        decide(connection, contract, part=part, by=by, reason=reason)
    if not execute([contract], whole=True):
        raise typer.Exit(1)
