"""Rows of ``truong_hoc``: the schools of 125 communes in three school years up to 2023-2024."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.communes import Commune
from dx_pipeline.sandbox.education.kinds import DATASET
from dx_pipeline.sandbox.planted import TruthBook

YEARS: Final = ("2021-2022", "2022-2023", "2023-2024")
COLUMNS: Final = (
    "stt",
    "ma_truong",
    "ten_truong",
    "cap_hoc",
    "ma_xa",
    "nam_hoc",
    "so_lop",
    "so_hoc_sinh",
    "so_hs_co_so_dinh_danh",
    "so_giao_vien",
    "hieu_truong",
    "dien_thoai",
)
#: level -> (digit in the code, word in the name, pupils per class, classes of a small and of a large school)
_LEVELS: Final = {
    "MN": (1, "Trường Mầm non", 25, 6, 14),
    "TH": (2, "Trường Tiểu học", 28, 8, 20),
    "THCS": (3, "Trường THCS", 33, 6, 16),
    "TH&THCS": (4, "Trường TH&THCS", 29, 11, 22),
    "THPT": (5, "Trường THPT", 38, 18, 34),
}
_IN_WORDS: Final = {
    "MN": ("Mầm non", "MẦM NON", "mn"),
    "TH": ("Tiểu học", "TIỂU HỌC", "th"),
    "THCS": ("Trung học cơ sở", "thcs", "Trung học  cơ sở"),
    "TH&THCS": ("TH và THCS", "TH-THCS", "Tiểu học và Trung học cơ sở"),
    "THPT": ("Trung học phổ thông", "thpt", "TRUNG HỌC PHỔ THÔNG"),
}

Row = dict[str, Any]


def school_rows(communes: list[Commune], seed: int, truth: TruthBook) -> dict[str, list[Row]]:
    """The rows of each school year, clean and planted, in the order of the file."""
    present = sorted((one for one in communes if one.ceased_on is None), key=lambda one: one.code)
    years = _clean_rows(present, np.random.default_rng([seed, 60]))
    _Planter(years, communes, truth, np.random.default_rng([seed, 61])).plant()
    for rows in years.values():
        for number, row in enumerate(rows, start=1):
            row["stt"] = number
    return years


def row_key(row: Row) -> str:
    """The key the quarantine and the star know the row by."""
    return f"{row['ma_truong']}|{row['nam_hoc']}"


def _clean_rows(communes: list[Commune], rng: np.random.Generator) -> dict[str, list[Row]]:
    years: dict[str, list[Row]] = {year: [] for year in YEARS}
    for place, commune in enumerate(communes):
        levels = ["MN", *(("TH&THCS",) if place % 4 == 3 else ("TH", "THCS")), *(("THPT",) if place % 4 == 0 else ())]
        for level in levels:
            digit, word, size, small, large = _LEVELS[level]
            code = f"45{commune.district}{digit}{place:04d}"
            classes = int(rng.integers(small, large + 1))
            per_class = size + int(rng.integers(-5, 6))
            phone = f"0233{int(rng.integers(3_500_000, 3_900_000))}"
            for at, year in enumerate(YEARS):
                pupils = classes * per_class + int(rng.integers(0, 9)) + 3 * at
                years[year].append(
                    {
                        "ma_truong": code,
                        "ten_truong": f"{word} {commune.name.split(' ', 1)[1]}",
                        "cap_hoc": level,
                        "ma_xa": commune.code,
                        "nam_hoc": year,
                        "so_lop": classes,
                        "so_hoc_sinh": pupils,
                        "so_hs_co_so_dinh_danh": int(pupils * (0.7 + 0.12 * at)),
                        "so_giao_vien": max(2, round(classes * 1.6)),
                        "hieu_truong": f"Hiệu trưởng {place + 1}",
                        "dien_thoai": phone,
                    }
                )
    return years


class _Planter:
    """Plants each kind on rows of its own."""

    def __init__(
        self, years: dict[str, list[Row]], communes: list[Commune], truth: TruthBook, rng: np.random.Generator
    ) -> None:
        self._years = years
        self._truth = truth
        self._rng = rng
        self._ceased = [one.code for one in communes if one.ceased_on is not None]
        self._free = {row_key(row) for rows in years.values() for row in rows}

    def _take(self, code: str, candidates: list[Row], count: int | None = None) -> list[Row]:
        """Rows that get the kind, none of which carries another one."""
        free = [row for row in candidates if row_key(row) in self._free]
        wanted = self._truth.rows_wanted(DATASET, code) if count is None else count
        chosen = [free[int(at)] for at in self._rng.choice(len(free), size=wanted, replace=False)]
        self._free -= {row_key(row) for row in chosen}
        return chosen

    def _note(self, code: str, row: Row, expected: str | None = None) -> None:
        self._truth.add(DATASET, code, 0, row_key=row_key(row), expected=expected)

    def _add(self, code: str, year: str, row: Row) -> None:
        self._years[year].append(row)
        self._note(code, row)

    def plant(self) -> None:
        """All kinds."""
        everywhere = [row for rows in self._years.values() for row in rows]
        for row in self._take("dinh_danh_vuot_hoc_sinh", everywhere):
            row["so_hs_co_so_dinh_danh"] = row["so_hoc_sinh"] + 3
            self._note("dinh_danh_vuot_hoc_sinh", row)
        for row in self._take("co_hoc_sinh_khong_lop", everywhere):
            row["so_lop"] = 0
            self._note("co_hoc_sinh_khong_lop", row)
        for row in self._take("si_so_vuot_60", everywhere):
            row["so_lop"] = row["so_hoc_sinh"] // 70
            self._note("si_so_vuot_60", row)
        for row in self._take("co_hoc_sinh_khong_giao_vien", everywhere):
            row["so_giao_vien"] = 0
            self._note("co_hoc_sinh_khong_giao_vien", row)
        for row, text in zip(self._take("cap_hoc_unknown", everywhere), ("GDTX", "Cấp 2", "?"), strict=True):
            row["cap_hoc"] = text
            self._note("cap_hoc_unknown", row)
        for row in self._take("dotted_numbers", [row for row in everywhere if row["so_hoc_sinh"] >= 1000]):
            self._note("dotted_numbers", row, str(row["so_hoc_sinh"]))
            row["so_hoc_sinh"] = f"{row['so_hoc_sinh']:,}".replace(",", ".")
        for row in self._take("truong_lien_cap", [row for row in everywhere if row["cap_hoc"] == "TH&THCS"]):
            self._note("truong_lien_cap", row)
        for place, row in enumerate(self._take("cap_hoc_bang_chu", [r for r in everywhere if r["cap_hoc"] in _LEVELS])):
            self._note("cap_hoc_bang_chu", row, row["cap_hoc"])
            row["cap_hoc"] = _IN_WORDS[row["cap_hoc"]][place % 3]
        self._beside(everywhere)

    def _beside(self, everywhere: list[Row]) -> None:
        """Rows beside the right ones."""
        model = self._years[YEARS[-1]][0]
        for place in range(self._truth.rows_wanted(DATASET, "ma_truong_excel")):
            year = YEARS[place % len(YEARS)]
            text = ("4.5E+09", "4.51E+09")[place // len(YEARS)]
            self._add("ma_truong_excel", year, {**model, "nam_hoc": year, "ma_truong": text})
        for place, text in enumerate(("2024-2023", "2023-2025", "2023-2022", "2021-2023", "2023", "23-24")):
            code = "nam_hoc_khong_lien_tiep" if len(text) == len("2023-2024") else "nam_hoc_malformed"
            self._add(code, YEARS[place % len(YEARS)], {**model, "nam_hoc": text})
        for row in self._take("ma_nam_conflict", everywhere, self._truth.rows_wanted(DATASET, "ma_nam_conflict") // 2):
            self._note("ma_nam_conflict", row)
            self._years[row["nam_hoc"]].append({**row, "so_hoc_sinh": row["so_hoc_sinh"] + 1})
            # The quarantine numbers the rows of one key.
            self._truth.add(DATASET, "ma_nam_conflict", 0, row_key=f"{row_key(row)}#2")
        # The first ceased code, 19381, still stands for Kim Thạch in some lists.
        ceased = self._ceased[1:][: self._truth.rows_wanted(DATASET, "xa_khong_xac_dinh")]
        for place, commune in enumerate(ceased):
            changes = {"ma_truong": f"459999{place:04d}", "ten_truong": f"Trường cũ số {place + 1}", "ma_xa": commune}
            self._add("xa_khong_xac_dinh", YEARS[-1], {**model, **changes})
        for row in self._take("exact_copy", everywhere):
            self._add("exact_copy", row["nam_hoc"], dict(row))
