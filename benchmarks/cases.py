"""All cases of one size: what is run, in which order, on which warehouse.

First loads each get a warehouse of their own. The later cases go to the warehouse of the last one, in an order in
which none spoils the next: nothing new, unchanged reload, a month again, then changes of the source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.installation import SYSTEM_TABLES, TABLES, Source, Target, running_source, running_target
from benchmarks.measurement import Measurement, Timed
from benchmarks.peer_copies import DLT, PEER_COPIES, SLING, Peer, copy_with, drop_copy
from benchmarks.raw_pipe import copy_raw
from benchmarks.road import landed_batch, rows_read, rows_written, run_road
from benchmarks.roofline import measure, measure_copy
from benchmarks.validation.prepare import write_rows_to_validate
from benchmarks.validation.race import FRAMES, WHO, differences, validate
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import libpq_uri

ROAD = "the road"
RAW = "raw COPY pipe"
MONTH = "2024-03"
FRAME_ROWS = 1_000_000
"""Most rows for validators that hold all of them in memory (Great Expectations: about 5 KB a row)."""
CATALOGUES = ("groups", "linh_vuc", "thu_tuc", "thay_doi_muc_do_thu_tuc", "ngay_nghi")


@dataclass(frozen=True)
class Plan:
    """What is measured at one size."""

    size: int
    repeats: int
    folder: Path
    python: Path | None
    """Python of the peers' venv; None: only the road and the raw pipe."""
    changed: int
    slow_rows: int
    """Most rows for peers that take minutes where others take seconds."""


def run_size(plan: Plan, record: Callable[[Measurement], object], keep_facts: Callable[..., None]) -> None:
    """Measure every case of this size; each measurement is recorded as it comes."""
    cases = _Cases(plan, record)
    with running_source(plan.folder, plan.size) as source:
        for repeat in range(1, plan.repeats + 1):
            with running_target(plan.folder, source) as target:
                keep_facts(roofline=_roofline(plan, source, target))
                cases.first_loads(source, target, repeat)
                cases.validation(target, repeat)
                if repeat == plan.repeats:
                    cases.later(source, target)
            with running_target(plan.folder, source) as target:
                cases.single_tables(target, repeat)


