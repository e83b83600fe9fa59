"""``dx docs``: the dictionary and the quality board as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly

docs_app = typer.Typer(help="The dictionary and the quality board, as a site for everyone.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(docs_app, name="docs")


@docs_app.callback()
def _docs() -> None:
    """Keeps ``build`` a command of its own."""


@docs_app.command()
@friendly
def build(
    out: Annotated[Path | None, typer.Argument(help="Folder to write; default: DX_HOME/site.")] = None,
) -> None:
    """Write the dictionary and the quality board, in Vietnamese and English, as plain files.

    It opens from the disk and loads nothing from elsewhere. It holds counts and descriptions, no row of data: the rows a
    department must mend come from `dx quarantine export`.

    Examples:

      dx docs build

      dx docs build /srv/www/kho-du-lieu
    """
    from dx_pipeline.docs_site.site import build_site, read_facts
    from dx_pipeline.orchestration.process import get_catalog, get_lineage, get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.marts import load_marts

    settings = get_settings()
    target = (out or settings.home / "site").absolute()
    facts = read_facts(
        get_warehouse(), get_catalog(), load_marts(settings.project_roots), get_lineage(), settings.project_roots
    )
    pages = build_site(facts, target)
    for problem in get_catalog().broken:
        console.print(f"[yellow]![/] {escape(problem.what)}", soft_wrap=True)
    console.print(f"{pages} pages written, open {escape(str(target / 'index.html'))}", soft_wrap=True)
