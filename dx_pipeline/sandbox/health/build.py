"""The table ``co_so_kcb`` of the health department, as its MariaDB declares it."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.health.facilities import NAME_BYTES, as_latin1_shows, facility_rows
from dx_pipeline.sandbox.health.kinds import DATASET, KINDS
from dx_pipeline.sandbox.mariadb_store import Table
from dx_pipeline.sandbox.planted import TruthBook

TABLE: Final = Table(
    DATASET,
    (
        ("id", "integer not null primary key"),
        ("ma_csyt", "varchar(5)"),
        ("ten_csyt", f"varchar({NAME_BYTES}) character set latin1"),
        ("tuyen", "varchar(20)"),
        ("ma_xa", "varchar(5)"),
        ("so_giuong", "integer"),
        ("so_hssk_lap", "integer"),
        ("so_the_bhyt", "integer"),
        ("ky_bao_cao", "varchar(7)"),
        ("lien_thong_bhyt", "tinyint(1)"),
        ("co_cap_cuu", "varchar(10)"),
        ("ngay_cap_phep", "date"),
    ),
)


def planned_rows(seed: int) -> tuple[list[tuple[Any, ...]], TruthBook]:
    """All rows in the order of the columns, and the truth about what was planted.

    Every name stands as UTF-8 in the latin1 column, as an old application wrote it; the truth names some of them.
    """
    truth = TruthBook(KINDS)
    rows = facility_rows(commune_list(date(2024, 6, 30)), seed, truth)
    for row in rows:
        row["ten_csyt"] = as_latin1_shows(row["ten_csyt"])
    return [tuple(row[name] for name, _ in TABLE.columns) for row in rows], truth