class _Cases:
    def __init__(self, plan: Plan, record: Callable[[Measurement], object]) -> None:
        self._plan = plan
        self._record = record

    def first_loads(self, source: Source, target: Target, repeat: int) -> None:
        """Raw pipe, road, peers, one after the other on the same rows."""
        self._raw(source, target, "all", repeat)
        timed, detail = run_road(target, "run", "one_stop")
        rows = source.rows(SYSTEM_TABLES)
        _must(rows_read(detail) == rows, f"the road read {rows_read(detail):,} of {rows:,} rows")
        self._add("first load", "all", ROAD, repeat, rows, timed, detail | _bytes(source, target))
        for tables in ("wide", "narrow"):
            self._raw(source, target, tables, repeat)
        for peer in PEER_COPIES if self._plan.python else ():
            for tables in ("narrow", "wide") if peer.slow else ("all", "narrow", "wide"):
                rows = source.rows(TABLES[tables])
                if not peer.slow or rows <= self._plan.slow_rows:
                    self._peer(peer, source, target, tables, "first", "first load", repeat, rows)
            if repeat < self._plan.repeats or not peer.cases:
                drop_copy(peer, target)

    def validation(self, target: Target, repeat: int) -> None:
        """The judge, hand-written SQL and peers over the dossiers of the first load."""
        settings = Settings(home=target.home)
        file = target.home / "to-validate.parquet"
        rows = write_rows_to_validate(settings, landed_batch(target, "ho_so"), file)
        python = self._plan.python
        found: dict[str, dict[str, int]] = {}
        for who in WHO if python else WHO[:1]:
            if who not in FRAMES or rows <= FRAME_ROWS:
                timed = validate(who, python or Path(), file, target.home)
                told = timed.told
                found[who] = told["broken"]
                detail = {"wall": timed.seconds, "broken": sum(told["broken"].values())}
                self._record(
                    Measurement(
                        self._plan.size,
                        "validation",
                        "wide",
                        who,
                        repeat,
                        rows,
                        told["seconds"],
                        timed.peak_mib,
                        detail,
                    )
                )
        file.unlink()
        if found and (differing := differences(found)):
            raise RuntimeError("the validation peers do not find the same rows:\n" + "\n".join(differing))

    def later(self, source: Source, target: Target) -> None:
        """What a filled warehouse is asked for every hour, and once in a while."""
        repeats = range(1, self._plan.repeats + 1)
        for repeat in repeats:
            self._road_case("nothing new", "all", target, repeat, 0, "run", "one_stop")
        for tables in ("wide", "narrow"):
            batch = str(landed_batch(target, TABLES[tables][0]))
            for repeat in repeats:
                self._road_case("reload unchanged", tables, target, repeat, None, "replay", batch)
        for repeat in repeats:
            self._road_case("month again", "all", target, repeat, None, "run", "one_stop", "-p", MONTH)
            self._road_case("month again", "wide", target, repeat, None, "run", "one_stop.ho_so", "-p", MONTH)
            self._peers_later(source, target, "month", "month again", repeat)
        for repeat in repeats:
            changed = source.province.change(rows=self._plan.changed, seed=repeat)
            self._road_case("increment", "all", target, repeat, changed, "run", "one_stop")
        self._catch_up(source, target)
        for repeat in repeats:
            changed = source.province.change(rows=self._plan.changed, seed=self._plan.repeats + repeat)
            self._road_case("increment", "wide", target, repeat, changed, "run", "one_stop.ho_so")
            self._peers_later(source, target, "increment", "increment", repeat)

    def _catch_up(self, source: Source, target: Target) -> None:
        """Peers read what changed so far, unmeasured: their next increment is as large as the road's."""
        if self._plan.python:
            for peer in (DLT, SLING):
                copy_with(peer, self._plan.python, source, target, TABLES["wide"], "increment", MONTH)

    def single_tables(self, target: Target, repeat: int) -> None:
        """First loads of one table alone; the small catalogues it refers to are there already."""
        target.dx("run", *(f"one_stop.{name}" for name in CATALOGUES))
        for tables in ("wide", "narrow"):
            self._road_case("first load", tables, target, repeat, None, "run", f"one_stop.{TABLES[tables][0]}")

    def _road_case(
        self, case: str, tables: str, target: Target, repeat: int, rows: int | None, *arguments: str
    ) -> None:
        timed, detail = run_road(target, *arguments)
        written, told = rows_written(detail), f"{case}, {tables}: the road wrote {rows_written(detail):,} rows"
        _must(written > 0 if case in ("first load", "increment") else written == 0, told)
        self._add(case, tables, ROAD, repeat, rows_read(detail) if rows is None else rows, timed, detail)

    def _peers_later(self, source: Source, target: Target, case: str, name: str, repeat: int) -> None:
        for peer in (DLT, SLING) if self._plan.python else ():
            rows = self._plan.changed
            if case == "month":
                year, month = MONTH.split("-")
                rows = source.rows(TABLES["wide"], f"date_trunc('month', \"NgayNopHoSo\") = date '{year}-{month}-01'")
            self._peer(peer, source, target, "wide", case, name, repeat, rows)

    def _peer(
        self, peer: Peer, source: Source, target: Target, tables: str, case: str, name: str, repeat: int, rows: int
    ) -> None:
        assert self._plan.python is not None
        timed, brought = copy_with(peer, self._plan.python, source, target, TABLES[tables], case, MONTH)
        _must(case != "first" or brought == rows, f"{peer.name} copied {brought:,} of {rows:,} rows of {tables}")
        self._add(name, tables, peer.name, repeat, rows, timed, {"work": timed.told["seconds"]})

    def _raw(self, source: Source, target: Target, tables: str, repeat: int) -> None:
        seconds, rows = copy_raw(source.admin_uri, libpq_uri(target.warehouse.url), TABLES[tables])
        self._record(Measurement(self._plan.size, "first load", tables, RAW, repeat, rows, seconds))

    def _add(
        self, case: str, tables: str, who: str, repeat: int, rows: int, timed: Timed, detail: dict[str, Any]
    ) -> None:
        self._record(
            Measurement(self._plan.size, case, tables, who, repeat, rows, timed.seconds, timed.peak_mib, detail)
        )


def _must(holds: bool, told: str) -> None:
    """A run that did not do its work must not be compared with others."""
    if not holds:
        raise RuntimeError(told)


def _bytes(source: Source, target: Target) -> dict[str, Any]:
    """What a first load moved: bytes of the source's tables, of the landed files, of the star with its indexes."""
    import psycopg

    with psycopg.connect(source.admin_uri) as reading:
        tables = ", ".join(f"'motcua.{name}'" for name in SYSTEM_TABLES)
        read = reading.execute(
            f"select sum(pg_table_size(to_regclass(t)))::bigint from unnest(array[{tables}]) as t".encode()
        ).fetchone()
    with psycopg.connect(libpq_uri(target.warehouse.url)) as writing:
        star = writing.execute(
            "select sum(pg_total_relation_size(c.oid))::bigint from pg_class as c"
            " inner join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname in ('core', 'core_partition', 'restricted') and c.relkind = 'r'"
        ).fetchone()
    landed = sum(path.stat().st_size for path in (target.home / "landing").rglob("*.parquet"))
    return {"bytes": {"source": read[0] if read else 0, "landed": landed, "star": star[0] if star else 0}}


def _roofline(plan: Plan, source: Source, target: Target) -> dict[str, float]:
    return {**measure(plan.folder / "probe"), **measure_copy(source.admin_uri, libpq_uri(target.warehouse.url))}
