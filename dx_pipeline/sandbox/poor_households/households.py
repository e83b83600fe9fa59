"""Rows of the lists of 2022, 2023 and 2024, clean and planted, as columns of text in the fields' own forms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from dx_pipeline.sandbox.communes import Commune
from dx_pipeline.sandbox.one_stop.legacy_text import to_tcvn3
from dx_pipeline.sandbox.planted import Kind, TruthBook, Verdict

DATASET: Final = "ho_ngheo"
YEARS: Final = (2022, 2023, 2024)
HOUSEHOLDS: Final = 4_000  # that are ever on a list; about 95 % of them are on the list of a year
DELETED_PER_YEAR: Final = 40  # about 1 %, as FoxPro leaves them in the file until it is packed


def _kinds(verdict: Verdict, *kinds: tuple[str, int, str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(DATASET, verdict, code, rows, column, what) for code, rows, column, what in kinds)


#: About 11,400 rows in all; the share of each kind stands in truth.json.
KINDS: Final = (
    *_kinds(
        "critical",
        ("loai_ho_unknown", 24, "LOAIHO", "a kind of household outside 1, 2, 3"),
        ("ma_xa_unknown", 18, "MAXA", "five digits that were never a commune of the province"),
        ("xa_da_giai_the", 24, "MAXA", "a commune that was dissolved in 2020"),
        ("ho_hai_lan_trong_nam", 24, "MAHO", "a household twice in a year, with rows that differ"),
        ("so_nhan_khau_out_of_range", 12, "SONK", "no member"),
    ),
    *_kinds(
        "warning",
        ("cmnd_9_so", 560, "CMND", "the old number of nine digits"),
        ("cmnd_placeholder", 90, "CMND", "000000001 for a number nobody knew"),
        ("b1_out_of_range", 15, "B1_DIEM", "points of income below zero or far too many"),
        ("b2_out_of_range", 15, "B2_DIEM", "more points of deprivation than there are"),
        ("co_internet_missing", 20, "CO_INTERNE", "neither yes nor no"),
        ("co_smartphone_missing", 20, "CO_SMARTPH", "neither yes nor no"),
    ),
    *_kinds("duplicate", ("exact_copy", 30, "MAHO", "the same line again")),
    *_kinds(
        "repair",
        ("tcvn3_name", 300, "HOTENCH", "a name in TCVN3"),
        ("soft_hyphen", 200, "HOTENCH", "a name in TCVN3 with ư, which is a soft hyphen in cp1252"),
        ("zero_day_and_month", 340, "NGAYSINH", "00/00/1965"),
        ("year_only", 220, "NGAYSINH", "1965"),
    ),
)
_SURNAMES: Final = np.array("Nguyễn Trần Lê Phạm Hồ Hoàng Võ Đặng Bùi Đỗ".split())
_MIDDLES: Final = np.array(["Văn", "Thị", "Hữu", "Xuân", "Thị Thu", "Đức"])
_GIVEN: Final = np.array("Bình Dũng Hải Hùng Lâm Sơn Toàn Hà Hạnh Hiền Loan Thảo Pả Vỗ Thơm".split())
_GIVEN_SOFT: Final = np.array("Hương Phương Dương Lưu Trường Thương".split())
#: About the share of the province's poor households in each district, in percent.
_SHARES: Final = {"461": 3, "462": 2, "464": 8, "465": 34, "466": 8, "467": 28, "468": 5, "469": 6, "470": 6}


def household_rows(communes: list[Commune], seed: int, truth: TruthBook) -> pd.DataFrame:
    """All records: the fields as text (texts in TCVN3), ``deleted``, and ``year`` of the file they stand in."""
    rng = np.random.default_rng([seed, 31])
    rows = _Rows(_clean_rows(communes, rng), truth, rng)
    rows.plant(communes)
    return rows.frame()


def _clean_rows(communes: list[Commune], rng: np.random.Generator) -> pd.DataFrame:
    present = [one for one in communes if one.ceased_on is None]
    weights = np.array([_SHARES.get(one.district, 0) for one in present]) * rng.lognormal(0, 0.6, len(present))
    at = rng.choice(len(present), HOUSEHOLDS, p=weights / weights.sum())
    code = np.array([one.code for one in present])[at]
    number = np.char.zfill(np.arange(1, HOUSEHOLDS + 1).astype(str), 5)
    days = np.datetime64("1940-01-01") + rng.integers(0, 21_000, HOUSEHOLDS)
    born = pd.Series(pd.DatetimeIndex(days))
    century_sex = rng.integers(0, 2, HOUSEHOLDS).astype(str)
    paper = np.char.add("045", century_sex)
    paper = np.char.add(paper, born.dt.strftime("%y").to_numpy(dtype=str))
    paper = np.char.add(paper, np.char.zfill(rng.integers(100, 999_999, HOUSEHOLDS).astype(str), 6))
    names = np.char.add(np.char.add(rng.choice(_SURNAMES, HOUSEHOLDS), " "), rng.choice(_MIDDLES, HOUSEHOLDS))
    mountain = np.isin(np.array([one.district for one in present])[at], ["465", "467"])
    base = pd.DataFrame(
        {
            "MAHO": np.char.add(np.char.add("45", code), number),
            "HOTENCH": np.char.add(np.char.add(names, " "), rng.choice(_GIVEN, HOUSEHOLDS)),
            "NGAYSINH": born.dt.strftime("%d/%m/%Y"),
            "CMND": paper,
            "DANTOC": np.where(mountain & (rng.random(HOUSEHOLDS) < 0.8), rng.choice(["21", "19"], HOUSEHOLDS), "01"),
            "MAXA": code,
            "SONK": rng.integers(1, 9, HOUSEHOLDS).astype(str),
        }
    )
    rank = rng.random(HOUSEHOLDS)
    years = []
    for step, year in enumerate(YEARS):  # three files; the rows of each at once
        kind = np.select([rank < 0.60 - 0.06 * step, rank < 0.88 - 0.06 * step], ["1", "2"], "3")
        ease = 0.05 * step + np.select([kind == "1", kind == "2"], [0.0, 0.12], 0.25)
        of_year = base.assign(
            LOAIHO=kind,
            B1_DIEM=rng.integers(60, 176, HOUSEHOLDS).astype(str),
            B2_DIEM=(rng.integers(0, 7, HOUSEHOLDS) * 10).astype(str),
            CO_INTERNE=np.where(rng.random(HOUSEHOLDS) < 0.35 + ease, "T", "F"),
            CO_SMARTPH=np.where(rng.random(HOUSEHOLDS) < 0.50 + ease, "T", "F"),
            NAM=str(year),
            year=year,
            deleted=False,
        )
        years.append(of_year[rng.random(HOUSEHOLDS) < 0.95])
    return pd.concat(years, ignore_index=True)


class _Rows:
    """The records while faults are planted: each row carries one kind at most."""

    def __init__(self, rows: pd.DataFrame, truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows = rows
        self._added: list[dict[str, Any]] = []
        self._truth = truth
        self._rng = rng
        self._free: list[int] = rng.permutation(len(rows)).tolist()

    def _take(self, code: str) -> list[int]:
        wanted = self._truth.rows_wanted(DATASET, code)
        chosen, self._free = self._free[:wanted], self._free[wanted:]
        return chosen

    def _note(self, code: str, row: int, expected: str | None = None, suffix: str = "") -> None:
        key = f"{self._rows.at[row, 'MAHO']}|{self._rows.at[row, 'NAM']}{suffix}"
        self._truth.add(DATASET, code, row, row_key=key, expected=expected)

    def _put(self, code: str, column: str, values: list[str]) -> None:
        """Write the values, in turn, into that many rows; planted rows are few, so one by one."""
        for at, row in enumerate(self._take(code)):
            self._rows.at[row, column] = values[at % len(values)]
            self._note(code, row)

    def plant(self, communes: list[Commune]) -> None:
        """All kinds, and the records that are deleted in the file."""
        self._put("loai_ho_unknown", "LOAIHO", ["4", "0", "X"])
        self._put("ma_xa_unknown", "MAXA", ["99999", "19331", "46100"])
        self._put("xa_da_giai_the", "MAXA", [one.code for one in communes if one.ceased_on is not None])
        self._put("so_nhan_khau_out_of_range", "SONK", ["0"])
        nine = [f"197{number:06d}" for number in self._rng.integers(100_000, 999_999, 600)]
        self._put("cmnd_9_so", "CMND", nine)
        self._put("cmnd_placeholder", "CMND", ["000000001"])
        self._put("b1_out_of_range", "B1_DIEM", ["-10", "999"])
        self._put("b2_out_of_range", "B2_DIEM", ["130", "-5"])
        self._put("co_internet_missing", "CO_INTERNE", ["?", " "])
        self._put("co_smartphone_missing", "CO_SMARTPH", ["?", " "])
        for row in self._take("zero_day_and_month"):
            year = self._rows.at[row, "NGAYSINH"][-4:]
            self._rows.at[row, "NGAYSINH"] = f"00/00/{year}"
            self._note("zero_day_and_month", row, f"{year}-01-01")
        for row in self._take("year_only"):
            year = self._rows.at[row, "NGAYSINH"][-4:]
            self._rows.at[row, "NGAYSINH"] = year
            self._note("year_only", row, f"{year}-01-01")
        for row in self._take("tcvn3_name"):
            self._note("tcvn3_name", row, self._rows.at[row, "HOTENCH"])
        for at, row in enumerate(self._take("soft_hyphen")):
            name = f"{self._rows.at[row, 'HOTENCH'].rsplit(' ', 1)[0]} {_GIVEN_SOFT[at % len(_GIVEN_SOFT)]}"
            self._rows.at[row, "HOTENCH"] = name
            self._note("soft_hyphen", row, name)
        for row in self._take("ho_hai_lan_trong_nam")[::2]:
            members = str(int(self._rows.at[row, "SONK"]) + 1)
            self._added.append({**self._rows.loc[row].to_dict(), "SONK": members})
            self._note("ho_hai_lan_trong_nam", row)
            self._note("ho_hai_lan_trong_nam", row, suffix="#2")
        for row in self._take("exact_copy"):
            self._added.append(self._rows.loc[row].to_dict())
            self._note("exact_copy", row)
        for year in YEARS:
            for number in range(DELETED_PER_YEAR):
                gone = self._rows.loc[self._free[number]].to_dict()
                gone |= {"MAHO": f"45{gone['MAXA']}9{number:04d}", "NAM": str(year), "year": year, "deleted": True}
                self._added.append(gone)

    def frame(self) -> pd.DataFrame:
        """All records; names as TCVN3 read in cp1252 (one look-up per distinct name)."""
        rows = pd.concat([self._rows, pd.DataFrame(self._added)], ignore_index=True)
        seen = {name: to_tcvn3(name) for name in rows["HOTENCH"].unique()}
        return rows.assign(HOTENCH=rows["HOTENCH"].map(seen))
