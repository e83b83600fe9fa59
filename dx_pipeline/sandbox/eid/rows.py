"""Rows of the workbooks: 125 communes and the island district Cồn Cỏ, twelve months up to June 2024.

The totals of June 2024 are shared out over the communes; only the sum of the rows that survive cleaning gives them
back. Earlier months are lower, commune by commune, because the counts are cumulative.
"""

from __future__ import annotations

import calendar
import unicodedata
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.communes import DISTRICT_SHARES, Commune
from dx_pipeline.sandbox.digital_infrastructure.apportion import apportion
from dx_pipeline.sandbox.eid.kinds import DATASET
from dx_pipeline.sandbox.planted import TruthBook

MONTHS: Final = tuple((2023 + at // 12, at % 12 + 1) for at in range(6, 18))  # 2023-07 to 2024-06
ISSUED_IN_ALL, ACTIVATED_IN_ALL = 285_394, 189_631  # June 2024
DISTRICT_NAMES: Final = {
    "461": "Thành phố Đông Hà",
    "462": "Thị xã Quảng Trị",
    "464": "Huyện Vĩnh Linh",
    "465": "Huyện Hướng Hóa",
    "466": "Huyện Gio Linh",
    "467": "Huyện Đakrông",
    "468": "Huyện Cam Lộ",
    "469": "Huyện Triệu Phong",
    "470": "Huyện Hải Lăng",
    "471": "Huyện đảo Cồn Cỏ",
}
ISLAND: Final = Commune("471", "Huyện đảo Cồn Cỏ", "Huyện", "471", None)  # a district without communes
COUNTS: Final = ("cap_1", "cap_2", "kich_hoat_1", "kich_hoat_2")
NO_FIGURE: Final = "chưa có số liệu"
_SHORT: Final = {"Xã ": "X. ", "Phường ": "P. ", "Thị trấn ": "TT. "}

Row = dict[str, Any]


def eid_rows(communes: list[Commune], seed: int, truth: TruthBook) -> list[list[Row]]:
    """The rows of each month, clean and planted, in the order of the sheet."""
    present = sorted((one for one in communes if one.ceased_on is None), key=lambda one: (one.district, one.code))
    months = _months([*present, ISLAND], np.random.default_rng([seed, 30]))
    _Planter(months, communes, truth, np.random.default_rng([seed, 31])).plant()
    return months


def row_key(row: Row) -> str:
    """The key the quarantine and the star know the row by."""
    name = " ".join(unicodedata.normalize("NFC", row["xa"]).split())
    return f"{row['month'] or row['ky']}|{row['huyen']}|{name}"


def _months(units: list[Commune], rng: np.random.Generator) -> list[list[Row]]:
    size = len(units)
    in_district = {code: sum(one.district == code for one in units) for code in DISTRICT_NAMES}
    shares = {**DISTRICT_SHARES, "471": 0.03}
    weight = np.array([shares[one.district] / in_district[one.district] for one in units]) * rng.uniform(0.6, 1.5, size)
    issued = apportion(ISSUED_IN_ALL, weight)
    activated = apportion(
        ACTIVATED_IN_ALL, issued * rng.uniform(0.75, 1.1, size), np.floor(issued * 0.95).astype(np.int64)
    )
    eligible = np.ceil(issued / rng.uniform(0.72, 0.9, size)).astype(np.int64)
    months = []
    for back in range(len(MONTHS) - 1, -1, -1):
        year, month = MONTHS[len(MONTHS) - 1 - back]
        given = np.floor(issued * (1 - 0.018 * back)).astype(np.int64)
        used = np.floor(activated * (1 - 0.03 * back)).astype(np.int64)
        first = given // 25
        used_first = first // 2
        months.append(
            [
                {
                    "month": f"{year}-{month:02d}-01",
                    "ky": f"{month:02d}/{year}",
                    "huyen": DISTRICT_NAMES[one.district],
                    "ma_xa": one.code if one is not ISLAND else None,
                    "xa": one.name,
                    "nhan_khau": int(eligible[at]),
                    "thu_nhan": int(given[at]) + int(given[at]) // 60,
                    "cap_1": int(first[at]),
                    "cap_2": int(given[at] - first[at]),
                    "kich_hoat_1": int(used_first[at]),
                    "kich_hoat_2": int(used[at] - used_first[at]),
                    "to_chuc": int(given[at]) // 150,
                    "den_ngay": f"{calendar.monthrange(year, month)[1]:02d}/{month:02d}/{year}",
                }
                for at, one in enumerate(units)
            ]
        )
    return months


class _Planter:
    """Plants each kind on rows of its own; no count of June 2024 that is published is lost by it."""

    def __init__(
        self, months: list[list[Row]], communes: list[Commune], truth: TruthBook, rng: np.random.Generator
    ) -> None:
        self._months = months
        self._truth = truth
        self._rng = rng
        self._ceased = [one for one in communes if one.ceased_on is not None]
        self._size = len(months[0])
        # (month, place) of every row that carries nothing yet; the island has no code by nature.
        self._free = {(month, place) for month in range(len(months)) for place in range(self._size - 1)}

    def _take(self, code: str, months: range, count: int | None = None) -> list[tuple[int, int]]:
        """Places of clean rows of those months."""
        free = sorted(spot for spot in self._free if spot[0] in months)
        wanted = self._truth.rows_wanted(DATASET, code) if count is None else count
        chosen = [free[int(at)] for at in self._rng.choice(len(free), size=wanted, replace=False)]
        self._free -= set(chosen)
        return chosen

    def _note(self, code: str, row: Row, expected: str | None = None) -> None:
        self._truth.add(DATASET, code, 0, row_key=row_key(row), expected=expected)

    def _change(self, code: str, months: range, **changes: Any) -> None:
        for month, place in self._take(code, months):
            self._months[month][place] |= changes
            self._note(code, self._months[month][place])

    def _add(self, code: str, month: int, row: Row) -> None:
        self._months[month].append(row)
        self._note(code, row)

    def plant(self) -> None:
        """All kinds. What is rejected stands in earlier months or in rows beside the communes'."""
        last = len(self._months) - 1
        earlier, everywhere, june = range(last), range(last + 1), range(last, last + 1)
        self._drops(last)
        for month, place in self._take("kich_hoat_vuot_cap", earlier):
            row = self._months[month][place]
            row["kich_hoat_2"] = row["cap_2"] + 17
            self._note("kich_hoat_vuot_cap", row)
        self._change("so_am", earlier, kich_hoat_1=-4)
        self._change("so_cap_muc_2_unreadable", earlier, cap_2=NO_FIGURE)
        self._change("chua_co_so_lieu", everywhere, to_chuc=NO_FIGURE)
        for month, place in self._take("xa_lap_lai", earlier, self._truth.rows_wanted(DATASET, "xa_lap_lai") // 2):
            row = self._months[month][place]
            self._note("xa_lap_lai", row)
            kind = next(kind for kind in _SHORT if row["xa"].startswith(kind))
            twin = {**row, "ma_xa": None, "xa": _SHORT[kind] + row["xa"].removeprefix(kind), "cap_2": row["cap_2"] + 1}
            self._add("xa_lap_lai", month, twin)
        for month in everywhere:
            self._note("xa_ghi_ten", self._months[month][self._size - 1])
        half = (self._truth.rows_wanted(DATASET, "xa_ghi_ten") - len(everywhere)) // 2
        for month, place in self._take("xa_ghi_ten", june, half) + self._take("xa_ghi_ten", earlier, half):
            self._months[month][place]["ma_xa"] = None
            self._note("xa_ghi_ten", self._months[month][place])
        for month, place in self._take("dotted_numbers", everywhere):
            row = self._months[month][place]
            self._note("dotted_numbers", row, str(row["nhan_khau"]))
            row["nhan_khau"] = f"{row['nhan_khau']:,}".replace(",", ".")
        self._names()
        self._beside(last)
        half = self._truth.rows_wanted(DATASET, "exact_copy") // 2
        for month, place in self._take("exact_copy", june, half) + self._take("exact_copy", earlier, half):
            self._add("exact_copy", month, dict(self._months[month][place]))

    def _drops(self, last: int) -> None:
        """A count below the month before; that month stays clean, and the next one is above again."""
        for month, place in self._take("luy_ke_giam", range(3, last, 4)):
            row, before = self._months[month][place], self._months[month - 1][place]
            row["cap_2"] = before["cap_2"] - (row["cap_1"] - before["cap_1"]) - 25
            self._free.discard((month - 1, place))
            self._note("luy_ke_giam", row)

    def _names(self) -> None:
        everywhere = range(len(self._months))
        for month, place in self._take("extra_spaces", everywhere):
            row = self._months[month][place]
            self._note("extra_spaces", row, row["xa"])
            row["xa"] = row["xa"].replace(" ", "  ", 1) + "\u00a0"
        for month, place in self._take("decomposed_letters", everywhere):
            row = self._months[month][place]
            self._note("decomposed_letters", row, row["xa"])
            row["xa"] = unicodedata.normalize("NFD", row["xa"])

    def _beside(self, last: int) -> None:
        """Rows in June beside those of the communes."""
        rows = self._months[last]
        sample = rows[0]
        for district in list(DISTRICT_NAMES.values())[: self._truth.rows_wanted(DATASET, "dong_cap_huyen")]:
            own = [row for row in rows[: self._size] if row["huyen"] == district]
            sums = {name: sum(row[name] for row in own) for name in COUNTS}
            self._add("dong_cap_huyen", last, {**sample, **sums, "huyen": district, "xa": district, "ma_xa": "99999"})
            # One code on several rows would be another fault.
            rows[-1]["ma_xa"] = f"99{len(rows):03d}"
        for text in ("tháng sáu", "quý II"):
            self._add("ky_bao_cao_unreadable", last, {**sample, "month": None, "ky": text})
        old = [one for one in self._ceased if one.district in DISTRICT_NAMES]
        for one in old[: self._truth.rows_wanted(DATASET, "xa_khong_xac_dinh")]:
            changes = {"huyen": DISTRICT_NAMES[one.district], "xa": one.name, "ma_xa": one.code}
            self._add("xa_khong_xac_dinh", last, {**sample, **changes})
