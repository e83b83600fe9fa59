"""Builds the planning department's folder: three files of the register, each written by another version of its export."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dx_pipeline.sandbox.business.enterprises import EXPORTED_ON, FIELDS, enterprise_rows
from dx_pipeline.sandbox.business.kinds import DATASET, KINDS
from dx_pipeline.sandbox.business.xml_writer import Dress, write_xml
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.planted import TruthBook

#: A default namespace, a prefix, and none at all in UTF-16.
DRESSES: Final = (Dress("utf-8", ""), Dress("utf-8", "dk"), Dress("utf-16", None))


def build_business(folder: Path, *, seed: int, truth_path: Path) -> None:
    """Write the files anew, and the truth about them."""
    truth = TruthBook(KINDS)
    rows = enterprise_rows(commune_list(EXPORTED_ON), seed, truth)
    for at, dress in enumerate(DRESSES):
        of_file = rows.iloc[at :: len(DRESSES)]
        records = of_file[list(FIELDS)].to_dict("records")
        write_xml(folder / f"doanh_nghiep_{at + 1}.xml", zip(records, of_file["style"], strict=True), dress)
    truth.write(truth_path, {DATASET: len(rows)})
