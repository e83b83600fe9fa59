"""A yearly assessment of seven departments, from the score table to the published places, by the commands people use."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Installation

ASSESSED_SET = """
code: 2793-2022
name: {vi: Bảng điểm các cơ quan, en: Score table of agencies}
source: {kind: legal, text: {vi: 2793/QĐ-UBND, en: 2793/QĐ-UBND}}
valid_from: 2022-10-31
total: 100
state: complete
assessed: true
groups:
  - code: A
    name: {vi: Chung, en: General}
    max_points: 100
    components:
      - {code: A1, name: {vi: Một, en: One}, max_points: 60, why: {vi: Người chấm, en: By people}}
      - {code: A2, name: {vi: Hai, en: Two}, max_points: 30, why: {vi: Người chấm, en: By people}}
      - {code: A3, name: {vi: Ba, en: Three}, max_points: 10, why: {vi: Người chấm, en: By people}}
"""
VERIFIED = {
    "H50.02": (30, 15, 5), "H50.03": (30, 15, "NA"), "H50.04": (10, 20, 10), "H50.05": (60, 30, 10), "H50.06": (0, 0, 0),
    "H50.07": (45.5, 22.25, 7), "H50.08": (9,),
}  # fmt: skip
"""50/100 and 45/90 are equal; H50.05 will be excluded, H50.06 has no point, H50.08 is not verified in full."""


def assess(province: Installation, folder: Path) -> None:
    """The whole way of a yearly assessment: score table, self-scores with evidence, verified scores, published places."""
    head = "agency_code,component_code,score,evidence,remark\n"
    files = {"table": ASSESSED_SET, "own": head, "verified": head}
    for agency, scores in VERIFIED.items():
        for component, most, score in zip(("A1", "A2", "A3"), (60, 30, 10), (*scores, None, None), strict=False):
            files["own"] += f"{agency},{component},{most},văn bản số 1,\n"
            if score is not None:
                files["verified"] += f"{agency},{component},{score},,{'không có thủ tục' if score == 'NA' else ''}\n"
    paths = {name: folder / f"{name}.{'yaml' if name == 'table' else 'csv'}" for name in files}
    for name, text in files.items():
        paths[name].write_text(text, encoding="utf-8")
    province.dx("score", "load", str(paths["table"]), "--by", "Sở TT&TT")
    province.dx("assessment", "load", "self", str(paths["own"]), "--year", "2024", "--by", "Các sở")
    province.dx("assessment", "load", "verified", str(paths["verified"]), "--year", "2024", "--by", "Tổ thẩm định")
    province.dx(
        "assessment", "exclude", "H50.05", "--since", "2024-01-01", "--reason", "Mới thành lập", "--by", "Sở Nội vụ"
    )
    province.dx("publication", "publish", "assessment_ranking", "2024", "--by", "UBND tỉnh", "--note", "Quyết định 1")
