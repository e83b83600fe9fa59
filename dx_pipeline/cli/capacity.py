"""``dx capacity``: disk, time and the limits of one server, from measured coefficients."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table


def register(app: typer.Typer) -> None:
    app.command()(capacity)


@friendly
def capacity(
    dossiers_per_year: Annotated[int, typer.Option(min=1, help="Dossiers of one province in a year.")],
    years: Annotated[int, typer.Option(min=1, max=100, help="Years that are kept.")],
    provinces: Annotated[int, typer.Option(min=1, help="Provinces in one warehouse.")] = 1,
    cores: Annotated[int, typer.Option(min=1, help="Cores of the server.")] = 8,
    memory_gb: Annotated[int, typer.Option("--memory-gb", min=1, help="Memory of the server, in GB.")] = 64,
    sources: Annotated[
        bool, typer.Option("--sources", help="List the coefficients, each with source and date.")
    ] = False,
) -> None:
    """Ước lượng dung lượng · Estimate disk, load time, query time, and when one server no longer does.

    Arithmetic over measured coefficients, good to about a factor of two; docs/capacity.md tells how to measure your own.

    Examples:

      dx capacity --dossiers-per-year 1500000 --years 10

      dx capacity --dossiers-per-year 3000000 --years 5 --provinces 34 --cores 32 --memory-gb 256 --sources
    """
    from dx_pipeline.capacity.model import coefficients, estimate

    by = coefficients()
    found = estimate(dossiers_per_year, years, provinces=provinces, cores=cores, memory_gb=memory_gb, by=by)
    table = plain_table("")
    table.add_column("")
    table.add_column("", justify="right")
    for label, text in (
        ("hồ sơ · dossiers", f"{found.dossiers:,}"),
        ("dòng · rows of the star (dossiers and events)", f"{found.rows:,}"),
        ("kho · disk of the star, with indexes", _size(found.star_bytes)),
        ("vùng đệm · disk of landing (Parquet)", _size(found.landing_bytes)),
        ("nạp lần đầu · first load of everything, one process", _time(found.first_load_hours * 3600)),
        ("nạp hằng ngày · daily load into the star", _time(found.daily_load_seconds)),
        (f"truy vấn · reading one year of dossiers, {cores} cores", _time(found.scan_year_seconds)),
        (
            "bảng tổng hợp chậm nhất, đếm lại toàn bộ mỗi ngày một lần · slowest mart, everything counted (once a day)",
            _time(found.slowest_mart_seconds),
        ),
        ("phục hồi · restore of the star", _time(found.restore_hours * 3600)),
        ("vùng nóng · months people ask about", _size(found.hot_bytes)),
    ):
        table.add_row(label, text)
    console.print(table)
    for line in found.advice:
        console.print(f"[bold]→[/] {escape(line)}", soft_wrap=True)
    if sources:
        listed = plain_table("Hệ số · Coefficients (dx_pipeline/capacity/coefficients.yaml)")
        for name in ("name", "value", "unit", "kind", "date", "source"):
            listed.add_column(name, overflow="fold", justify="right" if name == "value" else "left")
        for name, number in by.items():
            listed.add_row(
                name, f"{number.value:,g}", number.unit, number.kind, str(number.measured_on), escape(number.source)
            )
        console.print(listed)


def _size(size: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.0f} kB"


def _time(seconds: float) -> str:
    for unit, factor in (("h", 3600), ("min", 60)):
        if seconds >= factor:
            return f"{seconds / factor:,.1f} {unit}"
    return f"{seconds:,.1f} s"
