"""What is planted in the table of facilities and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind

DATASET: Final = "co_so_kcb"

KINDS: Final = (
    Kind(DATASET, "critical", "ma_csyt_quang_binh", 4, "ma_csyt", "a facility of Quảng Bình, 44xxx"),
    Kind(DATASET, "critical", "hai_ma_mot_co_so", 6, "ma_csyt", "one facility twice in a month, under two codes"),
    Kind(DATASET, "critical", "ky_co_so_conflict", 6, "so_giuong", "one facility and month with two numbers of beds"),
    Kind(DATASET, "critical", "so_am", 3, "so_hssk_lap", "a count below zero"),
    Kind(DATASET, "critical", "tuyen_unknown", 3, "tuyen", "a level outside the list"),
    Kind(DATASET, "critical", "ky_bao_cao_unreadable", 2, "ky_bao_cao", "a month 13, a quarter"),
    Kind(DATASET, "warning", "giuong_tram_vuot_50", 4, "so_giuong", "a commune station with more than 50 beds"),
    Kind(DATASET, "warning", "ten_csyt_vo_chu", 4, "ten_csyt", "a name that the column cut in the middle of a letter"),
    Kind(DATASET, "warning", "ngay_cap_phep_so_khong", 14, "ngay_cap_phep", "MySQL's zero date"),
    Kind(DATASET, "warning", "lien_thong_bhyt_unreadable", 3, "lien_thong_bhyt", "2 in a tinyint(1) that means a flag"),
    Kind(DATASET, "warning", "xa_khong_xac_dinh", 3, "ma_xa", "a commune that was dissolved in 2020"),
    Kind(DATASET, "warning", "hssk_giam", 5, "so_hssk_lap", "fewer health records than the month before"),
    Kind(DATASET, "warning", "the_vuot_dan_so", 3, "so_the_bhyt", "more insurance cards than people in the commune"),
    Kind(DATASET, "duplicate", "exact_copy", 6, "id", "the same row again"),
    Kind(DATASET, "repair", "utf8_trong_latin1", 40, "ten_csyt", "UTF-8 in a latin1 column: Tráº¡m Y táº¿"),
    Kind(DATASET, "repair", "ky_co_gach_cheo", 15, "ky_bao_cao", "06/2024 for 2024-06"),
    Kind(DATASET, "repair", "co_bang_chu", 20, "co_cap_cuu", "x, CÓ, 1 for yes"),
)
