"""Builds the land department's folder: ``THUADAT_461.DBF`` and so on, FoxPro tables with TCVN3 texts.

The language-driver byte says MS-DOS, code page 437; the bytes are those of a Windows font in TCVN3.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.dbf_writer import Field, write_dbf
from dx_pipeline.sandbox.land.kinds import DATASET, KINDS
from dx_pipeline.sandbox.land.parcels import EXTRACTED_ON, parcel_rows
from dx_pipeline.sandbox.planted import TruthBook

LYING_DRIVER: Final = 0x01  # code page 437
#: A dbf field name has at most 10 characters; assets/land/thua_dat.odcs.yaml says what each stands for.
FIELDS: Final = (
    Field("THUADATID", "N", 9),
    Field("MAHUYEN", "C", 3),
    Field("MAXA", "C", 5),
    Field("SOTO", "N", 5),
    Field("SOTHUA", "N", 5),
    Field("SOTOCU", "N", 5),
    Field("SOTHUACU", "N", 5),
    Field("DIENTICH", "C", 12),
    Field("KHMDSD", "C", 15),
    Field("MDSD", "C", 45),
    Field("TENCHU", "C", 40),
    Field("SOPHGCN", "C", 12),
    Field("SOVAOSO", "C", 12),
    Field("NGAYCAP", "C", 10),
    Field("NGAYDL", "C", 10),
)


def build_land(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the files of all districts anew, and the truth about them: what was planted, which records are deleted."""
    truth = TruthBook(KINDS)
    rows = parcel_rows(commune_list(EXTRACTED_ON), seed, truth)
    for district, of_district in rows.groupby("MAHUYEN"):
        columns = {field.name: of_district[field.name].to_numpy(dtype=str) for field in FIELDS}
        write_dbf(
            folder / f"THUADAT_{district}.DBF",
            FIELDS,
            columns,
            of_district["deleted"].to_numpy(dtype=bool),
            language_driver=LYING_DRIVER,
        )
    truth_path.mkdir(parents=True, exist_ok=True)
    deleted = rows.loc[rows["deleted"], ["THUADATID"]]
    (truth_path / "deleted.json").write_text(json.dumps(deleted.to_dict("records"), indent=1), encoding="utf-8")
    truth.write(truth_path, {DATASET: int((~rows["deleted"]).sum())})
