"""The table ``nhiem_vu`` of the office: in MariaDB, or in SQLite with the same declarations."""

from __future__ import annotations

from typing import Any, Final

from dx_pipeline.sandbox.mariadb_store import Table
from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.task_tracking.tasks import DATASET, KINDS, task_rows

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
TABLE: Final = Table(DATASET, COLUMNS)


def planned_rows(seed: int) -> tuple[list[tuple[Any, ...]], TruthBook]:
    """All rows in the order of ``COLUMNS``, and the truth about what was planted."""
    truth = TruthBook(KINDS)
    rows = task_rows(build_agencies(seed), seed, truth)
    return [tuple(row[name] for name, _ in COLUMNS) for row in rows], truth
