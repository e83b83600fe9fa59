"""What is planted in the staff register and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind, Verdict

DATASET: Final = "can_bo"
YEARS: Final = (2023, 2024)


def _kinds(verdict: Verdict, *kinds: tuple[str, int, str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(DATASET, verdict, code, rows, column, what) for code, rows, column, what in kinds)


KINDS: Final = (
    *_kinds(
        "critical",
        ("nguoi_o_hai_don_vi", 12, "SoDinhDanh", "one person in two agencies at once"),
        ("ma_ngach_unknown", 10, "MaNgach", "a rank outside the list"),
        ("ma_don_vi_unreadable", 4, "MaDonVi", "a name instead of the id"),
        ("so_hieu_hai_dong", 6, "SoHieuCBCCVC", "one staff number twice in a year, with rows that differ"),
        ("la_dau_moi_attt_unreadable", 3, "LaDauMoiATTT", "neither yes nor no"),
    ),
    *_kinds(
        "warning",
        ("so_dinh_danh_placeholder", 30, "SoDinhDanh", "000000001 for a number nobody knew"),
        ("he_so_luong_ngoai_bang", 15, "HeSoLuong", "234 for 2.34"),
        ("tuyen_dung_truoc_18_tuoi", 12, "NgayTuyenDung", "recruited at the age of 17"),
        ("nam_sinh_trai_so_dinh_danh", 14, "NgaySinh", "born three years before what the identity number says"),
        ("trinh_do_chuyen_mon_missing", 20, "TrinhDoChuyenMon", "no qualification given"),
        ("don_vi_khong_con", 8, "MaDonVi", "the code of a commune's office that was dissolved in 2020"),
    ),
    *_kinds("duplicate", ("exact_copy", 10, "SoHieuCBCCVC", "the same line again")),
    *_kinds(
        "repair",
        ("bit_marks", 60, "LaKiemNhiemCDS", "có, x, Có for 1 in a column of bits"),
        ("lost_dots", 20, "MaNgach", "01003 or 1.003 for 01.003"),
        ("small_letters", 15, "MaDonVi", "h50.02 for H50.02"),
        ("year_only", 25, "NgaySinh", "a birth date of which only the year is known"),
    ),
    *_kinds(
        "clean",
        ("old_agency_id", 30, "MaDonVi", "the agency by its id of 2016"),
        ("moved_agency", 15, "MaDonVi", "in another agency than the year before"),
        ("elected", 12, "MaNgach", "an elected official, who has no rank"),
    ),
)
