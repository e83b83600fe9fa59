"""Agencies of the province in mid-2024: departments, one-stop centre, districts, communes, land branches.

Names and geography are real; the numbers xx, yy inside the identifiers H50.xx.yy are MADE UP (the
province's own list is not public). H50 itself is Quảng Trị. The old generation (QCVN 102:2016)
writes 000.yy.xx.H50; each agency moves to the new one on its own day.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dx_pipeline.errors import SettingsError
from dx_pipeline.sandbox.one_stop.schema import arrow_schema
from dx_pipeline.sandbox.one_stop.working_days import Int64s, day_number

UNITS_FILE: Final = Path(__file__).resolve().parents[3] / "warehouse_sql" / "reference" / "admin_units.csv"
PROVINCE: Final = "45"
_ON: Final = "2024-06-30"  # the map with 10 districts and 125 communes

_CENTRE: Final = "TTPVHCC"
#: (group code, name); the position gives the number xx of H50.xx.
_DEPARTMENTS: Final[tuple[tuple[str, str], ...]] = (
    ("VPUBND", "Văn phòng UBND tỉnh"),
    ("SNV", "Sở Nội vụ"),
    ("STP", "Sở Tư pháp"),
    ("SKHDT", "Sở Kế hoạch và Đầu tư"),
    ("STC", "Sở Tài chính"),
    ("SCT", "Sở Công Thương"),
    ("SNNPTNT", "Sở Nông nghiệp và Phát triển nông thôn"),
    ("SGTVT", "Sở Giao thông vận tải"),
    ("SXD", "Sở Xây dựng"),
    ("STNMT", "Sở Tài nguyên và Môi trường"),
    ("STTTT", "Sở Thông tin và Truyền thông"),
    ("SLDTBXH", "Sở Lao động - Thương binh và Xã hội"),
    ("SVHTTDL", "Sở Văn hóa, Thể thao và Du lịch"),
    ("SKHCN", "Sở Khoa học và Công nghệ"),
    ("SGDDT", "Sở Giáo dục và Đào tạo"),
    ("SYT", "Sở Y tế"),
    ("SNGV", "Sở Ngoại vụ"),
    ("TTT", "Thanh tra tỉnh"),
    ("BDT", "Ban Dân tộc"),
    ("BQLKKT", "Ban Quản lý Khu kinh tế tỉnh"),
)
# Rough shares of population, for how many dossiers a district hands in.
_DISTRICT_WEIGHTS: Final = {
    "461": 18.0,
    "462": 4.0,
    "464": 14.0,
    "465": 14.0,
    "466": 12.0,
    "467": 7.0,
    "468": 8.0,
    "469": 13.0,
    "470": 13.0,
    "471": 0.15,
}


@dataclass(frozen=True)
class Agency:
    """One agency as the source's table ``groups`` holds it."""

    group_code: str
    name: str
    parent: str | None
    new_id: str
    old_id: str
    catalog: str
    district: str | None
    commune: str | None
    valid_from: date
    weight: float
    place: str = ""


@dataclass(frozen=True)
class Agencies:
    """All agencies, with the numpy and Arrow views the dossiers are drawn from."""

    rows: tuple[Agency, ...]
    switch_day: Int64s  # day number on which the agency moves to the new generation of ids
    late_rate: NDArray[np.float64]
    online_factor: NDArray[np.float64]

    def position(self, group_code: str) -> int:
        """Index of the agency with that group code."""
        return self._positions[group_code]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {row.group_code: at for at, row in enumerate(self.rows)}

    def _of_catalog(self, catalog: str) -> Int64s:
        return np.array([at for at, row in enumerate(self.rows) if row.catalog == catalog], dtype=np.int64)

    @cached_property
    def communes(self) -> Int64s:
        return self._of_catalog("xa-phuong")

    @cached_property
    def districts(self) -> Int64s:
        return self._of_catalog("quan-huyen")

    @cached_property
    def land_branch_of(self) -> Int64s:
        """For each agency that is a district, its land registration branch (itself if it has none)."""
        branch = np.arange(len(self.rows), dtype=np.int64)
        for row in self.rows:
            if row.catalog == "cnvpdk" and row.district:
                branch[self.position(f"H{row.district}")] = self.position(row.group_code)
        return branch

    def weights(self, which: Int64s) -> NDArray[np.float64]:
        """Cumulative shares of the given agencies."""
        weights = np.array([self.rows[int(at)].weight for at in which])
        return np.asarray(np.cumsum(weights / weights.sum()), dtype=np.float64)

    @cached_property
    def names(self) -> pa.Array:
        return pa.array([row.name for row in self.rows], pa.string())

    @cached_property
    def ids(self) -> pa.Array:
        """Old ids first, then new ids: position + generation * len(rows)."""
        return pa.array([row.old_id for row in self.rows] + [row.new_id for row in self.rows], pa.string())

    @cached_property
    def commune_codes(self) -> pa.Array:
        return pa.array([row.commune for row in self.rows], pa.string())

    @cached_property
    def places(self) -> pa.Array:
        """Where the agency's people live, as the tail of an address."""
        return pa.array([row.place for row in self.rows], pa.string())

    def table(self) -> pa.Table:
        """Rows of ``groups``."""
        changed = datetime(2023, 6, 1, 8, 0)
        return pa.Table.from_pylist(
            [
                {
                    "GroupCode": row.group_code,
                    "GroupName": row.name,
                    "OfGroupCode": row.parent,
                    "MaDinhDanh": row.new_id,
                    "MaDinhDanhCu": row.old_id,
                    "Catalog": row.catalog,
                    "MaTinh": PROVINCE,
                    "MaHuyen": row.district,
                    "MaXa": row.commune,
                    "HieuLucTu": row.valid_from,
                    "NgayCapNhat": changed,
                }
                for row in self.rows
            ],
            schema=arrow_schema("groups"),
        )


