"""The procedure catalogue and the history of service levels.

On 2024-06-30 exactly 647 procedures are partial (``3``), 1,081 full (``4``) and 150 information
only (``2``): the figures the province published. The history goes on until 2024-09-30, so the
current level in ``thu_tuc`` gives other numbers than the level in force on that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dx_pipeline.sandbox.one_stop.agencies import Agencies
from dx_pipeline.sandbox.one_stop.procedure_names import ACTIONS, COMMON, FIELDS
from dx_pipeline.sandbox.one_stop.schema import arrow_schema
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s

IN_FORCE: Final = {"4": 1_081, "3": 647, "2": 150}  # on 2024-06-30
LEVEL_SIZES: Final = {"X": 170, "H": 310, "T": 1_398}  # commune, district, province
LEVEL_NAMES: Final = {"X": "Xã", "H": "Huyện", "T": "Tỉnh"}
_LEVEL_WORDS: Final = {"X": " (cấp xã)", "H": " (cấp huyện)", "T": ""}
_CUT: Final = datetime(2024, 6, 30, 23, 59, 59)
_LEGACY_LEVELS: Final = {
    "4": ("Mức độ 4", "toàn trình"),
    "3": ("Mức độ 3", "một phần"),
    "2": ("Mức độ 2", "Mức độ 2"),
}
#: path of levels -> how many procedures took it before 2024-07-01; the last one is in force then.
_BEFORE: Final = (("34", 182), ("23", 64), ("24", 17), ("43", 11), ("234", 26), ("343", 5))
#: first level of the path is in force on 2024-06-30, the rest comes after it.
_AFTER: Final = (("34", 48), ("23", 12), ("43", 5))


@dataclass(frozen=True)
class LevelChange:
    """One row of ``thay_doi_muc_do_thu_tuc``."""

    at: datetime
    before: str
    after: str


@dataclass(frozen=True)
class Procedure:
    """One administrative procedure with its whole history of levels, oldest change first."""

    code: str
    name: str
    field: int
    level: str  # T | H | X
    days: int
    fee: bool
    first: str
    changes: tuple[LevelChange, ...]
    share: float
    decision: str

    @property
    def current(self) -> str:
        """Level after every change."""
        return self.changes[-1].after if self.changes else self.first


@dataclass(frozen=True)
class Catalogue:
    """All procedures, with the views the dossiers are drawn from."""

    rows: tuple[Procedure, ...]
    owners: Int64s  # agency position of the department that owns each procedure's field
    legacy_seed: int

    @cached_property
    def codes(self) -> pa.Array:
        return pa.array([row.code for row in self.rows], pa.string())

    @cached_property
    def names(self) -> pa.Array:
        return pa.array([row.name for row in self.rows], pa.string())

    @cached_property
    def fields(self) -> Int64s:
        return np.array([row.field for row in self.rows], dtype=np.int64)

    @cached_property
    def field_codes(self) -> pa.Array:
        return pa.array([field.code for field in FIELDS], pa.string())

    @cached_property
    def field_names(self) -> pa.Array:
        return pa.array([field.name for field in FIELDS], pa.string())

    @cached_property
    def days(self) -> Int64s:
        return np.array([row.days for row in self.rows], dtype=np.int64)

    @cached_property
    def has_fee(self) -> Bools:
        return np.array([row.fee for row in self.rows])

    @cached_property
    def is_land(self) -> Bools:
        return np.array([FIELDS[row.field].code == "DD" for row in self.rows])

    @cached_property
    def _change_seconds(self) -> Int64s:
        far = np.iinfo(np.int64).max
        at = np.full((len(self.rows), 2), far, dtype=np.int64)
        for position, row in enumerate(self.rows):
            for order, change in enumerate(row.changes):
                at[position, order] = int((change.at - datetime(1970, 1, 1)).total_seconds())
        return at

    @cached_property
    def _change_levels(self) -> Int64s:
        levels = np.zeros((len(self.rows), 3), dtype=np.int64)
        for position, row in enumerate(self.rows):
            path = [row.first, *(change.after for change in row.changes)]
            path += [path[-1]] * (3 - len(path))
            levels[position] = [int(level) for level in path]
        return levels

    def level_at(self, procedures: Int64s, seconds: Int64s) -> Int64s:
        """Level (2, 3 or 4) of each procedure at each moment (seconds since 1970, local time)."""
        at = self._change_seconds[procedures]
        step = (seconds >= at[:, 0]).astype(np.int64) + (seconds >= at[:, 1])
        return self._change_levels[procedures, step]

    def draw(self, level: str, *, online_only: bool) -> tuple[Int64s, NDArray[np.float64]]:
        """Positions of one level's procedures and their cumulative shares of dossiers."""
        return self._draws[level, online_only]

    @cached_property
    def _draws(self) -> dict[tuple[str, bool], tuple[Int64s, NDArray[np.float64]]]:
        return {
            (level, online): self._shares(level, online_only=online)
            for level in LEVEL_SIZES
            for online in (False, True)
        }

    def _shares(self, level: str, *, online_only: bool) -> tuple[Int64s, NDArray[np.float64]]:
        positions = np.array([at for at, row in enumerate(self.rows) if row.level == level], dtype=np.int64)
        shares = np.array([self.rows[at].share for at in positions])
        if online_only:
            offered = np.array([(self._change_levels[at] > 2).all() for at in positions])
            shares = np.where(offered, shares, 0.0)
        return positions, np.asarray(np.cumsum(shares / shares.sum()), dtype=np.float64)

    def linh_vuc(self) -> pa.Table:
        return pa.table([self.field_codes, self.field_names], schema=arrow_schema("linh_vuc"))

    def thu_tuc(self) -> pa.Table:
        """Current state: the level is the last one of the history."""
        rng = np.random.default_rng([self.legacy_seed, 3])
        legacy = set(rng.choice(len(self.rows), 24, replace=False).tolist())
        records = []
        for at, row in enumerate(self.rows):
            changed = row.changes[-1].at if row.changes else datetime(2022, 12, 20, 9, 0)
            records.append(
                {
                    "MaTTHC": row.code,
                    "TenTTHC": row.name,
                    "MaLinhVuc": FIELDS[row.field].code,
                    "CapThucHien": LEVEL_NAMES[row.level],
                    "ThoiGianGiaiQuyet": row.days,
                    "TrangThaiPhiLePhi": int(row.fee),
                    "MucDo": _LEGACY_LEVELS[row.current][at % 2] if at in legacy else row.current,
                    "QuyetDinhCongBo": row.decision,
                    "NgayCapNhat": changed + timedelta(minutes=at % 60),
                }
            )
        return pa.Table.from_pylist(records, schema=arrow_schema("thu_tuc"))

    def history(self) -> pa.Table:
        """Rows of ``thay_doi_muc_do_thu_tuc`` in order of time; a few levels in their old wording."""
        changes = sorted(
            ((change.at, row.code, change) for row in self.rows for change in row.changes),
            key=lambda item: item[:2],
        )
        records = []
        for order, (at, code, change) in enumerate(changes, start=1):
            old_words = order % 17 == 0
            records.append(
                {
                    "Id": order,
                    "MaTTHC": code,
                    "ThoiGian": at,
                    "MucDoCu": _LEGACY_LEVELS[change.before][order % 2] if old_words else change.before,
                    "MucDoMoi": _LEGACY_LEVELS[change.after][order % 2] if old_words else change.after,
                    "NgayCapNhat": at + timedelta(minutes=order % 45),
                }
            )
        return pa.Table.from_pylist(records, schema=arrow_schema("thay_doi_muc_do_thu_tuc"))


