"""What is planted in the monthly files and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind

DATASET: Final = "viec_ho_tich"
CODE, NAME, BOOK, NUMBER = "noi_dang_ky.ma_xa", "noi_dang_ky.ten_xa", "quyen_so", "so_dang_ky"
EVENT, DAY, PERSON, LATE = "loai_viec", "ngay_dang_ky", "so_dinh_danh_cap", "dang_ky_qua_han"

KINDS: Final = (
    Kind(DATASET, "critical", "loai_viec_unknown", 12, EVENT, "a kind of event that is not in the list"),
    Kind(DATASET, "critical", "so_trung_trong_quyen", 16, NUMBER, "one number for two entries of one book"),
    Kind(DATASET, "critical", "quyen_khac_nam", 14, BOOK, "a book of another year than the day"),
    Kind(DATASET, "critical", "quyen_khac_loai", 10, BOOK, "a book of another kind of event"),
    Kind(DATASET, "critical", "ma_xa_unknown", 8, CODE, "five digits that were never a commune of the province"),
    Kind(DATASET, "critical", "xa_da_giai_the", 14, CODE, "a commune that was dissolved in 2020"),
    Kind(DATASET, "critical", "ngay_tuong_lai", 8, DAY, "a day far in the future"),
    Kind(DATASET, "critical", "ngay_dang_ky_unreadable", 6, DAY, "30 February"),
    Kind(DATASET, "critical", "khai_tu_cap_so_dinh_danh", 9, PERSON, "a death with a newly issued personal number"),
    Kind(DATASET, "critical", "so_dang_ky_unreadable", 6, NUMBER, "a number in words"),
    Kind(DATASET, "warning", "nam_sinh_khong_khop", 20, PERSON, "a birth in time, by its number born years before"),
    Kind(DATASET, "warning", "so_dinh_danh_unreadable", 10, PERSON, "a personal number of thirteen digits"),
    Kind(DATASET, "warning", "so_dinh_danh_tinh_khac", 8, PERSON, "a personal number of another province"),
    Kind(DATASET, "warning", "so_dinh_danh_ngoai_khai_sinh", 10, PERSON, "a personal number with a marriage"),
    Kind(DATASET, "warning", "khai_sinh_thieu_so_dinh_danh", 60, PERSON, "a birth without a personal number"),
    Kind(DATASET, "warning", "qua_han_khong_ap_dung", 10, LATE, "a certificate that is late"),
    Kind(DATASET, "warning", "ten_xa_khac_ma", 12, NAME, "the name of another commune than the code's"),
    Kind(DATASET, "duplicate", "exact_copy", 18, NUMBER, "the same entry again, in the file of the next month"),
    Kind(DATASET, "repair", "number_with_year", 80, NUMBER, "15/2024 for 15"),
    Kind(DATASET, "repair", "decomposed_letters", 25, NAME, "the name with letters and marks apart (NFD)"),
    Kind(DATASET, "clean", "tone_placement", 20, NAME, "Thuỷ for Thủy: the same name, the tone on another letter"),
)
