"""Land parcels in mid-2024, as columns of text in the fields' own forms; faults are planted by ``faults.py``.

A third of the parcels were surveyed anew: they keep their former sheet and number beside the new ones. Former sheets are
numbered from 61 on, so that a former number is nobody's present one unless it is planted.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from dx_pipeline.sandbox.communes import DISTRICT_SHARES, Commune
from dx_pipeline.sandbox.land.faults import plant_faults
from dx_pipeline.sandbox.one_stop.legacy_text import to_tcvn3
from dx_pipeline.sandbox.planted import TruthBook

EXTRACTED_ON: Final = date(2024, 6, 30)
PARCELS: Final = 6_000
ISLAND: Final = "471"
ISLAND_PARCELS: Final = 12
_PER_SHEET: Final = 40
_FORMER_SHEETS_FROM: Final = 60
#: Symbol → name, usual area in m², share in the countryside and in wards and townships, in percent.
USES: Final[dict[str, tuple[str, float, float, float]]] = {
    "LUC": ("Đất chuyên trồng lúa nước", 900, 27, 6),
    "LUK": ("Đất trồng lúa nước còn lại", 800, 5, 1),
    "BHK": ("Đất bằng trồng cây hàng năm khác", 700, 10, 6),
    "NHK": ("Đất nương rẫy trồng cây hàng năm khác", 4_000, 7, 0),
    "CLN": ("Đất trồng cây lâu năm", 1_500, 12, 7),
    "RSX": ("Đất rừng sản xuất", 15_000, 8, 2),
    "RPH": ("Đất rừng phòng hộ", 60_000, 2, 0),
    "NTS": ("Đất nuôi trồng thủy sản", 2_500, 3, 1),
    "ONT": ("Đất ở tại nông thôn", 400, 20, 0),
    "ODT": ("Đất ở tại đô thị", 180, 0, 66),
    "TSC": ("Đất xây dựng trụ sở cơ quan", 2_000, 1, 2),
    "SKC": ("Đất cơ sở sản xuất phi nông nghiệp", 3_000, 1, 3),
    "TMD": ("Đất thương mại, dịch vụ", 900, 1, 5),
    "BCS": ("Đất bằng chưa sử dụng", 2_000, 3, 1),
}
_SURNAMES: Final = np.array("Nguyễn Trần Lê Phạm Hồ Hoàng Võ Đặng Bùi Đỗ".split())
_GIVEN: Final = np.array("Văn Bình|Thị Hương|Hữu Lâm|Xuân Trường|Thị Loan|Đức Thắng|Văn Phương|Thị Pả".split("|"))
_SERIES: Final = np.array("AB BA BC BD BM BS BY CA CB CD CE CH CK CM CR CT DA DB DD DE".split())


def parcel_rows(communes: list[Commune], seed: int, truth: TruthBook) -> pd.DataFrame:
    """All records: the fields as text (texts in TCVN3) and ``deleted``, in the order of the files."""
    rng = np.random.default_rng([seed, 41])
    rows = plant_faults(_clean_rows(communes, rng), communes, truth, rng)
    for column in ("MDSD", "TENCHU"):
        seen = {text: to_tcvn3(text) for text in rows[column].unique()}
        rows[column] = rows[column].map(seen)
    return rows.sort_values(["MAHUYEN", "THUADATID"], kind="stable", ignore_index=True)


def _clean_rows(communes: list[Commune], rng: np.random.Generator) -> pd.DataFrame:
    present = [one for one in communes if one.ceased_on is None]
    weights = np.array([DISTRICT_SHARES[one.district] for one in present]) * rng.lognormal(0, 0.4, len(present))
    at = np.sort(rng.choice(len(present), PARCELS, p=weights / weights.sum()))
    urban = np.array([one.kind != "xã" for one in present])[at]
    rows = pd.DataFrame(
        {
            "MAHUYEN": np.array([one.district for one in present])[at],
            "MAXA": np.array([one.code for one in present])[at],
            "KHMDSD": np.where(urban, _uses(rng, PARCELS, 3), _uses(rng, PARCELS, 2)),
        }
    )
    island = pd.DataFrame({"MAHUYEN": ISLAND, "MAXA": "", "KHMDSD": rng.choice(["TSC", "RPH", "TMD"], ISLAND_PARCELS)})
    rows = pd.concat([rows, island], ignore_index=True)
    return _with_numbers(_with_certificates(rows, rng), rng)


def _uses(rng: np.random.Generator, count: int, column: int) -> npt.NDArray[np.str_]:
    shares = np.array([float(use[column]) for use in USES.values()])
    return rng.choice(np.array(list(USES)), count, p=shares / shares.sum())


def _with_numbers(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Ids, sheets, numbers, areas, owners: each commune counts its parcels from 1, forty to a sheet."""
    order = rows.groupby(["MAHUYEN", "MAXA"]).cumcount().to_numpy()
    sheet, number = order // _PER_SHEET + 1, order % _PER_SHEET + 1
    surveyed = rng.random(len(rows)) < 0.35
    usual = rows["KHMDSD"].map({code: use[1] for code, use in USES.items()}).to_numpy(dtype=float)
    area = np.maximum(np.round(usual * rng.lognormal(0, 0.5, len(rows)), 1), 40.0)
    names = np.char.add(np.char.add(rng.choice(_SURNAMES, len(rows)), " "), rng.choice(_GIVEN, len(rows)))
    in_district = rows.groupby("MAHUYEN").cumcount().to_numpy() + 1
    return rows.assign(
        THUADATID=np.char.add(rows["MAHUYEN"].to_numpy(dtype=str), np.char.zfill(in_district.astype(str), 5)),
        SOTO=sheet.astype(str),
        SOTHUA=number.astype(str),
        SOTOCU=np.where(surveyed, (sheet + _FORMER_SHEETS_FROM).astype(str), ""),
        SOTHUACU=np.where(surveyed, number.astype(str), ""),
        DIENTICH=[f"{value:.1f}" for value in area],
        MDSD=rows["KHMDSD"].map({code: use[0] for code, use in USES.items()}),
        TENCHU=names,
        NGAYDL=EXTRACTED_ON.strftime("%d/%m/%Y"),
        deleted=False,
    )


def _with_certificates(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Four parcels of five have a certificate; series and number are given once, the entry counts up in the district."""
    count = len(rows)
    has = rng.random(count) < 0.8
    serial = np.arange(count)
    number = np.char.zfill((100_003 + serial * 131 % 899_999).astype(str), 6)
    series = _SERIES[serial % len(_SERIES)]
    days = np.datetime64("1994-01-03") + rng.integers(0, 11_100, count)
    return rows.assign(
        SOPHGCN=np.where(has, np.char.add(np.char.add(series, " "), number), ""),
        SOVAOSO=np.where(has, np.char.add("CH", np.char.zfill(serial.astype(str), 6)), ""),
        NGAYCAP=np.where(has, pd.Series(pd.DatetimeIndex(days)).dt.strftime("%d/%m/%Y"), ""),
    )
