"""Plots of a summary, as SVG: ``plots.py SUMMARY.json FOLDER``. Runs in the peers' venv, which has matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "bench"  # the same figures give the same file
import matplotlib.pyplot as plt  # noqa: E402


def main() -> None:
    lines = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["lines"]
    folder = Path(sys.argv[2])
    for tables in ("all", "wide", "narrow"):
        chosen = [line for line in lines if line["case"] == "first load" and line["tables"] == tables]
        _over_rows(chosen, "seconds", f"First load, {tables}: seconds (log-log)", folder / f"first-load-{tables}.svg")
    chosen = [line for line in lines if line["case"] == "first load" and line["tables"] == "all" and line["peak_mib"]]
    _over_rows(chosen, "peak_mib", "First load, all: peak memory, MiB", folder / "memory.svg", log_y=False)
    _bars([line for line in lines if line["case"] == "validation"], folder / "validation.svg")


def _over_rows(lines: list[dict[str, Any]], value: str, title: str, path: Path, *, log_y: bool = True) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for who in dict.fromkeys(line["who"] for line in lines):
        points = [(line["rows"], line[value]) for line in lines if line["who"] == who]
        axes.plot(*zip(*points, strict=True), marker="o", label=who, linewidth=3 if who == "the road" else 1.5)
    axes.set_xscale("log")
    axes.set_yscale("log" if log_y else "linear")
    if not log_y:
        axes.set_ylim(bottom=0)
    axes.set(title=title, xlabel="rows")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    _save(figure, path)


def _bars(lines: list[dict[str, Any]], path: Path) -> None:
    if not lines:
        return
    size = max(line["size"] for line in lines)
    chosen = sorted((line for line in lines if line["size"] == size), key=lambda line: line["rows_per_second"])
    figure, axes = plt.subplots(figsize=(7, 3.5))
    bars = axes.barh([line["who"] for line in chosen], [line["rows_per_second"] / 1000 for line in chosen])
    axes.margins(x=0.1)
    axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
    axes.set(title=f"Validation of {chosen[0]['rows']:,} dossiers by 42 rules", xlabel="thousand rows a second")
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
