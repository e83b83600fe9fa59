"""Rows of the register: about 2,500 persons of 156 agencies in two years. Persons are invented.

Every agency has somebody for digital transformation and a contact for information security once the rows are cleaned:
in some agencies only a mark ("x", "Có") says so. No row that is rejected is the only one of its agency.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.one_stop.agencies import Agencies, Agency
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.staff.kinds import DATASET, YEARS

FIRST_NUMBER: Final = 45_000_001
_SURNAMES: Final = "Nguyễn Trần Lê Phạm Hồ Hoàng Võ Đặng Bùi Đỗ".split()
_GIVEN: Final = "Bình Dũng Hải Hùng Lâm Sơn Hà Hạnh Hiền Loan Thảo Minh Quang Thơm".split()
#: (rank, first coefficient, step); how often each is met, agency by agency.
_RANKS: Final = (
    ("01.003", 2.34, 0.33),
    ("01.002", 4.40, 0.34),
    ("01.001", 6.20, 0.36),
    ("01.004", 1.86, 0.20),
    ("06.031", 2.34, 0.33),
    ("04.025", 2.34, 0.33),
    ("02.007", 2.34, 0.33),
    ("01.005", 1.65, 0.18),
)
_SHARES: Final = {
    "so-ban-nganh": (0.46, 0.22, 0.03, 0.05, 0.08, 0.06, 0.04, 0.06),
    "quan-huyen": (0.52, 0.14, 0.0, 0.10, 0.10, 0.04, 0.04, 0.06),
    "xa-phuong": (0.58, 0.0, 0.0, 0.28, 0.10, 0.0, 0.02, 0.02),
}
_QUALIFICATIONS: Final = ("Đại học", "Thạc sĩ", "Cao đẳng", "Trung cấp", "Tiến sĩ", "ĐH")
_SKILLS: Final = ("Ứng dụng CNTT cơ bản", "Tin học B", "Ứng dụng CNTT nâng cao", "Đại học CNTT", "Chưa có")
_MARKS: Final = ("x", "Có", "có", "X")

Row = dict[str, Any]


def staff_rows(agencies: Agencies, seed: int, truth: TruthBook) -> list[Row]:
    """All rows of ``HoSoCanBo``, clean and planted."""
    rng = np.random.default_rng([seed, 40])
    known = [one for one in agencies.rows if one.catalog != "cnvpdk" and one.parent is not None]
    rows = _clean_rows(known, rng)
    _Planter(rows, known, truth, np.random.default_rng([seed, 41])).plant()
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]


def row_key(row: Row) -> str:
    """The key the quarantine and the star know the row by."""
    return f"{row['SoHieuCBCCVC']}|{row['Nam']}"


def _clean_rows(known: list[Agency], rng: np.random.Generator) -> list[Row]:
    rows: list[Row] = []
    number = 0
    for agency in known:
        size = {"so-ban-nganh": 40, "quan-huyen": 52, "xa-phuong": 9}[agency.catalog]
        if agency.district == "471":
            size = 8  # the island
        size += int(rng.integers(-2, 4))
        for place in range(size):
            number += 1
            rows += _person(number, place, agency, rng)
    return rows


def _person(number: int, place: int, agency: Agency, rng: np.random.Generator) -> list[Row]:
    """The rows of one person. The first two persons of an agency look after its digital tasks and stay all years."""
    born = date(1966, 1, 1) + timedelta(days=int(rng.integers(0, 12_700)))  # to 2000
    male = int(rng.integers(0, 2))
    paper = f"045{(0 if born.year < 2000 else 2) + 1 - male}{born.year % 100:02d}{number:06d}"
    recruited = born.replace(year=born.year + 21, day=min(born.day, 28)) + timedelta(days=int(rng.integers(0, 300)))
    rank, first, step = _RANKS[int(rng.choice(len(_RANKS), p=_SHARES[agency.catalog]))]
    coefficient = first + step * int(rng.integers(0, 7))
    name = f"{_SURNAMES[int(rng.integers(0, 10))]} {'Văn' if male else 'Thị'} {_GIVEN[int(rng.integers(0, 14))]}"
    small = agency.catalog == "xa-phuong"
    digital, security = place == 0, place == (0 if small else 1)
    full_time = digital and agency.catalog == "so-ban-nganh" and bool(rng.random() < 0.6)
    row = {
        "SoHieuCBCCVC": f"QT{FIRST_NUMBER + number}",
        "HoTenKhaiSinh": name,
        "GioiTinh": "Nam" if male else "Nữ",
        "NgaySinh": f"{born:%d/%m/%Y}",
        "SoDinhDanh": paper,
        "DanToc": "Kinh" if rng.random() < 0.9 else "Bru - Vân Kiều",
        "MaDonVi": agency.new_id,
        "MaNgach": rank,
        "HeSoLuong": f"{coefficient:.2f}",
        "TrinhDoChuyenMon": _QUALIFICATIONS[int(rng.choice(6, p=(0.55, 0.14, 0.12, 0.11, 0.01, 0.07)))],
        "TrinhDoTinHoc": _SKILLS[int(rng.choice(5, p=(0.42, 0.25, 0.12, 0.03, 0.18)))],
        "NgayTuyenDung": f"{recruited:%d/%m/%Y}",
        "LaChuyenTrachCDS": "1" if full_time else "0",
        "LaKiemNhiemCDS": "1" if digital and not full_time else "0",
        "LaDauMoiATTT": "1" if security else "0",
        "_place": place,
        "_agency": agency,
        "_twice": place < 2,
    }
    came, left = rng.random() < 0.05, rng.random() < 0.04
    years = [y for y in YEARS if place < 2 or not ((came and y == YEARS[0]) or (left and y == YEARS[-1]))]
    row["_twice"] = len(years) == len(YEARS)
    return [{**row, "Nam": y, "NgayCapNhat": f"{y}-06-30 17:00:00"} for y in years]


class _Planter:
    """Plants each kind on rows of its own; nobody who looks after digital tasks is lost by it."""

    def __init__(self, rows: list[Row], known: list[Agency], truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows = rows
        self._known = known
        self._truth = truth
        self._rng = rng
        self._free = [row for row in (rows[int(at)] for at in rng.permutation(len(rows))) if row["_place"] > 1]
        self._last_number = FIRST_NUMBER + len(rows)

    def _take(self, code: str, count: int | None = None, **wanted: Any) -> list[Row]:
        count = self._truth.rows_wanted(DATASET, code) if count is None else count
        chosen = [row for row in self._free if all(row[name] == value for name, value in wanted.items())][:count]
        taken = {id(row) for row in chosen}
        self._free = [row for row in self._free if id(row) not in taken]
        return chosen

    def _note(self, code: str, row: Row, expected: str | None = None, suffix: str = "") -> None:
        self._truth.add(DATASET, code, 0, row_key=row_key(row) + suffix, expected=expected)

    def _put(self, code: str, column: str, values: list[str | None], **wanted: Any) -> None:
        for at, row in enumerate(self._take(code, **wanted)):
            row[column] = values[at % len(values)]
            self._note(code, row)

    def plant(self) -> None:
        """All kinds."""
        self._two_places()
        self._put("ma_ngach_unknown", "MaNgach", ["01.099", "CV", "13.095a", "01.03"])
        self._put("ma_don_vi_unreadable", "MaDonVi", ["Sở Nội vụ", "UBND huyện Hải Lăng"])
        self._put("la_dau_moi_attt_unreadable", "LaDauMoiATTT", ["chờ phân công", "?"])
        for row in self._take("so_hieu_hai_dong", self._truth.rows_wanted(DATASET, "so_hieu_hai_dong") // 2):
            self._rows.append({**row, "TrinhDoTinHoc": "Trung cấp CNTT", "SoDinhDanh": None})
            self._note("so_hieu_hai_dong", row)
            self._note("so_hieu_hai_dong", row, suffix="#2")
        self._put("so_dinh_danh_placeholder", "SoDinhDanh", ["000000001", "000000000001", "123456789012"])
        for row in self._take("he_so_luong_ngoai_bang"):
            row["HeSoLuong"] = str(round(float(row["HeSoLuong"]) * 100))
            self._note("he_so_luong_ngoai_bang", row)
        for row in self._take("tuyen_dung_truoc_18_tuoi"):
            row["NgayTuyenDung"] = f"01/06/{int(row['NgaySinh'][-4:]) + 17}"
            self._note("tuyen_dung_truoc_18_tuoi", row)
        for row in self._take("nam_sinh_trai_so_dinh_danh"):
            row["NgaySinh"] = f"{row['NgaySinh'][:6]}{int(row['NgaySinh'][-4:]) - 3}".replace("29/02", "28/02")
            self._note("nam_sinh_trai_so_dinh_danh", row)
        self._put("trinh_do_chuyen_mon_missing", "TrinhDoChuyenMon", [None, ""])
        self._put("don_vi_khong_con", "MaDonVi", ["H50.24.90", "H50.28.91"])
        self._mended()
        self._odd_but_right()
        for row in self._take("exact_copy"):
            self._rows.append(dict(row))
            self._note("exact_copy", row)

    def _two_places(self) -> None:
        """A second record of one person, opened by another agency in the same year; both are rejected."""
        for row in self._take("nguoi_o_hai_don_vi", self._truth.rows_wanted(DATASET, "nguoi_o_hai_don_vi") // 2):
            self._last_number += 1
            other = self._known[(self._known.index(row["_agency"]) + 7) % len(self._known)]
            twin = {**row, "SoHieuCBCCVC": f"QT{self._last_number}", "MaDonVi": other.new_id}
            self._rows.append(twin)
            self._note("nguoi_o_hai_don_vi", row)
            self._note("nguoi_o_hai_don_vi", twin)

    def _mended(self) -> None:
        marked = [row for row in self._rows if row["_place"] == 0 and row["LaKiemNhiemCDS"] == "1"]
        for at, spot in enumerate(self._rng.permutation(len(marked))[: self._truth.rows_wanted(DATASET, "bit_marks")]):
            row = marked[int(spot)]
            row["LaKiemNhiemCDS"] = _MARKS[at % len(_MARKS)]
            row["LaChuyenTrachCDS"] = ("không", "Không", "0")[at % 3]
            self._note("bit_marks", row, "true")
        for at, row in enumerate(self._take("lost_dots", MaNgach="01.003")):
            row["MaNgach"] = ("01003", "1.003")[at % 2]
            self._note("lost_dots", row, "01.003")
        for row in self._take("small_letters"):
            self._note("small_letters", row, row["MaDonVi"])
            row["MaDonVi"] = row["MaDonVi"].lower()
        for row in self._take("year_only"):
            row["NgaySinh"] = row["NgaySinh"][-4:]
            self._note("year_only", row, f"{row['NgaySinh']}-01-01")

    def _odd_but_right(self) -> None:
        for row in self._take("old_agency_id"):
            row["MaDonVi"] = row["_agency"].old_id
            self._note("old_agency_id", row)
        for row in self._take("moved_agency", Nam=YEARS[-1], _twice=True):
            other = self._known[(self._known.index(row["_agency"]) + 3) % len(self._known)]
            row["MaDonVi"] = other.new_id
            self._note("moved_agency", row)
        self._put("elected", "MaNgach", [None])
