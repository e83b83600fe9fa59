"""Rows of ``he_thong_tt`` (information systems) and ``don_vi_cds`` (agencies: state network, staff)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.one_stop.agencies import Agencies
from dx_pipeline.sandbox.planted import TruthBook

SYSTEMS: Final = "he_thong_thong_tin"
AGENCIES: Final = "don_vi_chuyen_doi_so"
#: (name, kind, owner's group code, security level, IPv6, EMC, LGSP); the two portals are on EMC and IPv6.
_SYSTEMS: Final[tuple[tuple[str, str, str, str | None, bool | None, bool | None, bool | None], ...]] = (
    ("Cổng thông tin điện tử tỉnh", "Cổng thông tin điện tử", "VPUBND", "3", True, True, True),
    ("Cổng dịch vụ công tỉnh", "Cổng dịch vụ công", "VPUBND", "3", True, True, True),
    ("Hệ thống thông tin giải quyết TTHC", "Hệ thống nghiệp vụ", "TTPVHCC", "3", True, True, True),
    ("Nền tảng tích hợp, chia sẻ dữ liệu LGSP", "Nền tảng", "STTTT", "3", True, False, True),
    ("Kho dữ liệu dùng chung", "Nền tảng", "STTTT", "3", True, False, True),
    ("Trung tâm điều hành thông minh IOC", "Nền tảng", "STTTT", "3", True, False, True),
    ("Hệ thống quản lý văn bản và điều hành", "Hệ thống nghiệp vụ", "VPUBND", "3", True, False, True),
    ("Hệ thống thông tin báo cáo", "Hệ thống nghiệp vụ", "VPUBND", "2", True, False, True),
    ("CSDL cán bộ, công chức, viên chức", "Cơ sở dữ liệu", "SNV", "2", False, False, True),
    ("CSDL đất đai", "Cơ sở dữ liệu", "STNMT", "3", False, False, True),
    ("CSDL ngành giáo dục", "Cơ sở dữ liệu", "SGDDT", "2", True, False, False),
    ("Hồ sơ sức khỏe điện tử", "Cơ sở dữ liệu", "SYT", "3", False, False, True),
    ("CSDL hộ nghèo, hộ cận nghèo", "Cơ sở dữ liệu", "SLDTBXH", None, False, False, False),
    ("CSDL hộ tịch", "Cơ sở dữ liệu", "STP", "2", False, False, True),
    ("CSDL công chứng", "Cơ sở dữ liệu", "STP", None, False, None, False),
    ("Quản lý khoa học và công nghệ", "Hệ thống nghiệp vụ", "SKHCN", "1", None, None, False),
    ("Quản lý giấy phép lái xe", "Hệ thống nghiệp vụ", "SGTVT", "2", False, False, False),
    ("Thư viện số", "Hệ thống nghiệp vụ", "SVHTTDL", "1", True, False, False),
    ("Du lịch thông minh", "Nền tảng", "SVHTTDL", "1", True, False, False),
    ("Sàn thương mại điện tử", "Nền tảng", "SCT", "1", True, False, False),
    ("Quản lý đầu tư công", "Hệ thống nghiệp vụ", "SKHDT", "2", False, False, True),
    ("Quản lý ngân sách", "Hệ thống nghiệp vụ", "STC", "3", False, False, True),
    ("Hội nghị truyền hình", "Nền tảng", "VPUBND", None, None, None, False),
    ("Quản lý khu kinh tế", "Hệ thống nghiệp vụ", "BQLKKT", None, False, None, False),
)
_STAFF: Final = ("Chuyên trách", "Kiêm nhiệm")
_YES: Final = ("có", "x", "1", "Có")
_NO: Final = ("không", "0", "Không", "chưa kết nối")

Row = dict[str, Any]


def system_rows(agencies: Agencies, seed: int, truth: TruthBook) -> list[Row]:
    """All rows of ``he_thong_tt``; flags are written in every way people write yes and no."""
    rng = np.random.default_rng([seed, 13])
    rows: list[Row] = []
    for number, (name, kind, owner, level, *flags) in enumerate(_SYSTEMS, start=1):
        written = [None if flag is None else (_YES if flag else _NO)[int(rng.integers(0, 4))] for flag in flags]
        rows.append(
            {
                "id": number,
                "ma_ht": f"HT-{number:02d}",
                "ten_ht": name,
                "loai": kind,
                "chu_quan": agencies.rows[agencies.position(owner)].new_id,
                "cap_do": level,
                "ipv6": written[0],
                "ket_noi_emc": written[1],
                "ket_noi_lgsp": written[2],
                "url": f"https://ht{number:02d}.quangtri.example",
                "ngay_cap_nhat": datetime(2024, 6, 10, 10, 0) + timedelta(minutes=number),
            }
        )

    def extra(code: str, row_key: str | None = None, **changes: Any) -> None:
        number = len(rows) + 1
        row = {**rows[9], "ma_ht": f"HT-{number:02d}", **changes, "id": number}
        rows.append(row)
        truth.add(SYSTEMS, code, number, row_key=row_key or row["ma_ht"])

    with_flag = [row for row in rows if row["ipv6"] is not None]
    for row in with_flag[: truth.rows_wanted(SYSTEMS, "flag_marks")]:
        expected = str(row["ipv6"] in _YES).lower()
        truth.add(SYSTEMS, "flag_marks", row["id"], row_key=row["ma_ht"], expected=expected)
    for row, text in zip(rows[17:19], ("Sở Văn hóa", "SVHTTDL?"), strict=True):
        row["chu_quan"] = text
        truth.add(SYSTEMS, "chu_quan_unreadable", row["id"], row_key=row["ma_ht"])
    extra("cap_do_unknown", cap_do="6")
    extra("cap_do_unknown", cap_do="Cấp độ cao")
    extra("ipv6_unreadable", ipv6="đang làm")
    extra("ma_ht_conflict", "HT-90", ma_ht="HT-90", ten_ht="Phần mềm thử nghiệm A")
    extra("ma_ht_conflict", "HT-90#2", ma_ht="HT-90", ten_ht="Phần mềm thử nghiệm B")
    for row in rows[10:12]:
        extra("exact_copy", **row)
    return rows


def agency_rows(agencies: Agencies, seed: int, truth: TruthBook) -> list[Row]:
    """All rows of ``don_vi_cds``: every department, district and commune is on the network and has staff."""
    rng = np.random.default_rng([seed, 14])
    kept = [one for one in agencies.rows if one.catalog != "cnvpdk" and one.parent is not None]
    rows: list[Row] = [
        {
            "id": number,
            "ma_don_vi": one.new_id,
            "ket_noi_tslcd": ("có", "x", "Đã kết nối", "1")[int(rng.integers(0, 4))],
            "can_bo_cds": _STAFF[int(one.catalog == "xa-phuong" or rng.random() < 0.4)],
            "can_bo_attt": _STAFF[int(one.catalog != "so-ban-nganh" or rng.random() < 0.5)],
            "ngay_cap_nhat": datetime(2024, 6, 12, 8, 0) + timedelta(minutes=number),
        }
        for number, one in enumerate(kept, start=1)
    ]

    def extra(code: str, **changes: Any) -> None:
        number = len(rows) + 1
        row = {**rows[0], "ma_don_vi": f"H50.99.{number % 100:02d}", **changes, "id": number}
        rows.append(row)
        truth.add(AGENCIES, code, number, row_key=row["ma_don_vi"])

    size = truth.rows_wanted(AGENCIES, "staff_in_words")
    for at in rng.choice(len(rows), size=size, replace=False).tolist():
        full_time = rows[at]["can_bo_cds"] == _STAFF[0]
        rows[at]["can_bo_cds"] = "CHUYÊN  TRÁCH" if full_time else "kiêm nhiệm "
        expected = "chuyen_trach" if full_time else "kiem_nhiem"
        truth.add(AGENCIES, "staff_in_words", rows[at]["id"], row_key=rows[at]["ma_don_vi"], expected=expected)
    for name in ("Sở Nội vụ", "UBND huyện Hải Lăng", "?"):
        extra("ma_don_vi_unreadable", ma_don_vi=name)
    for text in ("đang kéo cáp", "?"):
        extra("ket_noi_tslcd_unreadable", ket_noi_tslcd=text)
    for row in rows[30 : 30 + truth.rows_wanted(AGENCIES, "exact_copy")]:
        extra("exact_copy", **row)
    return rows
