"""Batches that landed after a backup: the restored ledger gets them back from their manifests, and they are published.

Their numbers, windows, watermarks and landing times are those they had, so that the star comes out as it was and the
next run goes on where the lost one had come to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError, LandingError
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.orchestration.road import Road
from dx_pipeline.orchestration.work_order import work_order
from dx_pipeline.warehouse import ledger
from dx_pipeline.warehouse.marts import load_marts, refresh_mart

RUN_ID = "restored"
UNPUBLISHED = ("extracting", "landed", "staged", "failed")


@dataclass(frozen=True)
class LaterLanding:
    """One batch in the landing zone that the ledger does not hold, or holds unpublished."""

    contract: Contract
    manifest: Manifest


@dataclass(frozen=True)
class LaterReport:
    """Published batches, and what could not be: batch and reason."""

    published: tuple[str, ...]
    left: tuple[str, ...]


def find_later(road: Road) -> tuple[list[LaterLanding], list[str]]:
    """Batches to publish, in the order they must be; and those of datasets nobody knows any more, or damaged ones."""
    found: dict[str, list[LaterLanding]] = defaultdict(list)
    left: list[str] = []
    with road.warehouse.loader() as connection:
        known = {row[0]: row[1] for row in connection.exec_driver_sql("select batch_id, status from ops.batch")}
    for system, dataset, batch_id in _landed(road.settings.landing_root):
        if batch_id in known and known[batch_id] not in UNPUBLISHED:
            continue
        contract = road.catalog.contracts.get(f"{system}.{dataset}")
        if contract is None:
            left.append(f"{system}.{dataset} batch {batch_id}: no contract of this name")
            continue
        try:
            found[contract.id].append(LaterLanding(contract, road.landing.load_manifest(system, dataset, batch_id)))
        except LandingError as error:
            left.append(error.what)
    order = work_order(road.catalog.contracts.values(), load_marts(road.settings.project_roots))
    rounds = [
        (turn, order.index(name), landing)
        for name, landings in found.items()
        for turn, landing in enumerate(sorted(landings, key=lambda item: item.manifest.batch_id))
    ]
    return [landing for _, _, landing in sorted(rounds, key=lambda item: item[:2])], left


def keep_numbers_apart(road: Road) -> None:
    """Let the next batch have a number that neither the ledger nor the landing zone has seen."""
    highest = max((batch_id for _, _, batch_id in _landed(road.settings.landing_root)), default=0)
    with road.warehouse.owner() as connection:
        connection.execute(
            sa.text(
                "select setval(pg_get_serial_sequence('ops.batch', 'batch_id'),"
                " greatest(:highest, (select coalesce(max(batch_id), 0) from ops.batch),"
                " (select last_value from pg_sequences where schemaname || '.' || sequencename ="
                " pg_get_serial_sequence('ops.batch', 'batch_id')), 1))"
            ),
            {"highest": highest},
        )


def publish_later(road: Road, landings: list[LaterLanding]) -> LaterReport:
    """Judge and publish the batches again and refresh the marts; what fails is told and the others go on."""
    published: list[str] = []
    left: list[str] = []
    for landing in landings:
        name = f"{landing.contract.id} batch {landing.manifest.batch_id}"
        try:
            batch = _register(road, landing)
            road.stage(landing.contract, batch)
            report = road.publish(landing.contract, batch)
            (published if report.batch.status == "published" else left).append(name)
        except DxError as error:
            left.append(f"{name}: {error.what}")
    if published:
        for mart in load_marts(road.settings.project_roots):
            refresh_mart(road.warehouse, mart)
    return LaterReport(tuple(published), tuple(left))


def _landed(root: Path) -> Iterator[tuple[str, str, int]]:
    for path in sorted(root.glob("*/*/*")):
        if path.is_dir() and path.name.isdigit():
            yield path.parent.parent.name, path.parent.name, int(path.name)


def _register(road: Road, landing: LaterLanding) -> ledger.Batch:
    manifest = landing.manifest
    window: dict[str, Any] = dict(manifest.facts.get("window") or {})
    kind = str(window.get("kind", "full"))
    if kind == "full" and landing.contract.load.mode == "snapshot":
        kind = "snapshot"
    landed_at = datetime.fromisoformat(manifest.created_at)
    values = {
        "batch_id": manifest.batch_id,
        "system": manifest.system,
        "dataset": manifest.dataset,
        "version": str(manifest.facts.get("contract_version", landing.contract.version)),
        "kind": kind,
        "month": date.fromisoformat(str(window["low"])[:10]) if kind == "period" else None,
        "run_id": RUN_ID,
        "low": window.get("low"),
        "high": window.get("high"),
        "mark": None if kind == "period" else manifest.facts.get("cursor_high"),
        "source_rows": manifest.facts.get("source_rows", manifest.row_count),
        "extracted": manifest.row_count,
        "path": f"{manifest.system}/{manifest.dataset}/{manifest.batch_id}",
        "fingerprint": manifest.facts.get("schema_fingerprint"),
        "landed_at": landed_at,
    }
    with road.warehouse.owner() as connection:
        connection.execute(
            sa.text(
                "insert into ops.batch (batch_id, system, dataset, contract_version, kind, period_month, run_id, status,"
                " window_low, window_high, watermark, source_rows, extracted, landing_path, schema_fingerprint, message,"
                " started_at, landed_at) overriding system value values (:batch_id, :system, :dataset, :version, :kind,"
                " :month, :run_id, 'landed', :low, :high, :mark, :source_rows, :extracted, :path, :fingerprint,"
                " 'landed after the backup that was restored', :landed_at, :landed_at)"
                " on conflict (batch_id) do update set status = 'landed', watermark = excluded.watermark,"
                " source_rows = excluded.source_rows, extracted = excluded.extracted,"
                " landing_path = excluded.landing_path, landed_at = excluded.landed_at, message = excluded.message"
            ),
            values,
        )
        return ledger.get_batch(connection, manifest.batch_id)
