"""What is planted in the business register and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind, Verdict

DATASET: Final = "doanh_nghiep"


def _kinds(verdict: Verdict, *kinds: tuple[str, int, str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(DATASET, verdict, code, rows, column, what) for code, rows, column, what in kinds)


#: About 3,200 rows in all; the share of each kind stands in truth.json.
KINDS: Final = (
    *_kinds(
        "critical",
        ("ma_so_dn_sai", 20, "MaSoDN", "a wrong check digit"),
        ("ma_so_dn_trung", 8, "MaSoDN", "one code under two internal numbers"),
        ("ma_so_la_so_dinh_danh", 6, "MaSoDN", "a personal number of twelve digits as the code of an enterprise"),
        ("ho_kinh_doanh", 12, "LoaiHinh", "a household business, with a personal number or an old code"),
        ("giai_the_ma_dang_hoat_dong", 14, "TinhTrang", "dissolved, and active all the same"),
        ("giai_the_truoc_dang_ky", 8, "NgayGiaiThe", "dissolved before it was registered"),
        ("von_dieu_le_vo_ly", 8, "VonDieuLe", "a capital above a million billion đồng, or below zero"),
    ),
    *_kinds(
        "warning",
        ("ma_so_tinh_khac", 24, "MaSoDN", "a code of another province: an enterprise that moved, a branch"),
        ("chi_nhanh_thieu_doanh_nghiep", 12, "MaSoDNChuQuan", "a branch -001 whose enterprise is not in the register"),
        ("von_dieu_le_bang_khong", 16, "VonDieuLe", "an enterprise without capital"),
        ("ma_nganh_chinh_unknown", 14, "MaNganhChinh", "a division that VSIC does not have"),
        ("ngay_giai_the_missing", 12, "NgayGiaiThe", "dissolved, nobody wrote when"),
        ("xa_khong_xac_dinh", 10, "DiaChi.TenXa", "Phường 1 without its town, or a commune of nowhere"),
        ("co_tk_dinh_danh_missing", 15, "CoTKDinhDanhToChuc", "neither yes nor no"),
    ),
    *_kinds(
        "duplicate",
        ("exact_copy", 10, "MaSoNoiBo", "the same record again"),
        ("older_version", 25, "TinhTrang", "a former state of an enterprise, updated earlier"),
    ),
    *_kinds(
        "repair",
        ("von_bang_chu", 60, "VonDieuLe", "1,5 tỷ đồng"),
        ("von_co_dau_cham", 80, "VonDieuLe", "1.500.000.000"),
        ("ma_nganh_mat_so_0", 40, "MaNganhChinh", "a code that a spreadsheet took its zero from"),
        ("ma_nganh_co_dau_cham", 20, "MaNganhChinh", "a code written with a point: 47.11"),
    ),
    *_kinds(
        "clean",
        ("cdata", 60, "DiaChi.TenXa", "texts in CDATA sections"),
        ("character_references", 60, "LoaiHinh", "letters as numeric character references"),
        ("xsi_nil", 30, "NgayGiaiThe", "an empty element that says xsi:nil"),
        ("xa_theo_ten", 200, "DiaChi.MaXa", "no code; the commune by its name and district"),
        ("xa_cua_ngay_dang_ky", 15, "DiaChi.MaXa", "a seat in a commune of before 2020, never written anew"),
    ),
)
