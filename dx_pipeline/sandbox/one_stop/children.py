"""Rows that hang on a dossier: steps, supplements, payments, results and what was sent to the portal.

Every row agrees with its dossier's clean values, also where the dossier itself carries a fault.
Children name the dossier by its true code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.sandbox.one_stop.dossiers import NULL, TimeTexts, compact_text
from dx_pipeline.sandbox.one_stop.people import where
from dx_pipeline.sandbox.one_stop.procedures import Catalogue
from dx_pipeline.sandbox.one_stop.schema import TIMESTAMP
from dx_pipeline.sandbox.one_stop.timeline import DAY, ONLINE, Timeline
from dx_pipeline.sandbox.one_stop.truth import at
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s, WorkCalendar

CASH, TRANSFER, ONLINE_PAYMENT = 0, 1, 2
PAID, UNPAID, PENDING, REFUNDED, CANCELLED = 0, 1, 2, 3, 4
_METHODS: Final = pa.array(["tien-mat", "chuyen-khoan", "truc-tuyen"])
_STATES: Final = pa.array(["Đã thanh toán", "Chưa thanh toán", "Chờ thanh toán", "Đã hoàn phí", "Hủy thanh toán"])
_COLLECTED: Final = pa.array(["Thu trước", "Thu sau", "Đối tượng miễn phí"])
_FEES: Final = np.array([2, 5, 8, 10, 15, 20, 30, 50, 75, 100, 150, 300, 650, 1_200], dtype=np.int64) * 1_000
_STEP_TEXTS: Final = pa.array(
    ["Tiếp nhận hồ sơ", "Thẩm định hồ sơ", "Phê duyệt, ký kết quả", "Trả kết quả", "Từ chối tiếp nhận"]
)
_STEP_ROOMS: Final = pa.array(
    [
        "Bộ phận Tiếp nhận và Trả kết quả",
        "Phòng chuyên môn",
        "Lãnh đạo đơn vị",
        "Bộ phận Tiếp nhận và Trả kết quả",
        "Bộ phận Tiếp nhận và Trả kết quả",
    ]
)
_STEP_TITLES: Final = pa.array(
    ["Công chức một cửa", "Chuyên viên", "Lãnh đạo", "Công chức một cửa", "Công chức một cửa"]
)


@dataclass(frozen=True)
class Payments:
    """Payment requests of a chunk, one per paying dossier."""

    dossier: Int64s  # positions in the chunk, ascending
    amount: Int64s  # VND
    is_charge: Bools  # phí rather than lệ phí
    method: Int64s
    state: Int64s
    collected: Int64s
    paid: Int64s  # moment or -1
    refunded: Int64s

    def online_marks(self, size: int, rng: np.random.Generator) -> pa.Array:
        """``DuocThanhToanTrucTuyen`` per dossier: 1/2 only where money came online, else 0 or 3."""
        marks = np.where(rng.random(size) < 0.1, 3, 0)
        came_online = (self.method == ONLINE_PAYMENT) & (self.paid >= 0)
        gateway = np.where(rng.random(self.dossier.size) < 0.7, 1, 2)
        marks[self.dossier[came_online]] = gateway[came_online]
        return pa.array(marks).cast(pa.string())


def draw_payments(life: Timeline, catalogue: Catalogue, now: int, rng: np.random.Generator) -> Payments:
    """About 30 % of the dossiers pay; procedures with a fee only."""
    share = 0.57
    paying = (life.accept >= 0) & catalogue.has_fee[life.procedure] & (rng.random(len(life)) < share)
    rows = np.flatnonzero(paying).astype(np.int64)
    size = rows.size
    free_of_charge = rng.random(size) < 0.012
    copies = 1 + (rng.random(size) ** 4 * 5).astype(np.int64)
    amount = np.where(free_of_charge, 0, _FEES[life.procedure[rows] % _FEES.size] * copies)
    drawn = rng.random(size)
    online = life.channel[rows] == ONLINE
    method = np.where(
        online,
        np.select([drawn < 0.72, drawn < 0.80], [ONLINE_PAYMENT, TRANSFER], default=CASH),
        np.select([drawn < 0.06, drawn < 0.20], [ONLINE_PAYMENT, TRANSFER], default=CASH),
    )
    afterwards = rng.random(size) < 0.15
    base = np.where(afterwards, life.end[rows], life.accept[rows])
    paid = np.where(base >= 0, base + 30 + (rng.random(size) * 1_500).astype(np.int64), -1)
    drawn = rng.random(size)
    state = np.select(
        [drawn < 0.92, drawn < 0.94, drawn < 0.955, drawn < 0.975],
        [PAID, UNPAID, PENDING, REFUNDED],
        default=CANCELLED,
    )
    state = np.where(free_of_charge, PAID, state)
    state = np.where((paid < 0) | (paid > now), UNPAID, state)
    refunded = paid + DAY + (rng.random(size) * 5 * DAY).astype(np.int64)
    state = np.where((state == REFUNDED) & (refunded > now), PAID, state)
    settled = (state == PAID) | (state == REFUNDED)
    return Payments(
        dossier=rows,
        amount=amount,
        is_charge=life.procedure[rows] % 3 == 0,
        method=np.where(free_of_charge, CASH, method).astype(np.int64),
        state=state.astype(np.int64),
        collected=np.where(free_of_charge, 2, np.where(afterwards, 1, 0)).astype(np.int64),
        paid=np.where(settled, paid, -1),
        refunded=np.where(state == REFUNDED, refunded, -1),
    )


def _changed(moments: Int64s, now: int, rng: np.random.Generator) -> pa.Array:
    """NgayCapNhat: within a minute after the moment, never after ``now``."""
    later = np.minimum(moments + rng.integers(0, 60, moments.size), now)
    return pa.array(later * 1_000_000 + rng.integers(0, 1_000_000, moments.size)).view(TIMESTAMP)


def _ids(first: int, size: int) -> pa.Array:
    return pa.array(np.arange(first, first + size, dtype=np.int64))


class ChildRows:
    """Writes the child rows of one chunk; ``texts`` decides between '' and null."""

    def __init__(self, life: Timeline, codes: pa.Array, calendar: WorkCalendar, now: int, officers: pa.Array) -> None:
        self._life = life
        self._codes = codes
        self._calendar = calendar
        self._now = now
        self._officers = officers

    def _texts(self, size: int, rng: np.random.Generator) -> TimeTexts:
        return TimeTexts(self._calendar, rng.random(size) < 0.5)

    def steps(self, first_id: int, rng: np.random.Generator) -> tuple[dict[str, pa.Array], Int64s]:
        """``qua_trinh_xu_ly``: about three finished steps per dossier, in order. Also their dossiers."""
        life, now = self._life, self._now
        size = len(life)
        accepted, ended = life.accept >= 0, life.end >= 0
        checked = life.checked
        has_check = checked >= 0
        turned_away = ~accepted & (life.refused >= 0)
        handed = (life.handed >= 0) & (rng.random(size) < 0.25)
        minus = np.full(size, -1, dtype=np.int64)
        kinds = (
            (accepted, life.submit, life.accept, np.full(size, 2, dtype=np.int64)),
            (has_check, life.accept, checked, np.full(size, 4, dtype=np.int64)),
            (
                ended,
                np.where(has_check, checked, minus),
                life.end,
                np.where(life.status == 10, 9, life.status),
            ),
            (handed, life.end, life.handed, np.full(size, 10, dtype=np.int64)),
            (turned_away, life.submit, life.refused, np.full(size, 3, dtype=np.int64)),
        )
        dossier = np.concatenate([np.flatnonzero(mask) for mask, _, _, _ in kinds]).astype(np.int64)
        order = np.argsort(dossier, kind="stable")

        def gathered(which: int) -> Int64s:
            return np.concatenate([kind[which][kind[0]] for kind in kinds])[order].astype(np.int64)

        step = np.concatenate([np.full(int(kind[0].sum()), at_) for at_, kind in enumerate(kinds)])[order]
        dossier = dossier[order]
        started, done, status = gathered(1), gathered(2), gathered(3)
        count = dossier.size
        officer = self._officers.take(pa.array((life.agency[dossier] * 7 + step) % len(self._officers)))
        steps = pa.array(step)
        return {
            "Id": _ids(first_id, count),
            "MaHoSo": at(self._codes, dossier),
            "NguoiXuLy": officer,
            "ChucDanh": _STEP_TITLES.take(steps),
            "PhongBanXuLy": _STEP_ROOMS.take(steps),
            "NoiDungXuLy": _STEP_TEXTS.take(steps),
            "TrangThai": pa.array(status).cast(pa.string()),
            "NgayBatDau": compact_text(started, self._calendar),
            "NgayKetThucTheoQuyDinh": self._texts(count, rng).compact(life.due[dossier]),
            "ThoiDiemXuLy": pa.array(done * 1_000_000).view(TIMESTAMP),
            "NgayCapNhat": _changed(done, now, rng),
        }, dossier

    def supplements(self, first_id: int, rng: np.random.Generator) -> tuple[dict[str, pa.Array], Int64s]:
        """``ho_so_bo_sung``: one per request; the due date moves when the papers are back."""
        life = self._life
        rows = np.flatnonzero(life.request >= 0).astype(np.int64)
        texts = self._texts(rows.size, rng)
        back = life.back[rows]
        return {
            "Id": _ids(first_id, rows.size),
            "MaHoSo": at(self._codes, rows),
            "NgayBoSung": compact_text(life.request[rows], self._calendar),
            "NgayTiepNhanBoSung": texts.compact(back),
            "TrangThaiBoSung": pa.array(back >= 0),
            "NgayHenTraTruoc": texts.compact(life.due_before[rows]),
            "NgayHenTraMoi": texts.compact(np.where(back >= 0, life.due[rows], -1)),
            "NgayCapNhat": _changed(np.maximum(life.request[rows], back), self._now, rng),
        }, rows

    def payments(self, first_id: int, pay: Payments, rng: np.random.Generator) -> dict[str, pa.Array]:
        """``yeu_cau_thanh_toan``: SoTien = Phi + LePhi in VND."""
        life, rows = self._life, pay.dossier
        size = rows.size
        texts = self._texts(size, rng)
        ids = _ids(first_id, size)
        asked = life.accept[rows]
        last = np.maximum.reduce([asked, pay.paid, pay.refunded]) if size else asked
        charge = np.where(pay.is_charge, pay.amount, 0)
        online = (pay.method == ONLINE_PAYMENT) & (pay.paid >= 0)
        reference = pc.binary_join_element_wise("GD", pa.array(ids.to_numpy() * 7 + 10**9).cast(pa.string()), "")
        return {
            "Id": ids,
            "Ma": pc.binary_join_element_wise("TT", ids.cast(pa.string()), "-"),
            "MaHoSo": at(self._codes, rows),
            "SoTien": pa.array(pay.amount).cast(pa.string()),
            "Phi": pa.array(charge.astype(np.int32)),
            "LePhi": pa.array((pay.amount - charge).astype(np.int32)),
            "TrangThai": at(_STATES, pay.state),
            "HinhThucThanhToan": at(_METHODS, pay.method),
            "HinhThucThu": at(_COLLECTED, pay.collected),
            "NgayThuPhi": texts.compact(pay.paid),
            "NgayHoanPhi": texts.compact(pay.refunded),
            "MaGiaoDich": where(online, reference, NULL),
            "NgayCapNhat": _changed(last, self._now, rng),
        }

    def results(self, first_id: int, catalogue: Catalogue, rng: np.random.Generator) -> dict[str, pa.Array]:
        """``giay_to_ket_qua``: three quarters of the dossiers that were done (9 or 10)."""
        life = self._life
        done = (life.status >= 9) & (life.end >= 0) & (rng.random(len(life)) < 0.75)
        rows = np.flatnonzero(done).astype(np.int64)
        procedure = pa.array(life.procedure[rows])
        ids = _ids(first_id, rows.size)
        return {
            "Id": ids,
            "MaHoSo": at(self._codes, rows),
            "TenGiayTo": pc.binary_join_element_wise("Kết quả", catalogue.names.take(procedure), ": "),
            "MaGiayToKetQua": pc.binary_join_element_wise("KQ", catalogue.codes.take(procedure), "."),
            "DuongDanTepTinKetQua": pc.binary_join_element_wise("/ket-qua/", ids.cast(pa.string()), ".pdf", ""),
            "NgayCapNhat": _changed(life.end[rows], self._now, rng),
        }

    def portal_copies(
        self, first_id: int, sendable: Bools, rng: np.random.Generator
    ) -> tuple[dict[str, pa.Array], Int64s]:
        """``dong_bo_dvcqg``: 80 % were sent; the status sent is the province's, at times one step behind.

        A dossier that is not ``sendable`` (its status is outside the national list) is never sent.
        """
        life = self._life
        rows = np.flatnonzero(sendable & (rng.random(len(life)) < 0.8)).astype(np.int64)
        behind = (life.status[rows] == 10) & (rng.random(rows.size) < 0.05)
        changed = life.updated_us[rows] // 1_000_000
        sent = np.minimum(changed + rng.integers(1, 900, rows.size), self._now)
        return {
            "Id": _ids(first_id, rows.size),
            "MaHoSo": at(self._codes, rows),
            "TrangThaiGui": pa.array(np.where(behind, 9, life.status[rows])).cast(pa.string()),
            "ThoiGianGui": pa.array(sent * 1_000_000).view(TIMESTAMP),
            "NgayCapNhat": _changed(sent, self._now, rng),
        }, rows
