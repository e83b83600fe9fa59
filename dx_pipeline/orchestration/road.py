"""The one road of every dataset: land, stage, publish.

Each step is re-runnable and leaves its mark in the ledger. What was not published is superseded by the
next run of the same scope; what was published is never half there, because star rows, quarantine and
ledger row are committed together.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from dx_pipeline.clean.repairs import Repair
from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    BatchHeld,
    DxError,
    LandingError,
    LoadFileError,
    MigrationError,
    WarehouseError,
)
from dx_pipeline.extract.window import Window, increment_window, period_window
from dx_pipeline.judge.rule_spec import Suite
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.lineage.open_lineage import LineageEmitter, RuleResult
from dx_pipeline.orchestration.delivery_extent import delivery_of, told_of_vanished
from dx_pipeline.orchestration.judging import CleanedBatch, clean_landed, judge_into_stage
from dx_pipeline.orchestration.reconciliation import disagreements, record_landing, record_stage, record_star
from dx_pipeline.orchestration.released_rows import name_released_rows
from dx_pipeline.orchestration.source_reading import SourceReading
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse import ledger
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.key_register import staged_key_version
from dx_pipeline.warehouse.known_time import begin_publishing
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.merge import LoadBinds, run_load
from dx_pipeline.warehouse.quarantine import settle_quarantine
from dx_pipeline.warehouse.stage import (
    drop_stage,
    finish_stage,
    stage_holds,
)
from dx_pipeline.warehouse.vanishing import carry_out
from dx_pipeline.warehouse.volume import silence_alarm, volume_alarm

if TYPE_CHECKING:
    from dx_pipeline.judge.verdict import RuleOutcome


@dataclass(frozen=True)
class StageReport:
    """What staging found: the ledger row, the result of every rule, the cleaner's repairs."""

    batch: Batch
    outcomes: tuple[RuleOutcome, ...]
    repairs: tuple[Repair, ...]


class JudgedBatchHeld(BatchHeld):
    """The judge held the batch; carries the result of every rule."""

    def __init__(self, what: str, *, next_step: str, outcomes: tuple[RuleOutcome, ...]) -> None:
        super().__init__(what, next_step=next_step)
        self.outcomes = outcomes


@dataclass(frozen=True)
class PublishReport:
    """What publishing did: the ledger row and the months (first days) of the fact it touched."""

    batch: Batch
    months: tuple[date, ...] = ()


