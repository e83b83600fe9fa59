"""What is planted in the one-stop system, how often, and what the warehouse must say about it.

``critical``: the row is quarantined. ``warning``: it is loaded and flagged. ``duplicate``: it is a
copy or an older version, counted and left out. ``repair``: the cleaner mends it silently.
``clean``: nothing is wrong, though it looks odd. Rates are shares of the table's rows; every kind
is planted at least three times in a sandbox of 2,000 dossiers or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dx_pipeline.sandbox.one_stop.quotas import wanted

Verdict = Literal["critical", "warning", "duplicate", "repair", "clean"]

#: About how many rows each table has per dossier; only used to turn rates into counts.
ROWS_PER_DOSSIER: Final[Mapping[str, float]] = {
    "ho_so": 1.0,
    "qua_trinh_xu_ly": 3.2,
    "ho_so_bo_sung": 0.065,
    "yeu_cau_thanh_toan": 0.3,
    "dong_bo_dvcqg": 0.8,
}


@dataclass(frozen=True)
class Fault:
    """One planted kind: its code, table, column, rate and the verdict it must get."""

    code: str
    table: str
    verdict: Verdict
    rate: float
    column: str
    what: str


FAULTS: Final[tuple[Fault, ...]] = (
    # Clean but tricky; planted first, and no fault may touch them.
    Fault("month_end_second", "ho_so", "clean", 0.0008, "NgayTiepNhan", "accepted at 23:59:59 of a month's last day"),
    Fault("month_first_second", "ho_so", "clean", 0.0008, "NgayTiepNhan", "accepted at 00:00:00 of a month's first day"),
    Fault("portal_code", "ho_so", "clean", 0.004, "MaHoSo", "G22.99- code; the province's code is in MaHoSoKhac"),
    Fault("counter_over_9999", "ho_so", "clean", 0.001, "MaHoSo", "daily counter of five digits"),
    Fault("channel_missing", "ho_so", "clean", 0.003, "KenhThucHien", "no channel: counts as direct"),
    # The row is quarantined.
    Fault("ngay_tiep_nhan_in_future", "ho_so", "critical", 0.0006, "NgayTiepNhan", "accepted in 2042"),
    Fault("ma_ho_so_conflict", "ho_so", "critical", 0.0012, "MaHoSo", "two rows, one code and time, different content"),
    Fault("ma_ho_so_unreadable", "ho_so", "critical", 0.0015, "MaHoSo", "malformed dossier code"),
    Fault("ma_ho_so_missing", "ho_so", "critical", 0.0008, "MaHoSo", "no dossier code"),
    Fault("ma_tthc_unreadable", "ho_so", "critical", 0.0012, "MaTTHC", "malformed procedure code"),
    Fault("ngay_tiep_nhan_unreadable", "ho_so", "critical", 0.0015, "NgayTiepNhan", "a day that does not exist"),
    Fault("ket_thuc_truoc_tiep_nhan", "ho_so", "critical", 0.0015, "NgayKetThucXuLy", "ended before it was accepted"),
    Fault("trang_thai_unknown", "ho_so", "critical", 0.0008, "TrangThaiHoSo", "status 11"),
    Fault("kenh_unknown", "ho_so", "critical", 0.0008, "KenhThucHien", "channel 7"),
    Fault("loai_doi_tuong_unknown", "ho_so", "critical", 0.0008, "LoaiDoiTuong", "applicant kind outside the list"),
    Fault("ma_dinh_danh_unreadable", "ho_so", "critical", 0.0012, "MaDinhDanh", "malformed agency id"),
    # Copies.
    Fault("exact_copy", "ho_so", "duplicate", 0.002, "MaHoSo", "the same row once more under another Id"),
    Fault("older_version", "ho_so", "duplicate", 0.004, "MaHoSo", "the dossier as it was before it ended"),
    # Loaded and flagged.
    Fault("so_giay_to_placeholder", "ho_so", "warning", 0.004, "SoGiayToChuHoSo", "placeholder 000000001"),
    Fault("so_giay_to_unreadable", "ho_so", "warning", 0.003, "SoGiayToChuHoSo", "a digit too few or too many"),
    Fault("so_dien_thoai_unreadable", "ho_so", "warning", 0.003, "SoDienThoaiChuHoSo", "not a phone number"),
    Fault("ngay_sinh_unreadable", "ho_so", "warning", 0.003, "NgaySinhChuHoSo", "not a birth date"),
    Fault("ten_chu_ho_so_truncated", "ho_so", "warning", 0.003, "ChuHoSo", "name cut off with ..."),
    Fault("ten_legacy_encoding", "ho_so", "warning", 0.004, "TenTTHC, DonViXuLy", "TCVN3 or VNI text"),
    # Mended silently.
    Fault("nfd_text", "ho_so", "repair", 0.008, "TenTTHC", "decomposed Unicode"),
    Fault("extra_spaces", "ho_so", "repair", 0.008, "DonViXuLy", "non-breaking or double space"),
    Fault("eth_for_d", "ho_so", "repair", 0.004, "TenTTHC", "Ð (eth) for Đ"),
    Fault("slashed_times", "ho_so", "repair", 0.06, "NgayTiepNhan", "dd/mm/yyyy HH:MM:SS instead of yyyyMMddHHmmss"),
    Fault("procedure_suffix", "ho_so", "repair", 0.02, "MaTTHC", "agency suffix after the national code"),
    Fault("applicant_kind_text", "ho_so", "repair", 0.02, "LoaiDoiTuong", "applicant kind in words"),
    Fault("level_text", "ho_so", "repair", 0.02, "MucDo", "service level in words"),
    Fault("phone_11_digits", "ho_so", "repair", 0.008, "SoDienThoaiChuHoSo", "number from before 2018-09-15"),
    # Children.
    Fault("so_tien_unreadable", "yeu_cau_thanh_toan", "critical", 0.002, "SoTien", "not an amount"),
    Fault("so_tien_negative", "yeu_cau_thanh_toan", "critical", 0.002, "SoTien", "amount below zero"),
    Fault("trang_thai_thanh_toan_unknown", "yeu_cau_thanh_toan", "critical", 0.002, "TrangThai", "state outside the list"),
    Fault("online_flag_but_paid_cash", "yeu_cau_thanh_toan", "warning", 0.02, "HinhThucThanhToan", "the dossier says online, the money was cash"),
    Fault("trang_thai_gui_rewritten", "dong_bo_dvcqg", "warning", 0.004, "TrangThaiGui", "province 5/6/8, national copy 9"),
    Fault("nhan_truoc_yeu_cau", "ho_so_bo_sung", "critical", 0.01, "NgayTiepNhanBoSung", "received before it was asked for"),
    Fault("thoi_diem_missing", "qua_trinh_xu_ly", "critical", 0.001, "ThoiDiemXuLy", "step without a time"),
)  # fmt: skip

BY_CODE: Final[Mapping[str, Fault]] = {fault.code: fault for fault in FAULTS}


def targets(dossiers: int, scale: float) -> dict[str, int]:
    """How many rows of each kind to plant. ``scale`` multiplies the faults, not the tricky clean rows."""
    return {
        fault.code: wanted(
            fault.rate, dossiers * ROWS_PER_DOSSIER[fault.table], 1.0 if fault.verdict == "clean" else scale
        )
        for fault in FAULTS
    }
