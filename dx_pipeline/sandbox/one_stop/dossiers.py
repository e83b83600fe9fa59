"""Rows of ``ho_so``: codes, times as text, applicants and catalogue names, all of them clean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.sandbox.one_stop.agencies import Agencies
from dx_pipeline.sandbox.one_stop.people import People, padded, where
from dx_pipeline.sandbox.one_stop.procedures import Catalogue
from dx_pipeline.sandbox.one_stop.quotas import Quotas
from dx_pipeline.sandbox.one_stop.schema import TIMESTAMP, columns_of
from dx_pipeline.sandbox.one_stop.timeline import CLOSES, DAY, DIRECT, NO_CHANNEL, ONLINE, Timeline
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s, WorkCalendar

NULL: Final = pa.scalar(None, pa.string())
#: ho_so columns that hold a moment as text, with the name of the moment in Timeline.
TIME_COLUMNS: Final = {
    "NgayTiepNhan": "accept",
    "NgayHenTra": "due",
    "NgayYeuCauBoSung": "request",
    "NgayCongDanBoSung": "back",
    "NgayKetThucXuLy": "end",
    "NgayTra": "handed",
    "NgayTuChoi": "refused",
}
_REASONS: Final = pa.array(
    [
        "Hồ sơ không thuộc thẩm quyền giải quyết",
        "Thành phần hồ sơ không đầy đủ theo quy định",
        "Thông tin kê khai không đúng với giấy tờ gốc",
    ]
)


class TimeTexts:
    """Writes moments as the source does: yyyyMMddHHmmss, nothing as '' or null."""

    def __init__(self, calendar: WorkCalendar, blank: Bools) -> None:
        self._calendar = calendar
        self._blank = where(blank, pa.scalar(""), NULL)

    def compact(self, moments: Int64s) -> pa.Array:
        """Text of every moment; -1 becomes '' where the row writes blanks, else null."""
        known = moments >= 0
        text = compact_text(np.where(known, moments, self._calendar.first * DAY), self._calendar)
        return where(known, text, self._blank)


def compact_text(moments: Int64s, calendar: WorkCalendar) -> pa.Array:
    """``yyyyMMddHHmmss`` of every moment (all must be known)."""
    day, second = moments // DAY, moments % DAY
    clock = second // 3_600 * 10_000 + second // 60 % 60 * 100 + second % 60
    return pa.array(calendar.yyyymmdd(day) * 1_000_000 + clock).cast(pa.string())


def slashed_text(moments: Int64s, calendar: WorkCalendar) -> pa.Array:
    """``dd/mm/yyyy HH:MM:SS`` of every moment; -1 becomes ''."""
    known = moments >= 0
    safe = np.where(known, moments, calendar.first * DAY)
    ymd, second = calendar.yyyymmdd(safe // DAY), safe % DAY
    dates = pc.binary_join_element_wise(
        padded(ymd % 100, 2), padded(ymd // 100 % 100, 2), pa.array(ymd // 10_000).cast(pa.string()), "/"
    )
    clock = pc.binary_join_element_wise(
        padded(second // 3_600, 2), padded(second // 60 % 60, 2), padded(second % 60, 2), ":"
    )
    return where(known, pc.binary_join_element_wise(dates, clock, " "), pa.scalar(""))


def timestamps(moments: Int64s) -> pa.Array:
    """Naive timestamps of moments in seconds; -1 becomes null."""
    return pa.array(moments * 1_000_000, mask=moments < 0).view(TIMESTAMP)


@dataclass(frozen=True)
class Codes:
    """Dossier codes of a chunk."""

    code: pa.Array
    other: pa.Array  # code on the other system, mostly null
    from_portal: Bools  # handed in on the national portal
    new_generation: Bools
    recoded: Int64s  # positions whose main code is the portal's
    long_counter: Int64s  # positions with a counter above 9999


def _daily_counter(keys: Int64s) -> Int64s:
    """1, 2, 3 ... within equal keys, in the order of the rows."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, keys.size])
    counter = np.empty(keys.size, dtype=np.int64)
    counter[order] = np.arange(keys.size) - np.repeat(starts, lengths) + 1
    return counter


def _counter_text(counter: Int64s) -> pa.Array:
    highest = int(counter.max(initial=0))
    table = pa.array([f"{value:04d}" for value in range(highest + 1)], pa.string())
    return table.take(pa.array(counter))


