"""Plants the faults of the business register: each row carries one kind at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from dx_pipeline.sandbox.business.kinds import DATASET
from dx_pipeline.sandbox.business.tax_codes import tax_codes
from dx_pipeline.sandbox.business.xml_writer import NIL
from dx_pipeline.sandbox.communes import Commune
from dx_pipeline.sandbox.planted import TruthBook

Fits = Callable[[pd.Series], bool]


def plant_faults(
    rows: pd.DataFrame, communes: list[Commune], truth: TruthBook, rng: np.random.Generator
) -> pd.DataFrame:
    """All kinds; copies and former versions are added, before or after the record they belong to."""
    planter = _Planter(rows, truth, rng)
    planter.planttax_codes()
    planter.plant_states()
    planter.plant_amounts()
    planter.plant_places(communes)
    planter.plant_ways_of_writing()
    planter.plant_repeats()
    return planter.frame()


def _is_enterprise(row: pd.Series) -> bool:
    return str(row["LoaiHinh"]) != "Chi nhánh"


def _is_active(row: pd.Series) -> bool:
    return _is_enterprise(row) and row["TinhTrang"] == "Đang hoạt động"


def _is_dissolved(row: pd.Series) -> bool:
    return _is_enterprise(row) and row["TinhTrang"] == "Đã giải thể"


class _Planter:
    def __init__(self, rows: pd.DataFrame, truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows = rows
        self._added: list[dict[str, Any]] = []
        self._truth = truth
        self._rng = rng
        owners = set(rows["MaSoDNChuQuan"])  # the enterprises of branches stay as they are
        self._free: list[int] = [
            row for row in rng.permutation(len(rows)).tolist() if rows.at[row, "MaSoDN"] not in owners
        ]

    def _take(self, code: str, fits: Fits, share: int = 1) -> list[int]:
        wanted = self._truth.rows_wanted(DATASET, code) // share
        chosen: list[int] = []
        for row in self._free:
            if len(chosen) == wanted:
                break
            if fits(self._rows.loc[row]):
                chosen.append(row)
        taken = set(chosen)
        self._free = [row for row in self._free if row not in taken]
        return chosen

    def _note(self, code: str, row: int, expected: str | None = None) -> None:
        key = str(self._rows.at[row, "MaSoNoiBo"])
        self._truth.add(DATASET, code, int(key), row_key=key, expected=expected)

    def _put(self, code: str, values: list[dict[str, str]], fits: Fits = _is_enterprise) -> None:
        """Write the values, in turn, into that many rows."""
        for at, row in enumerate(self._take(code, fits)):
            for column, value in values[at % len(values)].items():
                self._rows.at[row, column] = value
            self._note(code, row)

    def _add(self, row: int, **changes: str) -> None:
        self._added.append({**self._rows.loc[row].to_dict(), **changes})

    def planttax_codes(self) -> None:
        for row in self._take("ma_so_dn_sai", _is_enterprise):
            code = self._rows.at[row, "MaSoDN"]
            self._rows.at[row, "MaSoDN"] = code[:9] + str((int(code[9]) + 1) % 10)
            self._note("ma_so_dn_sai", row)
        rows = self._take("ma_so_dn_trung", _is_enterprise)
        for one, other in zip(rows[::2], rows[1::2], strict=True):
            self._rows.at[other, "MaSoDN"] = self._rows.at[one, "MaSoDN"]
            self._note("ma_so_dn_trung", one)
            self._note("ma_so_dn_trung", other)
        people = [
            f"0450{year}{number:06d}"
            for year, number in zip(range(60, 99), range(123_456, 999_999, 1_111), strict=False)
        ]
        sole = {"LoaiHinh": "Doanh nghiệp tư nhân"}
        self._put("ma_so_la_so_dinh_danh", [{"MaSoDN": number} | sole for number in people[:6]])
        household = {"LoaiHinh": "Hộ kinh doanh"}
        old = [{"MaSoDN": code} | household for code in tax_codes("80", 6, 200_000)]
        self._put("ho_kinh_doanh", [{"MaSoDN": number} | household for number in people[6:12]] + old)
        moved = [{"MaSoDN": code} for code in (*tax_codes("31", 8, 300_000), *tax_codes("01", 6, 400_000))]
        branches = [
            {"MaSoDN": f"{code}-001", "MaSoDNChuQuan": code, "LoaiHinh": "Chi nhánh", "VonDieuLe": ""}
            for code in tax_codes("01", 10, 500_000)
        ]
        self._put("ma_so_tinh_khac", moved + branches)
        orphans = [{"MaSoDN": f"{code}-001", "MaSoDNChuQuan": code} for code in tax_codes("32", 12, 9_000_000)]
        self._put("chi_nhanh_thieu_doanh_nghiep", orphans, lambda row: not _is_enterprise(row))

    def plant_states(self) -> None:
        self._put("giai_the_ma_dang_hoat_dong", [{"NgayGiaiThe": "15/03/2024"}], _is_active)
        self._put("giai_the_truoc_dang_ky", [{"NgayGiaiThe": "01/01/2000"}], _is_dissolved)
        self._put("ngay_giai_the_missing", [{"NgayGiaiThe": ""}], _is_dissolved)
        self._put("co_tk_dinh_danh_missing", [{"CoTKDinhDanhToChuc": ""}], _is_active)

    def plant_amounts(self) -> None:
        self._put("von_dieu_le_vo_ly", [{"VonDieuLe": text} for text in ("9000000000000000", "-500000000")])
        self._put("von_dieu_le_bang_khong", [{"VonDieuLe": "0"}])
        self._put("ma_nganh_chinh_unknown", [{"MaNganhChinh": code} for code in ("4411", "0400", "471")])
        words = {"1,5 tỷ đồng": "1500000000", "500 triệu đồng": "500000000", "1 tỷ 900 triệu": "1900000000"}
        for at, row in enumerate(self._take("von_bang_chu", _is_enterprise)):
            text = list(words)[at % len(words)]
            self._rows.at[row, "VonDieuLe"] = text
            self._note("von_bang_chu", row, words[text])
        for row in self._take("von_co_dau_cham", _is_enterprise):
            plain = self._rows.at[row, "VonDieuLe"]
            self._rows.at[row, "VonDieuLe"] = f"{int(plain):,}".replace(",", ".")
            self._note("von_co_dau_cham", row, plain)
        for row in self._take("ma_nganh_mat_so_0", lambda row: row["MaNganhChinh"].startswith("0")):
            code = self._rows.at[row, "MaNganhChinh"]
            self._rows.at[row, "MaNganhChinh"] = code[1:]
            self._note("ma_nganh_mat_so_0", row, code)
        for row in self._take("ma_nganh_co_dau_cham", _is_enterprise):
            code = self._rows.at[row, "MaNganhChinh"]
            self._rows.at[row, "MaNganhChinh"] = f"{code[:2]}.{code[2:]}"
            self._note("ma_nganh_co_dau_cham", row, code)

    def plant_places(self, communes: list[Commune]) -> None:
        code, name, district = "DiaChi.MaXa", "DiaChi.TenXa", "DiaChi.TenHuyen"
        nowhere = [
            {code: "", name: "Phường 1", district: ""},
            {code: "", name: "Xã Không Có", district: "Huyện Cam Lộ"},
        ]
        self._put("xa_khong_xac_dinh", nowhere)
        for row in self._take("xa_theo_ten", _is_enterprise):
            self._rows.at[row, code] = ""
            self._note("xa_theo_ten", row)
        gone = [one for one in communes if one.ceased_on is not None]
        for at, row in enumerate(self._take("xa_cua_ngay_dang_ky", lambda row: row["NgayCap"][-4:] < "2019")):
            one = gone[at % len(gone)]
            self._rows.loc[row, [code, name]] = [one.code, one.name]
            self._note("xa_cua_ngay_dang_ky", row)

    def plant_ways_of_writing(self) -> None:
        for row in self._take("cdata", _is_enterprise):
            self._rows.at[row, "style"] = "cdata"
            self._note("cdata", row)
        for row in self._take("character_references", _is_enterprise):
            self._rows.at[row, "style"] = "references"
            self._note("character_references", row)
        self._put("xsi_nil", [{"NgayGiaiThe": NIL}], _is_active)

    def plant_repeats(self) -> None:
        for row in self._take("exact_copy", _is_enterprise):
            self._add(row)
            self._note("exact_copy", row)
        for row in self._take("older_version", _is_dissolved):
            former = {"TinhTrang": "Đang hoạt động", "NgayGiaiThe": "", "NgayCapNhat": "2021-02-03T10:00:00"}
            self._add(row, **former)
            self._note("older_version", row)

    def frame(self) -> pd.DataFrame:
        """All records, the added ones among the others."""
        rows = pd.concat([pd.DataFrame(self._added), self._rows], ignore_index=True)
        return rows.iloc[self._rng.permutation(len(rows))].reset_index(drop=True)
