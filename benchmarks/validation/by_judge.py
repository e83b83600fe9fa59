"""The judge of the product over a cleaned Parquet file: ``python -m benchmarks.validation.by_judge FILE``.

All it does to a batch, but for the COPY of what it gives: repeats, every rule, row hashes, accepted and rejected rows.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.garbage_collection import collect_rarely
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.judge.verdict import Judgement, prepare_to_judge
from dx_pipeline.settings import PROJECT_ROOT, Settings

DATASET = "one_stop.ho_so"


def main() -> None:
    contract = load_catalog([PROJECT_ROOT], strict=False).contract(DATASET)
    settings = Settings()
    collect_rarely()  # as every command of the product
    prepare_to_judge()  # imports: as with the peers, not in the seconds; in the process's wall time
    with tempfile.TemporaryDirectory(prefix="dx-bench-") as work:
        started = time.perf_counter()
        accepted = rejected = 0
        with Judgement(
            contract,
            load_suite(contract),
            Path(sys.argv[1]),
            work_dir=Path(work),
            memory_limit=settings.judge_memory,
            threads=settings.judge_threads,
            batch_rows=settings.batch_rows,
        ) as judgement:
            for batch in judgement.batches():
                accepted += batch.accepted.num_rows
                rejected += batch.rejected.num_rows
            verdict = judgement.verdict()
        seconds = time.perf_counter() - started
    broken = {outcome.code: outcome.unexpected for outcome in verdict.outcomes if outcome.unexpected}
    print(json.dumps({"seconds": seconds, "rows": verdict.extracted, "rejected": rejected, "broken": broken}))


if __name__ == "__main__":
    main()
