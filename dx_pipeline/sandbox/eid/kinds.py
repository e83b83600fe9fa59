"""What is planted in the monthly workbooks and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind

DATASET: Final = "dinh_danh_xa_thang"
COMMUNE, ISSUED, ACTIVATED = "Xã, phường, thị trấn", "Đã cấp (hồ sơ) / Mức 2", "Đã kích hoạt / Mức 2"

KINDS: Final = (
    Kind(DATASET, "critical", "kich_hoat_vuot_cap", 5, ACTIVATED, "more activated than issued"),
    Kind(DATASET, "critical", "so_am", 3, "Đã kích hoạt / Mức 1", "a count below zero"),
    Kind(DATASET, "critical", "so_cap_muc_2_unreadable", 6, ISSUED, "'chưa có số liệu' where a count should be"),
    Kind(DATASET, "critical", "ky_bao_cao_unreadable", 2, "Kỳ báo cáo", "a month in words"),
    Kind(DATASET, "critical", "xa_lap_lai", 6, COMMUNE, "one commune twice, once abbreviated"),
    Kind(DATASET, "critical", "dong_cap_huyen", 4, COMMUNE, "a district's total among the communes"),
    Kind(DATASET, "warning", "xa_ghi_ten", 52, "Mã xã", "no commune code, only name and district"),
    Kind(DATASET, "warning", "xa_khong_xac_dinh", 3, COMMUNE, "a commune that was dissolved in 2020, by its old name"),
    Kind(DATASET, "warning", "luy_ke_giam", 4, ISSUED, "a cumulative count below the month before"),
    Kind(DATASET, "duplicate", "exact_copy", 8, COMMUNE, "the same row again"),
    Kind(DATASET, "repair", "dotted_numbers", 30, "Nhân khẩu từ đủ 14 tuổi", "the text 1.234 for 1234"),
    Kind(DATASET, "repair", "extra_spaces", 20, COMMUNE, "double spaces in the name"),
    Kind(DATASET, "repair", "decomposed_letters", 20, COMMUNE, "the name with letters and marks apart (NFD)"),
    Kind(
        DATASET, "clean", "chua_co_so_lieu", 12, "Tài khoản tổ chức", "'chưa có số liệu' in a column that may be empty"
    ),
)
