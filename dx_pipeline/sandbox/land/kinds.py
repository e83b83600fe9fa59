"""What is planted in the land database and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind, Verdict

DATASET: Final = "thua_dat"


def _kinds(verdict: Verdict, *kinds: tuple[str, int, str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(DATASET, verdict, code, rows, column, what) for code, rows, column, what in kinds)


#: About 6,000 rows in all; the share of each kind stands in truth.json.
KINDS: Final = (
    *_kinds(
        "critical",
        ("dien_tich_nghi_hec_ta", 30, "DIENTICH", "farm or forest land measured in hectares"),
        ("dien_tich_unreadable", 15, "DIENTICH", "1.250: a thousand or one and a quarter"),
        ("dien_tich_khong_duong", 8, "DIENTICH", "no area, or one below zero"),
        ("ky_hieu_muc_dich_unknown", 20, "KHMDSD", "a symbol of the nineties: T, 2L"),
        ("thua_trung_so", 12, "SOTHUA", "two parcels of one commune with one sheet and number"),
        ("ma_xa_missing", 8, "MAXA", "no commune, and not on the island"),
    ),
    *_kinds(
        "warning",
        ("thua_cu_da_co_so_moi", 40, "SOTO", "a parcel under its former number, beside the same under its new one"),
        ("gcn_trung_so", 24, "SOPHGCN", "one certificate number under two entries of the register"),
        ("ngay_cap_truoc_luat_1993", 14, "NGAYCAP", "a certificate older than the Land Law of 1993"),
        ("ngay_cap_trong_tuong_lai", 14, "NGAYCAP", "a certificate of a day to come"),
        ("ngay_cap_missing", 20, "NGAYCAP", "a certificate number without its day"),
        ("muc_dich_khac_ky_hieu", 18, "MDSD", "words that say another purpose than the symbol"),
        ("xa_da_giai_the", 24, "MAXA", "a commune that was merged into another in 2020"),
        ("xa_khong_xac_dinh", 9, "MAXA", "a code that was never one, or a commune that was split"),
    ),
    *_kinds("duplicate", ("exact_copy", 16, "THUADATID", "the same line again")),
    *_kinds(
        "repair",
        ("tcvn3_purpose", 200, "MDSD", "the purpose in words, in TCVN3"),
        ("soft_hyphen", 60, "MDSD", "a purpose in TCVN3 with ư, which is a soft hyphen in cp1252"),
        ("decimal_comma", 60, "DIENTICH", "1250,5"),
    ),
    *_kinds(
        "clean",
        ("muc_dich_ket_hop", 150, "KHMDSD", "two purposes on one parcel: ONT+CLN"),
        ("mot_gcn_nhieu_thua", 60, "SOPHGCN", "one certificate for two parcels, one entry"),
        ("so_cu_trung_so_moi", 20, "SOTOCU", "a former number that another parcel has on the new map"),
        ("huyen_dao_khong_co_xa", 12, "MAXA", "a parcel on the island, which has no commune"),
    ),
)
