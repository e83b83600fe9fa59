"""Compare the verdicts on a department's system with the truth that was written when its faults were planted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseError
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.sandbox.department import Department
from dx_pipeline.sandbox.fault_line import FaultLine, VerifyReport
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse.connection import Warehouse


def verify_department(department: Department, truth_path: Path, warehouse: Warehouse) -> VerifyReport:
    """Compare ledger, quarantine, flags and repaired values of the first full load of one system with its truth.

    Raises:
        WarehouseError: a dataset of the system was never loaded in full.
    """
    truth = pd.read_parquet(truth_path / "truth.parquet")
    catalog = load_catalog(get_settings().project_roots, strict=False)
    lines: list[FaultLine] = []
    clean_rejected = 0
    for dataset, rows in truth.groupby("dataset"):
        contract = catalog.contract(f"{department.system}.{dataset}")
        rejected = _quarantined(warehouse, contract)
        clean_rejected += len(rejected.keys() - set(rows[rows.verdict == "critical"].row_key))
        flagged = _flagged(warehouse, department.flagged.get(str(dataset)))
        if (hidden := department.hidden_keys.get(str(dataset))) is not None:
            known_as = {hidden(key): key for key in rows.row_key}
            flagged = {(known_as.get(key, key), flag) for key, flag in flagged}
        batch_id, duplicate = _first_full_batch(warehouse, contract)
        for code, kind in rows.groupby("code"):
            keys = set(kind.row_key)
            verdict = str(kind.verdict.iloc[0])
            if verdict == "critical":
                accused = {key for key, reasons in rejected.items() if code in reasons}
                lines.append(_line(contract, code, "quarantined", keys, accused))
            elif verdict == "warning":
                lines.append(_line(contract, code, "flagged", keys, {key for key, flag in flagged if flag == code}))
            elif verdict == "clean":
                kept = keys - rejected.keys()
                lines.append(FaultLine(contract.id, f"{code} (clean)", "accepted", len(keys), len(kept), 0))
        known = set(rows.code)
        for code in sorted({flag for _, flag in flagged} - known):  # a flag that nobody planted
            lines.append(_line(contract, code, "flagged", set(), {key for key, flag in flagged if flag == code}))
        planted = int((rows.verdict == "duplicate").sum())
        if planted or duplicate:
            codes = ", ".join(sorted(set(rows[rows.verdict == "duplicate"].code))) or "none"
            found = min(planted, duplicate)
            lines.append(FaultLine(contract.id, codes, "duplicate", planted, found, max(0, duplicate - planted)))
        lines += _repairs(contract, rows[rows.expected_value.notna()], batch_id)
    return VerifyReport(tuple(lines), clean_rejected)


def _line(contract: Contract, code: str, verdict: str, planted: set[str], accused: set[str]) -> FaultLine:
    return FaultLine(contract.id, code, verdict, len(planted), len(planted & accused), len(accused - planted))


def _quarantined(warehouse: Warehouse, contract: Contract) -> dict[str, list[str]]:
    """Row key → reasons of the rows that are still rejected."""
    with warehouse.loader() as connection:
        found = connection.execute(
            sa.text(
                "select row_key, reasons from ops.quarantine"
                " where system = :system and dataset = :dataset and status = 'open'"
            ),
            {"system": contract.system, "dataset": contract.dataset},
        )
        return {str(key): list(reasons) for key, reasons in found}


def _flagged(warehouse: Warehouse, query: str | None) -> set[tuple[str, str]]:
    """(row key, flag) of the flagged rows in the star."""
    if query is None:
        return set()
    with warehouse.loader() as connection:
        return {(str(key), str(flag)) for key, flag in connection.execute(sa.text(query))}


def _first_full_batch(warehouse: Warehouse, contract: Contract) -> tuple[int, int]:
    """Id of the first published full batch and the number of its duplicates."""
    with warehouse.loader() as connection:
        row = connection.execute(
            sa.text(
                "select batch_id, duplicate from ops.batch where system = :system and dataset = :dataset"
                " and status = 'published' and kind in ('full', 'snapshot') order by batch_id limit 1"
            ),
            {"system": contract.system, "dataset": contract.dataset},
        ).one_or_none()
    if row is None:
        raise WarehouseError(f"{contract.id} was never loaded in full", next_step="`dx run` first")
    return int(row[0]), int(row[1] or 0)


def _repairs(contract: Contract, planted: pd.DataFrame, batch_id: int) -> Iterator[FaultLine]:
    """Planted repairs by value: the landed rows are cleaned again and compared."""
    if planted.empty:
        return
    store = LandingStore(get_settings().landing_root)
    columns = sorted(set(planted.source_column))
    values: dict[tuple[str, str], str | None] = {}
    for landed in store.read(store.load_manifest(contract.system, contract.dataset, batch_id)):
        cleaned = clean_batch(landed, contract, 0)
        parts = [cleaned.column(name).cast(pa.string()) for name in contract.row_identity]
        keys = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "|")
        cleaned = cleaned.filter(pc.is_in(keys, value_set=pa.array(planted.row_key.unique(), pa.string())))
        names = [cleaned.column(name).cast(pa.string()).to_pylist() for name in contract.row_identity]
        for column in contract.columns:
            if column.source_name in columns:
                texts = cleaned.column(column.name).cast(pa.string()).to_pylist()
                keyed = ("|".join(parts) for parts in zip(*names, strict=True))
                values.update({(key, column.source_name): text for key, text in zip(keyed, texts, strict=True)})
    for code, kind in planted.groupby("code"):
        found = sum(values.get((row.row_key, row.source_column)) == row.expected_value for row in kind.itertuples())
        yield FaultLine(contract.id, f"{code} (value)", "repaired", len(kind), found, 0)
