"""``dx quarantine export``: the fix list of a department, or of every department."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from sqlalchemy.engine import Connection

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.read_purpose import MENDING, PurposeOption
from dx_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from dx_pipeline.contract.catalog import Catalog
    from dx_pipeline.warehouse.quarantine import QuarantinedRow

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def register(app: typer.Typer) -> None:
    app.command()(export)


@friendly
def export(
    target: Annotated[
        Path | None, typer.Argument(help=".xlsx or .csv file to write (with --all: a folder); default: CSV to stdout.")
    ] = None,
    dataset: Annotated[list[str] | None, typer.Option("--dataset", "-d", help="Only this system.dataset.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Only rows with this reason code.")] = None,
    agency: Annotated[str | None, typer.Option("--agency", "-a", help="Only rows of this owner agency.")] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", "-o", help="Only systems of this owner, as system.yaml names it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="One workbook for each owner agency, into a folder.")] = False,
    purpose: PurposeOption = MENDING,
) -> None:
    """Write the rows a department has to mend: the reasons in words, its own columns beside them.

    A workbook has a cover with the counts and a sheet for each dataset. No cell runs as a formula. The file may hold personal
    data: only you can read it (mode 0600). Rows that were discarded or released by hand are not in it.

    Examples:

      dx quarantine export can-sua.xlsx -a H50.14

      dx quarantine export can-sua.csv -d one_stop.ho_so

      dx quarantine export --all danh-sach-can-sua/
    """
    from dx_pipeline.cli.fix_list import check_target, write_csv, write_fix_list
    from dx_pipeline.orchestration.process import get_catalog, get_warehouse
    from dx_pipeline.warehouse.quarantine import list_quarantine
    from dx_pipeline.warehouse.read_audit import read_on_record

    if every and target is None:
        raise SettingsError("--all writes one file for each agency", next_step="name the folder they go into")
    if target is not None and not every:
        check_target(target)
    chosen = _datasets(get_catalog(), dataset, owner)
    scope = {"datasets": chosen, "reason": reason, "agency": agency, "status": "open"}
    read_on_record(get_warehouse(), scope, purpose=purpose)
    with get_warehouse().loader() as connection:
        rows = list_quarantine(connection, dataset_ids=chosen, reason=reason, agency=agency, limit=None)
        rows = _without_released(connection, rows)
        names = _agency_names(connection, {row.owner_agency for row in rows})
        now = connection.exec_driver_sql("select now()").scalar_one()  # in the province's time zone
    if target is None:
        write_csv(sys.stdout, rows, now)
        return
    if not every:
        write_fix_list(target, rows, department=", ".join(names[code] for code in sorted(names)), now=now)
        console.print(f"{len(rows):,} rows written to {escape(str(target))}", soft_wrap=True)
        return
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for code, name in sorted(names.items()):
        mine = [row for row in rows if (row.owner_agency or "") == code]
        file = target / f"can-sua-{_UNSAFE.sub('_', code) or 'khong-ro'}.xlsx"
        write_fix_list(file, mine, department=name, now=now)
        console.print(f"{len(mine):,} rows written to {escape(str(file))}", soft_wrap=True)
    if not names:
        console.print("nothing waits to be mended")


def _datasets(catalog: Catalog, datasets: Sequence[str] | None, owner: str | None) -> list[str] | None:
    """The datasets asked for, by name and by the owner of their system; None for all."""
    if owner is None:
        return list(datasets) if datasets else None
    systems = {
        system.name
        for system in catalog.systems.values()
        if owner in system.owners or owner in {name.partition(":")[2] for name in system.owners}
    }
    if not systems:
        known = sorted({name for system in catalog.systems.values() for name in system.owners})
        raise SettingsError(f"--owner {owner!r} owns no system", next_step=f"known: {', '.join(known)}")
    mine = [contract.id for contract in catalog.contracts.values() if contract.system in systems]
    return [dataset_id for dataset_id in mine if not datasets or dataset_id in datasets]


def _without_released(connection: Connection, rows: list[QuarantinedRow]) -> list[QuarantinedRow]:
    """The rows without those that are to be loaded as they are: the department need not mend them."""
    from dx_pipeline.judge.record_hash import record_hash
    from dx_pipeline.warehouse.quarantine_decision import decisions_about

    newest = {
        (item.quarantine_id, item.record_hash): item.decision
        for item in decisions_about(connection, [row.quarantine_id for row in rows])
    }
    decided = {quarantine_id for quarantine_id, _ in newest}
    return [
        row
        for row in rows
        if row.quarantine_id not in decided or newest.get((row.quarantine_id, record_hash(row.raw_record))) != "release"
    ]


def _agency_names(connection: Connection, codes: Iterable[str | None]) -> dict[str, str]:
    """Code and name of each agency, as the warehouse knows it."""
    import sqlalchemy as sa

    wanted = [code or "" for code in codes]
    found = connection.execute(
        sa.text(
            "select agency_code, name from core.dim_agency where is_current and not is_inferred"
            " and agency_code = any(:codes)"
        ),
        {"codes": wanted},
    )
    named = {code: f"{code} {name}" for code, name in found}
    return {code: named.get(code, code) for code in wanted}
