"""The structure of a source as each batch met it: ``ops.batch.schema_fingerprint`` and ``source_columns``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.warehouse.ledger import update_batch


@dataclass(frozen=True)
class RecordedShape:
    """What one batch met; ``columns`` as ``extract.shape`` writes them."""

    batch_id: int
    contract_version: str
    status: str
    started_at: datetime
    schema_fingerprint: str
    source_columns: list[dict[str, Any]]


_SELECT = (
    f"select {', '.join(RecordedShape.__dataclass_fields__)} from ops.batch"
    " where system = :system and dataset = :dataset and source_columns is not null"
)


def write_shape(
    connection: Connection, batch_id: int, *, fingerprint: str, columns: Sequence[Mapping[str, Any]]
) -> None:
    """Note the structure of the source beside its batch, also of one that is going to be held for it."""
    update_batch(connection, batch_id, schema_fingerprint=fingerprint, source_columns=Jsonb([*columns]))


def published_shape(connection: Connection, contract: Contract) -> RecordedShape | None:
    """What the last published batch that was read from the source met; None before the first one."""
    row = connection.execute(
        sa.text(f"{_SELECT} and status = 'published' order by batch_id desc limit 1"), _names(contract)
    ).mappings()
    found = row.first()
    return RecordedShape(**dict(found)) if found else None


def shape_history(connection: Connection, contract: Contract) -> list[RecordedShape]:
    """Every batch that noted a structure, oldest first."""
    rows = connection.execute(sa.text(f"{_SELECT} order by batch_id"), _names(contract)).mappings()
    return [RecordedShape(**dict(row)) for row in rows]


def _names(contract: Contract) -> dict[str, str]:
    return {"system": contract.system, "dataset": contract.dataset}
