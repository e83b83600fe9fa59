"""What a batch speaks for, from its contract and its ledger row; and what to tell of the rows it no longer holds."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.window import column_timezone
from dx_pipeline.warehouse.delivery import USUAL_BAND, Delivery, Extent
from dx_pipeline.warehouse.ledger import Batch, get_batch
from dx_pipeline.warehouse.merge_statement import MergeCounts
from dx_pipeline.warehouse.stage import rejected_table


def delivery_of(connection: Connection, contract: Contract, batch: Batch) -> Delivery:
    """What this batch, or the one whose landed rows it replays, speaks for."""
    origin = get_batch(connection, batch.replay_of) if batch.replay_of is not None else batch
    window = None
    if origin.kind == "period" and contract.load.period is not None and origin.window_low and origin.window_high:
        zone = column_timezone(contract.column(contract.load.period.column))
        window = (origin.window_low, origin.window_high, zone)
    extent: Extent = "part"
    if contract.load.mode == "snapshot" or origin.kind == "full":
        extent = "all"
    elif window is not None:
        extent = "period"
    return Delivery(
        extent=extent,
        key=contract.key_columns,
        covers=contract.load.covers,
        window=window,
        read_from=origin.started_at,
        rejected=rejected_table(contract),
        band=USUAL_BAND if contract.volume.band is None else contract.volume.band,
        mend=f"widen volume.band in {contract.path} and `dx replay {batch.batch_id}`",
    )


def told_of_vanished(contract: Contract, counts: MergeCounts) -> list[str]:
    """Sentences for the ledger: what was closed in doubt, and what stayed because its new version is in quarantine."""
    told = []
    if counts.kept:
        told.append(
            f"{contract.id}: {counts.kept:,} rows stay as they were published before, because what came for them is in"
            " quarantine"
        )
    if counts.closed and counts.unreadable:
        told.append(
            f"{contract.id}: {counts.closed:,} rows are not in this delivery and were closed, but the key of"
            f" {counts.unreadable:,} rejected rows cannot be read: they may be among them"
        )
    return told
