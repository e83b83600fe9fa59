"""What is planted in the digital-infrastructure system and what the warehouse must say about it."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.planted import Kind, Verdict


def _kinds(dataset: str, verdict: Verdict, *kinds: tuple[str, int, str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(dataset, verdict, code, rows, column, what) for code, rows, column, what in kinds)


_TEAM_FAULTS = (
    ("xa_da_giai_the", 4, "ma_xa", "a village of a commune that was dissolved in 2020"),
    ("ma_xa_unreadable", 3, "ma_xa", "a name that two communes carry"),
    ("cap_unknown", 3, "cap", "a level outside the list"),
    ("ten_thon_missing", 3, "ten_thon", "a village team without its village"),
    ("so_thanh_vien_unreadable", 3, "so_thanh_vien", "members in words"),
    ("so_thanh_vien_out_of_range", 3, "so_thanh_vien", "no member, or hundreds"),
)

KINDS: Final = (
    *_kinds(
        "ha_tang_so",
        "critical",
        ("ho_internet_vuot_tong_ho", 5, "ho_co_internet", "more households with Internet than households"),
        ("dan_so_unreadable", 4, "dan_so", "words where the population should be"),
        ("ma_xa_unreadable", 4, "ma_xa", "a line of totals, a district, or a name that two communes carry"),
        ("xa_da_giai_the", 3, "ma_xa", "figures of a commune that was dissolved in 2020"),
        ("ky_unreadable", 3, "ky", "no month"),
        ("ky_xa_conflict", 6, "ma_xa", "two lines of one commune and month that differ, saved at one moment"),
    ),
    *_kinds("ha_tang_so", "warning", ("xa_ghi_ten", 24, "ma_xa", "the commune's name instead of its code")),
    *_kinds(
        "ha_tang_so",
        "duplicate",
        ("exact_copy", 6, "id", "the same line again"),
        ("older_version", 8, "id", "a former, wrong version of a line"),
    ),
    *_kinds(
        "ha_tang_so",
        "repair",
        ("dots_in_numbers", 40, "tong_ho", "1.234 for 1234"),
        ("spaces_in_numbers", 20, "dan_so", "1 234 for 1234"),
    ),
    *_kinds("ha_tang_so", "clean", ("rate_over_100", 12, "thue_bao_di_dong", "more subscriptions than people: a town")),
    *_kinds("to_cong_nghe_so", "critical", *_TEAM_FAULTS, ("ma_to_conflict", 4, "ma_to", "one code for two teams")),
    *_kinds(
        "to_cong_nghe_so",
        "warning",
        ("xa_ghi_ten", 10, "ma_xa", "the commune's name instead of its code"),
        ("qd_thanh_lap_missing", 6, "qd_thanh_lap", "the decision is not given"),
    ),
    *_kinds("to_cong_nghe_so", "duplicate", ("exact_copy", 8, "id", "the same line again")),
    *_kinds(
        "to_cong_nghe_so",
        "repair",
        ("level_in_words", 20, "cap", "Tổ cấp thôn, KHU PHỐ for Thôn"),
        ("slashed_days", 60, "ngay_thanh_lap", "dd/mm/yyyy instead of yyyymmdd"),
        ("extra_spaces", 15, "ten_thon", "double spaces in the village's name"),
    ),
    *_kinds(
        "to_cong_nghe_so",
        "clean",
        ("village_name_twice", 12, "ten_thon", "two communes have a village of that name"),
        ("dissolved_team", 6, "ngay_giai_the", "a team that was dissolved: loaded, not counted"),
    ),
    *_kinds("to_cong_nghe_so_bao_cao", "critical", *_TEAM_FAULTS),
    *_kinds("to_cong_nghe_so_bao_cao", "warning", ("xa_ghi_ten", 12, "ma_xa", "the commune's name")),
    *_kinds("to_cong_nghe_so_bao_cao", "duplicate", ("exact_copy", 5, "id", "the same line again")),
    *_kinds(
        "he_thong_thong_tin",
        "critical",
        ("cap_do_unknown", 2, "cap_do", "a security level outside 1 to 5"),
        ("ma_ht_conflict", 2, "ma_ht", "one code for two systems"),
        ("ipv6_unreadable", 1, "ipv6", "neither yes nor no"),
    ),
    *_kinds("he_thong_thong_tin", "warning", ("chu_quan_unreadable", 2, "chu_quan", "a name instead of the id")),
    *_kinds("he_thong_thong_tin", "duplicate", ("exact_copy", 2, "id", "the same line again")),
    *_kinds("he_thong_thong_tin", "repair", ("flag_marks", 8, "ipv6", "có, x, không, 0 in one column")),
    *_kinds(
        "don_vi_chuyen_doi_so",
        "critical",
        ("ma_don_vi_unreadable", 3, "ma_don_vi", "a name instead of the id"),
        ("ket_noi_tslcd_unreadable", 2, "ket_noi_tslcd", "neither yes nor no"),
    ),
    *_kinds("don_vi_chuyen_doi_so", "duplicate", ("exact_copy", 4, "id", "the same line again")),
    *_kinds("don_vi_chuyen_doi_so", "repair", ("staff_in_words", 20, "can_bo_cds", "CHUYÊN  TRÁCH for chuyen_trach")),
)
