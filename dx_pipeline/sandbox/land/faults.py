"""Plants the faults of the land database: each row carries one kind at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from dx_pipeline.sandbox.communes import Commune
from dx_pipeline.sandbox.land.kinds import DATASET
from dx_pipeline.sandbox.planted import TruthBook

DELETED: Final = 60  # records that FoxPro leaves in the files until they are packed
SPLIT_COMMUNE: Final = "19528"  # Gio Thành went to two communes in 2020
#: Codes that ceased in 2020 and that the first list of that year gave to the merged commune: they are found.
REUSED_AT_FIRST: Final = ("19381", "19486", "19723")
FARM: Final = ("LUC", "LUK", "BHK", "NHK", "CLN", "RSX", "RPH", "NTS")
_ADDED_FROM: Final = 50_000  # ids of added rows, above those of any district


def plant_faults(
    rows: pd.DataFrame, communes: list[Commune], truth: TruthBook, rng: np.random.Generator
) -> pd.DataFrame:
    """All kinds, the added records, and the records that are deleted in the files."""
    planter = _Planter(rows, truth, rng)
    planter.plant(communes)
    return planter.frame()


class _Planter:
    def __init__(self, rows: pd.DataFrame, truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows = rows.reset_index(drop=True)
        self._added: list[dict[str, Any]] = []
        self._truth = truth
        self._rng = rng
        mainland = self._rows.index[self._rows["MAXA"] != ""].to_numpy()
        self._free: list[int] = rng.permutation(mainland).tolist()

    def _take(self, code: str, fits: Callable[[pd.Series], bool] | None = None, share: int = 1) -> list[int]:
        """As many free rows as the kind asks for (one in ``share``), of those that fit."""
        wanted = self._truth.rows_wanted(DATASET, code) // share
        chosen: list[int] = []
        for row in self._free:
            if len(chosen) == wanted:
                break
            if fits is None or fits(self._rows.loc[row]):
                chosen.append(row)
        taken = set(chosen)
        self._free = [row for row in self._free if row not in taken]
        return chosen

    def _note(self, code: str, row_key: str, expected: str | None = None) -> None:
        self._truth.add(DATASET, code, int(row_key), row_key=row_key, expected=expected)

    def _key(self, row: int) -> str:
        return str(self._rows.at[row, "THUADATID"])

    def _put(self, code: str, values: list[dict[str, str]], fits: Callable[[pd.Series], bool] | None = None) -> None:
        """Write the values, in turn, into that many rows."""
        for at, row in enumerate(self._take(code, fits)):
            for column, value in values[at % len(values)].items():
                self._rows.at[row, column] = value
            self._note(code, self._key(row))

    def _add(self, row: int, **changes: str) -> str:
        """Add a record like ``row`` with another id; returns the id."""
        district = self._rows.at[row, "MAHUYEN"]
        key = f"{district}{_ADDED_FROM + len(self._added):05d}"
        self._added.append({**self._rows.loc[row].to_dict(), "THUADATID": key, **changes})
        return key

    def plant(self, communes: list[Commune]) -> None:
        self._plant_areas_and_symbols()
        self._plant_places(communes)
        self._plant_certificates()
        self._plant_numbers()
        self._plant_clean()
        for row in self._take("exact_copy"):
            self._added.append(self._rows.loc[row].to_dict())
            self._note("exact_copy", self._key(row))
        for number in range(DELETED):
            self._add(self._free[number], SOTHUA=str(9_000 + number), SOPHGCN="", SOVAOSO="", NGAYCAP="")
            self._added[-1]["deleted"] = True

    def _plant_areas_and_symbols(self) -> None:
        hectares = [{"DIENTICH": text} for text in ("0.35", "0.08", "1.2", "2.45", "0,5")]
        self._put("dien_tich_nghi_hec_ta", hectares, lambda row: row["KHMDSD"] in FARM)
        self._put("dien_tich_unreadable", [{"DIENTICH": text} for text in ("1.250", "2,400", "200 m2")])
        self._put("dien_tich_khong_duong", [{"DIENTICH": text} for text in ("0", "-120.5")])
        symbols = [{"KHMDSD": text, "MDSD": ""} for text in ("T", "2L", "ONT+T", "LNK")]
        self._put("ky_hieu_muc_dich_unknown", symbols)
        self._put(
            "muc_dich_khac_ky_hieu", [{"MDSD": "Đất rừng phòng hộ"}], lambda row: row["KHMDSD"] not in ("RPH", "TSC")
        )
        for row in self._take("decimal_comma"):
            area = f"{float(self._rows.at[row, 'DIENTICH']) // 1 + 0.5:.1f}"
            self._rows.at[row, "DIENTICH"] = area.replace(".", ",")
            self._note("decimal_comma", self._key(row), area)
        for row in self._take("soft_hyphen", lambda row: "ư" in row["MDSD"]):
            self._note("soft_hyphen", self._key(row), self._rows.at[row, "KHMDSD"])
        for row in self._take("tcvn3_purpose", lambda row: "ư" not in row["MDSD"]):
            self._note("tcvn3_purpose", self._key(row), self._rows.at[row, "KHMDSD"])

    def _plant_places(self, communes: list[Commune]) -> None:
        """Parcels are moved within their district, to sheets that nobody else there has."""
        found = (SPLIT_COMMUNE, *REUSED_AT_FIRST)
        gone = [one for one in communes if one.ceased_on is not None and one.code not in found]
        for at, row in enumerate(self._take("xa_da_giai_the")):
            one = gone[at % len(gone)]
            self._move(row, one.district, one.code, at)
            self._note("xa_da_giai_the", self._key(row))
        nowhere = [("466", SPLIT_COMMUNE), ("461", "19331"), ("464", "99999")]
        for at, row in enumerate(self._take("xa_khong_xac_dinh")):
            self._move(row, *nowhere[at % len(nowhere)], at)
            self._note("xa_khong_xac_dinh", self._key(row))
        for at, row in enumerate(self._take("ma_xa_missing")):
            self._move(row, self._rows.at[row, "MAHUYEN"], "", at)
            self._note("ma_xa_missing", self._key(row))

    def _move(self, row: int, district: str, commune: str, at: int) -> None:
        columns = ["MAHUYEN", "MAXA", "SOTO", "SOTHUA", "SOTOCU", "SOTHUACU"]
        self._rows.loc[row, columns] = [district, commune, "50", str(at + 1), "", ""]

    def _plant_certificates(self) -> None:
        def has(row: pd.Series) -> bool:
            return bool(row["SOPHGCN"])

        self._put("ngay_cap_truoc_luat_1993", [{"NGAYCAP": day} for day in ("02/09/1989", "14/10/1993")], has)
        self._put("ngay_cap_trong_tuong_lai", [{"NGAYCAP": day} for day in ("15/03/2042", "01/07/2024")], has)
        self._put("ngay_cap_missing", [{"NGAYCAP": ""}], has)
        rows = self._take("gcn_trung_so", has)
        for one, other in zip(rows[::2], rows[1::2], strict=True):
            self._rows.at[other, "SOPHGCN"] = self._rows.at[one, "SOPHGCN"]
            self._note("gcn_trung_so", self._key(one))
            self._note("gcn_trung_so", self._key(other))
        for row in self._take("mot_gcn_nhieu_thua", has, share=2):
            number = str(5_000 + len(self._added))
            self._note("mot_gcn_nhieu_thua", self._key(row))
            self._note("mot_gcn_nhieu_thua", self._add(row, SOTHUA=number, SOTOCU="", SOTHUACU=""))

    def _plant_numbers(self) -> None:
        for row in self._take("thua_cu_da_co_so_moi", lambda row: bool(row["SOTOCU"])):
            sheet, number = self._rows.loc[row, ["SOTOCU", "SOTHUACU"]]
            area = f"{float(self._rows.at[row, 'DIENTICH']) * 1.02:.1f}"
            former = {"SOTO": sheet, "SOTHUA": number, "SOTOCU": "", "SOTHUACU": "", "DIENTICH": area}
            self._note("thua_cu_da_co_so_moi", self._add(row, **former, SOPHGCN="", SOVAOSO="", NGAYCAP=""))
        for row in self._take("thua_trung_so", share=2):
            self._note("thua_trung_so", self._key(row))
            self._note("thua_trung_so", self._add(row, DIENTICH="512.5", SOPHGCN="", SOVAOSO="", NGAYCAP=""))

    def _plant_clean(self) -> None:
        home = {"ONT": "ONT+CLN", "ODT": "ODT+CLN", "CLN": "CLN+ONT"}
        for row in self._take("muc_dich_ket_hop", lambda row: row["KHMDSD"] in home):
            self._rows.at[row, "KHMDSD"] = home[self._rows.at[row, "KHMDSD"]]
            self._note("muc_dich_ket_hop", self._key(row))
        for row in self._take("so_cu_trung_so_moi", lambda row: bool(row["SOTOCU"])):
            # Its former number is now the number of a neighbour that was surveyed anew as well.
            neighbour = self._surveyed_neighbour(row)
            self._rows.loc[row, ["SOTOCU", "SOTHUACU"]] = self._rows.loc[neighbour, ["SOTO", "SOTHUA"]].to_list()
            self._note("so_cu_trung_so_moi", self._key(row))
        for row in self._rows.index[self._rows["MAXA"].eq("") & self._rows["MAHUYEN"].eq("471")]:
            self._note("huyen_dao_khong_co_xa", self._key(row))

    def _surveyed_neighbour(self, row: int) -> int:
        rows = self._rows
        near = rows.index[(rows["MAXA"] == rows.at[row, "MAXA"]) & (rows["SOTOCU"] != "") & (rows.index != row)]
        return int(near[0])

    def frame(self) -> pd.DataFrame:
        """All records."""
        return pd.concat([self._rows, pd.DataFrame(self._added)], ignore_index=True)
