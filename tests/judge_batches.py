"""Small contracts, suites and cleaned batches for the tests of the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dx_pipeline.contract.model import Column, Contract, LoadPolicy, SourceRelation
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.judge.verdict import JudgedBatch, Judgement, Verdict

UTC = pa.timestamp("us", "UTC")


def make_contract(root: Path, columns: Sequence[Column], **changes: Any) -> Contract:
    """A contract ``s.d`` over these columns."""
    settings: dict[str, Any] = {
        "id": "s.d",
        "version": "1.0.0",
        "system": "s",
        "dataset": "d",
        "purpose_vi": "thử",
        "purpose_en": "test",
        "owner_agency": "H50.00",
        "source": SourceRelation("table", schema="s", table="d"),
        "load": LoadPolicy("snapshot"),
        "columns": tuple(columns),
        "row_identity": ("id",),
        "rejected_share_cap": 1.0,
        "min_source_rows": 1,
        "on_new_column": "warn",
        "on_widened_type": "hold",
        "freshness": None,
        "depends_on": (),
        "left_out": (),
        "path": root / "assets" / "s" / "d.odcs.yaml",
        "root": root,
    }
    return Contract(**{**settings, **changes})


def rule(code: str, kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    """One suite entry; ``kind`` without the leading ``expect_``."""
    name = kind if kind == "unexpected_rows_expectation" else f"expect_{kind}"
    meta = {"code": code, "vi": f"{code} (vi)", "en": f"{code} (en)"}
    return {"type": name, "kwargs": kwargs, "severity": severity, "meta": meta}


def write_suite(contract: Contract, rules: Sequence[Mapping[str, Any]], name: str = "s.d") -> Path:
    """Write the suite file of a contract."""
    contract.suite_path.parent.mkdir(parents=True, exist_ok=True)
    content = {"name": name, "expectations": list(rules)}
    contract.suite_path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return contract.suite_path


def write_batch(path: Path, columns: Mapping[str, pa.Array], first_row: int = 0) -> Path:
    """Write a cleaned batch; ``_row`` is added."""
    rows = len(next(iter(columns.values())))
    numbers = pa.array(range(first_row, first_row + rows), pa.int64())
    pq.write_table(pa.table({"_row": numbers, **columns}), path)
    return path


@dataclass(frozen=True)
class Judged:
    """Everything a judgement gave."""

    accepted: list[dict[str, Any]]
    rejected: dict[int, list[str]]
    verdict: Verdict
    schema: pa.Schema | None

    @property
    def accepted_rows(self) -> list[int]:
        return sorted(row["_row"] for row in self.accepted)


def judge(contract: Contract, cleaned: Path | Sequence[Path], work_dir: Path, **settings: Any) -> Judged:
    """Judge a batch with the suite file of its contract."""
    with Judgement(contract, load_suite(contract), cleaned, work_dir=work_dir, **settings) as judgement:
        batches: list[JudgedBatch] = list(judgement.batches())
        verdict = judgement.verdict()
    accepted = [row for batch in batches for row in batch.accepted.to_pylist()]
    rejected = {row["_row"]: row["reasons"] for batch in batches for row in batch.rejected.to_pylist()}
    assert not any(work_dir.iterdir()), "the judge left files behind"
    return Judged(accepted, rejected, verdict, batches[0].accepted.schema if batches else None)