def assign_codes(
    life: Timeline, agencies: Agencies, calendar: WorkCalendar, quotas: Quotas, rng: np.random.Generator
) -> Codes:
    """``agency-yymmdd-nnnn``; old agency ids before the agency's switch day, new ones from then on."""
    day = life.submit // DAY
    new = day >= agencies.switch_day[life.agency]
    prefix = agencies.ids.take(pa.array(life.agency + new * len(agencies.rows)))
    yymmdd = pa.array(calendar.yyyymmdd(day) % 1_000_000).cast(pa.string())
    portal = (life.channel == ONLINE) & (rng.random(len(life)) < 0.45)

    untouched = np.ones(len(life), dtype=np.bool_)
    untouched[life.month_end] = False
    untouched[life.month_start] = False
    recoded = quotas.choose("portal_code", portal & untouched, rng)
    untouched[recoded] = False
    counter = _daily_counter(day * 1_000 + life.agency)
    long_counter = quotas.choose("counter_over_9999", untouched, rng)
    counter[long_counter] += 10_000 + 10_000 * (int(counter.max(initial=0)) // 10_000)

    own = pc.binary_join_element_wise(prefix, yymmdd, _counter_text(counter), "-")
    portal_counter = _counter_text(_daily_counter(np.where(portal, day, -1)) * portal)
    national = pc.binary_join_element_wise("G22.99", yymmdd, portal_counter, "-")
    is_recoded = np.zeros(len(life), dtype=np.bool_)
    is_recoded[recoded] = True
    return Codes(
        code=where(is_recoded, national, own),
        other=where(is_recoded, own, where(portal, national, NULL)),
        from_portal=portal,
        new_generation=new,
        recoded=recoded,
        long_counter=long_counter,
    )


def dossier_columns(
    life: Timeline,
    codes: Codes,
    people: People,
    paid_online: pa.Array,
    texts: TimeTexts,
    agencies: Agencies,
    catalogue: Catalogue,
    calendar: WorkCalendar,
    rng: np.random.Generator,
) -> dict[str, pa.Array]:
    """Columns of ``ho_so`` by name, in the order of the table."""
    size = len(life)
    procedure = pa.array(life.procedure)
    field = pa.array(catalogue.fields[life.procedure])
    online = life.channel == ONLINE
    changed = pa.array(life.updated_us).view(TIMESTAMP)
    reason = _REASONS.take(pa.array(rng.integers(0, len(_REASONS), size)))
    deleted = rng.random(size) < 0.002
    accept_by = calendar.day_at(calendar.index_from(life.submit // DAY + 1)) * DAY + CLOSES
    allowed = 5 + (rng.random(size) * 25).astype(np.int64)
    columns = {
        "Id": pa.array(np.arange(life.first_id, life.first_id + size, dtype=np.int64)),
        "MaHoSo": codes.code,
        "MaHoSoKhac": codes.other,
        "MaTTHC": catalogue.codes.take(procedure),
        "TenTTHC": catalogue.names.take(procedure),
        "MaLinhVuc": catalogue.field_codes.take(field),
        "TenLinhVuc": catalogue.field_names.take(field),
        "KenhThucHien": where(
            life.channel == NO_CHANNEL, NULL, pa.array(np.maximum(life.channel, DIRECT)).cast(pa.string())
        ),
        "MucDo": pa.array(life.level).cast(pa.string()),
        "LoaiDoiTuong": pa.array(people.kind).cast(pa.string()),
        "ChuHoSo": people.name,
        "SoGiayToChuHoSo": people.citizen_number,
        "LoaiGiayToChuHoSo": people.paper_kind,
        "NgaySinhChuHoSo": people.birth,
        "SoDienThoaiChuHoSo": people.phone,
        "EmailChuHoSo": people.email,
        "DiaChiChuHoSo": people.address,
        "XaPhuong": people.commune,
        "MaDinhDanh": agencies.ids.take(pa.array(life.agency + codes.new_generation * len(agencies.rows))),
        "DonViXuLy": agencies.names.take(pa.array(life.agency)),
        "NgayNopHoSo": timestamps(life.submit),
        "HanTiepNhan": timestamps(accept_by),
        **{column: texts.compact(getattr(life, moment)) for column, moment in TIME_COLUMNS.items()},
        "ThoiHanBoSung": pa.array(allowed.astype(np.int32), mask=life.request < 0),
        "LyDoTuChoi": where(life.refused >= 0, reason, NULL),
        "TrangThaiHoSo": pa.array(life.status).cast(pa.string()),
        "HinhThucTra": where(rng.random(size) < 0.2, pa.scalar("1"), pa.scalar("0")),
        "NoiNopHoSo": where(codes.from_portal, pa.scalar("1"), pa.scalar("2")),
        "HoSoCoThanhPhanSoHoa": pa.array((rng.random(size) < 0.6).astype(np.int16)),
        "TaiKhoanDuocXacThucVoiVNeID": pa.array((online & (rng.random(size) < 0.8)).astype(np.int16)),
        "DuocThanhToanTrucTuyen": paid_online,
        "DeletedOn": where(deleted, changed, pa.scalar(None, TIMESTAMP)),
        "DeletedBy": where(deleted, pa.scalar("quantri"), NULL),
        "NgayCapNhat": changed,
    }
    return {name: columns[name] for name in columns_of("ho_so")}