def _units(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise SettingsError(
            f"The sandbox needs the file of administrative units, {path.name}, and it is not there.",
            next_step="Restore warehouse_sql/reference/admin_units.csv from version control.",
        )
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            row
            for row in csv.DictReader(lines)
            if row["province_code"] == PROVINCE and (row["valid_from"] or "0000") <= _ON <= (row["valid_to"] or "9999")
        ]


def _lower_kind(name: str, kind: str) -> str:
    """``Xã Hải Lệ`` -> ``xã Hải Lệ``: the kind of unit is lower case inside a sentence."""
    return kind.lower() + name[len(kind) :]


def build_agencies(seed: int, units_file: Path = UNITS_FILE) -> Agencies:
    """All agencies on 2024-06-30; ``seed`` decides ids' switch days, lateness and liking for online."""
    rng = np.random.default_rng([seed, 1])
    units = _units(units_file)
    districts = [row for row in units if row["level"] == "district"]
    communes = [row for row in units if row["level"] == "commune"]
    start = date(2016, 7, 1)
    rows = [
        Agency("UBND", "UBND tỉnh Quảng Trị", None, "H50", "000.00.00.H50", "so-ban-nganh", None, None, start, 0),
        Agency(
            _CENTRE,
            "Trung tâm Phục vụ hành chính công tỉnh",
            "UBND",
            "H50.00",
            "000.00.50.H50",
            "so-ban-nganh",
            None,
            None,
            date(2018, 1, 2),
            0,
        ),
    ]
    rows += [
        Agency(code, name, "UBND", f"H50.{at:02d}", f"000.00.{at:02d}.H50", "so-ban-nganh", None, None, start, 1)
        for at, (code, name) in enumerate(_DEPARTMENTS, start=1)
    ]
    number_of: dict[str, int] = {}
    district_name: dict[str, str] = {}
    for at, unit in enumerate(districts, start=21):
        code = unit["code"]
        number_of[code] = at
        district_name[code] = _lower_kind(unit["name"], unit["unit_type"])
        rows.append(
            Agency(
                f"H{code}",
                f"UBND {district_name[code]}",
                "UBND",
                f"H50.{at}",
                f"000.00.{at}.H50",
                "quan-huyen",
                code,
                None,
                start,
                _DISTRICT_WEIGHTS.get(code, 1.0),
            )
        )
    twice = Counter(unit["name"] for unit in communes)
    of_district = Counter(unit["parent_code"] for unit in communes)
    counter: Counter[str] = Counter()
    for unit in communes:
        parent = unit["parent_code"]
        counter[parent] += 1
        own = _lower_kind(unit["name"], unit["unit_type"])
        full = f"{own}, {district_name[parent]}"
        at = number_of[parent]
        rows.append(
            Agency(
                f"X{unit['code']}",
                f"UBND {full if twice[unit['name']] > 1 else own}",
                f"H{parent}",
                f"H50.{at}.{counter[parent]:02d}",
                f"000.{counter[parent]:02d}.{at}.H50",
                "xa-phuong",
                parent,
                unit["code"],
                date.fromisoformat(unit["valid_from"]) if unit["valid_from"] else start,
                _DISTRICT_WEIGHTS.get(parent, 1.0) / of_district[parent] * float(rng.uniform(0.5, 1.8)),
                full,
            )
        )
    land = 1 + [code for code, _ in _DEPARTMENTS].index("STNMT")
    for order, unit in enumerate((d for d in districts if d["code"] in of_district), start=1):
        rows.append(
            Agency(
                f"CNVPDK{unit['code']}",
                f"Chi nhánh Văn phòng Đăng ký đất đai {district_name[unit['code']]}",
                "STNMT",
                f"H50.{land:02d}.{order:02d}",
                f"000.{order:02d}.{land:02d}.H50",
                "cnvpdk",
                unit["code"],
                None,
                date(2016, 10, 1),
                0,
            )
        )
    size = len(rows)
    return Agencies(
        rows=tuple(rows),
        switch_day=rng.integers(day_number(date(2023, 3, 1)), day_number(date(2024, 10, 1)), size),
        late_rate=np.clip(rng.gamma(1.6, 0.014, size), 0.002, 0.12),
        online_factor=rng.uniform(0.75, 1.25, size),
    )
