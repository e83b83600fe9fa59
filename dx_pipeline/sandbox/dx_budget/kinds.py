"""What is planted in the yearly workbooks and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind, Verdict

DATASET: Final = "kinh_phi"
ALLOCATED, DISBURSED = "Dự toán / Giao đầu năm", "Đã giải ngân"


def _kinds(verdict: Verdict, *kinds: tuple[str, int, str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(DATASET, verdict, code, rows, column, what) for code, rows, column, what in kinds)


KINDS: Final = (
    *_kinds(
        "critical",
        ("giai_ngan_vuot_du_toan", 6, DISBURSED, "more disbursed than allocated and adjusted"),
        ("so_tien_am", 4, ALLOCATED, "an allocation below zero"),
        ("dieu_chinh_vuot_du_toan", 2, "Dự toán / Điều chỉnh", "more taken away than was allocated"),
        ("dong_cong_don_vi", 3, ALLOCATED, "a sub-total among the rows, worded as no other"),
        ("nguon_unknown", 4, "Nguồn", "a source outside the list"),
        ("ma_nhiem_vu_sai_dang", 3, "Mã nhiệm vụ", "words instead of the task's code"),
        ("ma_don_vi_qhns_unreadable", 2, "Mã ĐVQHNS", "the agency's identifier instead of the budget unit's code"),
        ("da_giai_ngan_unreadable", 3, DISBURSED, "'đang quyết toán' where an amount should be"),
        ("dong_lap_khac_so", 4, "Mã nhiệm vụ", "one source of one task twice, with amounts that differ"),
    ),
    *_kinds(
        "warning",
        ("so_tien_bat_thuong", 5, ALLOCATED, "typed in nghìn đồng in a file of triệu đồng: a thousand times too much"),
        ("nhiem_vu_khong_co", 5, "Mã nhiệm vụ", "a code that no task has"),
        ("don_vi_qhns_khong_co", 4, "Mã ĐVQHNS", "a unit that the list does not know"),
    ),
    *_kinds("duplicate", ("exact_copy", 5, "Mã nhiệm vụ", "the same row again")),
    *_kinds(
        "repair",
        ("chapter_lost_zeros", 12, "Chương", "9 for 009: Excel took the code for a number"),
        ("item_lost_zeros", 10, "Loại, khoản", "70-85 for 070-085"),
        ("source_in_words", 20, "Nguồn", "NSĐP, Trung ương, xã hội hóa"),
        ("amount_as_text", 6, ALLOCATED, "the text 1250.5 in a column of numbers"),
    ),
    *_kinds(
        "clean",
        ("cut_by_adjustment", 10, "Dự toán / Điều chỉnh", "an adjustment below zero"),
        ("no_figure_yet", 8, DISBURSED, "nothing said of what was disbursed"),
    ),
)
