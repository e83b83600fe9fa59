"""``ops.operation``: what was done to the installation itself. Rows are only added."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def note_operation(connection: Connection, kind: str, details: Mapping[str, Any]) -> None:
    """Write down one operation (backup, restore, retention, key_rotation, key_deletion), as the owner. No secrets."""
    told = {**details, "by": operating_system_user()}
    connection.execute(
        sa.text("insert into ops.operation (kind, details) values (:kind, cast(:details as jsonb))"),
        {"kind": kind, "details": json.dumps(told, default=str, ensure_ascii=False)},
    )


def operating_system_user() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
