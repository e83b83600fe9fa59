"""Entries of the register books, January 2023 to June 2024, clean and planted, one dict per entry as in the file."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.civil_status.kinds import DATASET
from dx_pipeline.sandbox.communes import DISTRICT_SHARES, Commune
from dx_pipeline.sandbox.planted import TruthBook

FIRST_DAY, DAYS = date(2023, 1, 1), 547  # to the end of June 2024
EVENTS: Final = 5_000
_EVENT_SHARES: Final = {"KS": 0.40, "XN": 0.20, "KH": 0.12, "KT": 0.25, "GH": 0.01, "NCN": 0.02}
_LATE_BIRTHS, _LATE_DEATHS = 0.07, 0.12
_TONES: Final = {"òa": "oà", "óa": "oá", "ọa": "oạ", "ủy": "uỷ", "úy": "uý", "ùy": "uỳ", "ụy": "uỵ"}

Entry = dict[str, Any]


def civil_status_events(communes: list[Commune], seed: int, truth: TruthBook) -> list[list[Entry]]:
    """The entries of each month, in the order of their days."""
    rng = np.random.default_rng([seed, 33])
    entries = _clean_entries([one for one in communes if one.ceased_on is None], rng)
    planter = _Planter(entries, communes, truth, rng)
    planter.plant()
    months: list[list[Entry]] = [[] for _ in range(18)]
    for entry in entries + planter.added:
        months[entry.pop("month")].append(entry)
    return months


def row_key(entry: Entry) -> str:
    """The key the quarantine knows the entry by."""
    return f"{entry['noi_dang_ky']['ma_xa']}|{entry['quyen_so']}|{entry['so_dang_ky']}"


def _clean_entries(communes: list[Commune], rng: np.random.Generator) -> list[Entry]:
    in_district = {code: sum(one.district == code for one in communes) for code in DISTRICT_SHARES}
    weight = np.array([DISTRICT_SHARES[one.district] / in_district[one.district] for one in communes])
    weight = weight * rng.lognormal(0, 0.5, len(communes))
    at = rng.choice(len(communes), EVENTS, p=weight / weight.sum())
    kinds = rng.choice(list(_EVENT_SHARES), EVENTS, p=list(_EVENT_SHARES.values()))
    offsets = np.sort(rng.integers(0, DAYS, EVENTS))
    numbers: dict[str, int] = {}
    entries = []
    for place, kind, offset in zip(at.tolist(), kinds.tolist(), offsets.tolist(), strict=True):
        day = FIRST_DAY + timedelta(days=offset)
        book = f"{kind}-01/{day.year}"
        key = f"{communes[place].code}|{book}"
        numbers[key] = numbers.get(key, 0) + 1
        late = bool(rng.random() < {"KS": _LATE_BIRTHS, "KT": _LATE_DEATHS}.get(kind, 0))
        entries.append(
            {
                "month": (day.year - 2023) * 12 + day.month - 1,
                "so_dang_ky": numbers[key],
                "quyen_so": book,
                "loai_viec": kind,
                "ngay_dang_ky": day.strftime("%d/%m/%Y"),
                "noi_dang_ky": {"ma_xa": communes[place].code, "ten_xa": communes[place].name},
                "so_dinh_danh_cap": _personal_number(day, late, rng) if kind == "KS" else None,
                "dang_ky_qua_han": late,
            }
        )
    return entries


def _personal_number(day: date, late: bool, rng: np.random.Generator, province: str = "045") -> str:
    """Of a child born up to 60 days ago, or long ago."""
    born = day - timedelta(days=int(rng.integers(61, 3_000) if late else rng.integers(1, 60)))
    sex = int(rng.integers(0, 2)) + (2 if born.year >= 2000 else 0)
    return f"{province}{sex}{born.year % 100:02d}{int(rng.integers(1_000, 999_999)):06d}"


class _Planter:
    """Plants each kind on entries of its own."""

    def __init__(
        self, entries: list[Entry], communes: list[Commune], truth: TruthBook, rng: np.random.Generator
    ) -> None:
        self.added: list[Entry] = []
        self._entries = entries
        self._truth = truth
        self._rng = rng
        self._present = [one for one in communes if one.ceased_on is None]
        self._gone = [one for one in communes if one.ceased_on is not None]
        self._free: list[int] = rng.permutation(len(entries)).tolist()

    def _take(self, code: str, kinds: str = "KS XN KH KT", named: tuple[str, ...] = ("",)) -> list[Entry]:
        """Entries that carry nothing yet, of those kinds, in communes whose name holds one of the texts."""
        wanted = self._truth.rows_wanted(DATASET, code)
        fits = [
            at
            for at in self._free
            if self._entries[at]["loai_viec"] in kinds.split()
            and any(text in self._entries[at]["noi_dang_ky"]["ten_xa"] for text in named)
        ][:wanted]
        if len(fits) < wanted:
            raise ValueError(f"{code}: {wanted} rows are wanted, {len(fits)} are free")
        taken = set(fits)
        self._free = [at for at in self._free if at not in taken]
        return [self._entries[at] for at in fits]

    def _note(self, code: str, entry: Entry, expected: str | None = None, suffix: str = "") -> None:
        self._truth.add(DATASET, code, 0, row_key=row_key(entry) + suffix, expected=expected)

    def plant(self) -> None:
        """All kinds."""
        self._plant_books()
        self._plant_days_and_places()
        self._plant_personal_numbers()
        for entry in self._take("number_with_year"):
            self._note("number_with_year", entry, str(entry["so_dang_ky"]))
            entry["so_dang_ky"] = f"{entry['so_dang_ky']}/{entry['quyen_so'][-4:]}"
        for entry in self._take("exact_copy"):
            self.added.append({**entry, "month": min(entry["month"] + 1, 17)})
            self._note("exact_copy", entry)

    def _plant_books(self) -> None:
        for at, entry in enumerate(self._take("loai_viec_unknown")):
            entry["loai_viec"] = ("DS", "KX", "9")[at % 3]
            self._note("loai_viec_unknown", entry)
        for entry in self._take("quyen_khac_nam"):
            entry["quyen_so"] = f"{entry['quyen_so'][:-4]}2021"
            self._note("quyen_khac_nam", entry)
        for entry in self._take("quyen_khac_loai", "XN KH"):
            # The number is beyond those of the other book, so that it is not there twice.
            entry |= {"quyen_so": f"KS{entry['quyen_so'][2:]}", "so_dang_ky": entry["so_dang_ky"] + 2_000}
            self._note("quyen_khac_loai", entry)
        for at, entry in enumerate(self._take("so_dang_ky_unreadable")):
            entry["so_dang_ky"] = ("mười hai", "bổ sung", "12 bis")[at % 3]
            self._note("so_dang_ky_unreadable", entry)
        pairs = self._truth.rows_wanted(DATASET, "so_trung_trong_quyen") // 2
        for entry in self._take("so_trung_trong_quyen", "XN KH")[:pairs]:
            day = date(int(entry["quyen_so"][-4:]), 1, 1) + timedelta(days=int(self._rng.integers(0, 28)))
            self.added.append({**entry, "ngay_dang_ky": day.strftime("%d/%m/%Y"), "dang_ky_qua_han": None})
            self._note("so_trung_trong_quyen", entry)
            self._note("so_trung_trong_quyen", entry, suffix="#2")

    def _plant_days_and_places(self) -> None:
        for entry in self._take("ngay_tuong_lai"):
            entry["ngay_dang_ky"] = f"{entry['ngay_dang_ky'][:6]}209{entry['ngay_dang_ky'][-1]}"
            self._note("ngay_tuong_lai", entry)
        for entry in self._take("ngay_dang_ky_unreadable"):
            entry["ngay_dang_ky"] = f"30/02/{entry['quyen_so'][-4:]}"
            self._note("ngay_dang_ky_unreadable", entry)
        for at, entry in enumerate(self._take("ma_xa_unknown")):
            entry["noi_dang_ky"]["ma_xa"] = ("99999", "19331", "46100")[at % 3]
            entry["so_dang_ky"] += 1_000 * (at + 3)  # no number of another commune moved to the same code
            self._note("ma_xa_unknown", entry)
        for at, entry in enumerate(self._take("xa_da_giai_the")):
            gone = self._gone[at % len(self._gone)]
            entry["noi_dang_ky"] = {"ma_xa": gone.code, "ten_xa": gone.name}
            self._note("xa_da_giai_the", entry)
        for entry in self._take("ten_xa_khac_ma"):
            others = [one.name for one in self._present if one.name != entry["noi_dang_ky"]["ten_xa"]]
            entry["noi_dang_ky"]["ten_xa"] = others[int(self._rng.integers(len(others)))]
            self._note("ten_xa_khac_ma", entry)
        for entry in self._take("decomposed_letters"):
            name = entry["noi_dang_ky"]["ten_xa"]
            self._note("decomposed_letters", entry, name)
            entry["noi_dang_ky"]["ten_xa"] = unicodedata.normalize("NFD", name)
        for entry in self._take("tone_placement", named=tuple(_TONES)):
            for plain, other in _TONES.items():
                entry["noi_dang_ky"]["ten_xa"] = entry["noi_dang_ky"]["ten_xa"].replace(plain, other)
            self._note("tone_placement", entry)

    def _plant_personal_numbers(self) -> None:
        for entry in self._take("khai_tu_cap_so_dinh_danh", "KT"):
            entry["so_dinh_danh_cap"] = _personal_number(_day(entry), False, self._rng)
            self._note("khai_tu_cap_so_dinh_danh", entry)
        for entry in self._take("so_dinh_danh_ngoai_khai_sinh", "KH XN"):
            entry["so_dinh_danh_cap"] = _personal_number(_day(entry), False, self._rng)
            self._note("so_dinh_danh_ngoai_khai_sinh", entry)
        for entry in self._take("nam_sinh_khong_khop", "KS"):
            long_ago = _day(entry) - timedelta(days=1_500)
            entry |= {"so_dinh_danh_cap": _personal_number(long_ago, False, self._rng), "dang_ky_qua_han": False}
            self._note("nam_sinh_khong_khop", entry)
        for entry in self._take("so_dinh_danh_unreadable", "KS"):
            entry["so_dinh_danh_cap"] += "7"
            self._note("so_dinh_danh_unreadable", entry)
        for entry in self._take("so_dinh_danh_tinh_khac", "KS"):
            entry["so_dinh_danh_cap"] = "044" + entry["so_dinh_danh_cap"][3:]
            self._note("so_dinh_danh_tinh_khac", entry)
        for entry in self._take("khai_sinh_thieu_so_dinh_danh", "KS"):
            entry["so_dinh_danh_cap"] = None
            self._note("khai_sinh_thieu_so_dinh_danh", entry)
        for entry in self._take("qua_han_khong_ap_dung", "XN KH"):
            entry["dang_ky_qua_han"] = True
            self._note("qua_han_khong_ap_dung", entry)


def _day(entry: Entry) -> date:
    day, month, year = map(int, entry["ngay_dang_ky"].split("/"))
    return date(year, month, day)
