"""Lines of the budgets of 2022, 2023 and 2024 in triệu đồng. Amounts and unit codes are invented: none is published.

The lines of 2022 are for tasks that were assigned early in 2023: the money was planned before the decision.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.dx_budget.kinds import DATASET
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.task_tracking.tasks import GROUPS

YEARS: Final = (2022, 2023, 2024)
LINES: Final = 120  # of a year, before anything is planted
UNITS_FILE: Final = Path(__file__).resolve().parents[3] / "warehouse_sql" / "reference" / "budget_units.csv"
SOURCES: Final = {"TW": "TW", "ĐP": "DP", "XHH": "XHH"}
_ITEMS: Final = ("340-341", "280-314", "070-085", "100-101")
_WORDS: Final = {"TW": ("Trung ương", "NSTW"), "ĐP": ("NSĐP", "Địa phương"), "XHH": ("xã hội hóa", "Xã hội hoá")}
#: Tasks that get no money in any year, so that the mart has something to tell.
UNFUNDED: Final = frozenset({"1982-XHS-05", "1982-XHS-06", "1982-CQS-20", "1982-CQS-21"})

Row = dict[str, Any]


def budget_rows(seed: int, truth: TruthBook) -> dict[int, list[Row]]:
    """The lines of each year, clean and planted, in the order of the sheet: unit by unit."""
    rng = np.random.default_rng([seed, 50])
    with UNITS_FILE.open(encoding="utf-8", newline="") as lines:
        units = list(csv.DictReader(lines))
    tasks = [f"1982-{group}-{number:02d}" for group, (count, *_) in GROUPS.items() for number in range(1, count + 1)]
    funded = [code for code in tasks if code not in UNFUNDED]
    years = {year: _year(year, units, funded, rng) for year in YEARS}
    _Planter(years, truth, np.random.default_rng([seed, 51])).plant()
    return years


def row_key(row: Row) -> str:
    """The key the quarantine and the star know the row by."""
    source = SOURCES.get(row["_source"], row["_source"])
    return f"{row['nam']}|{row['qhns']}|{row['nhiem_vu']}|{source}"


def _year(year: int, units: list[dict[str, str]], tasks: list[str], rng: np.random.Generator) -> list[Row]:
    # Every task once (so each has money), then further sources and units of tasks. Police and army have a line each.
    wanted = [(units[int(rng.integers(0, len(units)))], task, "ĐP") for task in tasks]
    wanted += [(unit, tasks[int(rng.integers(0, len(tasks)))], "TW") for unit in units[-2:] * 3]
    while len(wanted) < LINES:
        unit, task = units[int(rng.integers(0, len(units)))], tasks[int(rng.integers(0, len(tasks)))]
        wanted.append((unit, task, ("ĐP", "ĐP", "TW", "XHH")[int(rng.integers(0, 4))]))
    unique = {(unit["unit_code"], task, source): unit for unit, task, source in wanted}
    rows = []
    for (_, task, source), unit in sorted(unique.items()):
        allocated = int(rng.integers(160, 4_000))
        adjustment = int(rng.integers(0, 4)) * 25
        rows.append(
            {
                "nam": year,
                "qhns": unit["unit_code"],
                "don_vi": unit["name"],
                "chuong": unit["chapter_code"],
                "loai_khoan": _ITEMS[int(rng.integers(0, len(_ITEMS)))],
                "nhiem_vu": task,
                "nguon": source,
                "_source": source,
                "giao": allocated,
                "dieu_chinh": adjustment or None,
                "giai_ngan": int((allocated + adjustment) * rng.uniform(0.4, 1.0)),
            }
        )
    return rows


class _Planter:
    """Plants each kind on rows of its own. Amounts are in triệu đồng here; the workbook writes them in its own unit."""

    def __init__(self, years: dict[int, list[Row]], truth: TruthBook, rng: np.random.Generator) -> None:
        self._years = years
        self._truth = truth
        everything = [row for rows in years.values() for row in rows]
        self._free = [everything[int(at)] for at in rng.permutation(len(everything))]

    def _take(self, code: str, *, count: int | None = None, **wanted: Any) -> list[Row]:
        count = self._truth.rows_wanted(DATASET, code) if count is None else count
        chosen = [row for row in self._free if all(row[name] == value for name, value in wanted.items())][:count]
        taken = {id(row) for row in chosen}
        self._free = [row for row in self._free if id(row) not in taken]
        return chosen

    def _note(self, code: str, row: Row, expected: str | None = None, suffix: str = "") -> None:
        self._truth.add(DATASET, code, 0, row_key=row_key(row) + suffix, expected=expected)

    def _put(self, code: str, column: str, values: tuple[Any, ...], **wanted: Any) -> None:
        for at, row in enumerate(self._take(code, **wanted)):
            row[column] = values[at % len(values)]
            if column == "nguon":
                row["_source"] = row["nguon"]
            self._note(code, row)

    def _after(self, row: Row, twin: Row) -> None:
        rows = self._years[row["nam"]]
        rows.insert(rows.index(row) + 1, twin)

    def plant(self) -> None:
        """All kinds. Wrong units stand in the file of triệu đồng, sub-totals in that of tỷ đồng."""
        self._repairs()
        self._put("nguon_unknown", "nguon", ("NSX", "Vay ODA?"))
        self._put("ma_nhiem_vu_sai_dang", "nhiem_vu", ("Nhiệm vụ chung", "1982/CQS/1"))
        self._put("ma_don_vi_qhns_unreadable", "qhns", ("H50.03", "1045"))
        self._put("da_giai_ngan_unreadable", "giai_ngan", ("đang quyết toán", "chưa có số"))
        self._put("so_tien_am", "giao", (-350,))
        for row in self._take("giai_ngan_vuot_du_toan"):
            row["giai_ngan"] = row["giao"] + (row["dieu_chinh"] or 0) + 40
            self._note("giai_ngan_vuot_du_toan", row)
        for row in self._take("dieu_chinh_vuot_du_toan"):
            row |= {"dieu_chinh": -row["giao"] - 50, "giai_ngan": 0}
            self._note("dieu_chinh_vuot_du_toan", row)
        for row in self._take("cut_by_adjustment"):
            row |= {"dieu_chinh": -row["giao"] // 4, "giai_ngan": row["giao"] // 2}
            self._note("cut_by_adjustment", row)
        self._put("no_figure_yet", "giai_ngan", (None,))
        for row in self._take("so_tien_bat_thuong", nam=2023):
            row |= {name: (row[name] or 0) * 1000 for name in ("giao", "dieu_chinh", "giai_ngan")}
            self._note("so_tien_bat_thuong", row)
        for at, row in enumerate(self._take("nhiem_vu_khong_co")):
            row["nhiem_vu"] = f"1982-CQS-{71 + at}"
            self._note("nhiem_vu_khong_co", row)
        for at, row in enumerate(self._take("don_vi_qhns_khong_co")):
            row["qhns"] = f"10459{10 + at}"
            self._note("don_vi_qhns_khong_co", row)
        self._beside()

    def _repairs(self) -> None:
        for chapter, written in (("009", 9), ("010", 10)):
            half = self._truth.rows_wanted(DATASET, "chapter_lost_zeros") // 2
            for row in self._take("chapter_lost_zeros", count=half, chuong=chapter):
                row["chuong"] = written
                self._note("chapter_lost_zeros", row, chapter)
        for row in self._take("item_lost_zeros", loai_khoan="070-085"):
            row["loai_khoan"] = "70-85"
            self._note("item_lost_zeros", row, "070-085")
        for at, row in enumerate(self._take("source_in_words")):
            row["nguon"] = _WORDS[row["_source"]][at % 2]
            self._note("source_in_words", row, SOURCES[row["_source"]])
        for row in self._take("amount_as_text", nam=2023):
            row["giao"] = f"{row['giao']}.5"
            self._note("amount_as_text", row, f"{row['giao']}00000")

    def _beside(self) -> None:
        """Rows that stand beside the clean ones."""
        for row in self._take("dong_lap_khac_so", count=self._truth.rows_wanted(DATASET, "dong_lap_khac_so") // 2):
            self._after(row, {**row, "giao": row["giao"] + 15})
            self._note("dong_lap_khac_so", row)
            self._note("dong_lap_khac_so", row, suffix="#2")
        for row in self._take("exact_copy"):
            self._after(row, dict(row))
            self._note("exact_copy", row)
        last = self._years[YEARS[-1]]
        units = list(dict.fromkeys(row["qhns"] for row in last if row["qhns"].startswith("10450")))
        for unit in units[: self._truth.rows_wanted(DATASET, "dong_cong_don_vi")]:
            of_unit = [row for row in last if row["qhns"] == unit]
            total = {
                **of_unit[0],
                **dict.fromkeys(("chuong", "loai_khoan", "nhiem_vu", "nguon", "_source", "dieu_chinh")),
                "giao": sum(row["giao"] for row in of_unit if isinstance(row["giao"], int)),
                "giai_ngan": None,
            }
            last.insert(last.index(of_unit[0]), total)
            self._truth.add(DATASET, "dong_cong_don_vi", 0, row_key=f"{total['nam']}|{unit}|∅|∅")
