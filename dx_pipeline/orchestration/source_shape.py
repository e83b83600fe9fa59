"""Each batch notes the structure of its source, and tells what changed since the last published one."""

from __future__ import annotations

from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.drift import Drift
from dx_pipeline.extract.shape import shape_as_json, shape_changes, shape_from_json
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.shape_history import published_shape, write_shape


def record_shape(contract: Contract, batch_id: int, drift: Drift, warehouse: Warehouse) -> list[str]:
    """Note what the source looks like; returns warnings about what the contract does not promise but relied on."""
    with warehouse.loader() as connection:
        before = published_shape(connection, contract)
        write_shape(connection, batch_id, fingerprint=drift.fingerprint, columns=shape_as_json(drift.columns))
    if before is None or before.source_columns == shape_as_json(drift.columns):
        return []
    return [change.message for change in shape_changes(contract, shape_from_json(before.source_columns), drift.columns)]
