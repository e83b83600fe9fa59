"""``dx backup``, ``dx restore`` and ``dx retention``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.settings import get_settings


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)
    app.command()(retention)


@friendly
def backup(
    directory: Annotated[Path, typer.Argument(help="New folder for the backup, best on another disk.")],
    landing: Annotated[
        bool, typer.Option("--landing", help="Copy the landed rows too, not only their manifests.")
    ] = False,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the pseudonym keys in too. Who has both can find the persons.")
    ] = False,
) -> None:
    """Back up the warehouse: dump, roles, manifests of what landed, a hash of every file.

    The pseudonym keys are not in it: copy DX_HOME/keys to another, safer place.

    Examples:

      dx backup /mnt/sao-luu/2024-07-01

      dx backup /mnt/sao-luu/2024-07-01 --landing
    """
    from dx_pipeline.orchestration.backup import make_backup
    from dx_pipeline.orchestration.process import get_road

    road = get_road()
    done = make_backup(
        road.warehouse, road.settings, road.catalog, directory, landing_files=landing, with_keys=with_keys
    )
    console.print(
        f"{done.tables} tables, {done.rows:,} rows, {done.batches:,} landed batches, {done.bytes / 1e6:,.1f} MB in"
        f" {escape(str(done.folder))}",
        soft_wrap=True,
    )
    if done.missing:
        console.print(f"[dim]no longer landed, so without a manifest: {len(done.missing)} batches")
    if not done.with_keys:
        console.print(f"keys are not in it: back up {escape(str(get_settings().keys_path))} apart", soft_wrap=True)


@friendly
def restore(
    directory: Annotated[Path, typer.Argument(help="Folder that `dx backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the warehouse.")] = False,
    replay: Annotated[
        bool, typer.Option("--replay/--no-replay", help="Publish again what landed after the backup.")
    ] = True,
) -> None:
    """Check a backup, bring it back, compare every table with it, and publish again what landed since.

    Examples:

      dx restore /mnt/sao-luu/2024-07-01

      dx restore /mnt/sao-luu/2024-07-01 --force
    """
    from dx_pipeline.orchestration import later_landings
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.orchestration.restore import check_backup
    from dx_pipeline.orchestration.restore import restore as bring_back
    from dx_pipeline.warehouse.connection import Warehouse

    settings = get_settings()
    check_backup(directory.expanduser().absolute())
    warehouse = Warehouse.open(settings)
    done = bring_back(warehouse, settings, directory, force=force)
    warehouse.close()
    console.print(
        f"backup of {done.created_at}: {done.tables} tables, {done.rows:,} rows, each table as it was backed up;"
        f" {done.batches:,} landed batches brought back"
    )
    for warning in done.warnings:
        console.print(f"[yellow]![/] {escape(warning)}", soft_wrap=True)
    if done.logins_without_password:
        console.print(f"[yellow]![/] logins without a password: {escape(', '.join(done.logins_without_password))}")
    if done.not_in_landing:
        console.print(f"[yellow]![/] {len(done.not_in_landing)} batches are not in the landing zone: no replay of them")
    if done.keys == "missing":
        console.print(
            f"[yellow]![/] the pseudonym keys are not here: put them back to {escape(str(settings.keys_path))} (mode"
            " 0600) before the next run",
            soft_wrap=True,
        )
    road = get_road()
    later_landings.keep_numbers_apart(road)
    landings, left = later_landings.find_later(road)
    if not replay:
        console.print(f"{len(landings)} batches landed after the backup; `dx run` reads the sources again")
        return
    told = later_landings.publish_later(road, landings)
    console.print(f"{len(told.published)} batches that landed after the backup are published again")
    for line in (*left, *told.left):
        console.print(f"[yellow]![/] {escape(line)}", soft_wrap=True)
    if told.left:
        raise typer.Exit(1)


@friendly
def retention(
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be removed; remove nothing.")] = False,
) -> None:
    """Remove what has been kept for as long as the settings say (DX_RETENTION_...).

    Never what an open batch or the latest published one needs.

    Examples:

      dx retention --plan

      dx retention
    """
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.orchestration.retention import carry_out, make_plan

    road = get_road()
    made = make_plan(road.warehouse, road.settings, road.landing)
    table = plain_table("Sẽ xóa · To be removed" if plan else "Đã xóa · Removed")
    table.add_column("what", overflow="fold")
    table.add_column("older than", no_wrap=True)
    for name in ("number", "kept"):
        table.add_column(name, justify="right", no_wrap=True)
    if not plan:
        made = carry_out(road.warehouse, road.settings, road.landing, made)
    for line in made.lines:
        days = "kept for good" if line.days == 0 else f"{line.days} days"
        table.add_row(escape(line.what), days, f"{line.number:,}", f"{line.kept:,}")
    console.print(table)
