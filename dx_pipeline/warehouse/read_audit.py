"""Raw records of quarantine as a person reads them: asked for first, committed, then given (``ops.read_audit``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import WarehouseError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.operation_log import operating_system_user


@dataclass(frozen=True)
class AuditEntry:
    """One request to read personal records, or one reading that followed."""

    audit_id: int
    at: datetime
    kind: str
    request_id: int | None
    who: str
    acting_as: str
    client_address: str | None
    application: str | None
    object: str
    scope: dict[str, Any]
    purpose: str
    rows: int | None


def read_on_record(warehouse: Warehouse, scope: Mapping[str, Any], *, purpose: str) -> dict[int, dict[str, Any]]:
    """Quarantine id → raw record of the rows in a scope (quarantine_id, datasets, reason, agency, status; None is any).

    Every command that shows or writes raw records to a person calls this first, whatever it reads them with.

    Raises:
        WarehouseError: the purpose is too short to tell anything, or too long.
    """
    if not 8 <= len(purpose.strip()) <= 500:
        raise WarehouseError(
            f"--purpose {purpose[:40]!r} does not say what personal records are read for",
            next_step="write it in 8 to 500 letters, e.g. --purpose 'gửi Sở Xây dựng sửa hồ sơ'",
        )
    asked = json.dumps({name: value for name, value in scope.items() if value is not None and value != []})
    with warehouse.owner() as connection:
        _call_ourselves(connection)
        request = connection.execute(
            sa.text("select ops.request_read('ops.quarantine', :purpose, cast(:scope as jsonb))"),
            {"scope": asked, "purpose": purpose},
        ).scalar_one()
    with warehouse.owner() as connection:
        _call_ourselves(connection)
        rows = connection.execute(
            sa.text("select quarantine_id, raw_record from ops.read_quarantine(:request, cast(:scope as jsonb))"),
            {"request": request, "scope": asked},
        )
        return {row[0]: row[1] for row in rows}


def list_audit(
    connection: Connection, *, who: str | None = None, table: str | None = None, limit: int = 50
) -> list[AuditEntry]:
    """Entries of the record, newest first; readable for ``dx_auditor`` and the owner."""
    conditions, values = ["true"], {"limit": limit}  # type: tuple[list[str], dict[str, Any]]
    for column, value in (("who", who), ("object", table)):
        if value is not None:
            conditions.append(f"{column} = :{column}")
            values[column] = value
    names = tuple(AuditEntry.__dataclass_fields__)
    rows = connection.execute(
        sa.text(
            f"select {', '.join(names)} from ops.read_audit where {' and '.join(conditions)}"
            " order by audit_id desc limit :limit"
        ),
        values,
    ).mappings()
    return [AuditEntry(**row) for row in rows]


def list_operations(connection: Connection, *, limit: int = 50) -> Sequence[sa.RowMapping]:
    """What was done to the installation, newest first."""
    return (
        connection.execute(
            sa.text(
                "select operation_id, at, kind, who, details from ops.operation order by operation_id desc limit :limit"
            ),
            {"limit": limit},
        )
        .mappings()
        .all()
    )


def _call_ourselves(connection: Connection) -> None:
    """In the record, beside the login: the user of the operating system who runs the command."""
    name = f"dx, {operating_system_user()}"[:200]
    connection.execute(sa.text("select set_config('application_name', :name, true)"), {"name": name})
