"""What a batch speaks for, from its contract and its ledger row; and what to tell of the rows it no longer holds."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.window import column_timezone
from dx_pipeline.warehouse.delivery import USUAL_BAND, WHOLE_BAND, Delivery, Extent
from dx_pipeline.warehouse.ledger import Batch, get_batch, published_before
from dx_pipeline.warehouse.merge_statement import MergeCounts
from dx_pipeline.warehouse.stage import rejected_table
from dx_pipeline.warehouse.vanishing import decided

_PARTS_NAMED = 3


def delivery_of(connection: Connection, contract: Contract, batch: Batch) -> Delivery:
    """What this batch, or the one whose landed rows it replays, speaks for."""
    origin = get_batch(connection, batch.replay_of) if batch.replay_of is not None else batch
    window = None
    if origin.kind == "period" and contract.load.period is not None and origin.window_low and origin.window_high:
        zone = column_timezone(contract.column(contract.load.period.column))
        window = (origin.window_low, origin.window_high, zone)
    extent: Extent = "part"
    usual = USUAL_BAND
    if contract.load.mode == "snapshot":
        extent = "all"
    elif origin.kind == "full" and published_before(connection, contract, origin):
        extent, usual = "all", WHOLE_BAND  # the first read of all has nothing before it that could have vanished
    elif window is not None:
        extent = "period"
    decisions = decided(connection, contract) if extent == "all" else ()
    band = usual if contract.volume.band is None else contract.volume.band
    return Delivery(
        extent=extent,
        key=contract.key_columns,
        covers=contract.load.covers,
        window=window,
        read_from=origin.started_at,
        rejected=rejected_table(contract),
        withdrawn=tuple(part for part in decisions if part is not None),
        band=1.0 if None in decisions else band,
        mend=f"`dx vanished accept {contract.id} --by NAME --reason WHY` reads it again and closes them; for good, widen"
        f" volume.band in {contract.path}",
    )


def told_of_vanished(contract: Contract, counts: MergeCounts) -> list[str]:
    """Sentences for the ledger: what was closed in doubt, and what stayed because its new version is in quarantine."""
    told = []
    if counts.kept:
        told.append(
            f"{contract.id}: {counts.kept:,} rows stay as they were published before, because what came for them is in"
            " quarantine"
        )
    if counts.absent:
        named = ", ".join(f"{part} ({rows:,})" for part, rows in counts.absent[:_PARTS_NAMED])
        more = f" and {len(counts.absent) - _PARTS_NAMED} more" if len(counts.absent) > _PARTS_NAMED else ""
        told.append(
            f"{contract.id}: nothing came of {named}{more}; their rows stay open. If it was withdrawn at the source:"
            f" `dx vanished withdraw {contract.id} {counts.absent[0][0]} --by NAME --reason WHY`"
        )
    if counts.closed and counts.unreadable:
        told.append(
            f"{contract.id}: {counts.closed:,} rows are not in this delivery and were closed, but the key of"
            f" {counts.unreadable:,} rejected rows cannot be read: they may be among them"
        )
    return told
