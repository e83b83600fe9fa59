"""Reads one source into the landing zone: in its turn, in bounded time, refusing what drifted or is not complete."""

from __future__ import annotations

from dataclasses import asdict

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceSilent
from dx_pipeline.extract.completeness import check_complete, check_source_rows
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.sign_of_life import SignOfLife
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration.bounded_reading import SilentSources, read_bounded
from dx_pipeline.orchestration.source_shape import record_shape
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.ledger import Batch

Landed = tuple[Manifest, Extraction, list[str]]
"""What landed, what the source told about it, and the warnings of the reading."""


class SourceReading:
    """The readings of one process; it remembers which sources gave no answer in a run."""

    def __init__(self, settings: Settings, warehouse: Warehouse, catalog: Catalog, landing: LandingStore) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._catalog = catalog
        self._landing = landing
        self._silent = SilentSources()

    def read(self, contract: Contract, batch: Batch, window: Window) -> Landed:
        """Extract in the source's turn (``poolLimit`` readings at once, of all runs) and in bounded time."""
        system = self._catalog.systems[contract.system]
        with self._warehouse.source_turn(
            system.name, limit=system.pool_limit, timeout_seconds=self._settings.lock_timeout_seconds
        ):
            self._silent.refuse(batch.run_id, contract)
            try:
                return read_bounded(
                    contract,
                    lambda life: self._extract(contract, batch, window, life),
                    silence_seconds=self._settings.source_silence_seconds,
                )
            except SourceSilent as error:
                self._silent.note(batch.run_id, contract, error)
                raise

    def _extract(self, contract: Contract, batch: Batch, window: Window, life: SignOfLife) -> Landed:
        url = self._settings.connection_url(self._catalog.systems[contract.system].connection)
        self._landing.sweep_temporary()
        with open_source(contract, url) as reader:
            drift = check_drift(contract, reader.describe())
            changes = record_shape(contract, batch.batch_id, drift, self._warehouse)
            refuse_drift(contract, drift)
            warnings = [*drift.messages, *changes]
            for message in warnings:
                listener().warn(contract.id, message)
            check_source_rows(contract, reader)
            life.seen()
            extraction = reader.extract(window)
            for message in extraction.findings:
                listener().warn(contract.id, message)

            def came(rows: int) -> None:
                life.seen()
                listener().advance(contract.id, "extract", rows, extraction.source_rows)

            life.seen()
            manifest = self._landing.write(
                system=contract.system,
                dataset=contract.dataset,
                batch_id=batch.batch_id,
                schema=extraction.schema,
                batches=extraction.batches,
                facts={
                    "contract_version": contract.version,
                    "window": asdict(window),
                    "source_rows": extraction.source_rows,
                    "position": extraction.position,
                    "schema_fingerprint": drift.fingerprint,
                    "control": {"rows": str(extraction.source_rows), **extraction.control},
                    "cursor_high": extraction.cursor_high,
                },
                on_rows=came,
            )
        listener().finish(contract.id, "extract")
        check_complete(contract, extraction.source_rows, manifest.row_count)
        return manifest, extraction, [*warnings, *extraction.findings]
