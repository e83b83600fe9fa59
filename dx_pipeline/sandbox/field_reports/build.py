"""Field reports of 18 months, most of them clean, and what is wrong with some.

Made up: communes, districts and the agencies' names are real, no report is. The new app writes ISO times and commune
codes; the old one milliseconds and names.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.communes import DISTRICT_SHARES, Commune, commune_list
from dx_pipeline.sandbox.eid.rows import DISTRICT_NAMES
from dx_pipeline.sandbox.planted import Kind, TruthBook

DATASET: Final = "phan_anh_hien_truong"
REPORTS: Final = 2400
FIRST: Final = datetime(2024, 1, 2, 7, 0)
LAST: Final = datetime(2025, 6, 20, 17, 0)
REFORM: Final = date(2025, 3, 1)
FIELDS: Final = ("Môi trường", "Giao thông", "Trật tự đô thị", "Điện, nước", "Y tế, an toàn thực phẩm", "Khác")
KINDS: Final = (
    Kind(DATASET, "critical", "linh_vuc_unknown", 6, "linh_vuc", "a field outside the list"),
    Kind(DATASET, "critical", "thoi_gian_unreadable", 5, "thoi_gian", "a time in words"),
    Kind(DATASET, "critical", "thoi_gian_qua_som", 4, "thoi_gian", "sent in 1970: the clock of the device was reset"),
    Kind(DATASET, "critical", "xu_ly_truoc_khi_gui", 9, "ngay_xu_ly", "handled before it was sent"),
    Kind(DATASET, "critical", "danh_gia_ngoai_thang", 4, "danh_gia", "rated 0, 7 or 10"),
    Kind(DATASET, "warning", "xa_ghi_ten", 60, "ma_xa", "name and district instead of the code"),
    Kind(DATASET, "warning", "xa_khong_xac_dinh", 6, "ma_xa", "a code or name of no commune"),
    Kind(DATASET, "warning", "don_vi_da_giai_the", 25, "don_vi_xu_ly", "an agency dissolved in March 2025"),
    Kind(DATASET, "warning", "chua_phan_cong", 12, "don_vi_xu_ly", "no agency yet"),
    Kind(DATASET, "warning", "danh_gia_khi_chua_xong", 7, "danh_gia", "rated while it is open"),
    Kind(DATASET, "warning", "co_the_gui_lai", 20, "ma_pa", "the client posted again and got another code"),
    Kind(DATASET, "duplicate", "gui_lai_cung_ma", 15, "ma_pa", "the client posted again and got the same code"),
    Kind(DATASET, "repair", "epoch_ms", 150, "thoi_gian", "milliseconds since 1970 instead of ISO 8601"),
    Kind(DATASET, "repair", "html", 30, "linh_vuc", "markup of the web form in the text"),
    Kind(DATASET, "clean", "xu_ly_qua_han", 40, "ngay_xu_ly", "handled late, which is no fault of the data"),
)
_ZONE: Final = timezone(timedelta(hours=7))
_DEPARTMENTS: Final = ("H50.09", "H50.13", "H50.16")  # construction, culture, health: there before and after the reform
_DISSOLVED: Final = ("H50.07", "H50.08", "H50.10", "H50.11", "H50.12")
_WRAPPED: Final = ("<p>{}</p>", "<span style='color:red'>{}</span>", "{}<br/>", "&nbsp;{}&nbsp;")

Record = dict[str, Any]


def build_field_reports(*, seed: int, truth_path: Path) -> dict[str, list[Record]]:
    """What the API holds; writes the truth about what was planted."""
    truth = TruthBook(KINDS)
    reports = _Reports(seed, truth).planted()
    truth.write(truth_path, {DATASET: len(reports)})
    return {"reports": reports}


class _Reports:
    def __init__(self, seed: int, truth: TruthBook) -> None:
        self._rng = np.random.default_rng([seed, 36])
        self._truth = truth
        latest = {one.code for one in commune_list(LAST.date()) if one.ceased_on is None}
        self._communes = [one for one in commune_list(FIRST.date()) if one.ceased_on is None and one.code in latest]
        shares = np.array([DISTRICT_SHARES.get(one.district, 0.1) for one in self._communes])
        self._shares = shares / shares.sum()
        self._districts = {code: f"H50.{at}" for at, code in enumerate(DISTRICT_NAMES, start=21)}
        self._rows = list(self._clean())
        self._free = list(self._rng.permutation(len(self._rows)))

    def _clean(self) -> Iterator[Record]:
        seconds = int((LAST - FIRST).total_seconds())
        moments = np.sort(self._rng.choice(seconds, size=REPORTS, replace=False))
        places = self._rng.choice(len(self._communes), size=REPORTS, p=self._shares)
        for number, (offset, place) in enumerate(zip(moments.tolist(), places.tolist(), strict=True), start=1):
            yield self._report(number, FIRST + timedelta(seconds=offset), self._communes[place])

    def _report(self, number: int, sent: datetime, commune: Commune) -> Record:
        due = sent.date() + timedelta(days=int(self._rng.integers(3, 12)))
        handled = sent + timedelta(hours=float(self._rng.uniform(2, 24 * (due - sent.date()).days - 1)))
        is_open = handled > LAST or (sent > LAST - timedelta(days=60) and self._rng.random() < 0.3)
        by_district = self._rng.random() < 0.75
        handler = self._districts[commune.district] if by_district else _DEPARTMENTS[int(self._rng.integers(0, 3))]
        if handled.date() > due:
            handled = datetime.combine(due, sent.time())
        return {
            "ma_pa": f"PA-{sent:%y%m}-{number:05d}",
            "linh_vuc": FIELDS[int(self._rng.integers(0, len(FIELDS)))],
            "thoi_gian": _iso(sent),
            "ma_xa": commune.code,
            "don_vi_xu_ly": handler,
            "han": f"{due:%Y-%m-%d}",
            "ngay_xu_ly": None if is_open else _iso(max(handled, sent)),
            "danh_gia": int(self._rng.integers(2, 6)) if not is_open and self._rng.random() < 0.5 else None,
            "noi_dung": "Nội dung phản ánh (dữ liệu thử)",
            "nguoi_gui": "Người gửi thử nghiệm",
            "so_dien_thoai": "0900000000",
            "hinh_anh": [],
            "toa_do": {"lat": 16.8, "lon": 107.1},
        }

    def planted(self) -> list[Record]:
        """All kinds, each on rows of its own."""
        self._rejected()
        self._flagged()
        for row in self._take("epoch_ms"):
            sent = _moment(row["thoi_gian"])
            self._note("epoch_ms", row, f"{sent.astimezone(UTC):%Y-%m-%d %H:%M:%S}.000000Z")
            row["thoi_gian"] = int(sent.timestamp() * 1000)
            if row["ngay_xu_ly"]:
                row["ngay_xu_ly"] = int(_moment(row["ngay_xu_ly"]).timestamp() * 1000)
        for at, row in enumerate(self._take("html", where=lambda row: "," not in row["linh_vuc"])):
            self._note(
                "html",
                row,
                {
                    "Môi trường": "moi_truong",
                    "Giao thông": "giao_thong",
                    "Trật tự đô thị": "trat_tu_do_thi",
                    "Khác": "khac",
                }[row["linh_vuc"]],
            )
            text = html.escape(row["linh_vuc"]) if at % 2 else row["linh_vuc"].replace("ô", "&ocirc;")
            row["linh_vuc"] = _WRAPPED[at % len(_WRAPPED)].format(text)
        for row in self._take("xu_ly_qua_han", where=lambda row: row["ngay_xu_ly"] and row["thoi_gian"] < "2025-05"):
            late = datetime.fromisoformat(row["han"]) + timedelta(days=int(self._rng.integers(1, 20)), hours=9)
            row["ngay_xu_ly"] = _iso(late)
            self._note("xu_ly_qua_han", row)
        for row in self._take("gui_lai_cung_ma"):
            self._rows.append(dict(row))
            self._note("gui_lai_cung_ma", row)
        return self._rows

    def _rejected(self) -> None:
        self._change("linh_vuc_unknown", linh_vuc=("Thiên văn", "abc", "Nông nghiệp ngoài danh mục"))
        self._change("thoi_gian_unreadable", thoi_gian=("sáng hôm qua", "thứ hai tuần trước", "32/13/2024"))
        self._change("thoi_gian_qua_som", thoi_gian=("1970-01-01T07:00:13+07:00", "1970-01-01T07:05:00+07:00"))
        for row in self._take("xu_ly_truoc_khi_gui", where=lambda row: row["ngay_xu_ly"]):
            row["ngay_xu_ly"] = _iso(_moment(row["thoi_gian"]) - timedelta(hours=26))
            self._note("xu_ly_truoc_khi_gui", row)
        for at, row in enumerate(self._take("danh_gia_ngoai_thang", where=lambda row: row["ngay_xu_ly"])):
            row["danh_gia"] = (0, 7, 10)[at % 3]
            self._note("danh_gia_ngoai_thang", row)

    def _flagged(self) -> None:
        by_code = {one.code: one for one in self._communes}
        for at, row in enumerate(self._take("xa_ghi_ten")):
            commune = by_code[row["ma_xa"]]
            name = commune.name if at % 3 else commune.name.lower()
            row["ma_xa"] = f"{name}, {DISTRICT_NAMES[commune.district]}"
            self._note("xa_ghi_ten", row)
        lost = ("99999", "00001", "12345")
        for at, row in enumerate(self._take("xa_khong_xac_dinh")):
            row["ma_xa"] = lost[at % len(lost)]
            self._note("xa_khong_xac_dinh", row)
        after = f"{REFORM}"
        for at, row in enumerate(self._take("don_vi_da_giai_the", where=lambda row: row["thoi_gian"] > after)):
            row["don_vi_xu_ly"] = _DISSOLVED[at % len(_DISSOLVED)]
            self._note("don_vi_da_giai_the", row)
        self._change("chua_phan_cong", don_vi_xu_ly=(None,))
        for row in self._take("danh_gia_khi_chua_xong", where=lambda row: not row["ngay_xu_ly"]):
            row["danh_gia"] = 3
            self._note("danh_gia_khi_chua_xong", row)
        for at, row in enumerate(self._take("co_the_gui_lai", self._truth.rows_wanted(DATASET, "co_the_gui_lai") // 2)):
            twin = {**row, "ma_pa": f"{row['ma_pa'][:8]}{90001 + at}"}
            self._rows.append(twin)
            self._note("co_the_gui_lai", row)
            self._note("co_the_gui_lai", twin)

    def _take(self, code: str, count: int | None = None, where: Any = None) -> list[Record]:
        wanted = self._truth.rows_wanted(DATASET, code) if count is None else count
        fitting = [at for at in self._free if where is None or where(self._rows[at])][:wanted]
        self._free = [at for at in self._free if at not in set(fitting)]
        return [self._rows[at] for at in fitting]

    def _change(self, code: str, **changes: tuple[Any, ...]) -> None:
        for at, row in enumerate(self._take(code)):
            for name, values in changes.items():
                row[name] = values[at % len(values)]
            self._note(code, row)

    def _note(self, code: str, row: Record, expected: str | None = None) -> None:
        self._truth.add(DATASET, code, 0, row_key=row["ma_pa"], expected=expected)


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=_ZONE, microsecond=0).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
