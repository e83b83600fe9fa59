"""Petitions of 18 months, with the time limits of Decision 766 in working days, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.one_stop.working_days import holidays
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.service_centre.kinds import PETITIONS
from dx_pipeline.sandbox.service_centre.ratings import SCALE

Record = dict[str, Any]
PETITIONS_IN_ALL: Final = 900
FIRST: Final = date(2023, 6, 1)
LAST: Final = date(2024, 6, 28)
TET: Final = (date(2024, 2, 8), date(2024, 2, 14))
#: way of handling -> (working days of its limit, share)
LIMITS: Final = {"Giải quyết": (15, 0.72), "Yêu cầu bổ sung": (5, 0.1), "Từ chối": (2, 0.08), "Chuyển xử lý": (2, 0.1)}
_DAYS_OFF: Final = frozenset(day for day, _ in holidays())
_KINDS: Final = ("Thủ tục hành chính", "Hành vi hành chính", "Khác")


def working_day_after(day: date, count: int, *, with_holidays: bool = True) -> date:
    """The ``count``-th working day after a day."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and not (with_holidays and day in _DAYS_OFF)
    return day


def petitions(dossier_codes: list[str], seed: int, truth: TruthBook) -> list[Record]:
    """All petitions, clean and planted."""
    rng = np.random.default_rng([seed, 341])
    rows = list(_clean(dossier_codes, rng))
    return _Faults(rows, truth, rng).planted()


def _clean(dossier_codes: list[str], rng: np.random.Generator) -> Iterator[Record]:
    days = sorted(rng.integers(0, (LAST - FIRST).days, size=PETITIONS_IN_ALL).tolist())
    for number, offset in enumerate(days, start=1):
        day = FIRST + timedelta(days=offset)
        while day.weekday() > 4 or day in _DAYS_OFF:
            day += timedelta(days=1)
        way = list(LIMITS)[int(rng.choice(4, p=[share for _, share in LIMITS.values()]))]
        limit = LIMITS[way][0]
        due = working_day_after(day, limit)
        late = rng.random() < 0.12
        handled = working_day_after(due, int(rng.integers(1, 9))) if late else working_day_after(day, limit - 1)
        is_open = handled >= LAST - timedelta(days=2)
        published = working_day_after(handled, 1 if rng.random() < 0.85 else 4)
        is_published = not is_open and way == "Giải quyết" and published < LAST
        yield {
            "MaPAKN": f"PAKN.{day:%y%m}.{number:05d}",
            "LoaiPAKN": _KINDS[int(rng.choice(3, p=(0.6, 0.3, 0.1)))],
            "MaDinhDanh": f"H50.{int(rng.integers(1, 31)):02d}",
            "MaHoSo": dossier_codes[int(rng.integers(0, len(dossier_codes)))] if rng.random() < 0.4 else None,
            "NgayTiepNhan": f"{day:%d/%m/%Y} {int(rng.integers(7, 17)):02d}:{int(rng.integers(0, 60)):02d}",
            "HinhThucXuLy": None if is_open else way,
            "NgayXuLy": None if is_open else f"{handled:%d/%m/%Y} 17:00",
            "NgayCongKhai": f"{published:%d/%m/%Y}" if is_published else None,
            "HanXuLy": f"{due if not is_open else working_day_after(day, 15):%d/%m/%Y}",
            "HaiLong": SCALE[int(rng.choice(3, p=(0.4, 0.45, 0.15)))] if not is_open and rng.random() < 0.5 else None,
            "KienNghiLai": bool(rng.random() < 0.04) if not is_open else False,
            "NguoiGui": "Người gửi thử nghiệm",
            "SoDienThoai": "0900000000",
            "Email": None,
            "NoiDung": "Nội dung phản ánh (dữ liệu thử)",
            "NoiDungTraLoi": "",
        }


class _Faults:
    def __init__(self, rows: list[Record], truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows, self._truth = rows, truth
        self._free: list[int] = rng.permutation(len(rows)).tolist()

    def planted(self) -> list[Record]:
        """All kinds, each on rows of its own."""
        self._at_tet()
        for row in self._take("xu_ly_truoc_tiep_nhan"):
            before = _day(row["NgayTiepNhan"]) - timedelta(days=4)
            row["NgayXuLy"], row["NgayCongKhai"] = f"{before:%d/%m/%Y} 09:00", None
            self._note("xu_ly_truoc_tiep_nhan", row)
        self._change("hinh_thuc_xu_ly_unknown", HinhThucXuLy=("Đang xin ý kiến", "khác"))
        self._change("da_xu_ly_thieu_hinh_thuc", HinhThucXuLy=(None, ""))
        self._change("ma_dinh_danh_unreadable", MaDinhDanh=("Sở Y tế", "UBND huyện Hướng Hóa"))
        for row in self._take("cong_khai_truoc_tiep_nhan"):
            row["NgayCongKhai"] = f"{_day(row['NgayTiepNhan']) - timedelta(days=20):%d/%m/%Y}"
            self._note("cong_khai_truoc_tiep_nhan", row)
        self._change("hai_long_unknown", HaiLong=("Tạm được", "9"))
        for row in self._take("nhan_ngay_nghi"):
            day = _day(row["NgayTiepNhan"])
            sunday = day - timedelta(days=day.weekday() + 1)
            row["NgayTiepNhan"] = f"{sunday:%d/%m/%Y} 20:15"
            self._note("nhan_ngay_nghi", row)
        for row in self._take("exact_copy"):
            self._rows.append(dict(row))
            self._note("exact_copy", row)
        return self._rows

    def _at_tet(self) -> None:
        """The software counts Monday to Friday and forgets the holidays, so the due day is one of Tết."""
        for row in self._take("han_vao_ngay_nghi", lambda one: _forgetful(one) is not None):
            row["HanXuLy"] = f"{_forgetful(row):%d/%m/%Y}"
            self._note("han_vao_ngay_nghi", row)

    def _take(self, code: str, where: Any = lambda one: one["NgayXuLy"]) -> list[Record]:
        fitting = [at for at in self._free if where(self._rows[at])]
        chosen = fitting[: self._truth.rows_wanted(PETITIONS, code)]
        self._free = [at for at in self._free if at not in chosen]
        return [self._rows[at] for at in chosen]

    def _change(self, code: str, **changes: tuple[Any, ...]) -> None:
        for at, row in enumerate(self._take(code)):
            for name, values in changes.items():
                row[name] = values[at % len(values)]
            self._note(code, row)

    def _note(self, code: str, row: Record) -> None:
        self._truth.add(PETITIONS, code, 0, row_key=row["MaPAKN"])


def _forgetful(row: Record) -> date | None:
    """The due day without holidays, if it is one of Tết."""
    limit = LIMITS[row["HinhThucXuLy"]][0] if row["HinhThucXuLy"] in LIMITS else 15
    due = working_day_after(_day(row["NgayTiepNhan"]), limit, with_holidays=False)
    return due if TET[0] <= due <= TET[1] else None


def _day(text: str) -> date:
    return datetime.strptime(text[:10], "%d/%m/%Y").date()
