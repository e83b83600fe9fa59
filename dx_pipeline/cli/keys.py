"""``dx keys``: the pseudonym keys, their rotation and their end."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table

keys_app = typer.Typer(help="Pseudonym keys: show, rotate, forget.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(keys_app, name="keys")


@keys_app.command()
@friendly
def show() -> None:
    """Versions of the key, and the rows that carry each. Never the keys themselves.

    Pseudonyms can be compared within one version only: join on the pseudonym and on key_version.

    Example: dx keys show
    """
    from dx_pipeline.orchestration.keys import key_states
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings

    settings = get_settings()
    states = key_states(get_warehouse(), settings)
    if not states:
        console.print(f"no key yet: the first run that needs one makes {settings.keys_path}")
        return
    table = plain_table(f"Khóa bí danh · Pseudonym keys ({escape(str(settings.keys_path))})")
    for name in ("version", "state", "check value", "rows"):
        table.add_column(name, overflow="fold")
    for state in states:
        table.add_row(
            str(state.version),
            _state(state.in_file, state.matches, state.current, state.deleted),
            state.check_value,
            "\n".join(f"{name} {rows:,}" for name, rows in state.rows.items()) or "–",
        )
    console.print(table)
    if len({state.version for state in states if state.rows}) > 1:
        console.print(
            "[yellow]![/] rows of several versions: the same person has another pseudonym in each."
            " `dx keys rotate --rekey` or `dx keys rekey` brings them to the current one"
        )


@keys_app.command()
@friendly
def rotate(
    rekey: Annotated[
        bool, typer.Option("--rekey", help="Then replay the landed batches, so that all rows get the new key.")
    ] = False,
    lost: Annotated[
        bool, typer.Option("--lost", help="The old key file is lost: go on with a new key that matches no old row.")
    ] = False,
) -> None:
    """Make a new version of the key. Older versions stay in the file; rows loaded from now on carry the new one.

    Examples:

      dx keys rotate

      dx keys rotate --rekey
    """
    from dx_pipeline.orchestration import keys
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings

    version = keys.rotate(get_warehouse(), get_settings(), lost=lost)
    console.print(f"key version {version} is in use; back up {get_settings().keys_path}, apart from the warehouse")
    if rekey:
        _rekey()
    else:
        console.print("[dim]rows that are there keep their version until they are read again: `dx keys rekey`")


@keys_app.command()
@friendly
def rekey() -> None:
    """Replay the landed batches of datasets with pseudonyms, oldest first: every row gets the current key.

    Example: dx keys rekey
    """
    _rekey()


@keys_app.command()
@friendly
def forget(
    version: Annotated[int, typer.Argument(help="Version to delete from the key file, from `dx keys show`.")],
    even_if_used: Annotated[
        bool, typer.Option("--even-if-used", help="Although rows carry it: cut them off from their persons.")
    ] = False,
) -> None:
    """Delete a version of the key for good. It must go from the backups of the key file too.

    Example: dx keys forget 1
    """
    from dx_pipeline.orchestration import keys
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings

    rows = keys.forget(get_warehouse(), get_settings(), version, even_if_used=even_if_used)
    console.print(f"key version {version} is deleted; {rows:,} rows carried it. Delete it from the key's backups too")


def _rekey() -> None:
    from dx_pipeline.cli.run import execute
    from dx_pipeline.orchestration import keys
    from dx_pipeline.orchestration.process import get_catalog, get_road
    from dx_pipeline.settings import get_settings

    road = get_road()
    failed = 0
    for contract, batch in keys.batches_to_rekey(road.warehouse, get_catalog().contracts.values(), road.landing):
        failed += not execute([contract], replay_batch=batch)
    states = keys.key_states(road.warehouse, get_settings())
    left = {state.version: sum(state.rows.values()) for state in states if state.rows and not state.current}
    if left:
        console.print(
            "[yellow]![/] "
            + ", ".join(f"{rows:,} rows keep key version {version}" for version, rows in left.items())
            + ": their landed rows are gone. `dx run <dataset> -p <month>` reads them from the source again"
        )
    else:
        console.print("all rows carry the current key version")
    if failed:
        raise typer.Exit(1)


def _state(in_file: bool, matches: bool, current: bool, deleted: bool) -> str:
    if deleted:
        return "deleted"
    if not in_file:
        return "[red]not in the key file"
    if not matches:
        return "[red]another key than the warehouse was filled with"
    return "[green]in use" if current else "kept"
