"""The asset checks of the gates: control sums that agree with the gate before, an amount of data as promised."""

from __future__ import annotations

from typing import Final, Literal

import dagster as dg
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.judge.suite_guards import RESERVED_CODES
from dx_pipeline.warehouse.control_sums import Reconciled, reconcile
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.volume import silence_alarm, volume_alarm

Layer = Literal["landing", "stage", "core"]
CONTROL_SUMS, DATA_VOLUME = RESERVED_CODES
_TEXT: Final = {
    CONTROL_SUMS: "Số kiểm soát (số dòng, khóa, tổng tiền, con trỏ) khớp với cửa liền trước"
    " | Control sums (rows, keys, money, cursor) agree with the gate before",
    DATA_VOLUME: "Lượng dữ liệu như hợp đồng cam kết | Amount of data as the contract promises",
}
_LAST_GATE: Final[dict[Layer, tuple[str, ...]]] = {
    "landing": ("landing",),
    "stage": ("cleaned", "accepted + quarantined + duplicate", "stage"),
    "core": ("star",),
}


def control_specs(contract: Contract, layer: Layer, asset_key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of one gate: its control sums and, where the contract promises something, the amount of data."""
    return [dg.AssetCheckSpec(name=name, asset=asset_key, description=_TEXT[name]) for name in _names(contract, layer)]


def control_results(
    connection: Connection, contract: Contract, layer: Layer, asset_key: dg.AssetKey, batch: Batch
) -> list[dg.AssetCheckResult]:
    """Their results for a batch that has passed the gate."""
    found = reconcile(connection, batch.batch_id)
    differing = [
        f"{one.measure}: {before} {one.values.get(before)}, {after} {one.values.get(after, 'together differ')}"
        for one in found
        for before, after in one.broken
        if after in _LAST_GATE[layer]
    ]
    results = [
        dg.AssetCheckResult(
            check_name=CONTROL_SUMS,
            asset_key=asset_key,
            passed=not differing,
            severity=dg.AssetCheckSeverity.ERROR,
            description="\n".join(differing) or "every measure agrees",
            metadata={one.measure: _through_gates(one) for one in found},
        )
    ]
    if DATA_VOLUME in _names(contract, layer):
        alarm = volume_alarm(connection, contract, batch) if layer == "landing" else silence_alarm(connection, contract)
        results.append(
            dg.AssetCheckResult(
                check_name=DATA_VOLUME,
                asset_key=asset_key,
                passed=alarm is None,
                severity=dg.AssetCheckSeverity.WARN,
                description=alarm or "as promised",
            )
        )
    return results


def _names(contract: Contract, layer: Layer) -> list[str]:
    promised = {"landing": contract.volume.band, "core": contract.volume.new_within}.get(layer)
    return [CONTROL_SUMS] if promised is None else [CONTROL_SUMS, DATA_VOLUME]


def _through_gates(one: Reconciled) -> str:
    return " · ".join(f"{gate} {value}" for gate, value in one.values.items())
