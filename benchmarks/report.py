"""Medians, ratios, exponents and targets of all measurements: JSON for machines, a table for people, plots."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.cases import RAW
from benchmarks.journal import Journal
from benchmarks.measurement import Measurement
from benchmarks.peer_copies import DLT
from benchmarks.scaling import Growth, growth
from benchmarks.targets import Target, targets

PLOTS = Path(__file__).parent / "plots.py"
SHOWN_STEPS = 12


@dataclass(frozen=True)
class Line:
    """The repeats of one case by one contender."""

    size: int
    case: str
    tables: str
    who: str
    repeats: int
    rows: int
    seconds: float
    fastest: float
    slowest: float
    rows_per_second: float | None
    peak_mib: float | None
    times_raw: float | None
    """Seconds as a multiple of the raw pipe's, same rows."""
    times_dlt: float | None
    """How many times faster than dlt, same case and rows."""


def lines_of(measured: Sequence[Measurement]) -> list[Line]:
    """One line for each case and contender, in the order of the run."""
    groups: dict[tuple[int, str, str, str], list[Measurement]] = {}
    for one in measured:
        groups.setdefault((one.size, one.case, one.tables, one.who), []).append(one)
    middle = {key: median(one.seconds for one in group) for key, group in groups.items()}
    lines = []
    for (size, case, tables, who), group in groups.items():
        seconds, rows = middle[size, case, tables, who], round(median(one.rows for one in group))
        raw = middle.get((size, case, tables, RAW))
        dlt = middle.get((size, case, tables, DLT.name))
        peaks = [one.peak_mib for one in group if one.peak_mib]
        lines.append(
            Line(
                size, case, tables, who, len(group), rows, round(seconds, 3),
                round(min(one.seconds for one in group), 3), round(max(one.seconds for one in group), 3),
                round(rows / seconds) if rows else None,
                round(median(peaks)) if peaks else None,
                round(seconds / raw, 2) if raw else None,
                round(dlt / seconds, 2) if dlt else None,
            )
        )  # fmt: skip
    order = {case: number for number, case in enumerate(dict.fromkeys(line.case for line in lines))}
    tables_order = {"all": 0, "wide": 1, "narrow": 2}
    return sorted(lines, key=lambda line: (line.size, order[line.case], tables_order[line.tables], line.seconds))


def write_results(journal: Journal, folder: Path, python: Path | None, console: Console, *, show: bool = False) -> None:
    """Write ``summary.json``, ``summary.md`` and, with the peers' Python, the plots."""
    measured = journal.read()
    lines, grown = lines_of(measured), growth(measured)
    reached = targets(measured, grown)
    facts = journal.facts()
    folder.mkdir(parents=True, exist_ok=True)
    summary = {
        **facts,
        "lines": [asdict(line) for line in lines],
        "growth": [asdict(one) for one in grown],
        "targets": [asdict(one) for one in reached],
        "phases": phases_of(measured),
        "bytes": {one.size: one.detail["bytes"] for one in measured if "bytes" in one.detail},
    }
    path = folder / "summary.json"
    path.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "summary.md").write_text(markdown(facts, lines, grown, reached, summary), encoding="utf-8")
    if python is not None:
        subprocess.run([python, PLOTS, path, folder], check=True)
    if show:
        _print(console, lines, reached)
        console.print(f"written: {path}, summary.md and plots beside it")


