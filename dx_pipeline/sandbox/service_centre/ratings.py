"""Ratings of dossiers, and what is wrong with some."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.service_centre.dossiers import EndedDossier
from dx_pipeline.sandbox.service_centre.kinds import RATINGS

Record = dict[str, Any]
SCALE: Final = ("Rất hài lòng", "Hài lòng", "Không hài lòng")
CODES: Final = {"Rất hài lòng": "rat_hai_long", "Hài lòng": "hai_long", "Không hài lòng": "khong_hai_long"}
_RECEPTION: Final = "Tiếp nhận, hướng dẫn"
_RESULT: Final = "Kết quả giải quyết"


def ratings(dossiers: list[EndedDossier], seed: int, truth: TruthBook) -> list[Record]:
    """All ratings, clean and planted."""
    rng = np.random.default_rng([seed, 34])
    rows = []
    for dossier in dossiers:
        after = dossier.returned + timedelta(minutes=int(rng.integers(5, 3000)))
        rows.append(_rating(dossier.code, _RESULT, after, rng))
        if rng.random() < 0.3:
            rows.append(_rating(dossier.code, _RECEPTION, after + timedelta(minutes=2), rng))
    return _Faults(rows, {one.code: one for one in dossiers}, truth, rng).planted()


def _rating(code: str, kind: str, moment: datetime, rng: np.random.Generator) -> Record:
    degree = SCALE[int(rng.choice(3, p=(0.55, 0.4, 0.05)))]
    return {"MaHoSo": code, "LoaiDanhGia": kind, "DanhGia": degree, "ThoiGianDanhGia": moment.isoformat("T", "seconds")}


class _Faults:
    def __init__(
        self, rows: list[Record], dossiers: dict[str, EndedDossier], truth: TruthBook, rng: np.random.Generator
    ) -> None:
        self._rows, self._dossiers, self._truth = rows, dossiers, truth
        results = [at for at, row in enumerate(rows) if row["LoaiDanhGia"] == _RESULT]
        self._free = rng.permutation(results).tolist()

    def planted(self) -> list[Record]:
        """All kinds, each on rows of its own."""
        for at, row in enumerate(self._take("danh_gia_unknown")):
            row["DanhGia"] = ("Bình thường", "10", "chưa rõ")[at % 3]
            self._note("danh_gia_unknown", row)
        for row in self._take("loai_danh_gia_unknown"):
            row["LoaiDanhGia"] = "Cơ sở vật chất"
            self._note("loai_danh_gia_unknown", row)
        for at, row in enumerate(self._take("ma_ho_so_unreadable")):
            row["MaHoSo"] = f"{240000 + at}"
            self._note("ma_ho_so_unreadable", row)
        for row in self._take("danh_gia_truoc_khi_nop"):
            row["ThoiGianDanhGia"] = "2022-01-05T08:00:00"
            self._note("danh_gia_truoc_khi_nop", row)
        for at, row in enumerate(self._take("ho_so_khong_co")):
            row["MaHoSo"] = f"H50.{14 + at % 3}-240{1 + at % 5}15-9{at:03d}"
            row["ThoiGianDanhGia"] = f"2024-06-{at + 10:02d}T09:15:00"
            self._note("ho_so_khong_co", row)
        for row in self._take("danh_gia_truoc_ket_thuc", before_end=True):
            early = self._dossiers[row["MaHoSo"]].ended - timedelta(minutes=90)
            row["ThoiGianDanhGia"] = early.isoformat("T", "seconds")
            self._note("danh_gia_truoc_ket_thuc", row)
        for at, row in enumerate(self._take("rating_in_words")):
            self._note("rating_in_words", row, expected=CODES[row["DanhGia"]])
            text = row["DanhGia"]
            row["DanhGia"] = (text.upper(), text.lower().replace(" ", "  ", 1), f" {text}", text.lower())[at % 4]
        for row in self._take("danh_gia_lan_truoc"):
            earlier = datetime.fromisoformat(row["ThoiGianDanhGia"]) - timedelta(minutes=3)
            self._rows.append(
                {**row, "DanhGia": "Không hài lòng", "ThoiGianDanhGia": earlier.isoformat("T", "seconds")}
            )
            self._note("danh_gia_lan_truoc", row)
        for row in self._take("exact_copy"):
            self._rows.append(dict(row))
            self._note("exact_copy", row)
        return self._rows

    def _take(self, code: str, *, before_end: bool = False) -> list[Record]:
        fitting = [at for at in self._free if not before_end or self._is_slow(self._rows[at]["MaHoSo"])]
        chosen = fitting[: self._truth.rows_wanted(RATINGS, code)]
        self._free = [at for at in self._free if at not in chosen]
        return [self._rows[at] for at in chosen]

    def _is_slow(self, code: str) -> bool:
        """Whether the dossier ended days after the day in its code, so that a rating before is none before that day."""
        ended = self._dossiers[code].ended
        return f"{ended - timedelta(days=3):%y%m%d}" > code.split("-")[1]

    def _note(self, code: str, row: Record, expected: str | None = None) -> None:
        kind = {_RESULT: "ket_qua", _RECEPTION: "tiep_nhan"}.get(row["LoaiDanhGia"], row["LoaiDanhGia"])
        self._truth.add(RATINGS, code, 0, row_key=f"{row['MaHoSo']}|{kind}", expected=expected)
