"""``dx sandbox``: a province to try, with real databases and planted faults whose truth is known."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from dx_pipeline.cli.console import console, friendly, show_error
from dx_pipeline.cli.progress_bars import BarProgress
from dx_pipeline.cli.tables import VERY_WIDE, dataset_names, plain_table
from dx_pipeline.settings import get_settings

sandbox_app = typer.Typer(help="The sandbox province.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(sandbox_app, name="sandbox")


@sandbox_app.command()
@friendly
def build(
    dossiers: Annotated[
        int | None, typer.Option(help="Dossiers to make (default: DX_SANDBOX_DOSSIERS, 60,000).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same province.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Build anew even if it is there already.")] = False,
) -> None:
    """Build the source systems of the sandbox, once; a second call only starts them.

    Examples:

      dx sandbox build

      dx sandbox build --dossiers 1000000 --fresh
    """
    from dx_pipeline.sandbox.province import SandboxProvince

    province = SandboxProvince(get_settings())
    started = time.monotonic()
    with BarProgress(console) as bars:
        built = province.build(
            dossiers=dossiers,
            seed=seed,
            fresh=fresh,
            progress=lambda step, rows: bars.advance("sandbox", step, rows),
        )
    for error in province.not_built.values():
        show_error(error)
    told = f"sandbox built in {time.monotonic() - started:.1f} s" if built else "sandbox is there already"
    console.print(f"{told}: {province.describe()}")
    if stores := province.stores():
        console.print(stores, soft_wrap=True)


@sandbox_app.command()
@friendly
def change(
    rows: Annotated[int, typer.Option(help="Dossiers that change.")] = 500,
    seed: Annotated[int, typer.Option(help="Same seed, same changes.")] = 1,
) -> None:
    """Let an hour pass in the one-stop system: some dossiers change, some events are added.

    Example: dx sandbox change --rows 5000 && dx run
    """
    from dx_pipeline.sandbox.province import SandboxProvince

    console.print(f"{SandboxProvince(get_settings()).change(rows=rows, seed=seed):,} dossiers changed")


@sandbox_app.command()
@friendly
def verify() -> None:
    """Compare every verdict with the truth the sandbox wrote when it planted its faults.

    Example: dx run && dx sandbox verify
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.sandbox.province import SandboxProvince
    from dx_pipeline.sandbox.verify import verify_verdicts

    report = verify_verdicts(SandboxProvince(get_settings()), get_warehouse())
    header, shown = dataset_names((line.dataset for line in report.lines), full=console.width >= VERY_WIDE)
    table = plain_table("Lỗi đã gài so với phán quyết · Planted faults against verdicts")
    table.add_column(header, overflow="ellipsis")
    table.add_column("fault", no_wrap=True)
    for name in ("verdict", "planted", "found", "missed", "wrong"):
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    for line in report.lines:
        counts = (f"{count:,}" for count in (line.planted, line.found, line.missed, line.wrong))
        style = "" if line.missed == 0 and line.wrong == 0 else "red"
        table.add_row(shown[line.dataset], line.code, line.verdict, *counts, style=style)
    console.print(table)
    console.print(
        f"recall {report.recall:.4f}, clean rows rejected {report.clean_rejected:,} "
        + ("[green]✓ as planted" if report.is_right else "[red]✗ verdicts differ from the truth")
    )
    if not report.is_right:
        raise typer.Exit(1)


@sandbox_app.command()
@friendly
def down() -> None:
    """Stop the sandbox's source systems (the warehouse goes on).

    Example: dx sandbox down
    """
    from dx_pipeline.sandbox.province import SandboxProvince

    console.print("sandbox stopped" if SandboxProvince(get_settings()).stop() else "sandbox was not running")
