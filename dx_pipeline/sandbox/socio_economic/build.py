"""Indicators of three years for the province and its districts, and what is wrong with some.

All values are made up and mean nothing. One indicator code is the real system's (BPC_KTXH_TDTTGRDP); the others, and the
names of all, are the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.planted import Kind, TruthBook
from dx_pipeline.sandbox.socio_economic.api import KEY

LISTED: Final = "chi_tieu_co_du_lieu"
VALUES: Final = "gia_tri_chi_tieu"
PROVINCE: Final = "000.00.00.H50"
DISTRICTS: Final = tuple(f"000.00.{number}.H50" for number in range(21, 30))
#: code, name, unit, size of a year's value
INDICATORS: Final = (
    ("BPC_KTXH_TDTTGRDP", "Tốc độ tăng trưởng GRDP", "%", 6.5),
    ("SB_KTXH_GRDP", "GRDP theo giá hiện hành (số liệu thử)", "tỷ đồng", 45_000.0),
    ("SB_KTXH_THUNS", "Thu ngân sách nhà nước trên địa bàn (số liệu thử)", "tỷ đồng", 4_200.0),
    ("SB_KTXH_CHINS", "Chi ngân sách địa phương (số liệu thử)", "tỷ đồng", 9_800.0),
    ("SB_KTXH_VDT", "Vốn đầu tư toàn xã hội (số liệu thử)", "tỷ đồng", 25_000.0),
    ("SB_KTXH_IIP", "Chỉ số sản xuất công nghiệp so với cùng kỳ (số liệu thử)", "%", 8.0),
    ("SB_KTXH_XK", "Kim ngạch xuất khẩu (số liệu thử)", "triệu USD", 310.0),
    ("SB_KTXH_DNTL", "Doanh nghiệp thành lập mới (số liệu thử)", "doanh nghiệp", 520.0),
    ("SB_KTXH_KHACH", "Lượt khách du lịch (số liệu thử)", "nghìn lượt", 2_900.0),
)
OF_DISTRICTS: Final = ("SB_KTXH_THUNS", "SB_KTXH_VDT")
#: period -> part of the year
PERIODS: Final = {13: 0.22, 14: 0.25, 15: 0.24, 16: 0.29, 17: 0.47, 18: 0.53, 20: 1.0}
KINDS: Final = (
    Kind(
        LISTED, "critical", "ky_khong_ton_tai", 6, "periodId", "period 19, nine months, which the system does not have"
    ),
    Kind(LISTED, "duplicate", "liet_ke_hai_lan", 8, "indicatorCode", "the same figure listed twice"),
    Kind(
        VALUES, "critical", "ky_khong_ton_tai", 6, "periodId", "period 19, nine months, which the system does not have"
    ),
    Kind(VALUES, "critical", "gia_tri_missing", 7, "value", "error code 0 and no value"),
    Kind(VALUES, "critical", "gia_tri_unreadable", 8, "value", "a text, 1.234,5 or 1.234, instead of a number"),
    Kind(VALUES, "critical", "tra_sai_chi_tieu", 3, "indicatorCode", "the answer is of another indicator"),
    Kind(VALUES, "critical", "don_vi_tinh_missing", 3, "unit", "no unit"),
    Kind(VALUES, "warning", "don_vi_tinh_khac", 9, "unit", "triệu đồng where the indicator is in tỷ đồng"),
    Kind(VALUES, "warning", "gia_tri_am", 3, "value", "below zero although it is no percentage"),
    Kind(VALUES, "clean", "tang_truong_am", 4, "value", "a growth below zero, which is right"),
    Kind(VALUES, "clean", "so_le_ba_chu_so", 6, "value", "12.345 as a number of JSON is twelve and a third"),
)

Record = dict[str, Any]


def build_socio_economic(*, seed: int, truth_path: Path) -> dict[str, list[Record]]:
    """What the API holds; writes the truth about what was planted."""
    truth = TruthBook(KINDS)
    rng = np.random.default_rng([seed, 35])
    values = _Values(truth, rng).planted()
    names = {code: name for code, name, _, _ in INDICATORS}
    listed = [{**{name: row[name] for name in KEY}, "indicatorName": names[row["indicatorCode"]]} for row in values]
    for row in listed:
        if row["periodId"] == 19:
            truth.add(LISTED, "ky_khong_ton_tai", 0, row_key=row_key(row))
    for at in rng.choice(len(values) - 20, size=truth.rows_wanted(LISTED, "liet_ke_hai_lan"), replace=False).tolist():
        listed.append(dict(listed[at]))
        truth.add(LISTED, "liet_ke_hai_lan", 0, row_key=row_key(listed[at]))
    nothing = [{**listed[at], "dataYear": 2025, "dataTypeId": 1, "periodId": 20} for at in (0, 200)]
    listed += [row for row in nothing if row["indicatorCode"] in names]  # listed, and /indicators answers "no data"
    offices = [{"officeCode": code, "officeName": f"Đơn vị {code}"} for code in (PROVINCE, *DISTRICTS)]
    truth.write(truth_path, {LISTED: len(listed), VALUES: len(values)})
    return {"values": values, "hasdata": listed, "offices": offices}


def row_key(row: Record) -> str:
    """The key the quarantine and the star know a figure by."""
    return "|".join(str(row[name]) for name in KEY)


class _Values:
    def __init__(self, truth: TruthBook, rng: np.random.Generator) -> None:
        self._truth, self._rng = truth, rng
        self._rows = list(self._clean())
        self._free = self._rng.permutation(len(self._rows)).tolist()

    def _clean(self) -> Iterator[Record]:
        for code, _, unit, size in INDICATORS:
            offices = (PROVINCE, *DISTRICTS) if code in OF_DISTRICTS else (PROVINCE,)
            for office in offices:
                share = 1.0 if office == PROVINCE else float(self._rng.uniform(0.04, 0.18))
                for year in (2022, 2023, 2024):
                    of_year = size * share * (1.07 ** (year - 2022)) * float(self._rng.uniform(0.96, 1.04))
                    yield self._value(office, code, 1, 20, year, of_year, unit)
                    for period, part in PERIODS.items() if office == PROVINCE else ((20, 1.0),):
                        amount = of_year if unit == "%" else of_year * part
                        yield self._value(office, code, 3, period, year, amount * 1.02, unit)
                        if year == 2024 and office == PROVINCE:
                            yield self._value(office, code, 2, period, year, amount, unit)
                        if year < 2024 and period == 20:
                            yield self._value(office, code, 4, period, year, amount * 1.01, unit)
            if unit != "%":
                yield self._value(PROVINCE, code, 1, 21, 2021, size * 5.6, unit)

    def _value(self, office: str, code: str, kind: int, period: int, year: int, value: float, unit: str) -> Record:
        return {
            "officeCode": office,
            "indicatorCode": code,
            "dataTypeId": kind,
            "periodId": period,
            "dataYear": year,
            "answeredCode": code,
            "unit": unit,
            "value": round(value, 1 if unit != "doanh nghiệp" else 0),
        }

    def planted(self) -> list[Record]:
        """All kinds, each on rows of its own; values of the nine months are added, for they would be no others."""
        for row in self._take("gia_tri_missing"):
            row["value"] = None
            self._note("gia_tri_missing", row)
        for at, row in enumerate(self._take("gia_tri_unreadable")):
            row["value"] = "1.234" if at % 2 else f"{row['value']:,.1f}".translate(str.maketrans(",.", ".,"))
            self._note("gia_tri_unreadable", row)
        for row in self._take("tra_sai_chi_tieu"):
            row["answeredCode"] = next(code for code, *_ in INDICATORS if code != row["indicatorCode"])
            self._note("tra_sai_chi_tieu", row)
        for row in self._take("don_vi_tinh_missing"):
            row["unit"] = None
            self._note("don_vi_tinh_missing", row)
        for row in self._take("don_vi_tinh_khac", "tỷ đồng"):
            row["unit"], row["value"] = "triệu đồng", round(row["value"] * 1000, 1)
            self._note("don_vi_tinh_khac", row)
        for row in self._take("gia_tri_am", "tỷ đồng"):
            row["value"] = -row["value"]
            self._note("gia_tri_am", row)
        for row in self._take("tang_truong_am", "%"):
            row["value"] = -2.4
            self._note("tang_truong_am", row)
        for row in self._take("so_le_ba_chu_so", "%"):
            row["value"] = 12.345
            self._note("so_le_ba_chu_so", row)
        for code, _, unit, size in INDICATORS[: self._truth.rows_wanted(VALUES, "ky_khong_ton_tai")]:
            row = self._value(PROVINCE, code, 3, 19, 2024, size * 0.75, unit)
            self._rows.append(row)
            self._note("ky_khong_ton_tai", row)
        return self._rows

    def _take(self, code: str, unit: str | None = None) -> list[Record]:
        fitting = [at for at in self._free if unit is None or self._rows[at]["unit"] == unit]
        chosen = fitting[: self._truth.rows_wanted(VALUES, code)]
        self._free = [at for at in self._free if at not in chosen]
        return [self._rows[at] for at in chosen]

    def _note(self, code: str, row: Record) -> None:
        self._truth.add(VALUES, code, 0, row_key=row_key(row))
