"""``dx publication``: fix a report as it is published, show what was published, and explain what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.syntax import Syntax

from dx_pipeline.cli.console import console, friendly, number
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import LoadFileError, SettingsError

if TYPE_CHECKING:
    from dx_pipeline.warehouse.publication import Publication, Rows, Subject

publication_app = typer.Typer(
    no_args_is_help=True, help="Số liệu công bố theo phiên bản · Published figures by version."
)
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_LIMIT = 40
SubjectName = Annotated[str, typer.Argument(help="A mart or the code of a figure (`dx figures`).")]
Period = Annotated[str, typer.Argument(help="2024-06, 2024 or 2023-2024.")]


def register(app: typer.Typer) -> None:
    app.add_typer(publication_app, name="publication")


@publication_app.command()
@friendly
def publish(
    subject: Annotated[str, typer.Argument(help="A mart, the code of a figure, or all.")],
    period: Period,
    by: Annotated[str, typer.Option("--by", help="Who publishes.")],
    note: Annotated[str | None, typer.Option("--note", help="What for, e.g. the number of the report.")] = None,
) -> None:
    """Fix the values of a period as the next version. Later data never changes a version.

    Examples:

      dx publication publish dossier_on_time 2024-06 --by "Nguyễn Văn A" --note "Báo cáo 102/BC-UBND"

      dx publication publish all 2024-06 --by "Sở KH&CN"
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import publication

    warehouse, marts = get_warehouse(), _marts()
    with warehouse.loader() as connection:
        if subject == "all":
            chosen = publication.subjects_of(connection, marts, period)
        else:
            chosen = [publication.find_subject(connection, marts, subject, period)]
    if not chosen:
        raise SettingsError(
            f"nothing has rows of {period}", next_step="`dx figures` and `dx lineage` name what there is"
        )
    for one in chosen:
        try:
            made, is_new = publication.publish(warehouse, one, period, by=by, note=note)
        except SettingsError as error:
            if subject != "all" or not by.strip():
                raise
            console.print(f"[yellow]![/] {escape(error.what)}", soft_wrap=True)
            continue
        told = "công bố · published" if is_new else "[dim]không đổi · unchanged since[/]"
        console.print(f"[green]✓[/] {made.publication_id}: {_title(made)} {told} {_when(made.published_at)}")


@publication_app.command("list")
@friendly
def list_all(
    subject: Annotated[str | None, typer.Argument(help="Only this mart or figure.")] = None,
    period: Annotated[str | None, typer.Argument(help="Only this period.")] = None,
) -> None:
    """What was published, newest first.

    Examples:

      dx publication list

      dx publication list dossier_on_time 2024-06
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import publication

    with get_warehouse().loader() as connection:
        found = publication.list_publications(connection, subject=subject, period=period)
    if not found:
        console.print("chưa công bố gì · nothing was published yet: `dx publication publish --help`")
        return
    table = plain_table("Các lần công bố · Publications")
    for name, right in (("số · id", True), ("báo cáo · subject", False), ("kỳ · period", False), ("v", True)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("dòng · rows", justify="right")
    table.add_column("lúc · at", no_wrap=True)
    table.add_column("bởi · by", overflow="fold")
    table.add_column("ghi chú · note", overflow="fold")
    for one in found:
        table.add_row(
            str(one.publication_id), one.subject, one.period, str(one.version), number(one.row_count),
            _when(one.published_at), escape(one.published_by), escape(one.note or ""),
        )  # fmt: skip
    console.print(table)


@publication_app.command()
@friendly
def show(
    publication_id: Annotated[int, typer.Argument(help="Number of the publication; `dx publication list`.")],
    sql: Annotated[bool, typer.Option("--sql", help="Also the SQL that gave the values.")] = False,
) -> None:
    """One publication: its values as published, who, when, and the batches behind it.

    Example: dx publication show 3
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import publication

    with get_warehouse().loader() as connection:
        one = publication.get_publication(connection, publication_id)
        rows = publication.published_rows(connection, publication_id)
    console.print(f"[bold]{_title(one)}[/] {_when(one.published_at)}, {escape(one.published_by)}")
    if one.note:
        console.print(escape(one.note))
    batches = ", ".join(f"{name} {batch}" for name, batch in sorted(one.batches.items()))
    console.print(f"lô · batches: {batches or '–'}", soft_wrap=True)
    console.print(f"SHA-256 SQL {one.definition_hash[:16]}, giá trị · values {one.values_hash[:16]}")
    _show_rows(rows)
    if sql:
        console.print(Syntax(one.definition, "sql", background_color="default", word_wrap=True))


