"""Deduplication and the balance of rows, against a slow reference in pandas."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC as utc
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dx_pipeline.contract.model import Column, LoadPolicy
from tests.judge_batches import UTC, judge, make_contract, rule, write_batch, write_suite

Row = tuple[str | None, int | None, int | None, str | None]
"""(key_a, key_b, version, content)"""

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "", "a;", None]),
        st.sampled_from([1, 2, None]),
        st.sampled_from([1, 2, 3, None]),
        st.sampled_from(["x", "y", "bad", None]),
    ),
    max_size=14,
)
COLUMNS = [
    Column("key_a", "A", "identifier", "string", key_position=1),
    Column("key_b", "B", "integer", "integer", key_position=2),
    Column("version", "V", "datetime", "timestamp"),
    Column("content", "C", "text", "string"),
]
RULES = [
    rule("conflict", "compound_columns_to_be_unique", column_list=["key_a", "key_b"]),
    rule("content_bad", "column_values_to_not_be_in_set", column="content", value_set=["bad"]),
    rule("content_missing", "column_values_to_not_be_null", "warning", column="content"),
]


def reference(rows: Sequence[Row], with_cursor: bool) -> tuple[set[int], set[int], set[int]]:
    """(accepted, rejected, duplicate) row numbers."""
    frame = pd.DataFrame(rows, columns=["a", "b", "version", "content"], dtype=object)
    duplicate: set[int] = set()
    conflict: set[int] = set()
    keyed = frame[frame["a"].notna() & frame["b"].notna()]
    for _, group in keyed.groupby(["a", "b"]):
        left = group
        if with_cursor:
            version = group["version"].map(lambda v: -1 if pd.isna(v) else v)
            left = group[version == version.max()]
            duplicate |= set(group.index) - set(left.index)
        texts = left[["version", "content"]].map(lambda v: None if pd.isna(v) else v)
        kept = left[~texts.apply(tuple, axis=1).duplicated(keep="first")]
        duplicate |= set(left.index) - set(kept.index)
        if len(kept) > 1:
            conflict |= set(kept.index)
    bad = set(frame.index[frame["content"] == "bad"]) - duplicate
    rejected = conflict | bad
    return set(frame.index) - duplicate - rejected, rejected, duplicate


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, with_cursor=st.booleans(), cut=st.integers(0, 14))
def test_every_row_is_accepted_rejected_or_duplicate(rows: list[Row], with_cursor: bool, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "work").mkdir()
        load = LoadPolicy("incremental", cursor="version") if with_cursor else LoadPolicy("snapshot")
        contract = make_contract(root, COLUMNS, load=load, row_identity=("key_a", "key_b"))
        write_suite(contract, RULES)
        start = datetime(2024, 1, 1, tzinfo=utc)
        files = []
        for number, (first, part) in enumerate([(0, rows[:cut]), (min(cut, len(rows)), rows[cut:])]):
            versions = [None if row[2] is None else start + timedelta(hours=row[2]) for row in part]
            arrays = {
                "key_a": pa.array([row[0] for row in part], pa.string()),
                "key_b": pa.array([row[1] for row in part], pa.int64()),
                "version": pa.array(versions, UTC),
                "content": pa.array([row[3] for row in part], pa.string()),
            }
            files.append(write_batch(root / f"{number}.parquet", arrays, first))
        judged = judge(contract, files, root / "work")
    accepted, rejected, duplicate = reference(rows, with_cursor)
    verdict = judged.verdict
    assert set(judged.accepted_rows) == accepted
    assert set(judged.rejected) == rejected
    assert verdict.duplicate == len(duplicate)
    assert verdict.extracted == len(rows) == verdict.accepted + verdict.quarantined + verdict.duplicate
    assert verdict.flagged == sum(rows[n][3] is None for n in accepted)
    for row in judged.accepted:
        assert row["_warnings"] == (["content_missing"] if rows[row["_row"]][3] is None else None)
