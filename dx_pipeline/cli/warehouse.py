"""``dx warehouse``: where the tables of the warehouse live when it runs on several nodes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table

warehouse_app = typer.Typer(help="Kho trên nhiều máy chủ · The warehouse on several nodes.", no_args_is_help=True)
NO_CITUS = "[yellow]![/] the extension citus is not installed in this warehouse: nothing to do, and nothing was done"


def register(app: typer.Typer) -> None:
    app.add_typer(warehouse_app, name="warehouse")


@warehouse_app.command()
@friendly
def distribute(
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done, statement by statement.")] = False,
) -> None:
    """Spread the tables over the nodes of a Citus cluster. On plain PostgreSQL it does nothing.

    Tables keyed by the dossier code are distributed by it, dimensions are copied to every node, all others stay on the
    coordinator. Run it on an empty warehouse, or move a filled one as docs/scale.md describes. A second call moves only
    what is new.

    Examples:

      dx warehouse distribute --plan

      dx warehouse distribute
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.distribution import citus_version, plan_distribution
    from dx_pipeline.warehouse.distribution import distribute as run_plan

    with get_warehouse().owner() as connection:
        version = citus_version(connection)
        if version is None and not plan:
            console.print(NO_CITUS)
            return
        planned = plan_distribution(connection)
        if version is not None and not plan:
            run_plan(connection, planned)
    if not plan:
        console.print(
            f"citus {version}: {len(planned.distributed)} tables distributed, {len(planned.reference)} on every"
        )
        console.print(f"node, {len(planned.local)} on the coordinator; {len(planned.done)} of them were so before")
        return
    table = plain_table("Vị trí các bảng · Where tables live")
    for name in ("place", "tables"):
        table.add_column(name, overflow="fold")
    for place, names in (
        ("distributed by dossier_code", planned.distributed),
        ("on every node", planned.reference),
        ("coordinator", planned.local),
        ("there already", planned.done),
    ):
        table.add_row(place, ", ".join(names) or "–")
    console.print(table)
    for statement in planned.statements:
        console.print(escape(f"{statement};"), soft_wrap=True)
    if version is None:
        console.print(NO_CITUS)
