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


def _planted(table: str, verdict: Verdict, *kinds: tuple[str, float, str, str]) -> tuple[Fault, ...]:
    return tuple(Fault(code, table, verdict, rate, column, what) for code, rate, column, what in kinds)


#: Tricky but clean rows come first: no fault may touch them.
FAULTS: Final[tuple[Fault, ...]] = (
    *_planted(
        "ho_so",
        "clean",
        ("month_end_second", 0.0008, "NgayTiepNhan", "accepted at 23:59:59 of a month's last day"),
        ("month_first_second", 0.0008, "NgayTiepNhan", "accepted at 00:00:00 of a month's first day"),
        ("portal_code", 0.004, "MaHoSo", "G22.99- code; the province's code is in MaHoSoKhac"),
        ("counter_over_9999", 0.001, "MaHoSo", "daily counter of five digits"),
        ("channel_missing", 0.003, "KenhThucHien", "no channel: counts as direct"),
    ),
    *_planted(
        "ho_so",
        "critical",
        ("ngay_tiep_nhan_in_future", 0.0006, "NgayTiepNhan", "accepted in 2042"),
        ("ma_ho_so_conflict", 0.0012, "MaHoSo", "two rows, one code and time, different content"),
        ("ma_ho_so_unreadable", 0.0015, "MaHoSo", "malformed dossier code"),
        ("ma_ho_so_missing", 0.0008, "MaHoSo", "no dossier code"),
        ("ma_tthc_unreadable", 0.0012, "MaTTHC", "malformed procedure code"),
        ("ngay_tiep_nhan_unreadable", 0.0015, "NgayTiepNhan", "a day that does not exist"),
        ("ket_thuc_truoc_tiep_nhan", 0.0015, "NgayKetThucXuLy", "ended before it was accepted"),
        ("trang_thai_unknown", 0.0008, "TrangThaiHoSo", "status 11"),
        ("kenh_unknown", 0.0008, "KenhThucHien", "channel 7"),
        ("loai_doi_tuong_unknown", 0.0008, "LoaiDoiTuong", "applicant kind outside the list"),
        ("ma_dinh_danh_unreadable", 0.0012, "MaDinhDanh", "malformed agency id"),
    ),
    *_planted(
        "ho_so",
        "duplicate",
        ("exact_copy", 0.002, "MaHoSo", "the same row once more under another Id"),
        ("older_version", 0.004, "MaHoSo", "the dossier as it was before it ended"),
    ),
    *_planted(
        "ho_so",
        "warning",
        ("so_giay_to_placeholder", 0.004, "SoGiayToChuHoSo", "placeholder 000000001"),
        ("so_giay_to_unreadable", 0.003, "SoGiayToChuHoSo", "a digit too few or too many"),
        ("so_dien_thoai_unreadable", 0.003, "SoDienThoaiChuHoSo", "not a phone number"),
        ("ngay_sinh_unreadable", 0.003, "NgaySinhChuHoSo", "not a birth date"),
        ("ten_chu_ho_so_truncated", 0.003, "ChuHoSo", "name cut off with ..."),
        ("ten_legacy_encoding", 0.004, "TenTTHC, DonViXuLy", "TCVN3 or VNI text"),
    ),
    *_planted(
        "ho_so",
        "repair",
        ("nfd_text", 0.008, "TenTTHC", "decomposed Unicode"),
        ("extra_spaces", 0.008, "DonViXuLy", "non-breaking or double space"),
        ("eth_for_d", 0.004, "TenTTHC", "Ð (eth) for Đ"),
        ("slashed_times", 0.06, "NgayTiepNhan", "dd/mm/yyyy HH:MM:SS instead of yyyyMMddHHmmss"),
        ("procedure_suffix", 0.02, "MaTTHC", "agency suffix after the national code"),
        ("applicant_kind_text", 0.02, "LoaiDoiTuong", "applicant kind in words"),
        ("level_text", 0.02, "MucDo", "service level in words"),
        ("phone_11_digits", 0.008, "SoDienThoaiChuHoSo", "number from before 2018-09-15"),
    ),
    *_planted(
        "yeu_cau_thanh_toan",
        "critical",
        ("so_tien_unreadable", 0.002, "SoTien", "not an amount"),
        ("so_tien_negative", 0.002, "SoTien", "amount below zero"),
        ("trang_thai_thanh_toan_unknown", 0.002, "TrangThai", "state outside the list"),
    ),
    *_planted(
        "yeu_cau_thanh_toan",
        "warning",
        (
            "online_flag_but_paid_cash",
            0.02,
            "HinhThucThanhToan",
            "the dossier says online, the money was cash",
        ),
    ),
    *_planted(
        "dong_bo_dvcqg",
        "warning",
        ("trang_thai_gui_rewritten", 0.004, "TrangThaiGui", "province 5/6/8, national copy 9"),
    ),
    *_planted(
        "ho_so_bo_sung",
        "critical",
        ("nhan_truoc_yeu_cau", 0.01, "NgayTiepNhanBoSung", "received before it was asked for"),
    ),
    *_planted(
        "qua_trinh_xu_ly",
        "critical",
        ("thoi_diem_missing", 0.001, "ThoiDiemXuLy", "step without a time"),
    ),
)

BY_CODE: Final[Mapping[str, Fault]] = {fault.code: fault for fault in FAULTS}


def targets(dossiers: int, scale: float) -> dict[str, int]:
    """How many rows of each kind to plant. ``scale`` multiplies the faults, not the tricky clean rows."""
    return {
        fault.code: wanted(
            fault.rate, dossiers * ROWS_PER_DOSSIER[fault.table], 1.0 if fault.verdict == "clean" else scale
        )
        for fault in FAULTS
    }
