"""Compare the pipeline's verdicts with the truth the sandbox wrote when it planted its faults.

Per planted fault: how many rows carry it, how many were found with the right reason, how many missed, and how many
rows were accused of it although they are clean. Repairs are checked by value, on the landed rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseError
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.sandbox.department_verify import verify_department
from dx_pipeline.sandbox.departments import DEPARTMENTS
from dx_pipeline.sandbox.fault_line import FaultLine, VerifyReport
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE, Warehouse

SYSTEM = "one_stop"
EVENT_KIND = {
    "qua_trinh_xu_ly": "process_step",
    "ho_so_bo_sung": "supplement",
    "yeu_cau_thanh_toan": "payment",
    "giay_to_ket_qua": "result",
    "dong_bo_dvcqg": "national_sync",
}


def verify_verdicts(province: SandboxProvince, warehouse: Warehouse) -> VerifyReport:
    """Compare ledger, quarantine, flags and repaired values of the first full load of every system with the truth.

    Raises:
        WarehouseError: a system that is built was not loaded yet.
    """
    reports = [_verify_one_stop(province, warehouse)]
    site = province.site()
    for department in DEPARTMENTS:
        if department.is_built(site):
            reports.append(verify_department(department, site.truth_path(department.system), warehouse))
    lines = tuple(line for report in reports for line in report.lines)
    return VerifyReport(lines, sum(report.clean_rejected for report in reports))


def _verify_one_stop(province: SandboxProvince, warehouse: Warehouse) -> VerifyReport:
    truth = pd.read_parquet(province.truth_path / "one_stop_truth.parquet")
    quarantined = _quarantined(warehouse)
    lines: list[FaultLine] = []
    for (table, code), rows in truth[truth.verdict == "critical"].groupby(["table", "code"]):
        ids = set(rows.source_id.astype(str))
        accused = {key for key, reasons in quarantined.get(table, {}).items() if code in reasons}
        lines.append(
            FaultLine(f"{SYSTEM}.{table}", code, "quarantined", len(ids), len(ids & accused), len(accused - ids))
        )
    lines += _warnings(truth, warehouse)
    lines.append(_duplicates(truth, warehouse))
    lines += _repairs(truth, warehouse)
    rejected_truth = {
        table: set(rows.source_id.astype(str)) for table, rows in truth[truth.verdict == "critical"].groupby("table")
    }
    clean_rejected = sum(len(set(rows) - rejected_truth.get(table, set())) for table, rows in quarantined.items())
    return VerifyReport(tuple(lines), clean_rejected)


def _quarantined(warehouse: Warehouse) -> dict[str, dict[str, list[str]]]:
    """Per dataset: row key → reasons."""
    found: dict[str, dict[str, list[str]]] = {}
    with warehouse.loader() as connection:
        for dataset, key, reasons in connection.execute(
            sa.text("select dataset, row_key, reasons from ops.quarantine where system = :system and status = 'open'"),
            {"system": SYSTEM},
        ):
            found.setdefault(dataset, {})[key] = list(reasons)
    return found


def _warnings(truth: pd.DataFrame, warehouse: Warehouse) -> Iterator[FaultLine]:
    planted = truth[truth.verdict == "warning"]
    with warehouse.loader() as connection:
        dossiers = connection.execute(
            sa.text("select flag, dossier_code from core.fact_dossier, unnest(quality_flags) as f(flag)")
        ).all()
        events = connection.execute(
            sa.text(
                "select k.code as kind, f.flag, e.event_id from core.fact_dossier_event as e"
                " join core.dim_event_kind as k on k.event_kind_sk = e.event_kind_sk, unnest(e.quality_flags) as f(flag)"
            )
        ).all()
    for (table, code), rows in planted.groupby(["table", "code"]):
        if table == "ho_so":
            ids = set(rows.ma_ho_so)
            accused = {str(key) for flag, key in dossiers if flag == code}
        else:
            ids = set(rows.source_id.astype(str))
            accused = {str(key) for kind, flag, key in events if flag == code and kind == EVENT_KIND[table]}
        yield FaultLine(f"{SYSTEM}.{table}", code, "flagged", len(ids), len(ids & accused), len(accused - ids))


def _duplicates(truth: pd.DataFrame, warehouse: Warehouse) -> FaultLine:
    planted = int((truth.verdict == "duplicate").sum())
    batch = _full_batch(warehouse, "ho_so")
    found = int(batch.duplicate or 0)
    return FaultLine(
        f"{SYSTEM}.ho_so",
        "exact_copy, older_version",
        "duplicate",
        planted,
        min(planted, found),
        max(0, found - planted),
    )


def _repairs(truth: pd.DataFrame, warehouse: Warehouse) -> Iterator[FaultLine]:
    planted = truth[truth.expected_value.notna()]
    settings = get_settings()
    catalog = load_catalog(settings.project_roots, strict=False)
    store = LandingStore(settings.landing_root)
    for table, rows in planted.groupby("table"):
        contract = catalog.contract(f"{SYSTEM}.{table}")
        batch = _full_batch(warehouse, table)
        manifest = store.load_manifest(SYSTEM, table, batch.batch_id)
        wanted = pa.array(rows.source_id.unique())
        values: dict[tuple[int, str], str | None] = {}
        for landed in store.read(manifest):
            kept = landed.filter(pc.is_in(landed.column("Id").cast(pa.int64()), value_set=wanted))
            if kept.num_rows:
                values.update(_cleaned_values(contract, kept))
        for code, kind in rows.groupby("code"):
            found = sum(
                values.get((row.source_id, row.source_column)) == row.expected_value for row in kind.itertuples()
            )
            yield FaultLine(f"{SYSTEM}.{table}", f"{code} (value)", "repaired", len(kind), found, 0)


def _cleaned_values(contract: Contract, landed: pa.RecordBatch) -> Iterator[tuple[tuple[int, str], str | None]]:
    """((source id, source column), cleaned value as text; times as local ISO)."""
    cleaned = clean_batch(landed, contract, 0)
    ids = landed.column("Id").cast(pa.int64()).to_pylist()
    for column in contract.columns:
        array = cleaned.column(column.name)
        if pa.types.is_timestamp(array.type):
            array = pc.strftime(
                pc.local_timestamp(array.cast(pa.timestamp("s", LOCAL_TIME_ZONE), safe=False)), "%Y-%m-%dT%H:%M:%S"
            )
        texts = array.cast(pa.string()).to_pylist()
        yield from (((source_id, column.source_name), text) for source_id, text in zip(ids, texts, strict=True))


@dataclass(frozen=True)
class _FullBatch:
    batch_id: int
    duplicate: int | None


def _full_batch(warehouse: Warehouse, dataset: str) -> _FullBatch:
    with warehouse.loader() as connection:
        row = connection.execute(
            sa.text(
                "select batch_id, duplicate from ops.batch where system = :system and dataset = :dataset"
                " and status = 'published' and kind in ('full', 'snapshot') order by batch_id limit 1"
            ),
            {"system": SYSTEM, "dataset": dataset},
        ).one_or_none()
    if row is None:
        raise WarehouseError(f"{SYSTEM}.{dataset} was never loaded in full", next_step="`dx run` first")
    return _FullBatch(row[0], row[1])
