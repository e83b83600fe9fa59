"""Judgements in parallel threads must not see one another's batches: Great Expectations shares global state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from dx_pipeline.contract.model import Column
from tests.judge_batches import Judged, judge, make_contract, rule, write_batch, write_suite

COLUMNS = [
    Column("id", "Id", "identifier", "string", required=True, key_position=1),
    Column("fee", "Phi", "money_vnd", "integer"),
]


def test_eight_judgements_at_once_each_get_their_own_result(tmp_path: Path) -> None:
    """Batch n has 100 + n rows of which n are negative, n warned about, and fees that sum to its own number."""

    def one(job: int) -> Judged:
        n = job % 8
        root = tmp_path / str(job)
        (root / "work").mkdir(parents=True)
        contract = make_contract(root, COLUMNS)
        write_suite(
            contract,
            [
                rule("id_missing", "column_values_to_not_be_null", column="id"),
                rule("id_conflict", "column_values_to_be_unique", column="id"),
                rule("fee_negative", "column_values_to_be_between", column="fee", min_value=0),
                rule("fee_high", "column_values_to_be_between", "warning", column="fee", max_value=1_000 + n),
                rule("rows", "table_row_count_to_equal", "warning", value=100 + n),
                rule(
                    "sum", "column_max_to_be_between", "warning", column="fee", min_value=5_000 + n, max_value=5_000 + n
                ),
            ],
        )
        fees = [-1] * n + [1_001 + n] * (n + 1) + [5_000 + n] + [1] * (98 - n)
        ids = [f"{n}-{i}" for i in range(100 + n)]
        cleaned = write_batch(root / "c.parquet", {"id": pa.array(ids), "fee": pa.array(fees, pa.int64())})
        return judge(contract, cleaned, root / "work", threads=1)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, range(16)))
    for job, judged in enumerate(results):
        n = job % 8
        outcomes = {o.code: o for o in judged.verdict.outcomes}
        assert judged.verdict.extracted == 100 + n
        assert judged.verdict.quarantined == n
        assert judged.verdict.flagged == n + 2
        assert outcomes["fee_negative"].unexpected == n
        assert outcomes["rows"].passed
        assert outcomes["sum"].passed
        assert {row["id"].split("-")[0] for row in judged.accepted} == {str(n)}
        assert judged.verdict.held == ()
