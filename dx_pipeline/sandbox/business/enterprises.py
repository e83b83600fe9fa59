"""Enterprises and branches of mid-2024 as columns of text, as the export of the register writes them."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from dx_pipeline.sandbox.business.faults import plant_faults
from dx_pipeline.sandbox.business.tax_codes import tax_codes
from dx_pipeline.sandbox.communes import DISTRICT_SHARES, Commune
from dx_pipeline.sandbox.planted import TruthBook

EXPORTED_ON: Final = date(2024, 6, 30)
ENTERPRISES: Final = 3_000
BRANCHES: Final = 160
PROVINCE_PREFIX: Final = "32"
FIELDS: Final = (
    "MaSoNoiBo",
    "MaSoDN",
    "MaSoDNChuQuan",
    "TenDN",
    "LoaiHinh",
    "TinhTrang",
    "NgayCap",
    "NgayGiaiThe",
    "VonDieuLe",
    "MaNganhChinh",
    "DiaChi.SoNha",
    "DiaChi.MaXa",
    "DiaChi.TenXa",
    "DiaChi.TenHuyen",
    "NguoiDaiDien.HoTen",
    "NguoiDaiDien.SoGiayTo",
    "DienThoai",
    "CoTKDinhDanhToChuc",
    "NgayCapNhat",
)
DISTRICTS: Final = {
    "461": "Thành phố Đông Hà",
    "462": "Thị xã Quảng Trị",
    "464": "Huyện Vĩnh Linh",
    "465": "Huyện Hướng Hóa",
    "466": "Huyện Gio Linh",
    "467": "Huyện Đakrông",
    "468": "Huyện Cam Lộ",
    "469": "Huyện Triệu Phong",
    "470": "Huyện Hải Lăng",
}
_KINDS: Final = {
    "Công ty trách nhiệm hữu hạn một thành viên": 47,
    "Công ty TNHH hai thành viên trở lên": 27,
    "Công ty cổ phần": 14,
    "Doanh nghiệp tư nhân": 12,
}
#: Activity, share in percent: classes of VSIC 2018 that a small province's register is full of.
_ACTIVITIES: Final = {
    "0118": 3, "0210": 3, "0322": 2, "0810": 2, "1629": 3, "3511": 2, "4101": 12, "4211": 10, "4659": 8,
    "4663": 12, "4711": 8, "4933": 9, "5510": 4, "5610": 6, "6201": 2, "6810": 3, "7110": 7, "8559": 2, "9329": 2,
}  # fmt: skip
_CAPITALS: Final = np.array([300, 500, 1_000, 1_500, 1_900, 3_000, 4_900, 6_000, 9_900, 20_000, 80_000])  # triệu đồng
_CAPITAL_NAMES: Final = np.array("Hoàng Long,An Phú & Cộng sự,Bình Minh,Trường Sơn,Đại Lộc,Thành Công".split(","))
_PEOPLE: Final = np.array("Nguyễn Văn Thử,Trần Thị Mẫu,Lê Hữu Nghiệm,Hồ Văn Ví,Phạm Thị Dụ".split(","))


def enterprise_rows(communes: list[Commune], seed: int, truth: TruthBook) -> pd.DataFrame:
    """All records with their fields as text, and ``style``: how each is written."""
    rng = np.random.default_rng([seed, 43])
    present = [one for one in communes if one.ceased_on is None]
    rows = _with_places(_clean_rows(rng), present, rng)
    return plant_faults(rows, communes, truth, rng)


def _draw(rng: np.random.Generator, shares: dict[str, int], count: int) -> npt.NDArray[np.str_]:
    weights = np.array(list(shares.values()), dtype=float)
    return rng.choice(np.array(list(shares)), count, p=weights / weights.sum())


def _days(first: str, days: npt.NDArray[np.int64], form: str) -> npt.NDArray[np.str_]:
    return np.array(pd.DatetimeIndex(np.datetime64(first) + days).strftime(form), dtype=str)


def _clean_rows(rng: np.random.Generator) -> pd.DataFrame:
    total = ENTERPRISES + BRANCHES
    codes = tax_codes(PROVINCE_PREFIX, ENTERPRISES, 100_000)
    registered = rng.integers(0, 8_500, total)  # from 2001-01-02 to April 2024
    status = rng.choice(
        ["Đang hoạt động", "Tạm ngừng kinh doanh", "Đã giải thể", "Không còn hoạt động tại địa chỉ đã đăng ký"],
        total,
        p=[0.74, 0.12, 0.11, 0.03],
    )
    gone = status == "Đã giải thể"
    ended = np.minimum(registered + rng.integers(60, 3_000, total), 8_560)
    parents = rng.choice(ENTERPRISES, BRANCHES, replace=False)
    branch = np.arange(total) >= ENTERPRISES
    owner = [""] * ENTERPRISES + [codes[parent] for parent in parents]
    own = [*codes, *(f"{codes[parent]}-001" for parent in parents)]
    return pd.DataFrame(
        {
            "MaSoNoiBo": [f"{4_500_000_001 + at * 7}" for at in range(total)],
            "MaSoDN": own,
            "MaSoDNChuQuan": owner,
            "TenDN": np.char.add("Công ty ", rng.choice(_CAPITAL_NAMES, total)),
            "LoaiHinh": np.where(branch, "Chi nhánh", _draw(rng, _KINDS, total)),
            "TinhTrang": status,
            "NgayCap": _days("2001-01-02", registered, "%d/%m/%Y"),
            "NgayGiaiThe": np.where(gone, _days("2001-01-02", ended, "%d/%m/%Y"), ""),
            "VonDieuLe": np.where(branch, "", (rng.choice(_CAPITALS, total) * 1_000_000).astype(str)),
            "MaNganhChinh": _draw(rng, _ACTIVITIES, total),
            "DiaChi.SoNha": [f"Số {number} Lê Duẩn" for number in rng.integers(1, 300, total)],
            "NguoiDaiDien.HoTen": rng.choice(_PEOPLE, total),
            "NguoiDaiDien.SoGiayTo": [f"045{number:09d}" for number in rng.integers(100_000_000, 1_000_000_000, total)],
            "DienThoai": [f"0913{number:06d}" for number in rng.integers(0, 1_000_000, total)],
            "CoTKDinhDanhToChuc": np.where(gone, "0", np.where(rng.random(total) < 0.58, "1", "0")),
            "NgayCapNhat": _days("2024-05-01", rng.integers(0, 55, total), "%Y-%m-%dT08:30:00"),
            "style": "plain",
        }
    )


def _with_places(rows: pd.DataFrame, present: list[Commune], rng: np.random.Generator) -> pd.DataFrame:
    """Half of the enterprises sit in Đông Hà; the others go with the people."""
    weights = np.array([DISTRICT_SHARES[one.district] * (6 if one.district == "461" else 1) for one in present])
    at = rng.choice(len(present), len(rows), p=weights / weights.sum())
    return rows.assign(
        **{
            "DiaChi.MaXa": np.array([one.code for one in present])[at],
            "DiaChi.TenXa": np.array([one.name for one in present])[at],
            "DiaChi.TenHuyen": np.array([DISTRICTS[one.district] for one in present])[at],
        }
    )
