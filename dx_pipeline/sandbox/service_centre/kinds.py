"""What is planted in the service centre's lists."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind

RATINGS: Final = "danh_gia_hai_long"
PETITIONS: Final = "phan_anh_kien_nghi"
TRANSACTIONS: Final = "luot_giao_dich"
KINDS: Final = (
    Kind(RATINGS, "critical", "danh_gia_unknown", 6, "DanhGia", "a rating that is not of the scale"),
    Kind(RATINGS, "critical", "loai_danh_gia_unknown", 3, "LoaiDanhGia", "what was rated is not in the list"),
    Kind(RATINGS, "critical", "ma_ho_so_unreadable", 5, "MaHoSo", "a number instead of the dossier code"),
    Kind(RATINGS, "critical", "danh_gia_truoc_khi_nop", 4, "ThoiGianDanhGia", "rated before the day in the code"),
    Kind(RATINGS, "warning", "ho_so_khong_co", 9, "MaHoSo", "a dossier that the one-stop system does not have"),
    Kind(RATINGS, "warning", "danh_gia_truoc_ket_thuc", 8, "ThoiGianDanhGia", "rated before the dossier had ended"),
    Kind(RATINGS, "duplicate", "danh_gia_lan_truoc", 10, "ThoiGianDanhGia", "an earlier rating of the same dossier"),
    Kind(RATINGS, "duplicate", "exact_copy", 5, "MaHoSo", "the same rating twice"),
    Kind(RATINGS, "repair", "rating_in_words", 24, "DanhGia", "RẤT HÀI LÒNG, rất hài  lòng, 5 ..."),
    Kind(PETITIONS, "critical", "xu_ly_truoc_tiep_nhan", 7, "NgayXuLy", "handled before it was received"),
    Kind(PETITIONS, "critical", "hinh_thuc_xu_ly_unknown", 4, "HinhThucXuLy", "a way that is not in the list"),
    Kind(PETITIONS, "critical", "da_xu_ly_thieu_hinh_thuc", 4, "HinhThucXuLy", "handled, nobody knows how"),
    Kind(PETITIONS, "critical", "ma_dinh_danh_unreadable", 3, "MaDinhDanh", "a name instead of the id"),
    Kind(PETITIONS, "warning", "han_vao_ngay_nghi", 12, "HanXuLy", "due in the days of Tết: counted without holidays"),
    Kind(PETITIONS, "warning", "cong_khai_truoc_tiep_nhan", 3, "NgayCongKhai", "published before it was received"),
    Kind(PETITIONS, "warning", "hai_long_unknown", 4, "HaiLong", "rated outside the scale"),
    Kind(PETITIONS, "duplicate", "exact_copy", 6, "MaPAKN", "the same petition twice"),
    Kind(PETITIONS, "clean", "nhan_ngay_nghi", 5, "NgayTiepNhan", "received on a Sunday, which is right"),
    Kind(TRANSACTIONS, "critical", "thanh_toan_vuot_luot", 5, "SoLuotThanhToan", "more payments than transactions"),
    Kind(TRANSACTIONS, "critical", "so_am", 4, "SoTien", "an amount below zero"),
    Kind(TRANSACTIONS, "critical", "kenh_unknown", 3, "Kenh", "a channel that is not in the list"),
    Kind(TRANSACTIONS, "warning", "tien_khong_luot", 4, "SoTien", "an amount without a payment"),
    Kind(TRANSACTIONS, "duplicate", "exact_copy", 7, "Ngay", "the same line twice"),
    Kind(TRANSACTIONS, "repair", "so_co_dau_cham", 9, "SoTien", "1.250.000 as a text"),
)