@publication_app.command("as-known")
@friendly
def as_known(
    subject: SubjectName,
    period: Period,
    at: Annotated[str, typer.Option("--at", help="Instant, local time unless it says another: 2024-07-01T08:00")],
) -> None:
    """A report as it would have come out at an earlier instant. Nothing is stored.

    Example: dx publication as-known dossier_on_time 2024-06 --at 2024-07-05T08:00
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import publication

    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        raise SettingsError(f"--at {at!r} is no instant", next_step="write it like 2024-07-05T08:00") from None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=_ZONE)
    with get_warehouse().loader() as connection:
        chosen = publication.find_subject(connection, _marts(), subject, period)
        rows, present = publication.rows_as_known(connection, chosen, period, instant)
        connection.rollback()
    console.print(f"[bold]{chosen.name} {period}[/], như kho biết lúc · as known at {_when(instant)}")
    _warn_of_present(present)
    _show_rows(rows)


@publication_app.command()
@friendly
def diff(
    first: Annotated[int, typer.Argument(help="Number of a publication; `dx publication list`.")],
    second: Annotated[str, typer.Argument(help="Number of a later one, or now.")] = "now",
    batches: Annotated[bool, typer.Option(help="Also which batches made it differ.")] = True,
) -> None:
    """What changed between two publications, or since one: each cell, and the batches that changed it.

    Examples:

      dx publication diff 3

      dx publication diff 3 5
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse import publication, publication_diff
    from dx_pipeline.warehouse.known_time import nothing_published_meanwhile

    warehouse, marts = get_warehouse(), _marts()
    if second != "now" and not second.isdigit():
        raise SettingsError(f"{second!r} is neither the number of a publication nor now")
    with warehouse.loader() as connection:
        one = publication.get_publication(connection, first)
        before = publication.published_rows(connection, first)
        subject = publication.find_subject(connection, marts, one.subject, one.period)
    title = f"{_title(one)} → "
    if second == "now":
        with nothing_published_meanwhile(warehouse) as connection:
            after = publication.rows_now(connection, subject, one.period)
            until: datetime = connection.exec_driver_sql("select now()").scalar_one()
        title, same_sql = title + "nay · now", one.definition_hash == subject.definition_hash
    else:
        with warehouse.loader() as connection:
            other = publication.get_publication(connection, int(second))
            after, until = publication.published_rows(connection, int(second)), other.published_at
        if (other.subject, other.period) != (one.subject, one.period):
            raise SettingsError(f"{_title(one)} and {_title(other)} are not versions of one report")
        title, same_sql = title + _title(other), one.definition_hash == other.definition_hash
        if until < one.published_at:
            raise SettingsError(f"publication {second} is older than {first}", next_step="name the older one first")
    cells = publication_diff.compare(before, after)
    if not cells:
        console.print(f"[green]✓[/] {title}: không đổi · nothing differs")
        return
    _show_cells(title, cells)
    if not same_sql:
        console.print("[yellow]![/] câu SQL của báo cáo đã đổi · the SQL of the report has changed as well")
    if batches:
        with console.status("…") as status:
            told = publication_diff.explain(
                warehouse, subject, one.period, before=(before, one.published_at), after=(after, until),
                datasets=_datasets_behind(subject),
                on_step=lambda done: status.update(f"tính lại · computed {done} times as known after a batch"),
            )  # fmt: skip
        _show_explanation(told)


