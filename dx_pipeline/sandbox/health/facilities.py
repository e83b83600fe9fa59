"""Rows of ``co_so_kcb``: the provincial hospital, a centre per district, a station per commune, twelve months to June 2024.

Stations keep the health records and most of the insurance cards of their commune. Both grow month by month with the people
that the digital infrastructure of the same seed counts there, so the two departments agree about the population.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.communes import Commune
from dx_pipeline.sandbox.digital_infrastructure.infrastructure import MONTHS, population
from dx_pipeline.sandbox.health.kinds import DATASET
from dx_pipeline.sandbox.planted import TruthBook

REPORTS: Final = 12
NAME_BYTES: Final = 60  # the column is declared latin1: a letter of Vietnamese takes two or three of them
_DISTRICTS: Final = {
    "461": "Đông Hà",
    "462": "thị xã Quảng Trị",
    "464": "Vĩnh Linh",
    "465": "Hướng Hóa",
    "466": "Gio Linh",
    "467": "Đakrông",
    "468": "Cam Lộ",
    "469": "Triệu Phong",
    "470": "Hải Lăng",
}
_LEVELS: Final = {"tinh": "Tuyến tỉnh", "huyen": "Tuyến huyện", "xa": "Tuyến xã"}

Row = dict[str, Any]


def facility_rows(communes: list[Commune], seed: int, truth: TruthBook) -> list[Row]:
    """All rows of the table, clean and planted, in the order of their ids."""
    present = sorted((one for one in communes if one.ceased_on is None), key=lambda one: one.code)
    rows = _clean_rows(present, seed)
    for number, row in enumerate(rows, start=1):
        row["id"] = number
    _Planter(rows, communes, truth, np.random.default_rng([seed, 51])).plant()
    return rows


def month_text(at: int) -> str:
    """``yyyy-mm`` of the month at that place."""
    return f"{2023 + at // 12}-{at % 12 + 1:02d}"


def _clean_rows(communes: list[Commune], seed: int) -> list[Row]:
    rng = np.random.default_rng([seed, 50])
    seat = {code: next(one for one in communes if one.district == code) for code in _DISTRICTS}
    hospitals = [("45001", "Bệnh viện Đa khoa tỉnh", "tinh", seat["461"], 700)]
    hospitals += [
        (f"450{place:02d}", f"Trung tâm Y tế {name}", "huyen", seat[code], 90 + 10 * place)
        for place, (code, name) in enumerate(_DISTRICTS.items(), start=11)
    ]
    stations = [(f"45{place}", f"Trạm Y tế {one.name}", "xa", one, 5) for place, one in enumerate(communes, start=101)]
    share = {code: (rng.uniform(0.7, 0.9), rng.uniform(0.45, 0.6)) for code, *_ in stations}
    licensed = {
        code: date(2012, 1, 1) + timedelta(days=int(rng.integers(0, 3000))) for code, *_ in hospitals + stations
    }
    rows = []
    for at in range(MONTHS - REPORTS, MONTHS):
        people = population(at, communes, seed)
        back = MONTHS - 1 - at
        for code, name, level, commune, beds in hospitals + stations:
            if level == "xa":
                records, cards = (int(people[commune.code] * (part - 0.008 * back)) for part in share[code])
            else:
                records, cards = 0, beds * 40 - 15 * back
            rows.append(
                {
                    "ma_csyt": code,
                    "ten_csyt": name,
                    "tuyen": _LEVELS[level],
                    "ma_xa": commune.code,
                    "so_giuong": beds,
                    "so_hssk_lap": records,
                    "so_the_bhyt": cards,
                    "ky_bao_cao": month_text(at),
                    "lien_thong_bhyt": 1,
                    "co_cap_cuu": "Không" if level == "xa" else "Có",
                    "ngay_cap_phep": licensed[code].isoformat(),
                    "people": people[commune.code],
                }
            )
    return rows


def as_latin1_shows(name: str) -> str:
    """The UTF-8 bytes of a name, as many as the column holds, as MySQL's ``latin1`` shows them."""
    return "".join(
        # Windows-1252 has five holes; MySQL shows them as the control characters of the same number.
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
        for byte in name.encode("utf-8")[:NAME_BYTES]
    )


