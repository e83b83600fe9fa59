"""Plants the faults of ``ho_so`` into a chunk of clean rows, each on a dossier of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.sandbox.one_stop.dossiers import (
    NULL,
    TIME_COLUMNS,
    Codes,
    compact_text,
    slashed_text,
)
from dx_pipeline.sandbox.one_stop.legacy_text import accented_letters, survives_tcvn3, to_tcvn3, to_vni
from dx_pipeline.sandbox.one_stop.people import OLD_MOBILE, People, padded
from dx_pipeline.sandbox.one_stop.quotas import Quotas
from dx_pipeline.sandbox.one_stop.schema import TIMESTAMP
from dx_pipeline.sandbox.one_stop.timeline import DAY, DIRECT, Timeline
from dx_pipeline.sandbox.one_stop.truth import TruthWriter, at, month_texts
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s, WorkCalendar

_BAD_CODES: Final = ("{}-231027", "{}_240823_0001", "HS 12345/2024", "{}-241323-0001", "{}-240230-0001")
_BAD_PROCEDURES: Final = ("1.00119", "A.001193", "1001193", "TTHC-07", "4.001193")
_BAD_DAYS: Final = ("20240231093000", "00/00/2024", "15/03/20024", "20241399000000", "31/11/2023 08:00:00")
_BAD_KINDS: Final = ("9", "0", "KXĐ")
_BAD_AGENCIES: Final = ("000.00.H50", "H50..12", "STP", "H50/12", "Phòng một cửa")
_BAD_PHONES: Final = ("0912345", "12345", "091234567890123", "09123x5678")
_BAD_BIRTHS: Final = ("31/02/1985", "không rõ", "15/13/1990", "12/05/19855")
_KIND_WORDS: Final = pa.array(["", "Công dân", "Doanh nghiệp", "Cơ quan nhà nước", "Tổ chức"])
_LEVEL_WORDS: Final = pa.array(["", "", "Mức độ 2", "Mức độ 3", "Mức độ 4"])
_SUFFIX: Final = ".000.00.00.H50"
_OPEN: Final = (2, 4, 6)


@dataclass
class DossierChunk:
    """Rows of one chunk while faults are planted: columns to write, copies to add, rows still free."""

    life: Timeline
    codes: Codes
    people: People
    columns: dict[str, pa.Array]
    free: Bools
    copies: list[dict[str, pa.Array]] = field(default_factory=list)

    def replace(self, column: str, positions: Int64s, values: pa.Array) -> None:
        """Put ``values`` into a column at ascending positions."""
        mask = np.zeros(len(self.life), dtype=np.bool_)
        mask[positions] = True
        self.columns[column] = pc.replace_with_mask(self.columns[column], pa.array(mask), values)

    def copy_of(self, positions: Int64s) -> dict[str, pa.Array]:
        """The rows at the positions, as further rows (their "Id" is set when they are written)."""
        return {name: at(values, positions) for name, values in self.columns.items()}


@dataclass(frozen=True)
class _Catalogue:
    """Distinct texts of one column in their odd spellings, and where each spelling is possible."""

    clean: pa.Array
    tcvn3: pa.Array
    vni: pa.Array
    nfd: pa.Array
    spaced: pa.Array
    eth: pa.Array
    legacy_possible: Bools
    nfd_possible: Bools
    eth_possible: Bools


@lru_cache(maxsize=4)
def _spellings(texts: tuple[str, ...]) -> _Catalogue:
    def changed(change: Callable[[str], str]) -> pa.Array:
        return pa.array([change(text) for text in texts], pa.string())

    nfd = [unicodedata.normalize("NFD", text) for text in texts]
    spaced = [text.replace(" ", "\u00a0" if order % 2 else "  ", 1) for order, text in enumerate(texts)]
    return _Catalogue(
        clean=pa.array(texts, pa.string()),
        tcvn3=changed(to_tcvn3),
        vni=changed(to_vni),
        nfd=pa.array(nfd, pa.string()),
        spaced=pa.array(spaced, pa.string()),
        eth=changed(lambda text: text.replace("Đ", "Ð")),
        legacy_possible=np.array([survives_tcvn3(text) and accented_letters(text) >= 5 for text in texts]),
        nfd_possible=np.array([one != other for one, other in zip(texts, nfd, strict=True)]),
        eth_possible=np.array(["Đ" in text for text in texts]),
    )


class DossierPlanter:
    """Plants every kind of ``ho_so`` fault into one chunk after the other."""

    def __init__(
        self,
        procedure_names: pa.Array,
        agency_names: pa.Array,
        calendar: WorkCalendar,
        quotas: Quotas,
        truth: TruthWriter,
    ) -> None:
        self._procedures = _spellings(tuple(procedure_names.to_pylist()))
        self._agencies = _spellings(tuple(agency_names.to_pylist()))
        self._calendar = calendar
        self._quotas = quotas
        self._truth = truth

    def plant(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """Mark the tricky rows, then plant criticals, copies, warnings and repairs on free rows."""
        self._mark_tricky(chunk, rng)
        self._plant_future(chunk, rng)
        self._plant_conflicts(chunk, rng)
        self._plant_critical_texts(chunk, rng)
        self._plant_early_ends(chunk, rng)
        self._plant_copies(chunk, rng)
        self._plant_warnings(chunk, rng)
        self._plant_legacy_text(chunk, rng)
        self._plant_repairs(chunk, rng)

    # -- choosing ------------------------------------------------------------------------------

    def _take(self, chunk: DossierChunk, code: str, rng: np.random.Generator, eligible: Bools | None = None) -> Int64s:
        allowed = chunk.free if eligible is None else chunk.free & eligible
        chosen = self._quotas.choose(code, allowed, rng)
        chunk.free[chosen] = False
        return chosen

    def _tell(
        self,
        chunk: DossierChunk,
        code: str,
        positions: Int64s,
        *,
        column: str | None = None,
        expected: pa.Array | None = None,
        month: pa.Array | None = None,
        note: str | None = None,
    ) -> None:
        self._truth.add(
            code,
            positions + chunk.life.first_id,
            at(chunk.codes.code, positions),
            column=column,
            expected=expected,
            month=month,
            note=note,
        )

    def _plant_variants(
        self,
        chunk: DossierChunk,
        code: str,
        column: str,
        variants: tuple[str | None, ...],
        rng: np.random.Generator,
        eligible: Bools | None = None,
    ) -> None:
        """Replace a column by one of a few texts, in turn."""
        rows = self._take(chunk, code, rng, eligible)
        values = pa.array([variants[order % len(variants)] for order in range(rows.size)], pa.string())
        chunk.replace(column, rows, values)
        self._tell(chunk, code, rows)

    # -- clean but tricky ----------------------------------------------------------------------

    def _mark_tricky(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        life, codes = chunk.life, chunk.codes
        special = (
            ("month_end_second", life.month_end),
            ("month_first_second", life.month_start),
            ("portal_code", codes.recoded),
            ("counter_over_9999", codes.long_counter),
        )
        for code, rows in special:
            chunk.free[rows] = False
            self._tell(chunk, code, rows, month=self._month(chunk, rows))
        rows = self._take(chunk, "channel_missing", rng, life.channel == DIRECT)
        chunk.replace("KenhThucHien", rows, pa.nulls(rows.size, pa.string()))
        self._tell(chunk, "channel_missing", rows, month=self._month(chunk, rows))

    def _month(self, chunk: DossierChunk, rows: Int64s) -> pa.Array:
        """Month of acceptance, null for a dossier not accepted yet."""
        accept = chunk.life.accept[rows]
        days = np.maximum(accept // DAY, self._calendar.first)
        months = month_texts(days, self._calendar.yyyymmdd(days))
        return pc.if_else(pa.array(accept >= 0), months, NULL)

    # -- critical ------------------------------------------------------------------------------

    def _plant_future(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """The year typed as 2042, on open dossiers, so that no other date contradicts it."""
        life = chunk.life
        eligible = np.isin(life.status, _OPEN) & (life.request < 0) & (life.accept >= 0)
        rows = self._take(chunk, "ngay_tiep_nhan_in_future", rng, eligible)
        accept = at(chunk.columns["NgayTiepNhan"], rows)
        month_and_time = pc.utf8_slice_codeunits(accept, 4)
        # 2042 is no leap year.
        month_and_time = pc.replace_substring_regex(month_and_time, pattern="^0229", replacement="0228")
        chunk.replace("NgayTiepNhan", rows, pc.binary_join_element_wise("2042", month_and_time, ""))
        chunk.replace("NgayHenTra", rows, pa.repeat(pa.scalar(""), rows.size))
        self._tell(chunk, "ngay_tiep_nhan_in_future", rows)

    def _plant_conflicts(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """A second row with the same code and time of change, other content: both are suspect."""
        rows = self._take(chunk, "ma_ho_so_conflict", rng)
        twin = chunk.copy_of(rows)
        twin["HoSoCoThanhPhanSoHoa"] = pc.subtract(pa.scalar(1, pa.int16()), twin["HoSoCoThanhPhanSoHoa"])
        flipped = pc.if_else(pc.equal(twin["HinhThucTra"], "1"), "0", "1")
        twin["HinhThucTra"] = flipped
        chunk.copies.append({**twin, "_code": pa.repeat("ma_ho_so_conflict", rows.size)})
        self._tell(chunk, "ma_ho_so_conflict", rows)

    def _plant_critical_texts(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        rows = self._take(chunk, "ma_ho_so_unreadable", rng)
        agency = at(chunk.columns["MaDinhDanh"], rows).to_pylist()
        bad = [_BAD_CODES[order % len(_BAD_CODES)].format(one) for order, one in enumerate(agency)]
        chunk.replace("MaHoSo", rows, pa.array(bad, pa.string()))
        self._tell(chunk, "ma_ho_so_unreadable", rows, note="ma_ho_so here is the true code, used by the children")
        accepted = chunk.life.accept >= 0
        self._plant_variants(chunk, "ma_ho_so_missing", "MaHoSo", (None, ""), rng)
        self._plant_variants(chunk, "ma_tthc_unreadable", "MaTTHC", _BAD_PROCEDURES, rng)
        self._plant_variants(chunk, "ngay_tiep_nhan_unreadable", "NgayTiepNhan", _BAD_DAYS, rng, accepted)
        self._plant_variants(chunk, "trang_thai_unknown", "TrangThaiHoSo", ("11",), rng)
        self._plant_variants(chunk, "kenh_unknown", "KenhThucHien", ("7",), rng)
        self._plant_variants(chunk, "loai_doi_tuong_unknown", "LoaiDoiTuong", _BAD_KINDS, rng)
        self._plant_variants(chunk, "ma_dinh_danh_unreadable", "MaDinhDanh", _BAD_AGENCIES, rng)

    def _plant_early_ends(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        life = chunk.life
        rows = self._take(
            chunk, "ket_thuc_truoc_tiep_nhan", rng, (life.end >= 0) & (life.accept >= 0) & (life.status >= 9)
        )
        early = life.accept[rows] - 3_600 - rng.integers(0, 3 * DAY, rows.size)
        chunk.replace("NgayKetThucXuLy", rows, compact_text(early, self._calendar))
        self._tell(chunk, "ket_thuc_truoc_tiep_nhan", rows)

    # -- copies --------------------------------------------------------------------------------

    def _plant_copies(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        rows = self._take(chunk, "exact_copy", rng)
        chunk.copies.append({**chunk.copy_of(rows), "_code": pa.repeat("exact_copy", rows.size)})

        life = chunk.life
        done = (life.status >= 9) & (life.accept >= 0) & (life.end > life.accept + 60)
        rows = self._take(chunk, "older_version", rng, done)
        older = chunk.copy_of(rows)
        for column in ("NgayYeuCauBoSung", "NgayCongDanBoSung", "NgayKetThucXuLy", "NgayTra", "NgayTuChoi"):
            older[column] = pa.nulls(rows.size, pa.string())
        due = np.maximum(life.due_before[rows], self._calendar.first * DAY)
        older["NgayHenTra"] = pc.if_else(pa.array(life.due_before[rows] >= 0), compact_text(due, self._calendar), NULL)
        older["ThoiHanBoSung"] = pa.nulls(rows.size, pa.int32())
        older["TrangThaiHoSo"] = pa.repeat(pa.scalar("4"), rows.size)
        older["DeletedOn"] = pa.nulls(rows.size, TIMESTAMP)
        older["DeletedBy"] = pa.nulls(rows.size, pa.string())
        older["NgayCapNhat"] = pa.array((life.accept[rows] + 30) * 1_000_000).view(TIMESTAMP)
        chunk.copies.append({**older, "_code": pa.repeat("older_version", rows.size)})

    # -- warnings ------------------------------------------------------------------------------

    def _plant_warnings(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        new_card = pc.equal(chunk.columns["LoaiGiayToChuHoSo"], "1").to_numpy(zero_copy_only=False)
        self._plant_variants(chunk, "so_giay_to_placeholder", "SoGiayToChuHoSo", ("000000001",), rng)
        rows = self._take(chunk, "so_giay_to_unreadable", rng, new_card)
        number = at(chunk.columns["SoGiayToChuHoSo"], rows)
        longer = pc.binary_join_element_wise(number, "7", "")
        odd = pc.if_else(pa.array(np.arange(rows.size) % 3 == 0), longer, pc.utf8_slice_codeunits(number, 0, 11))
        chunk.replace("SoGiayToChuHoSo", rows, odd)
        self._tell(chunk, "so_giay_to_unreadable", rows)
        self._plant_variants(
            chunk,
            "so_dien_thoai_unreadable",
            "SoDienThoaiChuHoSo",
            _BAD_PHONES,
            rng,
            chunk.people.phone_number >= 0,
        )
        self._plant_variants(chunk, "ngay_sinh_unreadable", "NgaySinhChuHoSo", _BAD_BIRTHS, rng)
        rows = self._take(chunk, "ten_chu_ho_so_truncated", rng)
        start = pc.utf8_slice_codeunits(at(chunk.columns["ChuHoSo"], rows), 0, 9)
        chunk.replace("ChuHoSo", rows, pc.binary_join_element_wise(pc.utf8_rtrim_whitespace(start), "...", ""))
        self._tell(chunk, "ten_chu_ho_so_truncated", rows)

    def _plant_legacy_text(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """TCVN3 and VNI, half each, in the procedure's or the agency's name."""
        life = chunk.life
        procedure_ok = self._procedures.legacy_possible[life.procedure]
        agency_ok = self._agencies.legacy_possible[life.agency]
        rows = self._take(chunk, "ten_legacy_encoding", rng, procedure_ok | agency_ok)
        in_agency = agency_ok[rows] & (~procedure_ok[rows] | (np.arange(rows.size) % 4 == 3))
        in_vni = rng.random(rows.size) < 0.5
        in_vni[: min(2, rows.size)] = [True, False][: min(2, rows.size)]
        for column, texts, which, here in (
            ("TenTTHC", self._procedures, life.procedure, ~in_agency),
            ("DonViXuLy", self._agencies, life.agency, in_agency),
        ):
            for name, mask, seen in (("tcvn3", ~in_vni, texts.tcvn3), ("vni", in_vni, texts.vni)):
                chosen = rows[here & mask]
                chunk.replace(column, chosen, at(seen, which[chosen]))
                self._tell(
                    chunk,
                    "ten_legacy_encoding",
                    chosen,
                    column=column,
                    expected=at(texts.clean, which[chosen]),
                    note=f"legacy_{name}",
                )

    # -- repairs -------------------------------------------------------------------------------

    def _plant_repairs(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        life, columns = chunk.life, chunk.columns
        names, agencies = self._procedures, self._agencies
        rows = self._take(chunk, "eth_for_d", rng, names.eth_possible[life.procedure])
        self._swap(chunk, "eth_for_d", "TenTTHC", rows, names.eth, names.clean, life.procedure, "eth_to_d")
        rows = self._take(chunk, "nfd_text", rng, names.nfd_possible[life.procedure])
        self._swap(chunk, "nfd_text", "TenTTHC", rows, names.nfd, names.clean, life.procedure, "nfc")
        rows = self._take(chunk, "extra_spaces", rng)
        self._swap(
            chunk,
            "extra_spaces",
            "DonViXuLy",
            rows,
            agencies.spaced,
            agencies.clean,
            life.agency,
            "whitespace",
        )

        old_prefixes = np.zeros(100, dtype=np.int64)
        old_prefixes[list(OLD_MOBILE)] = list(OLD_MOBILE.values())
        phone = chunk.people.phone_number
        was_old = (phone >= 0) & (old_prefixes[np.maximum(phone, 0) // 10_000_000] > 0)
        rows = self._take(chunk, "phone_11_digits", rng, was_old)
        old = old_prefixes[phone[rows] // 10_000_000] * 10_000_000 + phone[rows] % 10_000_000
        expected = at(columns["SoDienThoaiChuHoSo"], rows)
        chunk.replace("SoDienThoaiChuHoSo", rows, padded(old, 11))
        self._tell(chunk, "phone_11_digits", rows, expected=expected, note="phone_2018")

        rows = self._take(chunk, "procedure_suffix", rng)
        expected = at(columns["MaTTHC"], rows)
        chunk.replace("MaTTHC", rows, pc.binary_join_element_wise(expected, _SUFFIX, ""))
        self._tell(chunk, "procedure_suffix", rows, expected=expected, note="suffix_stripped")
        for code, column, words, value in (
            ("applicant_kind_text", "LoaiDoiTuong", _KIND_WORDS, chunk.people.kind),
            ("level_text", "MucDo", _LEVEL_WORDS, life.level),
        ):
            rows = self._take(chunk, code, rng)
            expected = at(columns[column], rows)
            chunk.replace(column, rows, at(words, value[rows]))
            self._tell(chunk, code, rows, expected=expected, note="variant")
        self._plant_slashed_times(chunk, rng)

    def _plant_slashed_times(self, chunk: DossierChunk, rng: np.random.Generator) -> None:
        """Every text time of the row as dd/mm/yyyy HH:MM:SS; the expected value is NgayTiepNhan's."""
        life = chunk.life
        rows = self._take(chunk, "slashed_times", rng, life.accept >= 0)
        expected = pc.strftime(
            pa.array(life.accept[rows] * 1_000_000).view(TIMESTAMP).cast(pa.timestamp("s")),
            "%Y-%m-%dT%H:%M:%S",
        )
        for column, moment in TIME_COLUMNS.items():
            chunk.replace(column, rows, slashed_text(getattr(life, moment)[rows], self._calendar))
        self._tell(chunk, "slashed_times", rows, expected=expected, note="variant")

    def _swap(
        self,
        chunk: DossierChunk,
        code: str,
        column: str,
        rows: Int64s,
        odd: pa.Array,
        clean: pa.Array,
        which: Int64s,
        note: str,
    ) -> None:
        chunk.replace(column, rows, at(odd, which[rows]))
        self._tell(chunk, code, rows, expected=at(clean, which[rows]), note=note)
