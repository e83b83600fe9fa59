"""Builds the department of labour's folder: ``HONGHEO_2022.DBF`` and so on, FoxPro tables with TCVN3 texts.

The language-driver byte says MS-DOS, code page 437; the bytes are those of a Windows font in TCVN3.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Final

from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.dbf_writer import Field, write_dbf
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.poor_households.households import DATASET, KINDS, YEARS, household_rows

PRESENT: Final = date(2024, 6, 30)
LYING_DRIVER: Final = 0x01  # code page 437
#: ``CO_SMARTPH`` is the register's CO_SMARTPHONE: a dbf field name has at most 10 characters, CO_INTERNET too.
FIELDS: Final = (
    Field("MAHO", "C", 12),
    Field("HOTENCH", "C", 40),
    Field("NGAYSINH", "C", 10),
    Field("CMND", "C", 12),
    Field("DANTOC", "C", 2),
    Field("MAXA", "C", 5),
    Field("LOAIHO", "C", 1),
    Field("SONK", "N", 2),
    Field("B1_DIEM", "N", 3),
    Field("B2_DIEM", "N", 3),
    Field("CO_INTERNE", "L", 1),
    Field("CO_SMARTPH", "L", 1),
    Field("NAM", "N", 4),
)


def build_poor_households(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the files of all years anew, and the truth about them: what was planted, which records are deleted."""
    truth = TruthBook(KINDS)
    rows = household_rows(commune_list(PRESENT), seed, truth)
    for year in YEARS:
        of_year = rows[rows["year"] == year]
        columns = {field.name: of_year[field.name].to_numpy(dtype=str) for field in FIELDS}
        write_dbf(
            folder / f"HONGHEO_{year}.DBF",
            FIELDS,
            columns,
            of_year["deleted"].to_numpy(dtype=bool),
            language_driver=LYING_DRIVER,
        )
    truth_path.mkdir(parents=True, exist_ok=True)
    deleted = rows.loc[rows["deleted"], ["MAHO", "NAM"]]
    (truth_path / "deleted.json").write_text(json.dumps(deleted.to_dict("records"), indent=1), encoding="utf-8")
    truth.write(truth_path, {DATASET: int((~rows["deleted"]).sum())})
