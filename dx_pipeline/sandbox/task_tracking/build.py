"""Builds the table ``nhiem_vu``: in SQLite for the sandbox, and in MariaDB, where the office has it, for the tests."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.task_tracking.tasks import DATASET, KINDS, task_rows

#: (column, type); MariaDB and SQLite both take these declarations.
COLUMNS: Final = (
    ("id", "integer not null primary key"),
    ("ma_nv", "varchar(20)"),
    ("so_van_ban", "varchar(50)"),
    ("nhom", "varchar(40)"),
    ("ten_nv", "varchar(500)"),
    ("don_vi_chu_tri", "varchar(35)"),
    ("don_vi_phoi_hop", "varchar(500)"),
    ("ngay_giao", "varchar(19)"),
    ("han_hoan_thanh", "varchar(19)"),
    ("ngay_hoan_thanh", "varchar(19)"),
    ("trang_thai", "varchar(60)"),
    ("ty_le_hoan_thanh", "varchar(10)"),
    ("ghi_chu", "varchar(500)"),
    ("ngay_cap_nhat", "datetime not null"),
)
CREATE_TABLE: Final = f"create table nhiem_vu ({', '.join(f'{name} {kind}' for name, kind in COLUMNS)})"


def planned_rows(seed: int, truth_path: Path | None = None) -> list[tuple[Any, ...]]:
    """All rows in the order of ``COLUMNS``; writes the truth about what was planted if told where."""
    truth = TruthBook(KINDS)
    rows = task_rows(build_agencies(seed), seed, truth)
    if truth_path is not None:
        truth.write(truth_path, {DATASET: len(rows)})
    return [tuple(row[name] for name, _ in COLUMNS) for row in rows]


def build_task_tracking(file: Path, *, seed: int, truth_path: Path) -> None:
    """Write the SQLite file anew: it appears under its name when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    connection = sqlite3.connect(partial)
    try:
        with connection:
            connection.execute(CREATE_TABLE)
            places = ", ".join("?" for _ in COLUMNS)
            connection.executemany(f"insert into nhiem_vu values ({places})", planned_rows(seed, truth_path))
    finally:
        connection.close()
    partial.replace(file)
