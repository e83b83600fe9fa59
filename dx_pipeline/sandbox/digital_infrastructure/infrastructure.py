"""Rows of ``ha_tang_so``: 125 communes, 18 months up to June 2024, whose sums are the published rates.

The totals are chosen so that the rates of June 2024 are 92.7, 103.97 and 72.595 % at three decimals; they are shared
out over the communes, and only the sum of the rows that survive cleaning gives them back. Earlier months are lower.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.communes import DISTRICT_SHARES, Commune
from dx_pipeline.sandbox.digital_infrastructure.apportion import apportion
from dx_pipeline.sandbox.planted import TruthBook

DATASET: Final = "ha_tang_so"
MONTHS: Final = 18  # 2023-01 to 2024-06
HOUSEHOLDS: Final = 178_412
POPULATION: Final = 654_237
FIXED_SHARE: Final = 0.19  # of all subscriptions
#: Percent in June 2024, and what each month before was lower.
SMARTPHONE, INTERNET, SUBSCRIPTIONS = (92.7, 0.31), (72.595, 0.48), (103.97, 0.62)
FIGURES: Final = (
    "thue_bao_bang_rong",
    "thue_bao_di_dong",
    "ho_co_internet",
    "ho_co_smartphone",
    "tong_ho",
    "dan_so",
)

Row = dict[str, Any]


def infrastructure_rows(communes: list[Commune], seed: int, truth: TruthBook) -> list[Row]:
    """All rows of the table, clean and planted, in the order of their ids."""
    rng = np.random.default_rng([seed, 10])
    present = [one for one in communes if one.ceased_on is None]
    rows = [row for at in range(MONTHS) for row in _month(at, present, seed)]
    for number, row in enumerate(rows, start=1):
        row["id"] = number
    _Planter(rows, communes, truth, rng).plant()
    return rows


def month_text(at: int) -> str:
    """``yyyymm`` of the month at that place, 0 to 17."""
    return f"{2023 + at // 12}{at % 12 + 1:02d}"


def population(at: int, communes: list[Commune], seed: int) -> dict[str, int]:
    """Commune code → people in the month at that place, as the clean rows tell; for systems that must agree with them."""
    return {row["ma_xa"]: int(row["dan_so"]) for row in _month(at, communes, seed)}


def _month(at: int, communes: list[Commune], seed: int) -> list[Row]:
    rng = np.random.default_rng([seed, 11])  # the same in each month: a commune keeps its place
    size = len(communes)
    in_district = {code: sum(one.district == code for one in communes) for code in DISTRICT_SHARES}
    weight = np.array([DISTRICT_SHARES[one.district] / in_district[one.district] for one in communes])
    weight = weight * rng.uniform(0.6, 1.5, size)
    town = np.array([one.kind != "Xã" for one in communes])
    back = MONTHS - 1 - at
    households, people = HOUSEHOLDS - 110 * back, POPULATION - 390 * back

    def total(rate: tuple[float, float], base: int) -> int:
        return round(base * (rate[0] - rate[1] * back) / 100)

    tong_ho = apportion(households, weight * rng.uniform(0.95, 1.05, size))
    dan_so = apportion(people, tong_ho * rng.uniform(0.93, 1.07, size))
    smartphone = apportion(
        total(SMARTPHONE, households), tong_ho * rng.uniform(0.9, 1.0, size), (tong_ho * 0.995).astype(np.int64)
    )
    internet = apportion(
        total(INTERNET, households),
        tong_ho * np.where(town, 1.2, 0.9) * rng.uniform(0.85, 1.1, size),
        (tong_ho * 0.99).astype(np.int64),
    )
    subscriptions = total(SUBSCRIPTIONS, people)
    fixed = apportion(round(subscriptions * FIXED_SHARE), internet * rng.uniform(0.9, 1.1, size))
    mobile = apportion(
        subscriptions - int(fixed.sum()), dan_so * np.where(town, 1.25, 0.93) * rng.uniform(0.9, 1.1, size)
    )
    # The month's figures are entered on its last days.
    month = at % 12 + 1
    entered = datetime(2023 + at // 12, month, 26, 8, 0) + timedelta(minutes=int(rng.integers(0, 60)))
    figures = dict(zip(FIGURES, (fixed, mobile, internet, smartphone, tong_ho, dan_so), strict=True))
    return [
        {
            "ky": month_text(at),
            "ma_xa": one.code,
            **{name: str(values[place]) for name, values in figures.items()},
            "ngay_cap_nhat": entered + timedelta(minutes=7 * place),
        }
        for place, one in enumerate(communes)
    ]


class _Planter:
    """Plants each kind on rows of its own; rows of June 2024 that count are never lost by it."""

    def __init__(self, rows: list[Row], communes: list[Commune], truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows = rows
        self._truth = truth
        self._rng = rng
        self._last = month_text(MONTHS - 1)
        names = [one.name for one in communes]
        self._name_of = {one.code: one.name for one in communes if names.count(one.name) == 1}
        self._ceased = [one.code for one in communes if one.ceased_on is not None]
        self._june = [row for row in rows if row["ky"] == self._last]
        self._free = {row["id"] for row in rows}

    def _take(self, code: str, candidates: list[Row], count: int | None = None) -> list[Row]:
        """Rows that get the kind, none of which carries another one."""
        free = [row for row in candidates if row["id"] in self._free]
        wanted = self._truth.rows_wanted(DATASET, code) if count is None else count
        chosen = [free[int(at)] for at in self._rng.choice(len(free), size=wanted, replace=False)]
        self._free -= {row["id"] for row in chosen}
        return chosen

    def _add(self, code: str, row: Row, **changes: Any) -> None:
        """A further row of that kind."""
        extra = {**row, **changes, "id": len(self._rows) + 1}
        self._rows.append(extra)
        self._truth.add(DATASET, code, extra["id"])

    def plant(self) -> None:
        earlier = [row for row in self._rows if row["ky"] < self._last]
        everywhere = list(self._rows)
        over = [row for row in self._june if _subscriptions(row) > int(row["dan_so"])]
        for row in self._take("rate_over_100", over):
            self._truth.add(DATASET, "rate_over_100", row["id"])
        for row in self._take("ho_internet_vuot_tong_ho", earlier):
            row["ho_co_internet"] = str(int(row["tong_ho"]) + 37)
            self._truth.add(DATASET, "ho_internet_vuot_tong_ho", row["id"])
        for row in self._take("dan_so_unreadable", earlier):
            row["dan_so"] = "chưa có số liệu"
            self._truth.add(DATASET, "dan_so_unreadable", row["id"])
        pairs = self._truth.rows_wanted(DATASET, "ky_xa_conflict") // 2
        for row in self._take("ky_xa_conflict", earlier, pairs):
            self._truth.add(DATASET, "ky_xa_conflict", row["id"])
            self._add("ky_xa_conflict", row, ho_co_internet=str(int(row["ho_co_internet"]) - 1))
        named = [row for row in everywhere if row["ma_xa"] in self._name_of]
        half = self._truth.rows_wanted(DATASET, "xa_ghi_ten") // 2
        june_named = [row for row in named if row["ky"] == self._last]
        for row in self._take("xa_ghi_ten", june_named, half) + self._take("xa_ghi_ten", named, half):
            row["ma_xa"] = self._name_of[row["ma_xa"]]
            self._truth.add(DATASET, "xa_ghi_ten", row["id"])
        self._numbers("dots_in_numbers", "tong_ho", ".", everywhere)
        self._numbers("spaces_in_numbers", "dan_so", " ", everywhere)
        self._extra_rows(everywhere)

    def _numbers(self, code: str, column: str, separator: str, candidates: list[Row]) -> None:
        for row in self._take(code, [row for row in candidates if len(row[column]) > 3]):
            plain = row[column]
            row[column] = f"{int(plain):,}".replace(",", separator)
            self._truth.add(DATASET, code, row["id"], expected=plain)

    def _extra_rows(self, everywhere: list[Row]) -> None:
        """Lines beside the right ones, most of them in June 2024, where one of them too many would show."""
        model = self._june[0]
        for text in ("Toàn tỉnh", "Huyện Hướng Hóa", "Phường 1", "Phường 2"):
            self._add("ma_xa_unreadable", model, ma_xa=text)
        for code in self._ceased[: self._truth.rows_wanted(DATASET, "xa_da_giai_the")]:
            self._add("xa_da_giai_the", model, ma_xa=code)
        for text in ("202413", "2024", "T6/24"):
            self._add("ky_unreadable", model, ky=text)
        for code in ("exact_copy", "older_version"):
            half = self._truth.rows_wanted(DATASET, code) // 2
            for row in self._take(code, self._june, half) + self._take(code, everywhere, half):
                if code == "exact_copy":
                    self._add(code, row)
                else:
                    former = str(int(row["ho_co_smartphone"]) - 11)
                    when = row["ngay_cap_nhat"] - timedelta(days=2)
                    self._add(code, row, ho_co_smartphone=former, ngay_cap_nhat=when)


def _subscriptions(row: Row) -> int:
    return int(row["thue_bao_bang_rong"]) + int(row["thue_bao_di_dong"])
