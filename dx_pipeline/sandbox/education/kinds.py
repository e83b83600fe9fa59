"""What is planted in the exports of schools and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind

DATASET: Final = "truong_hoc"

KINDS: Final = (
    Kind(DATASET, "critical", "ma_truong_excel", 6, "ma_truong", "4.51E+09: Excel took the code for a number"),
    Kind(DATASET, "critical", "dinh_danh_vuot_hoc_sinh", 5, "so_hs_co_so_dinh_danh", "more with an id than pupils"),
    Kind(DATASET, "critical", "nam_hoc_khong_lien_tiep", 4, "nam_hoc", "2024-2023, 2023-2025"),
    Kind(DATASET, "critical", "nam_hoc_malformed", 2, "nam_hoc", "2023, 23-24"),
    Kind(DATASET, "critical", "ma_nam_conflict", 6, "so_hoc_sinh", "one school twice in a year, with other counts"),
    Kind(DATASET, "critical", "co_hoc_sinh_khong_lop", 3, "so_lop", "pupils in no class"),
    Kind(DATASET, "critical", "cap_hoc_unknown", 3, "cap_hoc", "a level outside the list"),
    Kind(DATASET, "warning", "si_so_vuot_60", 4, "so_lop", "more than 60 pupils per class"),
    Kind(DATASET, "warning", "co_hoc_sinh_khong_giao_vien", 2, "so_giao_vien", "pupils without a teacher"),
    Kind(DATASET, "warning", "xa_khong_xac_dinh", 3, "ma_xa", "a commune that was dissolved in 2020"),
    Kind(DATASET, "duplicate", "exact_copy", 6, "ma_truong", "the same row again"),
    Kind(DATASET, "repair", "cap_hoc_bang_chu", 30, "cap_hoc", "Mầm non, TIỂU HỌC, TH và THCS"),
    Kind(DATASET, "repair", "dotted_numbers", 6, "so_hoc_sinh", "the text 1.024 for 1024"),
    Kind(DATASET, "clean", "truong_lien_cap", 20, "cap_hoc", "a school of two levels"),
)
