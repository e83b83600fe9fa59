"""``dx contract init``: draft contract, suite and load SQL from a live source."""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly, show_error
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError
from dx_pipeline.settings import PROJECT_ROOT, get_settings

if TYPE_CHECKING:
    from dx_pipeline.onboarding.draft import DatasetDraft
    from dx_pipeline.onboarding.drafting import Written
    from dx_pipeline.onboarding.profile import ProfiledColumn


LONGEST_LIST = 80  # characters of a code list that are shown


@friendly
def init(
    source: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="postgresql://, mysql://, mariadb://, sqlite:///file, file:///folder, or the name of a connection.",
        ),
    ],
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TABLE...", help="Tables; of a folder: files, a pattern (*.csv), book.xlsx#Sheet or a.json#list."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every table (or file) the source holds.")] = False,
    system: Annotated[str | None, typer.Option("--system", help="Name of the system; default: of the source.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Name of the dataset, if it is one.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Project folder to write into; default: this one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Look at a source and draft contract, suite and load SQL; the source is only read.

    Types, keys, empty values, code lists, times as text and personal data are found in a sample of at most 200,000
    rows of each table and proved with the cleaners. No personal value is shown or written.

    Examples:

      dx contract init sqlite:////data/y_te.sqlite --all --system health --out health_project

      dx contract init HEALTH co_so_y_te

      dx contract init file:///data/drop "*.csv" --dataset ho_so
    """
    from dx_pipeline.onboarding.drafting import Request, draft_source

    if not tables and not everything:
        raise SettingsError("no table is named", next_step="name tables, or say --all")
    started = time.monotonic()
    folder = (out or PROJECT_ROOT).expanduser().resolve()
    connection = None if "://" in source or Path(source).expanduser().exists() else source
    request = Request(
        url=_url(source),
        tables=tuple(tables or ()),
        everything=everything,
        out=folder,
        system=system or connection,
        connection=connection,
        dataset=dataset,
        force=force,
    )
    with console.status("") as status:
        written = draft_source(request, lambda label: status.update(f"đang đọc · reading {label}"))
    for draft in written.drafts:
        _show(draft)
    _show_files(written, folder)
    _show_next_steps(written, folder, time.monotonic() - started)
    for error in written.refused:
        show_error(error)
    if written.refused:
        raise typer.Exit(1)


def _url(source: str) -> str:
    """The URL itself, that of a file or folder, or that of a configured connection."""
    if "://" in source:
        return source
    path = Path(source).expanduser()
    if path.is_dir():
        return f"file://{path.resolve()}"
    if path.is_file():
        return f"sqlite:///{path.resolve()}"
    return get_settings().connection_url(source)


def _show(draft: DatasetDraft) -> None:
    profile = draft.profile
    sampled = "" if profile.sampled_rows >= profile.total_rows else f" (mẫu · sample {profile.sampled_rows:,})"
    table = plain_table(f"{draft.id}  ←  {escape(draft.label)}, {profile.total_rows:,} dòng · rows{sampled}")
    for name in ("column", "source", "declared"):
        table.add_column(name, overflow="fold")
    table.add_column("empty", justify="right", no_wrap=True)
    table.add_column("distinct", justify="right", no_wrap=True)
    table.add_column("meaning", no_wrap=True)
    table.add_column("read", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for column in profile.columns:
        table.add_row(*_cells(column, draft))
    console.print(table)
    conflicts = f", {profile.key.conflicts:,} rows do not keep to it" if profile.key.conflicts else ""
    console.print(f"  khóa · key  [bold]{', '.join(profile.key.columns)}[/]: {profile.key.why}{conflicts}")
    cursor = f", con trỏ · cursor {profile.cursor}" if profile.cursor else ""
    console.print(f"  cách đọc · load  [bold]{profile.mode}[/]{cursor}")
    if profile.left_out:
        console.print(f"  không đọc · left out  {escape(', '.join(profile.left_out))}")
    if draft.depends_on:
        console.print(f"  sau khi · after  {', '.join(draft.depends_on)}")


def _cells(column: ProfiledColumn, draft: DatasetDraft) -> list[str]:
    facts, meaning = column.facts, column.meaning
    personal = f" [red]{meaning.classification}[/]" if meaning.is_personal else ""
    bounds = f", {meaning.bounds[0]} … {meaning.bounds[1]}" if meaning.bounds else ""
    codes = meaning.options.get("codes")
    shown = f": {shorten(', '.join(codes), LONGEST_LIST, placeholder=' ...')}" if codes else bounds
    name = f"[bold]{column.name}[/]" if column.name in draft.profile.key.columns else column.name
    return [
        name,
        escape(column.source.name),
        escape(column.source.type_text) if not facts.is_file else "–",
        f"{facts.null_share:.1%}" if facts.null_share else "–",
        f"{facts.distinct:,}",
        meaning.semantic_type + personal,
        "–" if facts.filled == 0 else f"{int(meaning.readable * 1000) / 10:g}%",
        escape(meaning.why + shown),
    ]


def _show_files(written: Written, folder: Path) -> None:
    console.print(f"\nđã viết · written in {folder}", soft_wrap=True)
    for path in written.files:
        console.print(f"  [green]✓[/] {escape(str(path.relative_to(folder)))}", soft_wrap=True)


def _show_next_steps(written: Written, folder: Path, seconds: float) -> None:
    variable = f"DX_CONNECTION_{written.connection.upper()}"
    project = "" if folder == PROJECT_ROOT else f" --project {folder}"
    personal = sum(column.meaning.is_personal for draft in written.drafts for column in draft.profile.columns)
    console.print(
        f"{len(written.drafts)} datasets in {seconds:.1f} s; {personal} columns look like personal data and stay out of "
        "the star",
        soft_wrap=True,
    )
    console.print("tiếp theo · next", style="bold")
    console.print(
        f"  1. export {variable}='...'   # the URL you gave, with an account that may only read", soft_wrap=True
    )
    console.print(f"  2. dx contract check{project}   # lists every TODO that a person has to fill in", soft_wrap=True)
    console.print(
        f"  3. dx run{project} {written.system} --plan, then dx run{project} {written.system}", soft_wrap=True
    )
