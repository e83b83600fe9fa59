"""Builds the one-stop database: catalogues, then dossiers with their children, chunk by chunk."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.errors import SettingsError, SourceUnavailable
from dx_pipeline.sandbox.one_stop.agencies import Agencies, build_agencies
from dx_pipeline.sandbox.one_stop.child_faults import ChildPlanter
from dx_pipeline.sandbox.one_stop.children import ChildRows, Payments, draw_payments
from dx_pipeline.sandbox.one_stop.dossier_faults import DossierChunk, DossierPlanter
from dx_pipeline.sandbox.one_stop.dossiers import TimeTexts, assign_codes, dossier_columns
from dx_pipeline.sandbox.one_stop.faults import BY_CODE, FAULTS, targets
from dx_pipeline.sandbox.one_stop.loading import Loader, Progress
from dx_pipeline.sandbox.one_stop.people import draw_people
from dx_pipeline.sandbox.one_stop.procedures import IN_FORCE, Catalogue, build_catalogue
from dx_pipeline.sandbox.one_stop.quotas import Quotas
from dx_pipeline.sandbox.one_stop.schema import (
    CHILD_TABLES,
    TABLES,
    arrow_schema,
    columns_of,
    connection_text,
    create_keys,
    create_tables,
    grant_reader,
)
from dx_pipeline.sandbox.one_stop.timeline import (
    Period,
    Timeline,
    calendar_for,
    draw_timeline,
    plan_period,
)
from dx_pipeline.sandbox.one_stop.truth import TruthWriter
from dx_pipeline.sandbox.one_stop.working_days import EPOCH, Int64s, WorkCalendar, holidays

CHUNK_ROWS: Final = 50_000
# Streams of random numbers: one per chunk and part, so that no part shifts another.
_LIFE, _CODES, _PEOPLE, _PAYMENTS, _COLUMNS, _FAULTS, _CHILDREN, _CHILD_FAULTS = range(10, 18)


@dataclass(frozen=True)
class BuildReport:
    """What was built: rows per table, planted rows per kind, where the truth is, how long it took."""

    rows: Mapping[str, int]
    planted: Mapping[str, int]
    now: datetime  # the sandbox's present, naive local time
    truth_file: Path
    summary_file: Path
    seconds: float


class _Builder:
    """Generates the chunks in order and hands their rows to the loader."""

    def __init__(
        self,
        seed: int,
        period: Period,
        calendar: WorkCalendar,
        quotas: Quotas,
        truth: TruthWriter,
        loader: Loader,
        with_children: bool,
    ) -> None:
        self.agencies: Agencies = build_agencies(seed)
        self.catalogue: Catalogue = build_catalogue(seed, self.agencies)
        self.codes_new_generation = 0
        self.chunk_number = 0
        self._seed = seed
        self._period = period
        self._calendar = calendar
        self._quotas = quotas
        self._truth = truth
        self._loader = loader
        self._with_children = with_children
        self._next_id = 1
        self._next_copy_id = int(period.per_day.sum()) + 1
        self._next_child_id = dict.fromkeys(CHILD_TABLES, 1)
        self._planter = DossierPlanter(self.catalogue.names, self.agencies.names, calendar, quotas, truth)
        self._child_planter = ChildPlanter(calendar, quotas, truth)
        self._officers = draw_officers(seed)

    def _rng(self, part: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, part, self.chunk_number])

    def catalogues(self) -> None:
        """Load the five catalogue tables."""
        days_off = [{"Ngay": day, "MoTa": name} for day, name in holidays()]
        self._loader.add("linh_vuc", self.catalogue.linh_vuc())
        self._loader.add("ngay_nghi", pa.Table.from_pylist(days_off, schema=arrow_schema("ngay_nghi")))
        self._loader.add("groups", self.agencies.table())
        self._loader.add("thu_tuc", self.catalogue.thu_tuc())
        self._loader.add("thay_doi_muc_do_thu_tuc", self.catalogue.history())

    def chunk(self, days: Int64s) -> None:
        """Generate, break and load the dossiers submitted on ``days``, and their children."""
        life = draw_timeline(
            days,
            self._next_id,
            self._period,
            self._calendar,
            self.agencies,
            self.catalogue,
            self._quotas,
            self._rng(_LIFE),
        )
        self._next_id += len(life)
        codes = assign_codes(life, self.agencies, self._calendar, self._quotas, self._rng(_CODES))
        self.codes_new_generation += int(codes.new_generation.sum())
        people = draw_people(life, self.agencies, self._rng(_PEOPLE))
        rng = self._rng(_PAYMENTS)
        pay = draw_payments(life, self.catalogue, self._period.now, rng)
        marks = pay.online_marks(len(life), rng)
        rng = self._rng(_COLUMNS)
        texts = TimeTexts(self._calendar, rng.random(len(life)) < 0.7)
        columns = dossier_columns(life, codes, people, marks, texts, self.agencies, self.catalogue, self._calendar, rng)
        chunk = DossierChunk(life, codes, people, columns, np.ones(len(life), dtype=np.bool_))
        self._planter.plant(chunk, self._rng(_FAULTS))
        if self._with_children:
            self._children(chunk, life, pay)
        self._loader.add("ho_so", chunk.columns)
        for copy in chunk.copies:
            self._copies(copy)
        self._truth.flush()
        self.chunk_number += 1

    def _copies(self, copy: dict[str, pa.Array]) -> None:
        """Load the further rows of some dossiers under Ids of their own."""
        size = len(copy["MaHoSo"])
        if not size:
            return
        ids = np.arange(self._next_copy_id, self._next_copy_id + size, dtype=np.int64)
        self._next_copy_id += size
        code = copy["_code"][0].as_py()
        self._loader.add("ho_so", {**{name: copy[name] for name in columns_of("ho_so")}, "Id": pa.array(ids)})
        self._truth.add(code, ids, copy["MaHoSo"], note="the further row")

    def _children(self, chunk: DossierChunk, life: Timeline, pay: Payments) -> None:
        rng, faults = self._rng(_CHILDREN), self._rng(_CHILD_FAULTS)
        child = ChildRows(life, chunk.codes.code, self._calendar, self._period.now, self._officers)
        first = self._next_child_id
        steps, of_dossier = child.steps(first["qua_trinh_xu_ly"], rng)
        self._child_planter.plant_steps(steps, of_dossier, chunk, faults)
        self._add_children("qua_trinh_xu_ly", steps)
        supplements, of_dossier = child.supplements(first["ho_so_bo_sung"], rng)
        self._child_planter.plant_supplements(supplements, of_dossier, chunk, faults)
        self._add_children("ho_so_bo_sung", supplements)
        payments = child.payments(first["yeu_cau_thanh_toan"], pay, rng)
        self._child_planter.plant_payments(payments, pay, chunk, faults)
        self._add_children("yeu_cau_thanh_toan", payments)
        self._add_children("giay_to_ket_qua", child.results(first["giay_to_ket_qua"], self.catalogue, rng))
        sendable = pc.not_equal(chunk.columns["TrangThaiHoSo"], "11").to_numpy(zero_copy_only=False)
        copies, of_dossier = child.portal_copies(first["dong_bo_dvcqg"], sendable, rng)
        self._child_planter.plant_portal_copies(copies, of_dossier, chunk, faults)
        self._add_children("dong_bo_dvcqg", copies)

    def _add_children(self, table: str, rows: dict[str, pa.Array]) -> None:
        self._next_child_id[table] += len(rows["Id"])
        self._loader.add(table, rows)


def draw_officers(seed: int) -> pa.Array:
    """Names of 400 invented officers who handle dossiers."""
    rng = np.random.default_rng([seed, 4])
    surnames = ["Nguyễn", "Trần", "Lê", "Hoàng", "Võ", "Hồ", "Phan", "Bùi"]
    middles = ["Văn", "Thị", "Đức", "Thanh", "Ngọc"]
    given = ["Hải", "Hương", "Nam", "Lan", "Tuấn", "Hà", "Dũng", "Thảo", "Sơn", "Nga"]
    names = [f"{one} {two} {three}" for one in surnames for two in middles for three in given]
    return pa.array([names[int(position)] for position in rng.permutation(len(names))], pa.string())


def build_one_stop(
    url: str,
    *,
    dossiers: int = 60_000,
    months: int = 18,
    last_day: date = date(2024, 6, 30),
    seed: int = 1982,
    fault_scale: float = 1.0,
    truth_path: Path,
    with_children: bool = True,
    progress: Progress | None = None,
    reader_password: str | None = None,
) -> BuildReport:
    """Drop and rebuild schema ``motcua`` in the database at ``url`` with ``dossiers`` dossiers.

    The dossiers are submitted over ``months`` calendar months up to ``last_day``, whose last second
    is the sandbox's present: no date but a planted one lies after it. The same arguments give the
    same bytes. ``fault_scale`` multiplies the rates in ``faults.py``. The truth about every planted
    row goes to the folder ``truth_path``. With ``reader_password`` the read-only role
    ``mot_cua_doc`` is made. All happens in one transaction: a build that fails changes nothing.

    Raises SettingsError for senseless arguments, SourceUnavailable if the server can't be reached.
    """
    if dossiers < 1 or months < 1 or fault_scale < 0:
        raise SettingsError(
            f"Cannot build a sandbox of {dossiers} dossiers over {months} months (fault scale {fault_scale}).",
            next_step="Give at least one dossier, one month and a fault scale of 0 or more.",
        )
    started = time.perf_counter()
    calendar = calendar_for(last_day, months)
    period = plan_period(dossiers, months, last_day, calendar)
    quotas = Quotas(targets(dossiers, fault_scale))
    try:
        connection = psycopg.connect(connection_text(url))
    except psycopg.OperationalError as error:
        raise SourceUnavailable(
            "The server for the sandbox's one-stop database cannot be reached.",
            next_step="Check that it runs and that the database mot_cua exists.",
        ) from error
    with connection, TruthWriter(truth_path) as truth:
        create_tables(connection)
        with Loader(connection, progress) as loader:
            builder = _Builder(seed, period, calendar, quotas, truth, loader, with_children)
            builder.catalogues()
            done = 0
            for days in period.chunks(CHUNK_ROWS):
                done += int(days.size)
                quotas.advance_to(done / dossiers)
                builder.chunk(days)
        create_keys(connection)
        if reader_password is not None:
            grant_reader(connection, reader_password)
    rows = {table: loader.rows[table] for table in TABLES}
    now = datetime.combine(EPOCH, datetime.min.time()) + timedelta(seconds=period.now)
    report = BuildReport(rows, dict(truth.counts), now, truth.path, truth.summary_path, time.perf_counter() - started)
    truth.summary(_summary(report, dossiers, months, seed, fault_scale, builder.codes_new_generation))
    return report


def _summary(
    report: BuildReport, dossiers: int, months: int, seed: int, fault_scale: float, new_generation: int
) -> dict[str, Any]:
    """What truth.json says: arguments, totals, expected verdicts per table, counts per kind."""
    expected: dict[str, dict[str, int]] = {}
    for table, rows in report.rows.items():
        by_verdict = dict.fromkeys(("critical", "duplicate", "warning"), 0)
        for code, count in report.planted.items():
            fault = BY_CODE[code]
            if fault.table == table and fault.verdict in by_verdict:
                by_verdict[fault.verdict] += count
        expected[table] = {
            "rows": rows,
            "quarantined": by_verdict["critical"],
            "duplicate": by_verdict["duplicate"],
            "accepted": rows - by_verdict["critical"] - by_verdict["duplicate"],
            "warned": by_verdict["warning"],
        }
    return {
        "dossiers": dossiers,
        "months": months,
        "seed": seed,
        "fault_scale": fault_scale,
        "now": report.now.isoformat(),
        "procedures_in_force_2024_06_30": dict(IN_FORCE),
        "new_generation_codes": new_generation,
        "tables": expected,
        "planted": {
            fault.code: {
                "table": fault.table,
                "verdict": fault.verdict,
                "rate": fault.rate,
                "rows": report.planted.get(fault.code, 0),
                "what": fault.what,
            }
            for fault in FAULTS
        },
    }