def _composed_names(level: str, count: int, rng: np.random.Generator) -> list[tuple[str, int]]:
    """``count`` distinct (name, field) pairs for one level, in a random order."""
    candidates = [
        (f"{action} {thing}{_LEVEL_WORDS[level]}", at)
        for at, field in enumerate(FIELDS)
        if level in field.levels
        for thing in field.objects
        for action in ACTIONS
    ]
    order = rng.permutation(len(candidates))[:count]
    return [candidates[int(at)] for at in order]


def _paths(common: int, total: int, rng: np.random.Generator) -> list[tuple[str, int]]:
    """For each procedure its path of levels and how many of its changes come before the cut.

    The first ``common`` procedures are always full, without a change.
    """
    left = dict(IN_FORCE)
    left["4"] -= common
    paths: list[tuple[str, int]] = []
    for path, count in _BEFORE:
        paths += [(path, len(path) - 1)] * count
        left[path[-1]] -= count
    for path, count in _AFTER:
        paths += [(path, 0)] * count
        left[path[0]] -= count
    for level, count in left.items():
        paths += [(level, 0)] * count
    assert len(paths) == total - common
    return [("4", 0)] * common + [paths[int(at)] for at in rng.permutation(len(paths))]


def _moment(rng: np.random.Generator, first: datetime, last: datetime) -> datetime:
    day = first + timedelta(days=int(rng.integers((last - first).days)))
    return day.replace(hour=int(rng.integers(8, 17)), minute=int(rng.integers(60)))


