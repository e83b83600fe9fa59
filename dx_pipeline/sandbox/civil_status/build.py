"""Writes one JSON file per month: UTF-8, some with a byte-order mark, one as UTF-16, as three offices' computers do."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from dx_pipeline.sandbox.civil_status.events import Entry, civil_status_events
from dx_pipeline.sandbox.civil_status.kinds import DATASET, KINDS
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.planted import TruthBook


def build_civil_status(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the eighteen files anew, and the truth about them beside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.json"):
        former.unlink()
    truth = TruthBook(KINDS)
    months = civil_status_events(commune_list(date(2024, 6, 30)), seed, truth)
    for number, entries in enumerate(months):
        encoding = "utf-16" if number == 4 else "utf-8-sig" if number % 3 == 2 else "utf-8"
        write_month(folder, f"{2023 + number // 12}-{number % 12 + 1:02d}", entries, encoding)
    truth.write(truth_path, {DATASET: sum(map(len, months))})


def write_month(folder: Path, month: str, entries: list[Entry], encoding: str = "utf-8") -> Path:
    """One extract: the list stands below a head, as the register's export writes it."""
    document = {
        "don_vi": "Sở Tư pháp tỉnh Quảng Trị",
        "ky": month,
        "tieu_chi": {"trang_thai": "da_dang_ky", "loai": ["KS", "KH", "KT", "XN", "GH", "NCN"]},
        "du_lieu": entries,
    }
    path = folder / f"ho_tich_{month}.json"
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding=encoding)
    partial.replace(path)
    return path
