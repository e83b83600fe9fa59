"""``dx audit``: who read personal records, when and what for; what was done to the installation."""

from __future__ import annotations

import csv
import json
import sys
from typing import Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.tables import plain_table


def register(app: typer.Typer) -> None:
    app.command()(audit)


@friendly
def audit(
    who: Annotated[str | None, typer.Option("--who", help="Only this login.")] = None,
    table: Annotated[str | None, typer.Option("--table", "-t", help="Only this table, e.g. ops.quarantine.")] = None,
    operations: Annotated[
        bool, typer.Option("--operations", help="Backups, restores, retention and keys instead of reads.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV to standard output.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = 50,
) -> None:
    """The record of reads of personal records, with the rights of dx_auditor.

    Examples:

      dx audit

      dx audit --table ops.quarantine --who dx_admin

      dx audit --operations --csv > van-hanh.csv
    """
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.spreadsheet import harmless
    from dx_pipeline.warehouse.read_audit import list_audit, list_operations

    with get_warehouse().owner() as connection:
        connection.exec_driver_sql("set local role dx_auditor")
        if operations:
            header = ["id", "at", "kind", "who", "details"]
            rows = [
                [str(o["operation_id"]), f"{o['at']:%Y-%m-%d %H:%M:%S}", o["kind"], o["who"], _json(o["details"])]
                for o in list_operations(connection, limit=limit)
            ]
        else:
            header = ["id", "at", "kind", "who", "application", "from", "table", "scope", "purpose", "rows"]
            rows = [
                [
                    str(entry.audit_id),
                    f"{entry.at:%Y-%m-%d %H:%M:%S}",
                    entry.kind if entry.request_id is None else f"{entry.kind} of {entry.request_id}",
                    entry.who if entry.acting_as == "none" else f"{entry.who} as {entry.acting_as}",
                    entry.application or "",
                    entry.client_address or "",
                    entry.object,
                    _json(entry.scope),
                    entry.purpose,
                    "" if entry.rows is None else f"{entry.rows}",
                ]
                for entry in list_audit(connection, who=who, table=table, limit=limit)
            ]
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(header)
        writer.writerows([harmless(cell) for cell in row] for row in rows)
        return
    if not rows:
        console.print("no entry")
        return
    shown = plain_table("Nhật ký vận hành · Operations" if operations else "Nhật ký đọc dữ liệu cá nhân · Reads")
    for name in header:
        shown.add_column(name, overflow="fold", no_wrap=name in ("id", "at", "rows"))
    for row in rows:
        shown.add_row(*map(escape, row))
    console.print(shown)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