def _datasets_behind(subject: Subject) -> list[str]:
    """Datasets whose load fills, or infers members of, a table the report reads; and those it says it depends on."""
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.warehouse.as_known import tables_read
    from dx_pipeline.warehouse.load_file import parse_load_file

    with get_warehouse().loader() as connection:
        read = tables_read(connection, subject.definition)
    found = set(subject.datasets)
    for contract in get_catalog().contracts.values():
        try:
            load = parse_load_file(contract.load_path)
        except LoadFileError:
            continue  # its own run tells what is wrong with it
        if read & ({*load.targets} | load.filled):
            found.add(contract.id)
    return sorted(found)


def _show_cells(title: str, cells: Sequence[Any]) -> None:
    table = plain_table(title, caption=f"{len(cells) - _LIMIT} more" if len(cells) > _LIMIT else None)
    table.add_column("dòng · row", overflow="fold")
    table.add_column("cột · column", overflow="fold")
    for name in ("từ · from", "thành · to", "±"):
        table.add_column(name, justify="right", overflow="fold")
    for cell in cells[:_LIMIT]:
        numbers = all(isinstance(v, int | Decimal) and not isinstance(v, bool) for v in (cell.before, cell.after))
        change = f"{cell.after - cell.before:+,f}" if numbers else ""
        table.add_row(
            escape(cell.row_key), cell.column, _value(cell.before), _value(cell.after),
            change.rstrip("0").rstrip(".") if "." in change else change,
        )  # fmt: skip
    console.print(table)


def _show_explanation(told: Any) -> None:
    if told.effects:
        table = plain_table("Do các lô · Because of these batches")
        for name in ("lô · batch", "mới · inserted", "đổi · updated", "đóng · closed", "ô · cells"):
            table.add_column(name, justify="right")
        table.add_column("bộ dữ liệu · dataset")
        table.add_column("lúc · at", no_wrap=True)
        for one in told.effects:
            table.add_row(
                str(one.batch_id), number(one.inserted), number(one.updated), number(one.closed), number(one.cells),
                f"{one.dataset} ({one.kind})", _when(one.published_at),
            )  # fmt: skip
        console.print(table)
    _warn_of_present(told.read_as_now)
    if told.unexplained and not told.read_as_now:
        console.print(
            f"[yellow]![/] {told.unexplained} ô không do lô nào · cells that no batch changed: the SQL of the report,"
            " or reference data of a migration",
            soft_wrap=True,
        )
    console.print(f"[dim]{told.batches} lô giữa hai lần · batches between the two; `dx batches show NUMBER`[/]")


def _warn_of_present(tables: Sequence[str]) -> None:
    if tables:
        console.print(
            f"[yellow]![/] không lưu quá khứ · no past is kept of {', '.join(tables)}: read as they are now",
            soft_wrap=True,
        )


def _show_rows(rows: Rows) -> None:
    """The columns that hold numbers or texts; on one line each when there are few, else as records."""
    if not rows:
        console.print("không có dòng nào · no rows")
        return
    names = list(next(iter(rows.values())))
    if len(names) * 12 <= console.width:
        table = plain_table("")
        table.add_column("dòng · row", overflow="fold")
        for name in names:
            table.add_column(name, justify="right", overflow="fold")
        for key, row in rows.items():
            table.add_row(escape(key), *(_value(row[name]) for name in names))
        console.print(table)
        return
    for key, row in rows.items():
        told = ", ".join(f"{name} {_value(value)}" for name, value in row.items() if value not in (None, 0))
        console.print(f"[bold]{escape(key)}[/]: {told}", soft_wrap=True)


def _marts() -> list[Any]:
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.marts import load_marts

    return load_marts(get_settings().project_roots)


def _title(one: Publication) -> str:
    return f"{one.subject} {one.period} v{one.version}"


def _when(at: datetime) -> str:
    return f"{at.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}"


def _value(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))
