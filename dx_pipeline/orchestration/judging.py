"""Clean and judge one landed batch into the stage tables: landing → cleaned file → judge → COPY."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dx_pipeline.clean.derived import derived_columns
from dx_pipeline.clean.pseudonym import pseudonym_columns
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseError
from dx_pipeline.judge.rule_spec import Suite
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration.keys import keys_in_use
from dx_pipeline.orchestration.staging import (
    RejectedRows,
    Repair,
    accepted_batches,
    accepted_schema,
    prefetch,
    write_cleaned,
)
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.stage import REJECTED_SCHEMA, copy_into_stage, prepare_stage, rejected_table

if TYPE_CHECKING:
    from dx_pipeline.judge.verdict import Verdict

SMALLEST_CAPPED_PART = 100  # rows of an increment, a month or a replay from which the cap on the rejected share counts


def judge_into_stage(
    contract: Contract,
    batch: Batch,
    suite: Suite,
    manifest: Manifest,
    *,
    landing: LandingStore,
    warehouse: Warehouse,
    settings: Settings,
) -> tuple[Verdict, tuple[Repair, ...]]:
    """Fill the stage tables of a batch; the verdict counts its rows. The ledger is the caller's.

    Raises:
        SuiteError, JudgeError, WarehouseError, LandingError: see their classes.
    """
    from dx_pipeline.judge.verdict import Judgement

    work = settings.work_root / str(batch.batch_id)
    cleaned = work / "cleaned.parquet"
    repairs = write_cleaned(contract, landing, manifest, cleaned, settings.batch_rows)
    keys = keys_in_use(warehouse, settings, contract)
    pseudonyms, pseudonym_keys = pseudonym_columns(contract, keys)
    rejected = RejectedRows()
    with Judgement(
        _with_cap_that_fits(contract, batch, manifest.row_count),
        suite,
        cleaned,
        work_dir=work,
        memory_limit=settings.judge_memory,
        threads=settings.judge_threads,
        extra_columns={**{name: derived.sql for name, derived in derived_columns(contract).items()}, **pseudonyms},
        extra_parameters=pseudonym_keys,
        batch_rows=settings.batch_rows,
    ) as judgement:
        schema = accepted_schema(contract, list(pseudonyms))
        prepare_stage(warehouse, contract, schema, batch.batch_id, key_version=keys.current if pseudonyms else None)
        staged = copy_into_stage(
            warehouse,
            contract.stage_table,
            schema,
            accepted_batches(judgement, rejected),
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
    return verdict, repairs


def _with_cap_that_fits(contract: Contract, batch: Batch, rows: int) -> Contract:
    """The contract without its cap on the rejected share if the batch is too small a part of the source for it.

    An hour that brings two rows, one of them bad, is no broken source; held, it would be read and held again
    every hour.
    """
    is_whole_source = contract.load.mode == "snapshot" or batch.kind == "full"
    return contract if is_whole_source or rows >= SMALLEST_CAPPED_PART else replace(contract, rejected_share_cap=1.0)
