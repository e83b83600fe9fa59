"""``dx report``: the report for the steering committee, as one HTML file and a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from dx_pipeline.report.numbers import Report
    from dx_pipeline.warehouse.connection import Warehouse
    from dx_pipeline.warehouse.marts import Mart

DEFAULT_SET = "766-2022"
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def register(app: typer.Typer) -> None:
    app.command()(report)


@friendly
def report(
    period: Annotated[str, typer.Argument(help="2024-06, 2024-Q2, 2024-H1 or 2024.")],
    lang: Annotated[str, typer.Option("--lang", help="vi or en.")] = "vi",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="HTML file; default: DX_HOME/reports.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Also a PDF, if a Chromium is installed.")] = True,
    publish: Annotated[bool, typer.Option("--publish", help="Fix the numbers as the next published version.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who publishes.")] = "",
    note: Annotated[str | None, typer.Option("--note", help="What for, e.g. the number of the report.")] = None,
    version: Annotated[int | None, typer.Option("--version", help="Make a published version again.")] = None,
    as_known_at: Annotated[
        str | None, typer.Option("--as-known-at", help="As the warehouse knew at an instant: 2024-07-01T08:00.")
    ] = None,
    numbers: Annotated[Path | None, typer.Option("--numbers", help="Also write the numbers, as JSON.")] = None,
    set_code: Annotated[str, typer.Option("--set", help="Indicator set that is scored.")] = DEFAULT_SET,
) -> None:
    """The report of a period: figures against those published, scores, ranking, late dossiers, programmes, data quality.

    The file holds everything it shows and opens without a network. A published version is made again from its stored
    numbers; later data never changes it.

    Examples:

      dx report 2024-06

      dx report 2024-06 --publish --by "Văn phòng UBND tỉnh" --note "Báo cáo 102/BC-UBND"

      dx report 2024-06 --version 1 --lang en

      dx report 2024-06 --as-known-at 2024-07-01T08:00 --numbers june.json
    """
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.report import pdf as pdf_printer
    from dx_pipeline.report.period import parse_period
    from dx_pipeline.report.render import render
    from dx_pipeline.report.words import LANGUAGES
    from dx_pipeline.settings import get_settings

    if lang not in LANGUAGES:
        raise SettingsError(f"--lang {lang!r} is unknown", next_step="use vi or en")
    if sum((publish, version is not None, as_known_at is not None)) > 1:
        raise SettingsError("--publish, --version and --as-known-at exclude each other", next_step="name one of them")
    chosen, settings = parse_period(period), get_settings()
    warehouse = get_warehouse()
    made = _make(warehouse, settings.project_roots, chosen.text, set_code, publish, by, note, version, as_known_at)
    with warehouse.loader() as connection:
        province, owners = _names(connection, {c.id: c.owner_agency for c in get_catalog().contracts.values()})
    html = render(made, lang, province=province, owners=owners)
    target = (out or settings.home / "reports" / f"report-{chosen.text}-{lang}.html").absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(html, encoding="utf-8")
    if numbers is not None:
        numbers.write_bytes(made.numbers)
    differ = sum(1 for row in made.sections["figures"] if row["difference"] in (None,) or float(row["difference"]) != 0)
    state = f"v{made.version}" if made.version else "bản nháp · draft"
    console.print(f"[green]✓[/] {escape(str(target))} ({state})", soft_wrap=True)
    matching = len(made.sections["figures"]) - differ
    colour = "red" if differ else "green"
    console.print(
        f"số liệu đã công bố khớp · published figures that match: [{colour}]{matching}/{len(made.sections['figures'])}[/]"
    )
    for section, tables in made.read_as_now.items():
        console.print(f"[yellow]![/] {section}: đọc theo hiện tại · read as now: {', '.join(tables)}", soft_wrap=True)
    if made.changed_since is not None:
        told = ", ".join(made.changed_since) or "không phần nào · no section"
        console.print(f"đã thay đổi từ đó · changed since then: {told}", soft_wrap=True)
    if pdf:
        if pdf_printer.find_chromium() is None:
            console.print("[yellow]![/] không có Chromium, không in PDF · no Chromium here, so no PDF")
            return
        printed = target.with_suffix(".pdf")
        pdf_printer.print_pdf(target, printed)
        console.print(f"[green]✓[/] {escape(str(printed))}", soft_wrap=True)


def _make(
    warehouse: Warehouse,
    roots: Sequence[Path],
    period: str,
    set_code: str,
    publish: bool,
    by: str,
    note: str | None,
    version: int | None,
    as_known_at: str | None,
) -> Report:
    from dx_pipeline.report import numbers, publishing
    from dx_pipeline.report.period import parse_period
    from dx_pipeline.warehouse.marts import load_marts

    statements, chosen = numbers.section_sql(roots), parse_period(period)
    marts: list[Mart] = numbers.marts_read(statements, load_marts(roots))
    if publish:
        return publishing.publish_report(warehouse, statements, chosen, set_code, marts, by=by, note=note)
    with warehouse.loader() as connection:
        if version is not None:
            stored = publishing.published_report(connection, chosen, set_code, version)
            return replace(stored, changed_since=numbers.changed_since(connection, statements, stored))
        try:
            if as_known_at is not None:
                return numbers.read_as_known(connection, statements, chosen, set_code, _instant(as_known_at), marts)
            return numbers.read_now(connection, statements, chosen, set_code)
        finally:
            connection.rollback()


def _names(connection: Connection, owners: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Name of the province, and dataset → name of its owner."""
    import sqlalchemy as sa

    province = connection.exec_driver_sql(
        "select u.name from core.dim_admin_unit as u inner join core.dim_agency as a on u.code = a.province_code"
        " where u.level = 'province' and a.is_current order by u.valid_to desc, u.valid_from limit 1"
    ).scalar()
    rows = connection.execute(
        sa.text("select agency_code, name from core.dim_agency where is_current and agency_code = any(:codes)"),
        {"codes": sorted(set(owners.values()))},
    )
    names = {row.agency_code: row.name for row in rows}
    return str(province or ""), {dataset: names.get(code, code) for dataset, code in owners.items()}


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is no instant", next_step="write 2024-07-01T08:00 (local time)") from None
    return found if found.tzinfo else found.replace(tzinfo=_ZONE)
