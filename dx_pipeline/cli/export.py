"""``dx export``: marts as files with their dictionary, open data, aggregates for other systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from dx_pipeline.cli.console import console, friendly, number
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from dx_pipeline.export.dictionary import MartDictionary

ROLES = ("dx_bi", "dx_analyst", "dx_engineer")
OFFICE = "000.00.00.H50"


class _MartByName(TyperGroup):
    """``dx export NAME`` is ``dx export mart NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["mart", *args]
        return super().resolve_command(ctx, args)


export_app = typer.Typer(cls=_MartByName, no_args_is_help=True, help="Marts as files, open data, aggregates.")
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")]
PeriodOption = Annotated[str, typer.Option("--period", "-p", help="2024-06, 2024-Q2, 2024-H1 or 2024.")]
ToOption = Annotated[str, typer.Option("--to", help="Folder, or https address that takes a POST.")]


def register(app: typer.Typer) -> None:
    app.add_typer(export_app, name="export")


@export_app.command()
@friendly
def mart(
    name: Annotated[str, typer.Argument(help="Name of the mart, without `mart.`.")],
    output: Annotated[str, typer.Option("--format", "-f", help="parquet, csv or xlsx.")] = "parquet",
    out: OutOption = Path("."),
    role: Annotated[
        str, typer.Option("--role", help=f"Whose rights to use: {', '.join(ROLES)} or dx_department:CODE.")
    ] = "dx_bi",
) -> None:
    """Write one mart as a file, with its dictionary beside it (in a workbook: also as its second sheet).

    Rows are streamed: a large mart needs no more memory than a small one. No cell of a workbook or CSV file runs as a formula.

    Examples:

      dx export mart dossier_on_time --format xlsx --out /srv/xuat

      dx export eid_by_commune_month -f parquet -o /srv/xuat

      dx export dossier_on_time -f csv --role dx_department:H50.05
    """
    from dx_pipeline.export.mart import export_mart
    from dx_pipeline.export.table_writer import FORMATS
    from dx_pipeline.orchestration.process import get_warehouse

    kind = next((one for one in FORMATS if one == output), None)
    if kind is None:
        raise SettingsError(f"--format {output!r} is unknown", next_step=f"use one of {', '.join(FORMATS)}")
    if role not in ROLES and not role.startswith("dx_department:"):
        raise SettingsError(f"--role {role!r} is unknown", next_step=f"use {', '.join(ROLES)} or dx_department:CODE")
    (about,) = _dictionaries([name.removeprefix("mart.")])
    done = export_mart(get_warehouse(), about, role=role, kind=kind, out=out)
    console.print(f"{done.rows:,} rows written to {escape(str(done.data))}", soft_wrap=True)
    console.print(f"dictionary in {escape(str(done.dictionary))}", soft_wrap=True)


@export_app.command(name="open-data")
@friendly
def open_data(
    out: OutOption,
    base_url: Annotated[
        str, typer.Option("--base-url", help="Address the folder will have; without it addresses are relative.")
    ] = "",
) -> None:
    """Write the marts that assets/open_data declares open, small cells hidden, with a DCAT-AP catalogue.

    OUT/public is for everyone. OUT/suppression-report.json tells what was hidden and why, and stays inside.

    Examples:

      dx export open-data --out /srv/du-lieu-mo

      dx export open-data --out /srv/du-lieu-mo --base-url https://dulieu.example.vn/kho
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dx_pipeline.contract.open_data import load_open_data
    from dx_pipeline.export.open_data import REPORT, release
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE

    settings = get_settings()
    publisher, declared = load_open_data(settings.project_roots)
    datasets = [one for one in declared if one.classification == "open"]
    if publisher is None or not datasets:
        raise SettingsError(
            "nothing is declared open" if publisher else "assets/open_data/publisher.yaml is missing",
            next_step="docs/for-open-data.md tells what the files in assets/open_data hold",
        )
    abouts = _dictionaries([one.mart for one in datasets])
    now = datetime.now(ZoneInfo(LOCAL_TIME_ZONE))
    done = release(
        get_warehouse(),
        list(zip(datasets, abouts, strict=True)),
        publisher,
        out=out,
        k=settings.open_data_k,
        now=now,
        base_url=base_url,
    )
    table = plain_table(f"Dữ liệu mở · Open data, k = {settings.open_data_k}")
    table.add_column("mart", no_wrap=True)
    for name in ("dòng · rows", "hiện · shown", "ẩn vì nhỏ · small", "ẩn để bảo vệ · company"):
        table.add_column(name, justify="right")
    for one in done:
        table.add_row(one.mart, *map(number, (one.rows, one.shown, one.small, one.company)))
    console.print(table)
    kept = [one.mart for one in declared if one.classification != "open"]
    if kept:
        console.print(f"not open by their files: {', '.join(kept)}", soft_wrap=True)
    console.print(f"for everyone: {escape(str(out / 'public'))}", soft_wrap=True)
    console.print(f"stays inside: {escape(str(out / REPORT))}", soft_wrap=True)


@export_app.command()
@friendly
def indicators(
    period: PeriodOption,
    to: ToOption,
    office: Annotated[str, typer.Option("--office", help="officeCode of the province.")] = OFFICE,
) -> None:
    """Send the declared indicators of a period as the provincial reporting system writes values.

    The token of an address comes from DX_EXPORT_TOKEN. Indicators without a period, or without a value in it, are left out.

    Examples:

      dx export indicators --period 2024-06 --to /srv/bao-cao

      dx export indicators -p 2024-Q2 --to https://baocao.example.vn/indicators
    """
    from dx_pipeline.contract.indicator import load_indicators
    from dx_pipeline.export.aggregates import indicator_report, parse_period
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.settings import get_settings

    asked = parse_period(period)
    document = indicator_report(
        get_warehouse(),
        load_indicators(get_settings().project_roots),
        asked,
        office_code=office,
        role="dx_bi",
    )
    _send(document, f"indicators-{asked.text}", to, f"{document['total']} values")


@export_app.command()
@friendly
def emc(period: PeriodOption, to: ToOption) -> None:
    """Send counts of dossiers by agency, procedure and the codes of EMC, to compare with what EMC has.

    Counts only: no dossier, no person. They may be small, so the file is for EMC and is no open data.

    Examples:

      dx export emc --period 2024-06 --to /srv/doi-soat

      dx export emc -p 2024-06 --to https://emc.example.vn/reconcile
    """
    from dx_pipeline.export.aggregates import emc_report, parse_period
    from dx_pipeline.orchestration.process import get_warehouse

    asked = parse_period(period)
    document = emc_report(get_warehouse(), asked, role="dx_analyst")
    _send(document, f"emc-{asked.text}", to, f"{document['dossiers']:,} dossiers in {document['total']:,} counts")


def _send(document: dict[str, Any], name: str, to: str, told: str) -> None:
    from dx_pipeline.export.delivery import deliver
    from dx_pipeline.settings import get_settings

    token = get_settings().export_token
    done = deliver(document, name, to, token.get_secret_value().strip() if token else None)
    again = f" ({done.attempts} attempts)" if done.attempts > 1 else ""
    console.print(f"{told} to {escape(done.where)}{again}", soft_wrap=True)


def _dictionaries(names: list[str]) -> list[MartDictionary]:
    from dx_pipeline.export.dictionary import read_dictionary
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.settings import get_settings
    from dx_pipeline.warehouse.marts import load_marts

    roots = get_settings().project_roots
    marts = load_marts(roots)
    catalog = get_catalog()
    return [read_dictionary(get_warehouse(), name, catalog=catalog, marts=marts, roots=roots) for name in names]
