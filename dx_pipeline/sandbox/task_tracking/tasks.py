"""Rows of ``nhiem_vu``: 47 tasks of Decision 1982/QĐ-UBND, 8 of a plan, and what is wrong with some of them.

On 30 June 2024 the published figures hold after cleaning: 11 of 11 general tasks basically done, 11 of 21 of digital
government, 5 of 9 of digital economy and 1 of 6 of digital society deployed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.one_stop.agencies import Agencies
from dx_pipeline.sandbox.planted import Kind, TruthBook

DATASET: Final = "nhiem_vu"
DECISION: Final = "1982/QĐ-UBND"
PLAN: Final = "85/KH-UBND"
#: group -> (tasks, carried out, status of those, subject of the tasks)
GROUPS: Final = {
    "CHUNG": (11, 11, "Cơ bản hoàn thành", "Nhiệm vụ chung về chuyển đổi số"),
    "CQS": (21, 11, "Đã triển khai", "Nhiệm vụ chính quyền số"),
    "KTS": (9, 5, "Đã triển khai", "Nhiệm vụ kinh tế số"),
    "XHS": (6, 1, "Đã triển khai", "Nhiệm vụ xã hội số"),
}
KINDS: Final = (
    Kind(DATASET, "critical", "trang_thai_unknown", 3, "trang_thai", "a status outside the list"),
    Kind(DATASET, "critical", "nhom_unknown", 2, "nhom", "a group outside the list"),
    Kind(DATASET, "critical", "han_truoc_ngay_giao", 2, "han_hoan_thanh", "due before it was assigned"),
    Kind(DATASET, "critical", "don_vi_chu_tri_unreadable", 2, "don_vi_chu_tri", "a name instead of the id"),
    Kind(DATASET, "warning", "hoan_thanh_thieu_ngay", 3, "ngay_hoan_thanh", "done, without the day"),
    Kind(DATASET, "duplicate", "exact_copy", 2, "id", "the same line again"),
    Kind(DATASET, "duplicate", "older_version", 5, "id", "a former status of a task, still in the table"),
    Kind(DATASET, "repair", "status_in_words", 8, "trang_thai", "cơ bản thực hiện, CƠ BẢN HOÀN THÀNH, ..."),
    Kind(DATASET, "clean", "several_cooperating", 20, "don_vi_phoi_hop", "agencies in one text, with ; and blanks"),
)
_VARIANTS: Final = ("Cơ bản thực hiện", "CƠ BẢN HOÀN THÀNH", "cơ bản  hoàn thành", "Đã cơ bản hoàn thành")

Row = dict[str, Any]


def task_rows(agencies: Agencies, seed: int, truth: TruthBook) -> list[Row]:
    """All rows, clean and planted, in the order of their ids."""
    rng = np.random.default_rng([seed, 20])
    ids = [one.new_id for one in agencies.rows if one.catalog == "so-ban-nganh" and one.parent]
    rows: list[Row] = []
    for group, (tasks, carried_out, status, subject) in GROUPS.items():
        for number in range(1, tasks + 1):
            done = number <= carried_out
            state = status if done else ("Đang triển khai", "Chưa triển khai")[number % 2]
            rows.append(_task(f"1982-{group}-{number:02d}", DECISION, group, f"{subject} số {number}", state, ids, rng))
    for number in range(1, 9):
        state = "Hoàn thành" if number <= 5 else "Đang triển khai"
        rows.append(_task(f"85-CQS-{number:02d}", PLAN, "CQS", f"Nhiệm vụ kế hoạch số {number}", state, ids, rng))
    for number, row in enumerate(rows, start=1):
        row["id"] = number
    _plant(rows, truth, rng)
    return rows


def _task(
    code: str,
    document: str,
    group: str,
    name: str,
    status: str,
    ids: list[str],
    rng: np.random.Generator,
) -> Row:
    assigned = datetime(2023, 1, 10) + timedelta(days=int(rng.integers(0, 60)))
    due = assigned + timedelta(days=int(rng.integers(200, 900)))
    updated = datetime(2024, 6, 3, 8, 0) + timedelta(hours=int(rng.integers(0, 500)))
    ended = status in ("Hoàn thành", "Cơ bản hoàn thành")
    return {
        "ma_nv": code,
        "so_van_ban": document,
        "nhom": group,
        "ten_nv": name,
        "don_vi_chu_tri": ids[int(rng.integers(0, len(ids)))],
        "don_vi_phoi_hop": "; ".join(ids[int(at)] for at in rng.integers(0, len(ids), int(rng.integers(1, 5)))),
        "ngay_giao": f"{assigned:%d/%m/%Y}",
        "han_hoan_thanh": f"{due:%d/%m/%Y}",
        "ngay_hoan_thanh": f"{updated - timedelta(days=3):%d/%m/%Y}" if ended else None,
        "trang_thai": status,
        "ty_le_hoan_thanh": {"Chưa triển khai": "0", "Hoàn thành": "100"}.get(status, f"{int(rng.integers(2, 9))}0"),
        "ghi_chu": None,
        "ngay_cap_nhat": f"{updated:%Y-%m-%d %H:%M:%S}",
    }


def _plant(rows: list[Row], truth: TruthBook, rng: np.random.Generator) -> None:
    clean = list(rows)

    def extra(code: str, **changes: Any) -> None:
        number = len(rows) + 1
        row = {**clean[40], "ma_nv": f"1982-XHS-{number}", **changes, "id": number}
        rows.append(row)
        truth.add(DATASET, code, number)

    basic = [row for row in clean if row["nhom"] == "CHUNG"][: truth.rows_wanted(DATASET, "status_in_words")]
    for at, row in enumerate(basic):
        row["trang_thai"] = _VARIANTS[at % len(_VARIANTS)]
        truth.add(DATASET, "status_in_words", row["id"], expected="co_ban_hoan_thanh")
    done = [row for row in clean if row["trang_thai"] == "Hoàn thành"]
    for row in done[: truth.rows_wanted(DATASET, "hoan_thanh_thieu_ngay")]:
        row["ngay_hoan_thanh"] = None
        truth.add(DATASET, "hoan_thanh_thieu_ngay", row["id"])
    tangled = rng.choice(np.arange(11, 47), size=truth.rows_wanted(DATASET, "several_cooperating"), replace=False)
    for at in tangled.tolist():
        row = clean[at]
        first = row["don_vi_phoi_hop"].split("; ")[0]
        row["don_vi_phoi_hop"] = f"{row['don_vi_phoi_hop']} ;{first.lower()}; ;"
        truth.add(DATASET, "several_cooperating", row["id"])
    for text in ("Xong rồi?", "70%", "đang xin ý kiến"):
        extra("trang_thai_unknown", trang_thai=text)
    for text in ("Khác", "Nông nghiệp số"):
        extra("nhom_unknown", nhom=text)
    for text in ("01/01/2020", "31/12/2022"):
        extra("han_truoc_ngay_giao", han_hoan_thanh=text)
    for text in ("Sở TT&TT", "UBND các huyện"):
        extra("don_vi_chu_tri_unreadable", don_vi_chu_tri=text)
    for row in clean[20 : 20 + truth.rows_wanted(DATASET, "exact_copy")]:
        extra("exact_copy", **row)
    for row in clean[12 : 12 + truth.rows_wanted(DATASET, "older_version")]:
        extra("older_version", **{**row, "trang_thai": "Chưa triển khai", "ngay_cap_nhat": "2023-09-01 08:00:00"})