def phases_of(measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Median seconds of each stretch of the road's runs, by size and case."""
    groups: dict[tuple[int, str, str], list[dict[str, Any]]] = {}
    for one in measured:
        if "phases" in one.detail:
            groups.setdefault((one.size, one.case, one.tables), []).append(one.detail)
    return [
        {"size": size, "case": case, "tables": tables}
        | {"seconds": _medians(runs, "phases"), "busy": _medians(runs, "busy")}
        for (size, case, tables), runs in groups.items()
    ]


def _medians(runs: Sequence[dict[str, Any]], kind: str) -> dict[str, float]:
    return {name: round(median(run[kind][name] for run in runs), 2) for name in runs[0][kind]}


def markdown(
    facts: dict[str, Any],
    lines: Sequence[Line],
    grown: Sequence[Growth],
    reached: Sequence[Target],
    summary: dict[str, Any],
) -> str:
    """The table for people."""
    machine = facts["machine"]
    text = [
        "# Measured",
        "",
        f"By `make bench` on {facts['measured_on']}: {machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB,"
        f" Python {machine['python']}, commit {machine['commit']}, load before the run"
        f" {', '.join(str(load) for load in machine['load_before'])}.",
        "Medians; in brackets the fastest and the slowest repeat. `wide` is ho_so (40 columns, text), `narrow` dong_bo_dvcqg",
        "(5 columns), `all` the 11 tables of the one-stop system. What each line does: [README](../README.md).",
        "",
        "## Targets",
        "",
        *_rows(("target", "rows of the source", "wanted", "found", ""), [
            (t.what, f"{t.size:,}", t.wanted, f"{t.found:,}", "reached" if t.reached else "**missed**") for t in reached
        ]),
    ]  # fmt: skip
    for size in sorted({line.size for line in lines}):
        text += ["", f"## {size:,} rows", ""]
        text += _rows(
            ("case", "tables", "who", "rows", "seconds", "rows/s", "peak MiB", "× raw pipe", "times faster than dlt"),
            [_cells(line) for line in lines if line.size == size],
        )
    text += ["", "## Where the seconds of the road go", ""]
    text += [
        "Stretches of the wall time, named after what was still waited for; they add up. Busy: the same steps added up over",
        "the datasets, which go side by side.",
        "",
    ]
    for one in summary["phases"]:
        parts = ", ".join(f"{name} {seconds:g}" for name, seconds in one["seconds"].items())
        busy = ", ".join(f"{name} {seconds:g}" for name, seconds in one["busy"].items())
        text.append(f"- {one['size']:,} rows, {one['case']}, {one['tables']}: {parts} (busy: {busy})")
    if "roofline" in facts:
        text += ["", "## What the machine can do (MB/s, measured in the same run)", ""]
        text += _rows(("probe", "MB/s"), [(name, f"{rate:,.0f}") for name, rate in facts["roofline"].items()])
        for size, moved in summary["bytes"].items():
            text += ["", f"### A first load of {size:,} rows against these bounds", ""]
            text += _rows(("part", "MB", "bound by", "least seconds", "busy seconds"), bounds(size, moved, summary))
    if grown:
        text += ["", f"## Growth: exponent of seconds over rows, the {SHOWN_STEPS} largest", ""]
        largest = sorted(grown, key=lambda one: -one.exponent)[:SHOWN_STEPS]
        text += _rows(
            ("step", "exponent", "fitted over (rows: seconds)"),
            [(g.step, f"{g.exponent:.2f}", ", ".join(f"{r:,}: {s:.2f}" for r, s in g.points)) for g in largest],
        )
    return "\n".join(text) + "\n"


def bounds(size: int, moved: dict[str, int], summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """Bytes of each part of a first load over what moves them: the least it can take, beside what the steps took.

    The source's bytes are its heap's; in COPY's own format they are about as many.
    """
    rates = summary["roofline"]
    (busy,) = [
        one["busy"]
        for one in summary["phases"]
        if (one["size"], one["case"], one["tables"]) == (size, "first load", "all")
    ]
    parts = (
        ("reading the source", "source", "COPY binary out of PostgreSQL, one core", "extract"),
        ("landing", "landed", "disk, sequential write with fsync", "extract"),
        ("into stage tables", "source", "COPY binary into PostgreSQL, one core", "judge"),
        ("the star with its indexes", "star", "disk, sequential write with fsync", "publish"),
    )
    return [
        (
            part,
            f"{moved[what] / 1e6:,.0f}",
            probe,
            f"{moved[what] / 1e6 / rates[probe]:.2f}",
            f"{busy[step]:.2f} ({step})",
        )
        for part, what, probe, step in parts
    ]


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]


def _cells(line: Line) -> tuple[str, ...]:
    spread = f" ({line.fastest:.2f}–{line.slowest:.2f})" if line.repeats > 1 else ""
    return (
        line.case, line.tables, line.who, f"{line.rows:,}", f"{line.seconds:.2f}{spread}",
        *(f"{value:,}" if value is not None else "–" for value in (
            line.rows_per_second, line.peak_mib, line.times_raw, line.times_dlt
        )),
    )  # fmt: skip


def _print(console: Console, lines: Sequence[Line], reached: Sequence[Target]) -> None:
    table = Table(title="Tốc độ · Speed", title_justify="left")
    for name in ("size", "case", "tables", "who", "rows", "seconds", "rows/s", "peak MiB", "× raw", "× dlt"):
        table.add_column(name, justify="left" if name in ("case", "tables", "who") else "right")
    for line in lines:
        table.add_row(f"{line.size:,}", *_cells(line))
    console.print(table)
    for target in reached:
        mark = "[green]✓[/]" if target.reached else "[red]✗[/]"
        console.print(f"{mark} {target.what}, {target.size:,} rows: {target.found:,} (wanted {target.wanted})")