def _changes(path: str, before_cut: int, rng: np.random.Generator) -> tuple[LevelChange, ...]:
    moments: list[datetime] = []
    if before_cut:
        middle = datetime(2023, 9, 15)
        spans = ((datetime(2023, 1, 5), middle), (middle, datetime(2024, 6, 28)))
        if before_cut == 1:
            spans = ((datetime(2023, 1, 5), datetime(2024, 6, 28)),)  # type: ignore[assignment]
        moments = [_moment(rng, first, last) for first, last in spans]
    elif len(path) > 1:
        moments = [_moment(rng, datetime(2024, 7, 2), datetime(2024, 9, 30))]
    return tuple(LevelChange(at, path[order], path[order + 1]) for order, at in enumerate(moments))


def _on_the_boundary(rows: list[Procedure]) -> None:
    """Move one change to the last second of 2024-06-30 and one to the first of 2024-07-01."""
    for wanted, at in ((True, _CUT), (False, _CUT + timedelta(seconds=1))):
        position = next(
            here
            for here, row in enumerate(rows)
            if len(row.changes) == 1 and (row.changes[0].at <= _CUT) is wanted and row.changes[0].at != at
        )
        row = rows[position]
        moved = LevelChange(at, row.changes[0].before, row.changes[0].after)
        rows[position] = Procedure(**{**row.__dict__, "changes": (moved,)})


def build_catalogue(seed: int, agencies: Agencies) -> Catalogue:
    """1,878 procedures in 35 fields with their history, decided by ``seed``."""
    rng = np.random.default_rng([seed, 2])
    field_at = {field.code: at for at, field in enumerate(FIELDS)}
    total = sum(LEVEL_SIZES.values())
    paths = _paths(len(COMMON), total, rng)
    taken = {row.code for row in COMMON}
    numbers = rng.permutation(12_800)[: total + len(taken)] + 200
    codes = [code for code in (f"{1 + int(n) % 3}.{int(n):06d}" for n in numbers) if code not in taken]
    rows: list[Procedure] = []

    def decision() -> str:
        return f"{int(rng.integers(100, 3_900))}/QĐ-UBND"

    for common in COMMON:
        rows.append(
            Procedure(
                common.code,
                common.name,
                field_at[common.field],
                common.level,
                common.days,
                common.fee,
                "4",
                (),
                common.share,
                decision(),
            )
        )
    lengths = {"X": (0, 8), "H": (2, 16), "T": (3, 31)}
    for level, size in LEVEL_SIZES.items():
        known = [row for row in rows if row.level == level]
        names = _composed_names(level, size - len(known), rng)
        free = 1.0 - sum(row.share for row in known)
        ranks = 1.0 / (np.arange(len(names)) + 6.0)
        shares = free * ranks / ranks.sum()
        low, high = lengths[level]
        for (name, field), share in zip(names, shares.tolist(), strict=True):
            path, before_cut = paths[len(rows)]
            rarely_used = path.startswith("2")
            rows.append(
                Procedure(
                    codes[len(rows)],
                    name,
                    field,
                    level,
                    int(rng.integers(low, high)),
                    bool(rng.random() < 0.45),
                    path[0],
                    _changes(path, before_cut, rng),
                    share * (0.2 if rarely_used else 1.0),
                    decision(),
                )
            )
    _on_the_boundary(rows)
    owners = np.array([agencies.position(FIELDS[row.field].owner) for row in rows], dtype=np.int64)
    return Catalogue(tuple(rows), owners, seed)
