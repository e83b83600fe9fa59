"""The rows that judge and peers get: the cleaned batch of a first load, without the repeats that only the judge removes."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.judge.verdict import Judgement
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration.staging import write_cleaned
from dx_pipeline.settings import PROJECT_ROOT, Settings

DATASET = "one_stop.ho_so"


def write_rows_to_validate(settings: Settings, batch_id: int, target: Path) -> int:
    """Clean a landed batch again and write the rows that are judged; how many there are.

    Identical copies and older versions of a dossier are dropped by the judge before its rules. Plain suites do not know
    of them, so nobody gets them here: then all must find the same.
    """
    contract = load_catalog([PROJECT_ROOT], strict=False).contract(DATASET)
    landing = LandingStore(settings.landing_root)
    manifest = landing.load_manifest(contract.system, contract.dataset, batch_id)
    work = target.parent / "prepare"
    work.mkdir(parents=True, exist_ok=True)
    cleaned = work / "cleaned.parquet"
    write_cleaned(contract, landing, manifest, cleaned, settings.batch_rows)
    kept: list[int] = []
    with Judgement(contract, load_suite(contract), cleaned, work_dir=work / "judge") as judgement:
        for batch in judgement.batches():
            for part in (batch.accepted, batch.rejected):
                kept += part.column("_row").to_pylist()
    dropped = manifest.row_count - len(kept)
    if dropped:
        with duckdb.connect() as connection:
            import pyarrow as pa

            connection.register("kept", pa.table({"_row": pa.array(kept, pa.int64())}))
            connection.execute("set memory_limit = '1GB'; set preserve_insertion_order = false")
            reader = connection.sql(
                f"select * from read_parquet('{cleaned}') semi join kept using (_row)"
            ).to_arrow_reader(settings.batch_rows)
            with pq.ParquetWriter(target, reader.schema, compression="lz4") as writer:
                for rows in reader:
                    writer.write_batch(rows)
    else:
        shutil.move(cleaned, target)
    shutil.rmtree(work)
    return len(kept)
