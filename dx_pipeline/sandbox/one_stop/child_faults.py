"""Plants the faults of the child tables, only on children of dossiers that carry no fault themselves."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.sandbox.one_stop.children import CASH, PAID, Payments
from dx_pipeline.sandbox.one_stop.dossier_faults import DossierChunk
from dx_pipeline.sandbox.one_stop.dossiers import compact_text
from dx_pipeline.sandbox.one_stop.quotas import Quotas
from dx_pipeline.sandbox.one_stop.timeline import DAY
from dx_pipeline.sandbox.one_stop.truth import TruthWriter, at
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s, WorkCalendar

Rows = dict[str, pa.Array]

_BAD_AMOUNTS: Final = ("mười lăm nghìn", "15k", "#REF!", "10000-15000", "1O000")
_BAD_STATES: Final = ("Đang đối soát", "Lỗi giao dịch", "9")


class ChildPlanter:
    """Plants the child faults of one chunk after the other."""

    def __init__(self, calendar: WorkCalendar, quotas: Quotas, truth: TruthWriter) -> None:
        self._calendar = calendar
        self._quotas = quotas
        self._truth = truth

    def _tell(self, code: str, rows: Rows, chosen: Int64s, note: str | None = None) -> None:
        ids = at(rows["Id"], chosen).to_numpy()
        self._truth.add(code, ids, at(rows["MaHoSo"], chosen), note=note)

    @staticmethod
    def _replace(rows: Rows, column: str, chosen: Int64s, values: pa.Array) -> None:
        mask = np.zeros(len(rows[column]), dtype=np.bool_)
        mask[chosen] = True
        rows[column] = pc.replace_with_mask(rows[column], pa.array(mask), values)

    def plant_payments(self, rows: Rows, pay: Payments, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """Broken amounts and states; and cash payments whose dossier is marked as paid online."""
        free = chunk.free[pay.dossier]

        def take(code: str, eligible: Bools) -> Int64s:
            chosen = self._quotas.choose(code, free & eligible, rng)
            free[chosen] = False
            return chosen

        cash = take("online_flag_but_paid_cash", (pay.method == CASH) & (pay.state == PAID) & (pay.amount > 0))
        marked = pay.dossier[cash]
        chunk.replace("DuocThanhToanTrucTuyen", marked, pa.repeat(pa.scalar("1"), marked.size))
        self._tell("online_flag_but_paid_cash", rows, cash, "ho_so.DuocThanhToanTrucTuyen = 1")

        broken = take("so_tien_unreadable", pay.amount > 0)
        values = [_BAD_AMOUNTS[order % len(_BAD_AMOUNTS)] for order in range(broken.size)]
        self._replace(rows, "SoTien", broken, pa.array(values, pa.string()))
        self._tell("so_tien_unreadable", rows, broken)

        negative = take("so_tien_negative", pay.amount > 0)
        self._replace(rows, "SoTien", negative, pa.array(-pay.amount[negative]).cast(pa.string()))
        self._tell("so_tien_negative", rows, negative)

        unknown = take("trang_thai_thanh_toan_unknown", pay.amount > 0)
        values = [_BAD_STATES[order % len(_BAD_STATES)] for order in range(unknown.size)]
        self._replace(rows, "TrangThai", unknown, pa.array(values, pa.string()))
        self._tell("trang_thai_thanh_toan_unknown", rows, unknown)

    def plant_supplements(self, rows: Rows, dossier: Int64s, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """Papers received before they were asked for."""
        request = chunk.life.request[dossier]
        eligible = chunk.free[dossier] & (chunk.life.back[dossier] >= 0)
        chosen = self._quotas.choose("nhan_truoc_yeu_cau", eligible, rng)
        early = request[chosen] - 3_600 - rng.integers(0, 3 * DAY, chosen.size)
        self._replace(rows, "NgayTiepNhanBoSung", chosen, compact_text(early, self._calendar))
        self._tell("nhan_truoc_yeu_cau", rows, chosen)

    def plant_portal_copies(self, rows: Rows, dossier: Int64s, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """The province says 5, 6 or 8; the national portal was told 9."""
        eligible = chunk.free[dossier] & np.isin(chunk.life.status[dossier], (5, 6, 8))
        chosen = self._quotas.choose("trang_thai_gui_rewritten", eligible, rng)
        self._replace(rows, "TrangThaiGui", chosen, pa.repeat(pa.scalar("9"), chosen.size))
        self._tell("trang_thai_gui_rewritten", rows, chosen)

    def plant_steps(self, rows: Rows, dossier: Int64s, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """Steps that say nothing about when they were done."""
        chosen = self._quotas.choose("thoi_diem_missing", chunk.free[dossier], rng)
        self._replace(rows, "ThoiDiemXuLy", chosen, pa.nulls(chosen.size, rows["ThoiDiemXuLy"].type))
        self._tell("thoi_diem_missing", rows, chosen)