class _Planter:
    """Plants each kind on rows of its own."""

    def __init__(self, rows: list[Row], communes: list[Commune], truth: TruthBook, rng: np.random.Generator) -> None:
        self._rows = rows
        self._truth = truth
        self._rng = rng
        self._ceased = [one.code for one in communes if one.ceased_on is not None]
        self._last = month_text(MONTHS - 1)
        self._free = {row["id"] for row in rows}

    def _take(self, code: str, candidates: list[Row], count: int | None = None) -> list[Row]:
        """Rows that get the kind, none of which carries another one."""
        free = [row for row in candidates if row["id"] in self._free]
        wanted = self._truth.rows_wanted(DATASET, code) if count is None else count
        chosen = [free[int(at)] for at in self._rng.choice(len(free), size=wanted, replace=False)]
        self._free -= {row["id"] for row in chosen}
        return chosen

    def _change(self, code: str, candidates: list[Row], **changes: Any) -> None:
        for row in self._take(code, candidates):
            row.update(changes)
            self._truth.add(DATASET, code, row["id"])

    def _add(self, code: str, row: Row, **changes: Any) -> None:
        extra = {**row, **changes, "id": len(self._rows) + 1}
        self._rows.append(extra)
        self._truth.add(DATASET, code, extra["id"])

    def plant(self) -> None:
        """All kinds."""
        everywhere = list(self._rows)
        stations = [row for row in everywhere if row["tuyen"] == _LEVELS["xa"]]
        june = [row for row in stations if row["ky_bao_cao"] == self._last]
        earlier = [row for row in stations if row["ky_bao_cao"] != self._last]
        self._falls(earlier)
        for row in self._take("the_vuot_dan_so", [row for row in june if self._is_alone(row)]):
            row["so_the_bhyt"] = row["people"] + 12
            self._truth.add(DATASET, "the_vuot_dan_so", row["id"])
        self._change("so_am", earlier, so_hssk_lap=-7)
        self._change("giuong_tram_vuot_50", stations, so_giuong=55)
        self._change("ngay_cap_phep_so_khong", everywhere, ngay_cap_phep="0000-00-00")
        self._change("lien_thong_bhyt_unreadable", everywhere, lien_thong_bhyt=2)
        for row, text in zip(self._take("tuyen_unknown", earlier), ("Tuyến thôn", "1", "?"), strict=True):
            row["tuyen"] = text
            self._truth.add(DATASET, "tuyen_unknown", row["id"])
        for row in self._take("ky_co_gach_cheo", everywhere):
            year, month = row["ky_bao_cao"].split("-")
            row["ky_bao_cao"] = f"{month}/{year}"
            self._truth.add(DATASET, "ky_co_gach_cheo", row["id"], expected=f"{year}-{month}-01")
        hospitals = [row for row in everywhere if row["tuyen"] != _LEVELS["xa"]]
        for place, row in enumerate(self._take("co_bang_chu", hospitals)):
            row["co_cap_cuu"] = ("x", "CÓ", "1", "Y")[place % 4]
            self._truth.add(DATASET, "co_bang_chu", row["id"], expected="true")
        self._names(earlier, everywhere)
        self._beside(june, earlier)

    def _is_alone(self, row: Row) -> bool:
        """Whether the station is the only facility of its commune: a commune's figure is then its own."""
        return len({one["ma_csyt"] for one in self._rows if one["ma_xa"] == row["ma_xa"]}) == 1

    def _falls(self, earlier: list[Row]) -> None:
        """Fewer records than the month before; that month stays clean, and the next one is above again."""
        before = {(row["ma_csyt"], row["ky_bao_cao"]): row for row in self._rows}
        every_third = {month_text(at) for at in range(MONTHS - REPORTS + 2, MONTHS - 1, 3)}
        candidates = [row for row in earlier if row["ky_bao_cao"] in every_third and self._is_alone(row)]
        for row in self._take("hssk_giam", candidates):
            months = sorted(month for code, month in before if code == row["ma_csyt"])
            former = before[row["ma_csyt"], months[months.index(row["ky_bao_cao"]) - 1]]
            row["so_hssk_lap"] = former["so_hssk_lap"] - 9
            self._free.discard(former["id"])
            self._truth.add(DATASET, "hssk_giam", row["id"])

    def _names(self, earlier: list[Row], everywhere: list[Row]) -> None:
        for row in self._take("ten_csyt_vo_chu", earlier):
            row["ten_csyt"] = "Trạm Y tế đạt chuẩn quốc gia về y tế của địa phương"
            while True:  # so long that the last letter is cut in two
                cut = row["ten_csyt"].encode("utf-8")[:NAME_BYTES]
                if len(cut) == NAME_BYTES and cut.decode("utf-8", "ignore").encode("utf-8") != cut:
                    break
                row["ten_csyt"] = row["ten_csyt"].replace("Trạm", "Trạm ", 1) if len(cut) == NAME_BYTES else ""
            self._truth.add(DATASET, "ten_csyt_vo_chu", row["id"])
        for row in self._take("utf8_trong_latin1", everywhere):
            self._truth.add(DATASET, "utf8_trong_latin1", row["id"], expected=row["ten_csyt"])

    def _beside(self, june: list[Row], earlier: list[Row]) -> None:
        """Rows beside the right ones."""
        model = june[0]
        for place, code in enumerate(("44001", "44012", "44105", "44230")):
            self._add("ma_csyt_quang_binh", model, ma_csyt=code, ten_csyt=f"Trạm Y tế Quảng Bình {place}")
        for row in self._take("hai_ma_mot_co_so", earlier, self._truth.rows_wanted(DATASET, "hai_ma_mot_co_so") // 2):
            self._truth.add(DATASET, "hai_ma_mot_co_so", row["id"])
            self._add("hai_ma_mot_co_so", row, ma_csyt=f"458{row['ma_csyt'][3:]}", so_giuong=row["so_giuong"] + 1)
        for row in self._take("ky_co_so_conflict", earlier, self._truth.rows_wanted(DATASET, "ky_co_so_conflict") // 2):
            self._truth.add(DATASET, "ky_co_so_conflict", row["id"])
            self._add("ky_co_so_conflict", row, so_giuong=row["so_giuong"] + 2, ten_csyt=f"{row['ten_csyt']} (mới)")
        for text in ("2024-13", "Q2/2024"):
            self._add("ky_bao_cao_unreadable", model, ky_bao_cao=text)
        # The first ceased code, 19381, still stands for Kim Thạch in some lists.
        ceased = self._ceased[1:][: self._truth.rows_wanted(DATASET, "xa_khong_xac_dinh")]
        for place, code in enumerate(ceased):
            name = f"Trạm Y tế cũ số {place + 1}"
            self._add("xa_khong_xac_dinh", model, ma_csyt=f"4590{place}", ten_csyt=name, ma_xa=code, so_hssk_lap=0)
        for row in self._take("exact_copy", [*june, *earlier]):
            self._add("exact_copy", row)
