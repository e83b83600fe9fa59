"""Clean and judge one landed batch into the stage tables: landing → cleaned file → judge → COPY."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dx_pipeline.clean.derived import derived_columns
from dx_pipeline.clean.pseudonym import pseudonym_columns
from dx_pipeline.clean.repairs import Repair
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseError
from dx_pipeline.judge.rule_spec import Suite
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration.keys import keys_in_use
from dx_pipeline.orchestration.reconciliation import AcceptedSums
from dx_pipeline.orchestration.released_rows import find_released_rows
from dx_pipeline.orchestration.staging import (
    RejectedRows,
    accepted_batches,
    accepted_schema,
    prefetch,
    write_cleaned,
)
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings
from dx_pipeline.spark.cleaning import clean_on_spark, goes_to_spark
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.stage import REJECTED_SCHEMA, copy_into_stage, prepare_stage, rejected_table

if TYPE_CHECKING:
    from dx_pipeline.judge.verdict import Verdict

SMALLEST_CAPPED_PART = 100  # rows of an increment, a month or a replay from which the cap on the rejected share counts


@dataclass(frozen=True)
class CleanedBatch:
    """A cleaned batch in Parquet files that live until it is judged, and what the cleaner changed.

    Attributes:
        paths: in the order of the rows; one file, or from Spark one for each part.
    """

    paths: tuple[Path, ...]
    repairs: tuple[Repair, ...]


@dataclass(frozen=True)
class StagedBatch:
    """A judged batch in its stage tables: the verdict, what the accepted rows add up to, which rows were rejected."""

    verdict: Verdict
    accepted_sums: dict[str, str | None]
    rejected_rows: list[int]


def clean_landed(
    contract: Contract, batch: Batch, manifest: Manifest, *, landing: LandingStore, settings: Settings
) -> CleanedBatch:
    """Check the landed files of a batch against their hashes and clean them: here, or on Spark if the settings say so.

    Raises:
        LandingError: a file is gone, damaged or cannot be cleaned.
        SparkUnavailable: the dataset is switched to Spark, which cannot be used.
    """
    landing.verify(manifest)
    work = settings.work_root / str(batch.batch_id)
    work.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    work.mkdir(exist_ok=True, mode=0o700)
    if goes_to_spark(settings, contract, manifest.row_count):
        return CleanedBatch(*clean_on_spark(contract, manifest, work, settings))
    path = work / "cleaned.parquet"
    return CleanedBatch((path,), write_cleaned(contract, landing, manifest, path, settings.batch_rows))


def judge_into_stage(
    contract: Contract,
    batch: Batch,
    suite: Suite,
    manifest: Manifest,
    cleaned_batch: CleanedBatch,
    *,
    warehouse: Warehouse,
    settings: Settings,
) -> StagedBatch:
    """Fill the stage tables of a batch; the verdict counts its rows. The ledger is the caller's.

    Raises:
        SuiteError, JudgeError, WarehouseError, LandingError: see their classes.
    """
    from dx_pipeline.judge.verdict import Judgement

    cleaned = cleaned_batch.paths
    keys = keys_in_use(warehouse, settings, contract)
    pseudonyms, pseudonym_keys = pseudonym_columns(contract, keys)
    rejected = RejectedRows()
    sums = AcceptedSums(contract)
    with Judgement(
        _with_cap_that_fits(contract, batch, manifest.row_count),
        suite,
        cleaned,
        work_dir=cleaned[0].parent,
        memory_limit=settings.judge_memory,
        threads=settings.judge_threads,
        extra_columns={**{name: derived.sql for name, derived in derived_columns(contract).items()}, **pseudonyms},
        extra_parameters=pseudonym_keys,
        released_rows=find_released_rows(contract, manifest, cleaned, warehouse),
        batch_rows=settings.batch_rows,
    ) as judgement:
        schema = accepted_schema(contract, list(pseudonyms))
        prepare_stage(warehouse, contract, schema, batch.batch_id, key_version=keys.current if pseudonyms else None)
        staged = copy_into_stage(
            warehouse,
            contract.stage_table,
            schema,
            sums.counting(accepted_batches(judgement, rejected)),
            on_rows=lambda rows: listener().advance(contract.id, "judge", rows, manifest.row_count),
        )
        verdict = judgement.verdict()
    copy_into_stage(
        warehouse,
        rejected_table(contract),
        REJECTED_SCHEMA,
        prefetch(rejected.records(contract, manifest, cleaned, settings.batch_rows), 2),
    )
    listener().finish(contract.id, "judge")
    if staged != verdict.accepted:
        raise WarehouseError(f"{contract.id}: the judge accepted {verdict.accepted} rows, stage received {staged}")
    return StagedBatch(verdict, sums.told(), rejected.row_numbers)


def _with_cap_that_fits(contract: Contract, batch: Batch, rows: int) -> Contract:
    """The contract without its cap on the rejected share if the batch is too small a part of the source for it.

    An hour that brings two rows, one of them bad, is no broken source; held, it would be read and held again
    every hour.
    """
    is_whole_source = contract.load.mode == "snapshot" or batch.kind == "full"
    return contract if is_whole_source or rows >= SMALLEST_CAPPED_PART else replace(contract, rejected_share_cap=1.0)
