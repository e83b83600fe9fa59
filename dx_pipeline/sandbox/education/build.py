"""Writes one file per school year, each as another hand saved it."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Final

from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.education.kinds import DATASET, KINDS
from dx_pipeline.sandbox.education.schools import COLUMNS, school_rows
from dx_pipeline.sandbox.planted import TruthBook

#: school year -> (encoding, delimiter): Excel's "Unicode text", its CSV with a Vietnamese locale, the system's own export
FORMS: Final = {
    "2021-2022": ("utf-16", "\t"),
    "2022-2023": ("utf-8-sig", ";"),
    "2023-2024": ("utf-8-sig", ","),
}


def build_education(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the files anew, and the truth about them beside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.csv"):
        former.unlink()
    truth = TruthBook(KINDS)
    years = school_rows(commune_list(date(2024, 5, 31)), seed, truth)
    for year, rows in years.items():
        encoding, delimiter = FORMS[year]
        path = folder / f"truong_hoc_{year}.csv"
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("w", encoding=encoding, newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        partial.replace(path)
    truth.write(truth_path, {DATASET: sum(map(len, years.values()))})