class Road:
    """Everything one process needs to move datasets into the star."""

    def __init__(
        self,
        settings: Settings,
        warehouse: Warehouse,
        catalog: Catalog,
        broken_tables: Mapping[Path, MigrationError] | None = None,
        lineage: LineageEmitter | None = None,
    ) -> None:
        self.settings = settings
        self.warehouse = warehouse
        self.catalog = catalog
        self.broken_tables = broken_tables or {}  # by load file: what its own tables section met
        self.landing = LandingStore(settings.landing_root)
        self._lineage = lineage
        self._reading = SourceReading(settings, warehouse, catalog, self.landing)

    # -- land --------------------------------------------------------------------------------------

    def window(self, contract: Contract, month: date | None, *, whole: bool = False) -> tuple[str, Window]:
        """Kind of batch and what to read: a month, an increment after the watermark, or all.

        All is read if it was asked for, if nothing was read before, and if the last read of all did not end.

        Raises:
            DxError: the dataset cannot be cut into months.
        """
        if month is not None and contract.load.period is not None:
            return "period", period_window(contract, month)
        if contract.load.mode == "snapshot":
            return "snapshot", Window(kind="full", low=None, high=None)
        with self.warehouse.loader() as connection:
            whole = whole or ledger.whole_read_left(connection, contract)
            mark = None if whole else ledger.watermark(connection, contract)
        window = increment_window(contract, mark)
        return ("full" if window.kind == "full" else "increment"), window

    def land(self, contract: Contract, *, run_id: str | None, month: date | None = None, whole: bool = False) -> Batch:
        """Read the source and write one immutable landing batch.

        Raises:
            DxError: source unreachable, drifted, unreadable, empty or incomplete; the ledger row says so.
        """
        with self._lock(contract):
            kind, window = self.window(contract, month, whole=whole)
            with self.warehouse.loader() as connection:
                batch = ledger.open_batch(
                    connection,
                    contract,
                    kind=kind,
                    run_id=run_id,
                    period_month=month if kind == "period" else None,
                    window=(window.low, window.high),
                )
            started = time.monotonic()
            with self._failing(contract, batch):
                manifest, extraction, warnings = self._reading.read(contract, batch, window)
                with self.warehouse.loader() as connection:
                    ledger.update_batch(
                        connection,
                        batch.batch_id,
                        status="landed",
                        source_rows=extraction.source_rows,
                        extracted=manifest.row_count,
                        watermark=None if kind == "period" else extraction.cursor_high,
                        landing_path=f"{contract.system}/{contract.dataset}/{batch.batch_id}",
                        warnings=warnings,
                        seconds_extract=round(time.monotonic() - started, 3),
                        landed_at=_now(connection),
                    )
                    source = {"rows": str(extraction.source_rows), **extraction.control}
                    with self._telling_lost_files(manifest):
                        record_landing(connection, contract, batch, manifest, source)
                    alarm = volume_alarm(connection, contract, ledger.get_batch(connection, batch.batch_id))
                    landed = self._with_findings(connection, contract, batch, alarm)
                if alarm is not None and contract.volume.outside == "hold":
                    raise BatchHeld(
                        alarm,
                        next_step=f"ask the owner; if the data is right, widen volume.band in {contract.path} and run"
                        f" again, or `dx replay {batch.batch_id}`",
                    )
                return landed

    def replay(self, contract: Contract, batch_id: int, *, run_id: str | None) -> Batch:
        """Open a new batch over the landed files of an earlier one; the source is not touched.

        Raises:
            LandingError: the files are gone or damaged.
            WarehouseError: the batch belongs to another dataset, or is older than the published snapshot.
        """
        with self._lock(contract):
            with self.warehouse.loader() as connection:
                old = ledger.get_batch(connection, batch_id)
                if old.dataset_id != contract.id:
                    raise WarehouseError(f"batch {batch_id} belongs to {old.dataset_id}, not to {contract.id}")
                if old.landing_path is None:
                    raise LandingError(
                        f"{contract.id}: batch {batch_id} never landed, there is nothing to replay",
                        next_step=f"`dx run {contract.id}` reads the source again",
                    )
                newest = ledger.latest_delivery(connection, contract, old)
                if newest is not None and _origin(newest) > _origin(old):
                    raise WarehouseError(
                        f"{contract.id}: batch {batch_id} is older than what is published; replaying it would bring back"
                        " rows that have changed or left the source since",
                        next_step=f"`dx replay {newest.batch_id}` judges the published rows again,"
                        f" `dx run {contract.id}` reads the source",
                    )
                batch = ledger.open_batch(
                    connection,
                    contract,
                    kind="replay",
                    run_id=run_id,
                    period_month=old.period_month,
                    window=(old.window_low, old.window_high),
                    replay_of=_origin(old),
                )
            with self._failing(contract, batch):
                manifest = self._manifest(contract, batch)
                self.landing.verify(manifest)
                with self.warehouse.loader() as connection:
                    ledger.update_batch(
                        connection,
                        batch.batch_id,
                        status="landed",
                        source_rows=manifest.row_count,
                        extracted=manifest.row_count,
                        landing_path=old.landing_path,
                        landed_at=_now(connection),
                    )
                    record_landing(connection, contract, batch, manifest, manifest.facts.get("control", {}))
                    return ledger.get_batch(connection, batch.batch_id)

    # -- stage -------------------------------------------------------------------------------------

    def clean(self, contract: Contract, batch: Batch) -> CleanedBatch | None:
        """Clean a landed batch ahead of ``stage``, which is given the result; None when it holds no row.

        It touches no table, so it needs no lock.

        Raises:
            LandingError: a landed file is gone, damaged or cannot be cleaned.
        """
        manifest = self._manifest(contract, batch)
        if manifest.row_count == 0:
            return None
        return clean_landed(contract, batch, manifest, landing=self.landing, settings=self.settings)

    def stage(self, contract: Contract, batch: Batch, cleaned: CleanedBatch | None = None) -> StageReport:
        """Clean and judge a landed batch; accepted and rejected rows go to the stage tables.

        Args:
            cleaned: what ``clean`` gave, if the batch was cleaned ahead.

        Raises:
            BatchHeld: the judge stopped the batch; the ledger says why and the landed rows are kept.
            SuiteError, LandingError, WarehouseError: see their classes.
        """
        with self._lock(contract):
            with self.warehouse.loader() as connection:
                batch = ledger.get_batch(connection, batch.batch_id)
            if batch.status == "superseded":  # another run has published a newer batch meanwhile
                return StageReport(batch, (), ())
            return self._stage(contract, batch, cleaned)

    def _stage(self, contract: Contract, batch: Batch, cleaned: CleanedBatch | None = None) -> StageReport:
        started = time.monotonic()
        with self._failing(contract, batch):
            suite = load_suite(contract)
            manifest = self._manifest(contract, batch)
            if manifest.row_count == 0 and contract.load.mode != "snapshot":
                return self._stage_nothing(batch)
            try:
                if cleaned is None or not all(path.exists() for path in cleaned.paths):
                    cleaned = clean_landed(contract, batch, manifest, landing=self.landing, settings=self.settings)
                return self._judge(contract, batch, suite, manifest, cleaned, started)
            finally:
                shutil.rmtree(self.settings.work_root / str(batch.batch_id), ignore_errors=True)

    def _judge(
        self,
        contract: Contract,
        batch: Batch,
        suite: Suite,
        manifest: Manifest,
        cleaned: CleanedBatch,
        started: float,
    ) -> StageReport:
        staged = judge_into_stage(
            contract, batch, suite, manifest, cleaned, warehouse=self.warehouse, settings=self.settings
        )
        verdict = staged.verdict
        held = "; ".join(verdict.held)
        with self.warehouse.loader() as connection:
            ledger.record_rule_results(connection, batch.batch_id, [_outcome_row(o) for o in verdict.outcomes])
            ledger.update_batch(
                connection,
                batch.batch_id,
                status="held" if held else "staged",
                accepted=verdict.accepted,
                quarantined=verdict.quarantined,
                duplicate=verdict.duplicate,
                flagged=verdict.flagged,
                seconds_judge=round(time.monotonic() - started, 3),
                staged_at=_now(connection),
            )
            if not held:
                finish_stage(connection, contract, batch.batch_id, verdict.accepted)
            record_stage(connection, contract, batch, cleaned, verdict, staged.accepted_sums, staged.rejected_rows)
            batch = self._with_findings(connection, contract, batch)
        if held:
            raise JudgedBatchHeld(
                f"{contract.id}: batch {batch.batch_id} is held: {held}",
                next_step=f"`dx batches show {batch.batch_id}` lists the rules; nothing was published and the landed rows"
                f" are kept: once the source or the rule is mended, `dx run {contract.id}` or"
                f" `dx replay {batch.batch_id}`",
                outcomes=verdict.outcomes,
            )
        return StageReport(batch, verdict.outcomes, cleaned.repairs)

    def _stage_nothing(self, batch: Batch) -> StageReport:
        """An increment without new rows: nothing to judge, nothing to copy."""
        with self.warehouse.loader() as connection:
            ledger.update_batch(
                connection,
                batch.batch_id,
                status="staged",
                accepted=0,
                quarantined=0,
                duplicate=0,
                flagged=0,
                seconds_judge=0,
                staged_at=_now(connection),
            )
            return StageReport(ledger.get_batch(connection, batch.batch_id), (), ())

    # -- publish -----------------------------------------------------------------------------------

    def publish(self, contract: Contract, batch: Batch) -> PublishReport:
        """Move a staged batch into the star: rows, quarantine and ledger in one transaction.

        Raises:
            LoadFileError: the load SQL failed; nothing of the batch is in the star.
            WarehouseError: the batch was replaced by a newer one, or the balance does not hold.
        """
        with self._lock(contract):
            with self.warehouse.loader() as connection:
                batch = ledger.get_batch(connection, batch.batch_id)
                ready = batch.extracted == 0 or stage_holds(connection, contract, batch.batch_id)
            if batch.status in ledger.SETTLED:  # superseded: a newer batch is in the star already
                drop_stage(self.warehouse, contract, batch.batch_id)
                return PublishReport(batch)
            if batch.status not in ledger.IN_FLIGHT and batch.status != "failed":
                raise WarehouseError(
                    f"{contract.id}: batch {batch.batch_id} is {batch.status} and cannot be published",
                    next_step=f"`dx run {contract.id}` makes a new one",
                )
            if not ready:
                self._stage(contract, batch)
            with self._failing(contract, batch):
                published = self._publish(contract, batch)
            drop_stage(self.warehouse, contract, batch.batch_id)
            return published

    def _publish(self, contract: Contract, batch: Batch) -> PublishReport:
        started = time.monotonic()
        with self.warehouse.loader() as connection:
            batch = ledger.claim_publishing(connection, contract, batch.batch_id)
            if batch.status in ledger.SETTLED:
                return PublishReport(batch)
            known_at = begin_publishing(connection)
            if batch.extracted and not stage_holds(connection, contract, batch.batch_id):
                raise WarehouseError(
                    f"{contract.id}: the stage tables of batch {batch.batch_id} were taken by another run",
                    next_step="nothing was published; that run, or the next one, brings these rows",
                )
            values: dict[str, int] = {"inserted": 0, "updated": 0, "unchanged": 0, "closed": 0}
            months: tuple[date, ...] = ()
            told: list[str] = []
            if batch.extracted:
                if contract.load_path in self.broken_tables:
                    raise self.broken_tables[contract.load_path]
                load = parse_load_file(contract.load_path)
                delivery = delivery_of(connection, contract, batch)
                binds = LoadBinds(
                    batch_id=batch.batch_id,
                    as_of=batch.landed_at or batch.started_at,
                    key_version=staged_key_version(connection, contract) or 0,
                    loaded_at=known_at,
                )
                try:
                    counts = run_load(connection, load, binds, delivery)
                except LoadFileError as error:
                    raise name_released_rows(error, contract, self.warehouse) from error
                values = {
                    "inserted": counts.inserted,
                    "updated": counts.updated,
                    "unchanged": counts.unchanged,
                    "closed": counts.closed,
                    "also_changed": counts.also_changed,
                }
                months, told = counts.months, told_of_vanished(contract, counts)
                record_star(connection, contract, batch, load, binds, counts)
                if delivery.extent == "all":
                    carry_out(connection, contract, batch.batch_id, counts.closed)
                settle_quarantine(connection, contract, batch, identity=contract.row_identity)
            try:
                ledger.update_batch(
                    connection,
                    batch.batch_id,
                    status="published",
                    message=None,
                    **values,
                    seconds_publish=round(time.monotonic() - started, 3),
                    published_at=known_at,
                    finished_at=_now(connection),
                )
            except sa.exc.IntegrityError as error:
                raise WarehouseError(
                    f"{contract.id}: batch {batch.batch_id} does not balance: accepted {batch.accepted}, {values}",
                    next_step=f"the ledger step of {contract.load_path} must give one row per accepted row",
                ) from error
            replaced = ledger.supersede_older(connection, batch)
            published = self._with_findings(connection, contract, batch, silence_alarm(connection, contract), *told)
        for old in replaced:
            shutil.rmtree(self.settings.work_root / str(old.batch_id), ignore_errors=True)
            if old.replay_of is None and old.status == "superseded" and batch.replay_of != old.batch_id:
                self.landing.discard(old.system, old.dataset, old.batch_id)
        listener().finish(contract.id, "publish")
        self._tell_lineage(contract, published)
        return PublishReport(published, months)

    def _tell_lineage(self, contract: Contract, batch: Batch) -> None:
        if self._lineage is None:
            return
        with self.warehouse.loader() as connection:
            found = ledger.rule_results(connection, batch.batch_id)
        self._lineage.emit(contract, batch, [RuleResult(*row) for row in found])

    # -- shared ------------------------------------------------------------------------------------

    @contextmanager
    def _lock(self, contract: Contract) -> Iterator[None]:
        with self.warehouse.dataset_lock(contract.id, timeout_seconds=self.settings.lock_timeout_seconds):
            yield

    @contextmanager
    def _telling_lost_files(self, manifest: Manifest) -> Iterator[None]:
        """If landed files cannot be read, say which one is lost instead of what the reader says of it."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError):
            self.landing.verify(manifest)
            raise

    @contextmanager
    def _failing(self, contract: Contract, batch: Batch) -> Iterator[None]:
        """Write the reason of a failure into the ledger before it goes up."""
        try:
            yield
        except BatchHeld as error:
            self._mark(contract, batch, "held", str(error.what))
            raise
        except DxError as error:
            self._mark(contract, batch, "failed" if error.can_heal else "held", error.what)
            raise
        except Exception as error:
            first_line = str(error).splitlines()[0] if str(error) else ""
            self._mark(contract, batch, "failed", f"{type(error).__name__}: {first_line}"[:500])
            raise

    def _with_findings(self, connection: sa.Connection, contract: Contract, batch: Batch, *alarms: str | None) -> Batch:
        """The batch as the ledger has it, with a warning for each control sum that two gates disagree on."""
        found = disagreements(connection, contract, batch.batch_id) + [one for one in alarms if one is not None]
        known = ledger.get_batch(connection, batch.batch_id)
        new = [line for line in found if line not in (known.warnings or ())]
        if not new:
            return known
        for line in new:
            listener().warn(contract.id, line)
        ledger.update_batch(connection, batch.batch_id, warnings=[*(known.warnings or ()), *new])
        return ledger.get_batch(connection, batch.batch_id)

    def _mark(self, contract: Contract, batch: Batch, status: str, message: str) -> None:
        try:
            with self.warehouse.loader() as connection:
                ledger.mark_unfinished(connection, batch.batch_id, status=status, message=message, at=_now(connection))
                batch = ledger.get_batch(connection, batch.batch_id)
            self._tell_lineage(contract, batch)
        except DxError:
            return  # the warehouse itself is gone: the next run supersedes this batch

    def _manifest(self, contract: Contract, batch: Batch) -> Manifest:
        return self.landing.load_manifest(contract.system, contract.dataset, _origin(batch))


def _origin(batch: Batch) -> int:
    """The batch whose landed files this one holds: itself, or the one it replays."""
    return batch.replay_of or batch.batch_id


def _outcome_row(outcome: RuleOutcome) -> dict[str, object]:
    return {
        "code": outcome.code,
        "type": outcome.type,
        "severity": outcome.severity,
        "passed": outcome.passed,
        "evaluated": outcome.evaluated,
        "unexpected": outcome.unexpected,
        "missing": outcome.missing,
        "message_vi": outcome.message_vi,
        "message_en": outcome.message_en,
        "gx_result": outcome.gx_result,
    }


def _now(connection: sa.Connection) -> datetime:
    at: datetime = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
    return at
