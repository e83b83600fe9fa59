"""Takes the control sums of a batch at each gate of the road and says what does not agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.control_measures import MOST_DISTINCT_ROWS, is_control_column
from dx_pipeline.landing.control_sums import sums_of_files
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.warehouse.control_sums import reconcile, record_control_sums, stage_sums, star_sums
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.load_file import LoadFile
from dx_pipeline.warehouse.merge_statement import LoadBinds, MergeCounts, describe

if TYPE_CHECKING:
    from dx_pipeline.judge.verdict import Verdict
    from dx_pipeline.orchestration.judging import CleanedBatch

_FOLLOWED = ("upsert", "snapshot")  # one star row per key; of a versioned dimension there may be several


def followed_columns(contract: Contract) -> list[str]:
    """Canonical names of the columns whose sum is followed through the gates."""
    return [column.name for column in contract.columns if is_control_column(column)]


class AcceptedSums:
    """Adds up the followed columns of the accepted rows while they stream to the stage."""

    def __init__(self, contract: Contract) -> None:
        self._totals: dict[str, Decimal] = dict.fromkeys(followed_columns(contract), Decimal(0))

    def counting(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches."""
        for batch in batches:
            for name in self._totals:
                self._totals[name] += Decimal(str(pc.sum(batch.column(name)).as_py() or 0))
            yield batch

    def told(self) -> dict[str, str | None]:
        return {f"sum({name})": str(total) for name, total in self._totals.items()}


def record_landing(
    connection: Connection, contract: Contract, batch: Batch, manifest: Manifest, source: Mapping[str, str | None]
) -> None:
    """Store what the source said and what the landed files hold."""
    record_control_sums(connection, batch.batch_id, "source", source)
    by_source = {column.name: column.source_name for column in contract.columns}
    cursor = contract.load.cursor
    sums = sums_of_files(
        [manifest.directory / file.name for file in manifest.files],
        key=[by_source[name] for name in contract.key_columns] if "distinct_keys" in source else [],
        totals={name: by_source[name] for name in followed_columns(contract) if f"sum({name})" in source},
        cursor=(cursor, by_source[cursor]) if cursor is not None and f"min({cursor})" in source else None,
    )
    record_control_sums(connection, batch.batch_id, "landing", sums)


def record_stage(
    connection: Connection,
    contract: Contract,
    batch: Batch,
    cleaned: CleanedBatch,
    verdict: Verdict,
    accepted: Mapping[str, str | None],
    rejected_rows: list[int],
) -> None:
    """Store what the cleaned file, the judge's two sides and the stage table hold."""
    names = {name: name for name in followed_columns(contract)}
    whole = sums_of_files(cleaned.paths, key=[], totals=names, cursor=None)
    out = sums_of_files(cleaned.paths, key=[], totals=names, cursor=None, rows=rejected_rows)
    record_control_sums(connection, batch.batch_id, "cleaned", whole)
    record_control_sums(connection, batch.batch_id, "quarantined", out)
    record_control_sums(connection, batch.batch_id, "accepted", {"rows": str(verdict.accepted), **accepted})
    repeats: dict[str, str | None] = {"rows": str(verdict.duplicate)}
    for name in names:
        measure = f"sum({name})"
        left = Decimal(str(whole[measure])) - Decimal(str(accepted[measure])) - Decimal(str(out[measure]))
        repeats[measure] = str(left) if verdict.duplicate else "0"
    record_control_sums(connection, batch.batch_id, "duplicate", repeats)
    sums = stage_sums(connection, contract, list(names), count_keys=verdict.accepted <= MOST_DISTINCT_ROWS)
    record_control_sums(connection, batch.batch_id, "stage", sums)


def record_star(
    connection: Connection, contract: Contract, batch: Batch, load: LoadFile, binds: LoadBinds, counts: MergeCounts
) -> None:
    """Store what the star holds of the batch, inside the publishing transaction."""
    step = load.ledger_step
    if step.merge in _FOLLOWED:
        target = describe(connection, str(step.target))
        sums = star_sums(connection, step, target, binds, counts, followed_columns(contract))
        record_control_sums(connection, batch.batch_id, "star", sums)


def disagreements(connection: Connection, contract: Contract, batch_id: int) -> list[str]:
    """A line for each measure on which two gates of the batch do not agree."""
    return [
        f"{contract.id}: {one.measure} is not the same: {before} {_shown(one.values, before)}, {after}"
        f" {_shown(one.values, after)}"
        for one in reconcile(connection, batch_id)
        for before, after in one.broken
    ]


def _shown(values: Mapping[str, str | None], gates: str) -> str:
    return " + ".join(str(values.get(gate)) for gate in gates.split(" + "))
